import { CodecError } from "../../../errors.ts";
import { splitCsvRow } from "../../../text/csv.ts";
import { LineDecoder } from "../../../text/lines.ts";
import { decodeUtf8 } from "../../../text/utf8.ts";
import { counted, quoted } from "../../../text/wording.ts";
import { parseJson } from "../../json/json.ts";
import type { Sample } from "../sample.ts";
import { strangeness } from "../message_stream.ts";
import { type SignalKind, type SignalsLike, signalsOf } from "../signals.ts";
import {
  type Cell,
  isInteger,
  isIsoTime,
  isMembers,
  isValueText,
  sequenceOf,
  shown,
  timeOf,
  valueOf,
} from "./cell.ts";
import {
  cellAt,
  fieldOf,
  isHandled,
  leavesAsWritten,
  leavesOf,
  nameOf,
  type Path,
  pathOf,
  spread,
} from "./path.ts";

/** How plain columns are read. */
export interface ColumnsOptions {
  /** What the values are, in a notation of {@linkcode parseSignals} or one by one. Default: floats, as many as there are. */
  readonly signals?: SignalsLike;
  /**
   * Which columns or members are the values, and in which order: by their names, members of members as `data.voltage` and of lists as
   * `volts[0]`, or columns by their numbers, counted from 1. Default: all that are no time and no sequence number.
   */
  readonly fields?: readonly string[];
  /**
   * Which one is the time, by its name or number. Default: the one called time, timestamp, datetime, date or origin, or a first column of
   * dates and times in ISO 8601.
   */
  readonly time?: string;
  /** Which one is the sequence number. Default: the one called sequence or seq. */
  readonly sequence?: string;
  /** Longest line in bytes. Default: 1 MiB. */
  readonly maxBytes?: number;
}

/** Names that tell what a column is. */
const TIMES = ["time", "timestamp", "datetime", "date", "origin", "_time"];
const SEQUENCES = ["sequence", "seq"];
/** Separators of columns, in the order in which they are looked for. */
const SEPARATORS = ["\t", ";", ","] as const;

/** What stands between columns that have blanks between them. */
const BLANKS = / +/;
/** Seconds since 1970 are less. */
const UINT32 = 2 ** 32;

/** What is where in the lines that follow. */
interface Layout {
  /** The names of the values, for messages. */
  readonly names: readonly string[];
  /** Where the values are: the index of a column, or the way to a member. */
  readonly values: readonly Path[];
  readonly time: Path | undefined;
  readonly sequence: Path | undefined;
  /** How many columns there are, or which members of an object must be known; undefined where others do not matter. */
  readonly all: number | ((name: string) => boolean) | undefined;
}

/**
 * Reads samples from lines that were made for something else: rows of CSV with or without a header, JSON arrays, objects and numbers, one
 * record per line.
 *
 * - Columns are separated by tabs, semicolons or commas, whichever the first row has; with semicolons and tabs, a comma may be the decimal
 *   point. A first row of texts is a header, and may come again.
 * - Values are floats unless the signals say otherwise; an integer that no float holds is none. An empty cell and `null` are NaN, true
 *   is 1.
 * - Every record has as many values as the first, in the same places. Members of an object that are texts are left out.
 * - Of what json-server prints, the numbers of the message are the values.
 * - A line that begins with `#` is a comment.
 *
 * It is used as the decoders of formats are: pass each chunk to `push()`, then call `next()` until it returns null.
 *
 * @example A table
 * ```ts
 * import { ColumnsDecoder } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new ColumnsDecoder();
 * decoder.push(new TextEncoder().encode("time,volts,amps\n1795198430.5,1.25,0.5\n"));
 * assertEquals(decoder.next(), {
 *   type: "data",
 *   origin: { sec: 1795198430, nsec: 500_000_000 },
 *   values: [1.25, 0.5],
 * });
 * ```
 */
