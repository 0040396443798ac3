import type { StructForm } from "./codes.ts";
import { counted } from "../../text/wording.ts";

/** How values of one item of a format are written. */
export interface StructTarget {
  /** Bytes of each value. */
  readonly width: number;
  /** Whether the least significant byte comes first. */
  readonly littleEndian: boolean;
  /** Whether byte strings that are too long are cut. */
  readonly truncate: boolean;
}

/**
 * Writes a value at an offset of a view.
 *
 * @returns What is wrong with the value, as the end of a sentence that starts with it, if anything is.
 */
export type StructWrite = (
  view: DataView,
  at: number,
  value: unknown,
  target: StructTarget,
) => string | undefined;

type SetNumber = (view: DataView, at: number, value: number, littleEndian: boolean) => void;

const MAX_HALF = 65504;
const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;
/** For a string with one half of a surrogate pair. */
const HALF_CHARACTER = "has half a character, which has no UTF-8";
const encoder = new TextEncoder();

const setHalf: SetNumber = (view, at, x, little) => view.setFloat16(at, x, little);
const setFloat: SetNumber = (view, at, x, little) => view.setFloat32(at, x, little);
const setDouble: SetNumber = (view, at, x, little) => view.setFloat64(at, x, little);
const asDouble = (x: number) => x;

/** Writes each kind of value. */
const writers: Readonly<Record<Exclude<StructForm, "pad">, StructWrite>> = {
  char: writeChar,
  bool: writeBool,
  bytes: writeBytes,
  pascal: writePascal,
  // As in Python, a negative number stands for the pointer with the same bits.
  pointer: longWriter(-(2n ** 63n), 2n ** 64n - 1n),
  i1: integerWriter(-128, 127, (view, at, n) => view.setInt8(at, n)),
  i2: integerWriter(-(2 ** 15), 2 ** 15 - 1, (view, at, n, little) => view.setInt16(at, n, little)),
  i4: integerWriter(-(2 ** 31), 2 ** 31 - 1, (view, at, n, little) => view.setInt32(at, n, little)),
  i8: longWriter(-(2n ** 63n), 2n ** 63n - 1n),
  u1: integerWriter(0, 255, (view, at, n) => view.setUint8(at, n)),
  u2: integerWriter(0, 2 ** 16 - 1, (view, at, n, little) => view.setUint16(at, n, little)),
  u4: integerWriter(0, 2 ** 32 - 1, (view, at, n, little) => view.setUint32(at, n, little)),
  u8: longWriter(0n, 2n ** 64n - 1n),
  f2: floatWriter(MAX_HALF, Math.f16round, setHalf),
  f4: floatWriter(MAX_FLOAT, Math.fround, setFloat),
  f8: floatWriter(Number.MAX_VALUE, asDouble, setDouble),
  z4: complexWriter(floatWriter(MAX_FLOAT, Math.fround, setFloat), 4),
  z8: complexWriter(floatWriter(Number.MAX_VALUE, asDouble, setDouble), 8),
};

/** Native mode stores what a C cast gives: a `float` that is too large becomes infinite. */
const nativeWriters: Readonly<Partial<Record<StructForm, StructWrite>>> = {
  f4: floatWriter(MAX_FLOAT, asDouble, setFloat),
  z4: complexWriter(floatWriter(MAX_FLOAT, asDouble, setFloat), 4),
};

/**
 * Returns the writer of a kind of value.
 *
 * @param form The kind.
 * @param aligned Whether the mode is native.
 * @returns The writer.
 */
export function structWriter(form: Exclude<StructForm, "pad">, aligned: boolean): StructWrite {
  return aligned ? nativeWriters[form] ?? writers[form] : writers[form];
}

function integerWriter(min: number, max: number, set: SetNumber): StructWrite {
  return (view, at, value, target) => {
    const number = typeof value === "number" ? value : integerOf(value);
    if (number === undefined || (number % 1 !== 0)) return "is not an integer";
    if (number < min || number > max) return `is out of range ${min} to ${max}`;
    set(view, at, number, target.littleEndian);
  };
}

