import { splitCsvRow } from "../text/csv.ts";
import { StructCsv } from "../codecs/struct/csv.ts";
import { StructJson } from "../codecs/struct/json.ts";
import type { AnyStruct } from "../codecs/struct/struct.ts";
import type { StructInput } from "../codecs/struct/types.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { CodecError } from "../errors.ts";

/** What the lines are. */
export interface RecordReaderOptions {
  /** The names of the fields. */
  readonly fields?: readonly string[];
  /** In which form records are read. */
  readonly input: "auto" | "json" | "csv";
}

/** Where records and errors go. */
export interface RecordTarget {
  /**
   * Called with each record.
   *
   * @throws {CodecError} If its values do not fit; that is reported as a bad line, unless the line is a header.
   */
  readonly onRecord: (values: StructInput[]) => void;
  /** Called with the error of each line that is not a record. */
  readonly onBad: (error: CodecError, line: number) => void;
}

interface Line {
  readonly text: string;
  readonly number: number;
}

const NONE: readonly Line[] = [];
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads records from lines of JSON or CSV. A header row gives the order of the columns. */
export class RecordReader {
  readonly #json: StructJson;
  readonly #csv: StructCsv;
  readonly #target: RecordTarget;
  readonly #fieldCount: number;
  /** Maximum length of a row in characters; 0 if no cell can continue in the next line. */
  readonly #rowLimit: number;
  #input: RecordReaderOptions["input"];
  #number = 0;
  #rows = 0;
  /** The lines of a row that is not complete. */
  #held: Line[] = [];
  #heldLength = 0;
  /** The column of each value and the number of columns, if there was a header. */
  #columns: { readonly places: readonly number[]; readonly count: number } | undefined;

  /**
   * @param struct The format of the records.
   * @param options What the lines are.
   * @param target Where records and errors go.
   */
  constructor(
    struct: AnyStruct,
    { fields, input }: RecordReaderOptions,
    target: RecordTarget,
  ) {
    this.#json = new StructJson(struct, { fields });
    this.#csv = new StructCsv(struct, { fields });
    this.#target = target;
    this.#fieldCount = struct.fieldCount;
    this.#input = input;
    const hasText = struct.layout.items.some(({ form }) => form === "bytes" || form === "pascal");
    this.#rowLimit = hasText ? 8 * struct.size + 1000 : 0;
  }

  /**
   * Reads a line.
   *
   * @param line The line without its end, in UTF-8.
   */
  push(line: Uint8Array): void {
    const number = ++this.#number;
    const text = decode(line);
    if (text instanceof CodecError) return this.#target.onBad(text, number);
    const again = this.#read({ text: number === 1 ? text.replace(/^\ufeff/, "") : text, number });
    if (again.length > 0) this.#readAnew(again);
  }

  /** Ends the input. */
  end(): void {
    while (this.#held.length > 0) this.#readAnew(this.#giveUp());
  }

  /** Reads lines that turned out not to be part of an earlier row. */
  #readAnew(lines: readonly Line[]): void {
    const waiting = lines.toReversed();
    for (let line; (line = waiting.pop()) !== undefined;) {
      for (const again of this.#read(line).toReversed()) waiting.push(again);
    }
  }

  /** Reads a line; returns lines to be read again. */
  #read(line: Line): readonly Line[] {
    if (this.#held.length > 0) return this.#goOn(line);
    const { text } = line;
    const start = /\S/.exec(text)?.[0];
    if (start === undefined) return NONE;
    const isJson = this.#input === "json" ||
      this.#input === "auto" && (start === "[" || start === "{");
    if (isJson) this.#try(line, () => this.#target.onRecord(this.#json.parse(text)));
    else {
      this.#held.push(line);
      this.#heldLength = text.length;
      return this.#complete();
    }
    return NONE;
  }

  /** Adds a line to a row that is not complete. */
  #goOn(line: Line): readonly Line[] {
    this.#held.push(line);
    this.#heldLength += line.text.length + 1;
    // An even number of quotes leaves them open.
    const isOpen = line.text.split('"').length % 2 === 1;
    if (!isOpen) return this.#complete();
    return this.#heldLength > this.#rowLimit ? this.#giveUp() : NONE;
  }

  /** Reads the row that is held, if it is complete. */
  #complete(): readonly Line[] {
    const [line, ...others] = this.#held;
    const cells = cellsOf(
      others.length === 0 ? line!.text : this.#held.map(({ text }) => text).join("\n"),
    );
    if (cells === null && this.#heldLength <= this.#rowLimit) return NONE;
    if (cells === null || cells instanceof CodecError) return this.#giveUp(cells ?? notClosed());
    this.#held = [];
    this.#try(line!, () => this.#row(cells));
    return NONE;
  }

  /** Reports an invalid row; returns the lines that may be rows of their own. */
  #giveUp(error = notClosed()): readonly Line[] {
    const [first, ...others] = this.#held;
    this.#held = [];
    this.#target.onBad(error, first!.number);
    return others;
  }

  #row(cells: readonly string[]): void {
    if (++this.#rows === 1 && this.#header(cells)) return;
    try {
      this.#target.onRecord(this.#csv.read(this.#inOrder(cells)));
    } catch (error) {
      // Concatenated logs have headers between the records.
      if (error instanceof CodecError && this.#header(cells)) return;
      throw this.#rows === 1 && error instanceof CodecError ? this.#withHint(error, cells) : error;
    }
  }

  #header(cells: readonly string[]): boolean {
    const places = this.#csv.columns(cells);
    if (places === undefined) return false;
    this.#columns = { places, count: cells.length };
    this.#input = "csv";
    return true;
  }

  #inOrder(cells: readonly string[]): readonly string[] {
    const columns = this.#columns;
    if (!columns) return cells;
    if (cells.length === columns.count) return columns.places.map((place) => cells[place]!);
    throw new CodecError(
      `Cannot read record: expected ${columns.count} columns, as the header has, got ${cells.length}`,
    );
  }

  /** A first row that is not a record may be an undeclared header. */
  #withHint(error: CodecError, cells: readonly string[]): CodecError {
    const names = cells.map((cell) => cell.trim()).join(",");
    const isHeader = this.#csv.names === undefined && names.length < 200 &&
      cells.length === this.#fieldCount &&
      cells.every((cell) => /^\s*[a-z_]/i.test(cell));
    if (!isHeader) return error;
    return new CodecError(`${error.message}; if it is a header, use --fields ${names}`);
  }

  #try(line: Line, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#target.onBad(error, line.number);
    }
  }
}

/** The cells of a row, null if it is not complete, or what is wrong with it. */
function cellsOf(text: string): readonly string[] | null | CodecError {
  try {
    return splitCsvRow(text);
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
}

function notClosed(): CodecError {
  return new CodecError("Cannot read CSV: the quotes that open in this row are not closed");
}

/** The text of a line, or what is wrong with it. */
function decode(line: Uint8Array): string | CodecError {
  try {
    return strict.decode(line);
  } catch {
    try {
      return decodeUtf8(line);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      return new CodecError(`${error.message}; save the file as UTF-8`, { cause: error });
    }
  }
}
