import { CodecError } from "../../errors.ts";
import { escapeActive } from "../../text/invisible.ts";
import { type JsonValue, parseJson } from "../json/json.ts";
import type { Struct } from "./struct.ts";
import {
  checkValueCount,
  parseStructFields,
  type StructField,
  timeName,
  valueNames,
} from "./fields.ts";
import { placeOf } from "./message.ts";
import { isTime } from "./time.ts";
import type { StructInput, StructValue } from "./types.ts";
import { fieldText, readJsonValue, readTypedValue } from "./value.ts";
import { counted, quoted, shorten } from "../../text/wording.ts";

/**
 * How byte strings are written: as text if they are UTF-8 and else as hexadecimal digits (`auto`), or always in one form.
 */
export type StructBytes = "auto" | "text" | "hex" | "base64";

/** How {@linkcode StructJson} writes and reads records. */
export interface StructJsonOptions {
  /**
   * Names of the fields, and arrays of several values as `name*4`, see `parseStructFields()`: records are objects then, arrays
   * otherwise.
   */
  fields?: readonly string[];
  /** How byte strings are written. Default: `auto`. All forms can be read in any case. */
  bytes?: StructBytes;
}

/**
 * Records as JSON, each in one line:
 *
 * - an array of the values, or an object if the fields have names;
 * - byte strings as text if they are UTF-8 (without the zero bytes at the end of an `s`), else as `{"hex": "…"}`;
 * - integers with all their digits, NaN and the infinities as `"NaN"`, `"Infinity"` and `"-Infinity"`;
 * - complex numbers as `{"re": 1, "im": -2}`;
 * - the time of arrival, if given, first: in objects as `time`, or `_time` if a field has that name.
 *
 * What is written reads back as the same record, without the time.
 *
 * @example Both ways
 * ```ts
 * import { compileStruct, StructJson } from "@labwire/labwire/codecs/struct";
 * import { assertEquals } from "@std/assert";
 *
 * const struct = compileStruct("<I30s4d");
 * const json = new StructJson(struct, { fields: ["n", "text", "volts*4"] });
 * const bytes = struct.pack([3, "hello", 0.5, 1, 1.5, 2]);
 * const line = json.stringify(struct.unpack(bytes));
 * assertEquals(line, '{"n":3,"text":"hello","volts":[0.5,1,1.5,2]}');
 * assertEquals(struct.pack(json.parse(line)), bytes);
 * ```
 */
export class StructJson {
  /** The fields, where they have names. */
  readonly fields: readonly StructField[] | undefined;
  /** The names of the values, where the fields have names; those of arrays are numbered, as in `volts[0]`. */
  readonly names: readonly string[] | undefined;
  readonly #letters: readonly string[];
  readonly #bytes: StructBytes;
  readonly #byName: ReadonlyMap<string, StructField>;
  readonly #timeName: string;
  /** The text before each value, and after the last. */
  readonly #before: readonly string[];
  readonly #end: string;