function longWriter(min: bigint, max: bigint): StructWrite {
  return (view, at, value, target) => {
    const number = typeof value === "bigint" ? value : integerOf(value);
    if (number === undefined || (typeof number === "number" && !Number.isInteger(number))) {
      return "is not an integer";
    }
    const integer = BigInt(number);
    if (integer < min || integer > max) return `is out of range ${min} to ${max}`;
    // Takes the low 64 bits, which makes negative numbers two's complement.
    view.setBigUint64(at, integer, target.littleEndian);
  };
}

/** As in Python, a boolean is an integer; a `bigint` beyond 53 bits loses digits but not its size. */
function integerOf(value: unknown): number | undefined {
  switch (typeof value) {
    case "number":
      return value;
    case "bigint":
    case "boolean":
      return Number(value);
  }
}

function floatWriter(max: number, round: (x: number) => number, set: SetNumber): StructWrite {
  return (view, at, value, target) => {
    const number = typeof value === "number" ? value : integerOf(value);
    if (number === undefined) return "is not a number";
    const rounded = round(number);
    if (
      (rounded === Infinity || rounded === -Infinity) &&
      (rounded !== number || typeof value === "bigint")
    ) {
      return `is out of range ${-max} to ${max}`;
    }
    set(view, at, number, target.littleEndian);
  };
}

function complexWriter(writePart: StructWrite, partSize: number): StructWrite {
  return (view, at, value, target) => {
    const parts = typeof value === "object" && value !== null && "re" in value && "im" in value
      ? value
      : { re: value, im: 0 };
    const reason = writePart(view, at, parts.re, target) ??
      writePart(view, at + partSize, parts.im, target);
    return reason === "is not a number" ? "is neither a number nor { re, im }" : reason;
  };
}

/** Any value counts as a boolean, as in Python: empty and zero values are false. */
function writeBool(view: DataView, at: number, value: unknown): undefined {
  const empty = !value && !Number.isNaN(value) ||
    Array.isArray(value) && value.length === 0 ||
    value instanceof Uint8Array && value.length === 0;
  view.setUint8(at, empty ? 0 : 1);
}

function writeChar(view: DataView, at: number, value: unknown): string | undefined {
  if (typeof value === "string" && !value.isWellFormed()) return HALF_CHARACTER;
  const bytes = typeof value === "string" ? encoder.encode(value) : value;
  if (!(bytes instanceof Uint8Array)) return "is neither bytes nor text";
  if (bytes.length !== 1) return `is ${counted(bytes.length, "byte")} long, expected exactly 1`;
  view.setUint8(at, bytes[0]!);
}

function writeBytes(
  view: DataView,
  at: number,
  value: unknown,
  { width, truncate }: StructTarget,
): string | undefined {
  const field = new Uint8Array(view.buffer, view.byteOffset + at, width);
  const written = fill(field, value, truncate, width);
  if (typeof written === "string") return written;
  field.fill(0, written);
}

function writePascal(
  view: DataView,
  at: number,
  value: unknown,
  { width, truncate }: StructTarget,
): string | undefined {
  const field = new Uint8Array(view.buffer, view.byteOffset + at, width);
  const written = fill(field.subarray(1), value, truncate, 255);
  if (typeof written === "string") return written;
  // When truncating, Python fills the field even beyond the 255 bytes that the length can count.
  if (width > 0) field[0] = Math.min(written, 255);
  field.fill(0, written + 1);
}

/** Copies text or bytes into a field; returns how many bytes were written, or what is wrong. */
function fill(
  field: Uint8Array,
  value: unknown,
  truncate: boolean,
  limit: number,
): number | string {
  const room = Math.min(field.length, limit);
  if (typeof value === "string") {
    if (!value.isWellFormed()) return HALF_CHARACTER;
    // Writes whole characters only.
    const { read, written } = encoder.encodeInto(value, field.subarray(0, room));
    return read === value.length || truncate
      ? written
      : tooLong(encoder.encode(value).length, room);
  }
  if (!(value instanceof Uint8Array)) return "is neither bytes nor text";
  if (value.length > room && !truncate) return tooLong(value.length, room);
  const bytes = value.length > field.length ? value.subarray(0, field.length) : value;
  field.set(bytes);
  return bytes.length;
}

function tooLong(length: number, room: number): string {
  return `is ${counted(length, "byte")} long, expected at most ${room}`;
}