export class ColumnsDecoder {
  readonly #options: ColumnsOptions;
  readonly #signals: readonly SignalKind[] | undefined;
  readonly #lines: LineDecoder;
  #line = 0;
  #separator: typeof SEPARATORS[number] | " " | undefined;
  /** The header, and the names in it. */
  #header: string | undefined;
  #names: readonly string[] | undefined;
  /** Where values are in rows, in arrays and in objects; known once there was one. */
  #rows: Layout | undefined;
  #lists: Layout | undefined;
  #objects: Layout | undefined;
  #leftOut: readonly string[] = [];
  /** The members that an object may have. */
  #known: ReadonlySet<string> | undefined;

  /**
   * Starts with nothing read.
   *
   * @param options What the columns are.
   * @throws {UsageError} If the signals are none.
   */
  constructor(options: ColumnsOptions = {}) {
    this.#options = options;
    const { signals } = options;
    this.#signals = signals === undefined ? undefined : signalsOf(signals).map(({ type }) => type);
    this.#lines = new LineDecoder(options.maxBytes ?? 1 << 20, false);
  }

  /** On which line the sample was that was returned last, counted from 1. */
  get line(): number {
    return this.#line;
  }

  /** The members of objects that are left out, as they are texts in the first one. */
  get leftOut(): readonly string[] {
    return this.#leftOut;
  }

  /** Takes the bytes that came next. All samples of the chunk before must have been taken. */
  push(chunk: Uint8Array): void {
    this.#lines.push(chunk);
  }

  /**
   * Returns the next sample, or null if more bytes are needed.
   *
   * @throws {CodecError} If the next line is none, naming it. The next call goes on after it.
   */
  next(): Sample | null {
    return this.#take(() => this.#lines.next());
  }

  /** Ends the stream: to be called until it returns null. */
  end(): Sample | null {
    return this.#take(() => this.#lines.end());
  }

