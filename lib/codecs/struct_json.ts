import { CodecError, UsageError } from "../errors.ts";
import { type JsonValue, parseJson } from "./json.ts";
import type { Struct } from "./struct.ts";
import type { StructInput, StructValue } from "./struct_types.ts";
import { fieldText, readJsonValue, readTypedValue } from "./struct_value.ts";

/**
 * How byte strings are written: as text where they are UTF-8 and else as hexadecimal digits (`auto`), or all of them in one
 * way.
 */
export type StructBytes = "auto" | "text" | "hex" | "base64";

/** How {@linkcode StructJson} writes and reads records. */
export interface StructJsonOptions {
  /** A name for each field: records are objects then, arrays otherwise. */
  fields?: readonly string[];
  /** How byte strings are written. Default: `auto`. All forms are understood in any case. */
  bytes?: StructBytes;
}

/**
 * Records as JSON, each in one line:
 *
 * - an array of the values, or an object if the fields have names;
 * - byte strings as text where they are UTF-8 once the zero bytes at the end of an `s` are cut, else as `{"hex": "…"}`;
 * - integers with all their digits, NaN and the infinities as `"NaN"`, `"Infinity"` and `"-Infinity"`;
 * - complex numbers as `{"re": 1, "im": -2}`.
 *
 * What is written reads back as the same record.
 *
 * @example Both ways
 * ```ts
 * import { compileStruct, StructJson } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * const struct = compileStruct("!I30sd");
 * const json = new StructJson(struct, { fields: ["repetitions", "text", "pause"] });
 * const bytes = struct.pack([3, "hello", 0.5]);
 * const line = json.stringify(struct.unpack(bytes));
 * assertEquals(line, '{"repetitions":3,"text":"hello","pause":0.5}');
 * assertEquals(struct.pack(json.parse(line) as [number, string, number]), bytes);
 * ```
 */
export class StructJson {
  /** The names of the fields, where they have names. */
  readonly fields: readonly string[] | undefined;
  readonly #letters: readonly string[];
  readonly #bytes: StructBytes;
  readonly #before: readonly string[];

  /**
   * Prepares to write and read records of one format.
   *
   * @param struct The format of the records.
   * @param options How to write and read them.
   * @throws {UsageError} If there is not one name for each field, or a name is there twice.
   */
  constructor(
    struct: Pick<Struct<string, readonly unknown[]>, "format" | "fieldCount" | "layout">,
    options: StructJsonOptions = {},
  ) {
    const { fields, bytes = "auto" } = options;
    if (fields) checkNames(fields, struct);
    this.fields = fields;
    this.#bytes = bytes;
    this.#letters = fieldLetters(struct);
    this.#before = this.#letters.map((_, i) => {
      return (i === 0 ? "" : ",") + (fields ? `${JSON.stringify(fields[i])}:` : "");
    });
  }

  /**
   * Writes a record.
   *
   * @param values Its values, as they were unpacked.
   * @returns JSON without a newline.
   */
  stringify(values: readonly unknown[]): string {
    let text = "";
    for (let i = 0; i < values.length; i++) {
      text += this.#before[i] + this.#write(values[i] as StructValue, this.#letters[i]!);
    }
    return this.fields ? `{${text}}` : `[${text}]`;
  }

  /**
   * Reads a record: an array, or an object if the fields have names.
   *
   * @param text JSON.
   * @returns Values to be packed. Whether they fit the fields is for packing to find out.
   * @throws {CodecError} If it is no JSON, or there is not one value for each field.
   */
  parse(text: string): StructInput[] {
    return this.read(parseJson(text));
  }

  /**
   * Reads a record that has been parsed.
   *
   * @param record What the JSON means.
   * @returns Values to be packed.
   * @throws {CodecError} If there is not one value for each field.
   */
  read(record: JsonValue): StructInput[] {
    const values = Array.isArray(record) ? record : this.#byName(record);
    if (values.length !== this.#letters.length) {
      throw new CodecError(
        `Cannot read record: expected ${this.#letters.length} values, got ${values.length}`,
      );
    }
    return values.map((value, i) => readJsonValue(value, this.#letters[i]!));
  }

  /**
   * Reads a value that a person typed: numbers as JavaScript or Python writes them, text as it is, truth as `true` or
   * `false`.
   *
   * @param index The field's number, from 0.
   * @param text What was typed.
   * @returns The value to be packed; where it is no value for the field, the text, for packing to refuse.
   */
  readTyped(index: number, text: string): StructInput {
    return readTypedValue(text, this.#letters[index]!);
  }

  #byName(record: JsonValue): JsonValue[] {
    const { fields } = this;
    if (!fields || typeof record !== "object" || record === null || Array.isArray(record)) {
      const wanted = fields ? "an array, or an object of fields" : "an array of values";
      throw new CodecError(`Cannot read record: expected ${wanted}`);
    }
    const unknown = Object.keys(record).find((name) => !fields.includes(name));
    if (unknown !== undefined) {
      throw new CodecError(
        `Cannot read record: unknown field "${unknown}", expected ${fields.join(", ")}`,
      );
    }
    const missing = fields.find((name) => !Object.hasOwn(record, name));
    if (missing !== undefined) {
      throw new CodecError(`Cannot read record: field "${missing}" is missing`);
    }
    return fields.map((name) => record[name]!);
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
    return text === undefined ? `{"hex":"${bytes.toHex()}"}` : JSON.stringify(text);
  }
}

/** The letter of each field's code. */
export function fieldLetters({ layout }: Pick<Struct, "layout">): string[] {
  return layout.items.flatMap(({ letter, count }) => Array<string>(count).fill(letter));
}

function checkNames(
  names: readonly string[],
  { format, fieldCount }: Pick<Struct, "format" | "fieldCount">,
): void {
  const about = `Cannot name the fields of "${format}"`;
  if (names.length !== fieldCount) {
    throw new UsageError(`${about}: expected ${fieldCount} names, got ${names.length}`);
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`${about}: "${twice}" is there twice`);
}

function numberText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0";
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}