  /**
   * Prepares to write and read records of one format.
   *
   * @param struct The format of the records.
   * @param options How to write and read them.
   * @throws {UsageError} If the names do not fit the format, one occurs twice, or a record has more than 16,777,216 values.
   */
  constructor(
    struct: Pick<Struct<string, readonly unknown[]>, "layout">,
    options: StructJsonOptions = {},
  ) {
    const { fields, bytes = "auto" } = options;
    checkValueCount(struct.layout);
    this.fields = fields && parseStructFields(fields, struct.layout);
    this.names = this.fields && valueNames(this.fields);
    this.#bytes = bytes;
    this.#letters = fieldLetters(struct);
    this.#byName = new Map(this.fields?.map((field) => [field.name, field]));
    this.#timeName = timeName(this.#byName.keys());
    const { before, end } = frame(this.fields, this.#letters.length);
    this.#before = before;
    this.#end = end;
  }

  /**
   * Writes a record.
   *
   * @param values Its values, as they were unpacked.
   * @param time When it arrived, in ISO 8601, to be written before them.
   * @returns JSON without a newline.
   */
  stringify(values: readonly unknown[], time?: string): string {
    let text = this.#start(time, values.length > 0);
    for (let i = 0; i < values.length; i++) {
      text += this.#before[i] + this.#write(values[i] as StructValue, this.#letters[i]!);
    }
    return text + this.#end;
  }

  /**
   * Reads a record: an array, or an object if the fields have names. A time of arrival is skipped.
   *
   * @param text JSON.
   * @returns Values to be packed. Packing checks whether they fit the fields.
   * @throws {CodecError} If it is not JSON, or there is not one value for each field.
   */
  parse(text: string): StructInput[] {
    return this.read(parseJson(text));
  }

  /**
   * Reads a record that has been parsed.
   *
   * @param record The parsed JSON.
   * @returns Values to be packed.
   * @throws {CodecError} If there is not one value for each field, or one is invalid.
   */
  read(record: JsonValue): StructInput[] {
    const values = Array.isArray(record) ? this.#ofArray(record) : this.#ofObject(record);
    if (values.length !== this.#letters.length) {
      throw new CodecError(
        `Cannot read record: expected ${
          counted(this.#letters.length, "value")
        }, got ${values.length}`,
      );
    }
    let i = 0;
    try {
      const inputs = new Array<StructInput>(values.length);
      for (; i < values.length; i++) inputs[i] = readJsonValue(values[i]!, this.#letters[i]!);
      return inputs;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      throw new CodecError(`${error.message} (${placeOf(i, this.names?.[i])})`, { cause: error });
    }
  }

  /**
   * Reads a value that a person typed: numbers as JavaScript or Python writes them, text as it is, truth as `true` or
   * `false`.
   *
   * @param index The value's number, from 0.
   * @param text What was typed.
   * @returns The value to be packed; the text itself if it is not a value for the field, for packing to refuse.
   */
  readTyped(index: number, text: string): StructInput {
    return readTypedValue(text, this.#letters[index]!);
  }

  /** The values of an array, which may have nested arrays where fields are arrays. */
  #ofArray(record: JsonValue[]): JsonValue[] {
    const { fields } = this;
    const nested = fields !== undefined && record.some(Array.isArray);
    const length = nested ? fields.length : this.#letters.length;
    const own = record.length === length + 1 && isTime(record[0]) ? record.slice(1) : record;
    if (!nested) return own;
    if (own.length !== length) {
      throw new CodecError(
        `Cannot read record: expected ${counted(length, "field")}, got ${own.length}`,
      );
    }
    return fields.flatMap((field, i) => valuesOf(field, own[i]!));
  }

  #ofObject(record: JsonValue): JsonValue[] {
    const { fields } = this;
    if (!fields || typeof record !== "object" || record === null || Array.isArray(record)) {
      const wanted = fields ? "an array, or an object of fields" : "an array of values";
      throw new CodecError(`Cannot read record: expected ${wanted}`);
    }
    const known = this.#byName;
    for (const name in record) {
      if (known.has(name) || name === this.#timeName) continue;
      const names = shorten([...known.keys()].slice(0, 50).join(", "), 150);
      throw new CodecError(`Cannot read record: unknown field ${quoted(name)}, expected ${names}`);
    }
    return fields.flatMap((field) => {
      if (Object.hasOwn(record, field.name)) return valuesOf(field, record[field.name]!);
      throw new CodecError(`Cannot read record: field ${quoted(field.name)} is missing`);
    });
  }

  #start(time: string | undefined, more: boolean): string {
    if (time === undefined) return this.fields ? "{" : "[";
    const comma = more ? "," : "";
    return this.fields ? `{"${this.#timeName}":"${time}"${comma}` : `["${time}"${comma}`;
  }

  #write(value: StructValue, letter: string): string {
    switch (typeof value) {
      case "number":
        return numberText(value);
      case "bigint":
      case "boolean":
        return String(value);
    }
    if (value instanceof Uint8Array) return this.#writeBytes(value, letter);
    return `{"re":${numberText(value.re)},"im":${numberText(value.im)}}`;
  }

  #writeBytes(bytes: Uint8Array, letter: string): string {
    if (this.#bytes === "hex") return `{"hex":"${bytes.toHex()}"}`;
    if (this.#bytes === "base64") return `{"base64":"${bytes.toBase64()}"}`;
    const text = fieldText(bytes, letter, this.#bytes === "text");
    return text === undefined ? `{"hex":"${bytes.toHex()}"}` : escapeActive(JSON.stringify(text));
  }
}

/** The text around the values of a record: brackets, commas and names. */
function frame(
  fields: readonly StructField[] | undefined,
  length: number,
): { before: string[]; end: string } {
  const before = new Array<string>(length).fill(",");
  if (length > 0) before[0] = "";
  let open = "";
  for (const { name, first, count } of fields ?? []) {
    const array = count === undefined ? "" : "[";
    before[first] = `${open}${before[first]}${escapeActive(JSON.stringify(name))}:${array}`;
    open = array === "" ? "" : "]";
  }
  return { before, end: `${open}${fields ? "}" : "]"}` };
}

/** The values of a field, of which an array has several. */
function valuesOf({ name, count }: StructField, value: JsonValue): JsonValue | JsonValue[] {
  if (count === undefined) {
    // Flattening removes one level of arrays; packing refuses what is not a value.
    return Array.isArray(value) ? [value] : value;
  }
  if (Array.isArray(value) && value.length === count) return value;
  const got = Array.isArray(value) ? `${value.length}` : "none";
  throw new CodecError(
    `Cannot read record: field ${quoted(name)} is an array of ${
      counted(count, "value")
    }, got ${got}`,
  );
}

/** The letter of each field's code. */
export function fieldLetters({ layout }: Pick<Struct, "layout">): string[] {
  return layout.items.flatMap(({ letter, count }) => Array<string>(count).fill(letter));
}

/** A double with all its digits, NaN and the infinities as strings. */
function numberText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0";
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}
