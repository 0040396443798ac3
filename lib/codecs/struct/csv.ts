import { CodecError } from "../../errors.ts";
import { csvCell } from "../../text/csv.ts";
import { hasInvisible } from "../../text/invisible.ts";
import type { Struct } from "./struct.ts";
import { checkValueCount, parseStructFields, timeName, valueNames } from "./fields.ts";
import { fieldLetters, type StructBytes } from "./json.ts";
import { placeOf } from "./message.ts";
import { isTime } from "./time.ts";
import type { StructInput, StructValue } from "./types.ts";
import { decodeBytes, fieldText, readTypedValue } from "./value.ts";
import { counted } from "../../text/wording.ts";

/** How {@linkcode StructCsv} writes and reads records. */
export interface StructCsvOptions {
  /** Names of the fields, and arrays of several values as `name*4`, see `parseStructFields()`. */
  fields?: readonly string[];
  /** How byte strings are written. Default: `auto`. All forms can be read in any case. */
  bytes?: StructBytes;
}

/** The prefixes of bytes that are not text. */
const ENCODED = /^(0x|base64:)/i;

/**
 * Records as rows of CSV (RFC 4180), a column for each value:
 *
 * - numbers with all their digits, as JavaScript writes them; complex ones as Python does, `1-2j`;
 * - byte strings as text where they are UTF-8 without control characters and do not begin with `0x` or `base64:`, else as `0x…`;
 * - the time of arrival, if given, in the first column.
 *
 * What is written reads back as the same record, bit for bit except for the payload of a NaN, and without the time.
 *
 * @example Both ways
 * ```ts
 * import { compileStruct, StructCsv } from "@labwire/labwire/codecs/struct";
 * import { assertEquals } from "@std/assert";
 *
 * const struct = compileStruct("!I30s2d");
 * const csv = new StructCsv(struct, { fields: ["n", "text", "volts*2"] });
 * const bytes = struct.pack([3, "hello, world", 0.5, -0]);
 * assertEquals(csv.header(), "n,text,volts[0],volts[1]");
 * assertEquals(csv.stringify(struct.unpack(bytes)), '3,"hello, world",0.5,-0.0');
 * assertEquals(struct.pack(csv.read(["3", "hello, world", "0.5", "-0.0"])), bytes);
 * ```
 */
export class StructCsv {
  /** The names of the columns, where the fields have names; those of arrays are numbered, as in `volts[0]`. */
  readonly names: readonly string[] | undefined;
  readonly #letters: readonly string[];
  readonly #bytes: StructBytes;
  readonly #timeName: string;

  /**
   * Prepares to write and read records of one format.
   *
   * @param struct The format of the records.
   * @param options How to write and read them.
   * @throws {UsageError} If the names do not fit the format, one occurs twice, or a record has more than 16,777,216 values.
   */
  constructor(
    struct: Pick<Struct<string, readonly unknown[]>, "layout">,
    { fields, bytes = "auto" }: StructCsvOptions = {},
  ) {
    checkValueCount(struct.layout);
    const named = fields && parseStructFields(fields, struct.layout);
    this.names = named && valueNames(named);
    this.#letters = fieldLetters(struct);
    this.#bytes = bytes;
    this.#timeName = timeName(named?.map(({ name }) => name) ?? []);
  }

  /**
   * The row that names the columns.
   *
   * @param time Whether the first column is the time of arrival.
   * @returns The row without a newline; undefined if the fields have no names.
   */
  header(time = false): string | undefined {
    return this.names && [...(time ? [this.#timeName] : []), ...this.names].map(csvCell).join(",");
  }

  /**
   * Writes a record.
   *
   * @param values Its values, as they were unpacked.
   * @param time When it arrived, in ISO 8601, for the first column.
   * @returns A row without a newline.
   */
  stringify(values: readonly unknown[], time?: string): string {
    let text = time ?? "";
    for (let i = 0; i < values.length; i++) {
      if (i > 0 || time !== undefined) text += ",";
      text += this.#cell(values[i] as StructValue, this.#letters[i]!);
    }
    // A line with one empty cell would be blank.
    return text === "" && values.length > 0 ? '""' : text;
  }

  /**
   * Reads a record. A time of arrival in an extra first column is skipped.
   *
   * @param cells The cells of a row.
   * @returns Values to be packed. Packing checks whether they fit the fields.
   * @throws {CodecError} If there is not one cell for each value, or a cell is not a valid value.
   */
  read(cells: readonly string[]): StructInput[] {
    const letters = this.#letters;
    const own = cells.length === letters.length + 1 && isTime(cells[0]) ? cells.slice(1) : cells;
    if (own.length !== letters.length) {
      const hint = own.length === 1 && letters.length > 1 ? " with commas between them" : "";
      throw new CodecError(
        `Cannot read record: expected ${
          counted(letters.length, "value")
        }${hint}, got ${own.length}`,
      );
    }
    return own.map((cell, i) => {
      try {
        return readCell(cell, letters[i]!);
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        const place = placeOf(i, this.names?.[i]);
        throw new CodecError(`${error.message} (${place})`, { cause: error });
      }
    });
  }

  /**
   * Finds the columns in a header row, in any order, with or without a time of arrival.
   *
   * @param cells The cells of the row.
   * @returns The index of each value's column; undefined if the row does not name exactly these columns.
   */
  columns(cells: readonly string[]): number[] | undefined {
    const { names } = this;
    if (names === undefined) return undefined;
    const places = new Map(cells.map((cell, i) => [cell.trim(), i]));
    const columns = names.map((name) => places.get(name.trim()));
    const others = cells.length - (places.has(this.#timeName) ? 1 : 0);
    if (places.size !== cells.length || others !== names.length) return undefined;
    return columns.includes(undefined) ? undefined : columns as number[];
  }

  #cell(value: StructValue, letter: string): string {
    if (typeof value === "number") return numberText(value);
    if (typeof value !== "object") return String(value);
    if (value instanceof Uint8Array) return this.#bytesCell(value, letter);
    const im = numberText(value.im);
    return `${numberText(value.re)}${im.startsWith("-") ? "" : "+"}${im}j`;
  }

  #bytesCell(value: Uint8Array, letter: string): string {
    if (this.#bytes === "hex") return `0x${value.toHex()}`;
    if (this.#bytes === "base64") return `base64:${value.toBase64()}`;
    const text = fieldText(value, letter, this.#bytes === "text");
    if (text === undefined || hasInvisible(text) || ENCODED.test(text)) return `0x${value.toHex()}`;
    return csvCell(text);
  }
}

/** A double with all its digits; pandas would read a column of `-0` as integers. */
function numberText(value: number): string {
  return Object.is(value, -0) ? "-0.0" : String(value);
}

/** A byte string is text unless it has a prefix; everything else is as a person types it. */
function readCell(cell: string, letter: string): StructInput {
  if (!"csp".includes(letter)) return readTypedValue(cell, letter);
  if (!ENCODED.test(cell)) return cell;
  return cell.startsWith("0")
    ? decodeBytes(cell.slice(2), "hex")
    : decodeBytes(cell.slice(7), "base64");
}
