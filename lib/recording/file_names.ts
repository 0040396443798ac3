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
   * The name at a time, with the present file's number if that has the name of the same time.
   *
   * @throws {UsageError} If the pattern has an unknown field.
   */
  at(date: Date): string {
    const base = strftime(this.#pattern, date);
    if (base !== this.#base) this.#number = 0;
    this.#base = base;
    return numbered(base, this.#number);
  }

  /**
   * Finds the name of the file after the present one: the one of a time, with the first number from which it is not taken.
   *
   * @param date The time.
   * @param take Tries to begin a file of that name; returns whether it could. What it throws is passed on: the same name is next then.
   * @throws {UsageError} If the pattern has an unknown field.
   */
  async next(date: Date, take: (path: string) => Promise<boolean>): Promise<void> {
    const base = strftime(this.#pattern, date);
    let number = base === this.#base ? this.#number + 1 : 0;
    while (!await take(numbered(base, number))) number++;
    this.#base = base;
    this.#number = number;
  }
}

/** Puts a number before the end of a file name: `run.dat` becomes `run.1.dat`; 0 changes nothing. */
function numbered(path: string, number: number): string {
  if (number === 0) return path;
  const [, stem, extension] = /^(.*?[^/\\])(\.[^./\\]+)?$/s.exec(path) ?? [undefined, path];
  return `${stem}.${number}${extension ?? ""}`;
}
