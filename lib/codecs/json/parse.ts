import { CodecError } from "../../errors.ts";
import { JsonFault, type JsonValue, readJson } from "./reader.ts";
import { nestsDeeper } from "./scan.ts";

/** Options of a codec for JSON. */
export interface JsonCodecOptions {
  /** How deep arrays and objects may nest. Default: 512. */
  maxDepth?: number;
  /**
   * Whether to take numbers that JavaScript cannot hold, such as `1e400`, for what is nearest to them: infinity, or 0. That is
   * for those who go by the text of a message. Default: false, they are errors.
   */
  anyNumber?: boolean;
}

/** Integers of more digits than this are not read: no equipment has such, and reading them takes long. */
const MAX_INTEGER_DIGITS = 400;

/** Numbers that have to be looked at one by one: long integers, and exponents of three digits. */
const UNUSUAL_NUMBER = /\d{16}|[eE][+-]?\d{3}/;

const encoder = new TextEncoder();

/**
 * Reads a JSON text.
 *
 * @param text The text.
 * @param options How deep it may nest, and which numbers it may have.
 * @param bytes The text as it came, where it did, for the offsets in errors.
 * @throws {CodecError} If it is no JSON, nests too deep, or has a number that JavaScript cannot hold.
 */
export function parseJsonText(
  text: string,
  options: JsonCodecOptions,
  bytes?: Uint8Array,
): JsonValue {
  const { maxDepth = 512, anyNumber = false } = options;
  // A text that is shorter than the limit cannot nest deeper.
  const deep = text.length > maxDepth && nestsDeeper(text, maxDepth);
  if (!deep && !UNUSUAL_NUMBER.test(text)) {
    try {
      return JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  const value = readJson(text, maxDepth, anyNumber ? readAnyNumber : readNumber);
  if (value instanceof JsonFault) throw describe(text, value, bytes);
  return value;
}

function readAnyNumber(source: string): number | bigint {
  const value = readNumber(source);
  return value instanceof JsonFault ? Number(source) : value;
}

function readNumber(source: string): number | bigint | JsonFault {
  const value = Number(source);
  if (Number.isSafeInteger(value) && value !== 0) return value;
  if (/^-?\d+$/.test(source)) {
    if (value === 0) return value;
    if (source.length <= MAX_INTEGER_DIGITS) return BigInt(source);
    return cannotHold(source, `an integer of more than ${MAX_INTEGER_DIGITS} digits`);
  }
  if (!Number.isFinite(value)) {
    return cannotHold(source, "beyond the range of 64-bit floats, which ends at 1.8e308");
  }
  if (value === 0 && /^[^eE]*[1-9]/.test(source)) {
    return cannotHold(source, "nearer to 0 than 64-bit floats come, which is 5e-324");
  }
  return value;
}

function cannotHold(source: string, why: string): JsonFault {
  const shown = source.length > 40 ? `${source.slice(0, 39)}…` : source;
  return new JsonFault(0, `${shown} is ${why}; send it as text`);
}

function describe(text: string, { index, why }: JsonFault, bytes?: Uint8Array): CodecError {
  const before = text.slice(0, index);
  const mark = bytes?.[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const offset = encoder.encode(before).length + mark;
  const start = before.lastIndexOf("\n") + 1;
  const column = characters(before, start) + 1;
  return new CodecError(
    `Cannot parse JSON at byte ${offset} (line ${lines(before)}, column ${column}): ${why}`,
    { offset },
  );
}

function lines(text: string): number {
  let count = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

/** How many characters there are from an index on; those beyond 16 bits count once. */
function characters(text: string, from: number): number {
  let count = 0;
  for (let at = from; at < text.length; at++) {
    if ((text.charCodeAt(at) & 0xfc00) !== 0xdc00) count++;
  }
  return count;
}
