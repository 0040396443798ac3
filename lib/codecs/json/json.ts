import type { Codec } from "../codec.ts";
import { type JsonCodecOptions, parseJsonText } from "./parse.ts";
import type { JsonValue } from "./reader.ts";
import { writeJson } from "./write.ts";
import { decodeUtf8 } from "../../text/utf8.ts";

export type { JsonCodecOptions, JsonValue };

const encoder = new TextEncoder();

/**
 * Makes a codec for JSON texts (RFC 8259) in UTF-8, each in one line.
 *
 * - Decoding is strict. Errors give byte, line and column, and what was expected and found.
 * - Integers beyond ±(2⁵³ − 1) become `bigint` rather than lose digits, and are encoded as they were. Numbers that JavaScript
 *   cannot represent, such as `1e400`, are errors.
 * - A name such as `__proto__` or `constructor` is a name like any other: it becomes an own property of the object and affects nothing
 *   else. If a name occurs twice, the last value counts, as in Python.
 * - `-0` is encoded as `-0.0`. NaN and the infinities, which JSON does not have, cannot be encoded; the error says where they occur.
 *
 * @param options How deep messages may nest, and which numbers they may have.
 * @returns The codec.
 *
 * @example A 64-bit tuning word
 * ```ts
 * import { createJsonCodec } from "@labwire/labwire/codecs/json";
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
 * import { jsonCodec } from "@labwire/labwire/codecs/json";
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
 * @returns Its value.
 * @throws {CodecError} If it is not JSON, nests too deep, or has a number that JavaScript cannot represent.
 */
export function parseJson(text: string, options: JsonCodecOptions = {}): JsonValue {
  return parseJsonText(text, options);
}

/**
 * Writes a value as JSON in one line, as {@linkcode jsonCodec} does.
 *
 * @param value The value; `toJSON()` methods are honoured.
 * @returns The text.
 * @throws {CodecError} If JSON cannot represent the value: a function, `undefined`, a circular reference, too deep nesting, or NaN, an
 * infinity, a `Map`, a `Set` or a `Promise` anywhere in it. The message says where.
 */
export function stringifyJson(value: unknown): string {
  return writeJson(value, "value");
}
