import { strftime } from "../text/strftime.ts";

/** The names of a recording's files: a pattern with the time in it, and numbers where that gives the same name again. */
export class FileNames {
  readonly #pattern: string;
  #base = "";
  #number = 0;

  /** @param pattern The path, with fields as of C's `strftime`. */
  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  /**
   * The name at a time, without a number unless that time gave a name before.
   *
   * @throws {UsageError} If the pattern has an unknown field.
   */
  at(date: Date): string {
    const base = strftime(this.#pattern, date);
    if (base !== this.#base) this.#number = 0;
    this.#base = base;
    return numbered(base, this.#number);
  }

  /** The name of the file after the present one: the one of this time, or the same with the next number. */
  next(date: Date): string {
    const base = this.#base;
    const name = this.at(date);
    return this.#base === base ? numbered(base, ++this.#number) : name;
  }
}

/** Puts a number before the end of a file name: `run.dat` becomes `run.1.dat`; 0 changes nothing. */
function numbered(path: string, number: number): string {
  if (number === 0) return path;
  const [, stem, extension] = /^(.*?[^/\\])(\.[^./\\]+)?$/s.exec(path) ?? [undefined, path];
  return `${stem}.${number}${extension ?? ""}`;
}
