import type { Codec } from "../codec.ts";
import { type JsonCodecOptions, parseJsonText } from "../json_parse.ts";
import type { JsonValue } from "./reader.ts";
import { writeJson } from "./write.ts";
import { decodeUtf8 } from "../../text/utf8.ts";

export type { JsonCodecOptions, JsonValue };

const encoder = new TextEncoder();

/**
 * Makes a codec for JSON texts (RFC 8259) in UTF-8, each in one line.
 *
 * - Decoding is strict. Errors say at which byte, line and column, what was wanted and what was found.
 * - Integers beyond ±(2⁵³ − 1) become `bigint` rather than lose digits, and are encoded as they were. Numbers that JavaScript
 *   cannot hold, such as `1e400`, are errors.
 * - A name such as `__proto__` or `constructor` is a name like any other: it becomes a property of the object itself
 *   and touches nothing else. Of a name that is there twice the last value counts, as in Python.
 * - `-0` is encoded as `-0.0`. NaN and the infinities, which JSON does not have, cannot be encoded; the error says where they are.
 *
 * @param options How deep messages may nest, and which numbers they may have.
 * @returns The codec.
 *
 * @example A 64-bit tuning word
 * ```ts
 * import { createJsonCodec } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = createJsonCodec({ maxDepth: 8 });
 * const bytes = new TextEncoder().encode('{"ftw":13835058055282163712,"gain":2.5}');
 * assertEquals(codec.decode(bytes), { ftw: 13835058055282163712n, gain: 2.5 });
 * assertEquals(codec.encode(codec.decode(bytes)), bytes);
 * ```
 */
export function createJsonCodec(options: JsonCodecOptions = {}): Codec<JsonValue> {
  return {
    name: "json",
    encode: (message) => encoder.encode(stringifyJson(message)),
    decode: (bytes) => parseJsonText(decodeUtf8(bytes), options, bytes),
  };
}

/**
 * JSON in UTF-8, one text in one line, nested up to 512 levels. See {@linkcode createJsonCodec}.
 *
 * @example
 * ```ts
 * import { jsonCodec } from "@labwire/labwire";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const bytes = jsonCodec.encode({ command_id: "test_command", param1: 100 });
 * assertEquals(new TextDecoder().decode(bytes), '{"command_id":"test_command","param1":100}');
 * assertThrows(
 *   () => jsonCodec.decode(new TextEncoder().encode('{"on": True}')),
 *   Error,
 *   'Cannot parse JSON at byte 7 (line 1, column 8): expected a value, found "True"',
 * );
 * ```
 */
export const jsonCodec: Codec<JsonValue> = createJsonCodec();

/**
 * Reads a JSON text as {@linkcode jsonCodec} does.
 *
 * @param text The text.
 * @param options How deep it may nest, and which numbers it may have.
 * @returns What it means.
 * @throws {CodecError} If it is no JSON, nests too deep, or has a number that JavaScript cannot hold.
 */
export function parseJson(text: string, options: JsonCodecOptions = {}): JsonValue {
  return parseJsonText(text, options);
}

/**
 * Writes a value as JSON in one line, as {@linkcode jsonCodec} does.
 *
 * @param value The value; `toJSON()` methods are honoured.
 * @returns The text.
 * @throws {CodecError} If the value has no JSON form: a function, `undefined`, a circle, nested too deep, or NaN or an infinity
 * anywhere in it. The message says where.
 */
export function stringifyJson(value: unknown): string {
  return writeJson(value, "value");
}