  #take(nextLine: () => Uint8Array | null): Sample | null {
    for (;;) {
      try {
        const bytes = nextLine();
        if (bytes === null) return null;
        this.#line++;
        const strange = this.#line === 1 ? strangeness(bytes) : "";
        if (strange !== "") throw new CodecError(`expected UTF-8 text${strange}`);
        const sample = this.#read(decodeUtf8(bytes));
        if (sample) return sample;
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        const [, tooLong] = /^Cannot read line: (.*)/s.exec(error.message) ?? [];
        if (tooLong !== undefined) this.#line++; // it was not handed on
        throw new CodecError(`Cannot read line ${this.#line}: ${tooLong ?? error.message}`, {
          cause: error,
        });
      }
    }
  }

  #read(text: string): Sample | undefined {
    const line = text.trim();
    if (line === "" || line.startsWith("#") || line === this.#header) return undefined;
    if (line.startsWith("{") || line.startsWith("[")) {
      const json = parseJson(line);
      return isMembers(json) ? this.#readObject(json, line) : this.#readList(json as Cell[]);
    }
    return this.#readRow(line, text);
  }

  #readRow(line: string, text: string): Sample | undefined {
    this.#separator ??= SEPARATORS.find((mark) => line.includes(mark)) ?? this.#blankIn(line);
    const cells = this.#cells(line);
    if (!this.#rows) {
      const isHeader = this.#names === undefined && this.#isHeader(cells, this.#hasComma);
      if (isHeader) {
        this.#header = line;
        this.#names = cells.map((cell) => cell.trim());
      }
      // Where a header does not have what is wanted, this is said of each row.
      const names = this.#names;
      this.#rows = this.#layoutOf(names ?? this.#numbered(cells), names !== undefined);
      if (isHeader) return undefined;
    }
    // Tabs at its ends are no columns, as some programs write one behind each number, unless there are too few without them.
    const isShort = this.#separator === "\t" && cells.length !== this.#rows.all;
    return this.#sample(isShort ? this.#cells(text.replace(/\r$/, "")) : cells, this.#rows);
  }

  /** A blank, if it separates numbers: in any other text it is one of many characters. */
  #blankIn(line: string): " " | undefined {
    const cells = line.split(BLANKS);
    const isNumber = (cell: string, i: number) =>
      isValueText(cell, false, this.#hasComplex) || i === 0 && isIsoTime(cell);
    return cells.length > 1 && cells.every(isNumber) ? " " : undefined;
  }

  /** Whether a first row names the columns: there is text in it, and no number unless the first name tells what it is. */
  #isHeader(cells: readonly string[], comma: boolean): boolean {
    const isText = (cell: string) =>
      !isValueText(cell, comma, this.#hasComplex) && !isIsoTime(cell);
    const first = cells[0]!.trim().toLowerCase();
    return cells.some(isText) &&
      (cells.every((cell) => cell.trim() === "" || isText(cell)) ||
        TIMES.includes(first) || SEQUENCES.includes(first));
  }

  #readList(list: Cell[]): Sample {
    const cells = list.flat() as Cell[]; // fields that are arrays
    this.#lists ??= this.#layoutOf(this.#numbered(cells), false);
    return this.#sample(cells, this.#lists);
  }

  #readObject(object: { [name: string]: Cell }, text: string): Sample {
    if (Array.isArray(object.data) && isMembers(object.ts)) {
      throw new CodecError("this is VILLASnode's json: expected --input-format json for it");
    }
    this.#objects ??= this.#layoutOfObject(object, text);
    return this.#sample(object, this.#objects);
  }

  /** Whether a comma is the decimal point, as it separates nothing. */
  get #hasComma(): boolean {
    return this.#separator === ";" || this.#separator === "\t";
  }

  get #hasComplex(): boolean {
    return this.#signals?.includes("complex") ?? false;
  }

  #cells(line: string): string[] {
    const separator = this.#separator;
    if (separator === undefined) return [line];
    if (separator === " ") return line.split(BLANKS);
    if (!line.includes('"')) return line.split(separator);
    const cells = separator === ","
      ? splitCsvRow(line)
      : line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
    if (cells === null) throw new CodecError("the row ends inside quotes");
    return cells;
  }

  /** Names for columns that have none: their numbers, and one for times that can be nothing else. */
  #numbered(cells: readonly Cell[]): string[] {
    return cells.map((cell, i) => i === 0 && isIsoTime(cell) ? TIMES[0]! : `${i + 1}`);
  }

  /** Finds out what the columns are. */
  #layoutOf(names: readonly string[], isHeader: boolean): Layout {
    const { fields, time, sequence } = this.#options;
    const find = (wanted: string): Path => {
      const at = names.indexOf(wanted);
      if (at >= 0) return [at];
      const number = /^\d+$/.test(wanted) ? Number(wanted) : 0;
      if (number >= 1 && number <= names.length) return [number - 1];
      const known = isHeader
        ? names.join(", ")
        : `numbers from 1 to ${names.length}, without a header`;
      throw new CodecError(`there is no column ${quoted(wanted)}: expected ${known}`);
    };
    const own = (wanted: string | undefined, usual: readonly string[]): Path | undefined => {
      if (wanted !== undefined) return find(wanted);
      const at = names.findIndex((name) => usual.includes(name.toLowerCase()));
      return at < 0 || fields?.includes(names[at]!) ? undefined : [at];
    };
    const [when, number] = [own(time, TIMES), own(sequence, SEQUENCES)];
    const others = names.map((_, i): Path => [i])
      .filter(([i]) => i !== when?.[0] && i !== number?.[0]);
    const values = fields?.map(find) ?? others;
    return {
      names: values.map(([i]) => isHeader ? names[i as number]! : `${(i as number) + 1}`),
      values,
      time: when,
      sequence: number,
      all: names.length,
    };
  }

  #layoutOfObject(object: { [name: string]: Cell }, text: string): Layout {
    const { fields, time, sequence } = this.#options;
    const own = (wanted: string | undefined, usual: readonly string[]): Path | undefined => {
      if (wanted !== undefined) return pathOf(wanted, object);
      const name = Object.keys(object).find((name) => usual.includes(name.toLowerCase()));
      return name === undefined || fields?.includes(name) ? undefined : [name];
    };
    const [when, number] = [own(time, TIMES), own(sequence, SEQUENCES)];
    const [timeName, numberName] = [when && nameOf(when), number && nameOf(number)];
    const inData = isHandled(object) ? (name: string) => name.startsWith("data") : () => true;
    if (fields) {
      const values = fields.flatMap((field) => spread(fieldOf(field, object), object));
      return { names: values.map(nameOf), values, time: when, sequence: number, all: undefined };
    }
    const leaves = leavesAsWritten(object, text, this.#hasComplex)
      .filter((path) => inData(nameOf(path)) && ![timeName, numberName].includes(nameOf(path)));
    const isText = (path: Path) => {
      const cell = cellAt(object, path);
      return typeof cell === "string" && !isValueText(cell, false, this.#hasComplex);
    };
    this.#leftOut = leaves.filter(isText).map(nameOf);
    const values = leaves.filter((path) => !isText(path));
    if (values.length === 0) throw new CodecError("there is no number in the object");
    return { names: values.map(nameOf), values, time: when, sequence: number, all: inData };
  }

  #sample(record: Cell, layout: Layout): Sample {
    const signals = this.#signals;
    const { names, values: paths, time, sequence } = layout;
    this.#checkShape(record, layout);
    if (signals && paths.length > signals.length) {
      throw new CodecError(
        `there are ${
          counted(paths.length, "value")
        }: expected at most ${signals.length}, as many as signals`,
      );
    }
    const comma = this.#hasComma;
    const sample: Sample = { type: "data", values: [] };
    for (let i = 0; i < paths.length; i++) {
      const cell = cellAt(record, paths[i]!);
      const kind = signals ? signals[i]! : "float";
      const value = cell === undefined ? undefined : valueOf(cell, kind, comma);
      if (value === undefined) throw misfit(names[i]!, cell, kind, isMembers(record));
      sample.values.push(value);
    }
    if (time) {
      const cell = cellAt(record, time);
      const origin = cell === undefined ? undefined : timeOf(cell, comma);
      if (!origin) throw noTime(cell);
      sample.origin = origin;
    }
    if (sequence) {
      const cell = cellAt(record, sequence);
      sample.sequence = cell === undefined ? undefined : sequenceOf(cell);
      if (sample.sequence === undefined) {
        throw new CodecError(
          `the sequence number is ${shown(cell)}: expected a whole number from 0`,
        );
      }
    }
    return sample;
  }

  /** Refuses records that have more or less than the first. */
  #checkShape(record: Cell, { all, names, time, sequence }: Layout): void {
    if (typeof all === "number") {
      const { length } = record as Cell[];
      if (length === all) return;
      throw new CodecError(`the row has ${counted(length, "column")}: expected ${all}`);
    }
    if (all === undefined) return;
    const known = this.#known ??= new Set([
      ...names,
      ...this.#leftOut,
      ...[time, sequence].flatMap((path) => path ? [nameOf(path)] : []),
    ]);
    for (const path of leavesOf(record as { [name: string]: Cell }, this.#hasComplex)) {
      const name = nameOf(path);
      if (known.has(name) || !all(name)) continue;
      throw new CodecError(
        `there is also ${quoted(name)}: expected ${names.join(", ")} as before; --fields chooses`,
      );
    }
  }
}

function misfit(
  name: string,
  cell: Cell | undefined,
  kind: SignalKind,
  isObject: boolean,
): CodecError {
  const what = isObject
    ? quoted(name)
    : /^\d+$/.test(name)
    ? `column ${name}`
    : `column ${quoted(name)}`;
  const wanted = {
    float: "a number",
    integer: "an integer",
    boolean: "true or false",
    complex: "a complex number",
  };
  if (cell === undefined) return new CodecError(`there is no ${what}`);
  if (kind === "float" && isInteger(cell)) {
    return new CodecError(
      `${what} is ${
        shown(cell)
      }: expected a number that a float holds; --signals says which values are integers`,
    );
  }
  return new CodecError(
    `${what} is ${shown(cell)}: expected ${wanted[kind]}; --fields chooses the values`,
  );
}

function noTime(cell: Cell | undefined): CodecError {
  const large = Number(cell) >= UINT32 ? ", not milliseconds" : "";
  return new CodecError(
    `the time is ${
      shown(cell)
    }: expected seconds since 1970${large}, or as 2026-10-05T12:34:56.789Z`,
  );
}
