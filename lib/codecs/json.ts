import { CodecError, messageOf } from "../errors.ts";
import type { Codec } from "./codec.ts";
import { findJsonFault, type JsonFault } from "./json_fault.ts";
import { decodeUtf8 } from "./utf8.ts";

/**
 * What a JSON text can mean. An integer is a `number` where that is exact and a `bigint` beyond ±(2⁵³ − 1), so that
 * 64-bit integers such as tuning words and serial numbers stay what they are.
 */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonValue[]
  | { [name: string]: JsonValue };

/** What {@linkcode createJsonCodec} may be told. */
export interface JsonCodecOptions {
  /** How deep arrays and objects may nest. Default: 512. */
  maxDepth?: number;
}

/** Integers of more digits than this are read as floats: no equipment has such, and reading them takes long. */
const MAX_INTEGER_DIGITS = 400;

const encoder = new TextEncoder();

/**
 * Makes a codec for JSON texts (RFC 8259) in UTF-8, each in one line.
 *
 * - Decoding is strict. Errors say at which byte, line and column, what was wanted and what was found.
 * - Integers beyond ±(2⁵³ − 1) become `bigint` rather than lose digits, and are encoded as they were.
 * - A name such as `__proto__` or `constructor` is a name like any other: it becomes a property of the object itself
 *   and touches nothing else. Of a name that is there twice the last value counts, as in Python.
 * - NaN and the infinities, which JSON does not have, are encoded as `null`.
 *
 * @param options How deep messages may nest.
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
  const { maxDepth = 512 } = options;
  return {
    name: "json",
    encode: (message) => encoder.encode(stringifyJson(message)),
    decode: (bytes) => parse(decodeUtf8(bytes), maxDepth, bytes),
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
 * @returns What it means.
 * @throws {CodecError} If it is no JSON, or nests too deep.
 */
export function parseJson(text: string): JsonValue {
  return parse(text, 512);
}

/**
 * Writes a value as JSON in one line, as {@linkcode jsonCodec} does.
 *
 * @param value The value; `toJSON()` methods are honoured.
 * @returns The text.
 * @throws {CodecError} If the value has no JSON form: a function, `undefined`, a circle, or nested too deep.
 */
export function stringifyJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = tryStringify(value);
  } catch (cause) {
    const why = cause instanceof RangeError
      ? "it nests too deep or is too long"
      : cause instanceof TypeError && cause.message.includes("circular")
      ? "it contains itself"
      : messageOf(cause);
    throw new CodecError(`Cannot write value as JSON: ${why}`, { cause });
  }
  if (text === undefined) {
    throw new CodecError(`Cannot write value as JSON: JSON has no form of ${typeof value}`);
  }
  return text;
}

/** What the platform has and TypeScript's library does not declare yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

function tryStringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError) || !error.message.includes("BigInt")) throw error;
    return JSON.stringify(
      value,
      (_, item) => typeof item === "bigint" ? rawJSON(String(item)) : item,
    );
  }
}

function parse(text: string, maxDepth: number, bytes?: Uint8Array): JsonValue {
  // A text that is shorter than the limit cannot nest deeper.
  if (text.length <= maxDepth || !nestsDeeper(text, maxDepth)) {
    try {
      return /\d{16}/.test(text) ? JSON.parse(text, revive) : JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  throw describe(text, findJsonFault(text, maxDepth), bytes);
}

/** Called for each value of a text that has long numbers in it. */
function revive(_name: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  return typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined &&
      source.length <= MAX_INTEGER_DIGITS && /^-?\d+$/.test(source)
    ? BigInt(source)
    : value;
}

/** Whether brackets outside of strings nest deeper than the limit. */
function nestsDeeper(text: string, limit: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(text, i);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > limit) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
    }
  }
  return false;
}

/** Index of the closing quote of the string that starts at `start`; the length of the text if there is none. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0) {
    let first = end;
    while (text[first - 1] === "\\") first--;
    if ((end - first) % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function describe(text: string, fault: JsonFault | null, bytes?: Uint8Array): CodecError {
  if (fault === null) return new CodecError("Cannot parse JSON");
  const before = text.slice(0, fault.index);
  const mark = bytes?.[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const offset = encoder.encode(before).length + mark;
  const line = before.split("\n").length;
  const column = [...before.slice(before.lastIndexOf("\n") + 1)].length + 1;
  return new CodecError(
    `Cannot parse JSON at byte ${offset} (line ${line}, column ${column}): ${fault.why}`,
    { offset },
  );
}
