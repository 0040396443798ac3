/**
 * Values as text, as villas.human, csv, tsv and value have them.
 *
 * @module
 */

import { CodecError } from "../../errors.ts";
import { printFixed } from "../../text/printf.ts";
import type { Complex, Value } from "./sample.ts";
import type { SignalKind } from "./signals.ts";

/** Says that a line is not what was expected, and where. */
export class LineFault extends Error {
  /** Index of the text at which it does not fit. */
  readonly at: number;

  /**
   * @param at Index of the text at which it does not fit.
   * @param message What was expected there.
   */
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** What a value may be: of a certain kind, of the one that it looks like, or a float as nothing else was said. */
export type Wanted = SignalKind | "look" | "unstated";

/** How floats are written. */
export interface FloatStyle {
  /** Digits after the point. */
  readonly precision: number;
  /** Whether a float that these digits do not tell from others is written with all that it needs. */
  readonly exact: boolean;
}

/** From here on, 17 decimals are 17 digits that count, which tell all floats apart. */
const ALL_DIGITS = 0.1;

/**
 * Writes a value as VILLASnode does.
 *
 * @param value The value.
 * @param index Which one of the sample it is.
 * @param name The format's name.
 * @param style How floats are written.
 * @throws {CodecError} If it is unset, or none.
 */
export function writeValue(value: Value, index: number, name: string, style: FloatStyle): string {
  switch (typeof value) {
    case "number":
      return writeFloat(value, style);
    case "bigint":
      if (BigInt.asIntN(64, value) === value) return value.toString();
      throw new CodecError(
        `Cannot encode value ${index} ${value}: expected an integer from -2^63 to 2^63 - 1`,
      );
    case "boolean":
      return value ? "1" : "0";
    default: {
      checkComplex(value, index, name);
      const imag = writeFloat(value.imag, style);
      const sign = imag.charCodeAt(0) === MINUS ? "" : "+";
      return `${writeFloat(value.real, style)}${sign}${imag}i`;
    }
  }
}

/** @throws {CodecError} If what is neither a number nor a boolean is no complex value. */
export function checkComplex(value: Value, index: number, name: string): asserts value is Complex {
  if (value === null) throw new CodecError(`Cannot encode value ${index} as ${name}: it is unset`);
  if (typeof value === "object") {
    const { real, imag } = value;
    if (typeof real === "number" && typeof imag === "number") return;
  }
  throw new CodecError(
    `Cannot encode value ${index} ${
      Deno.inspect(value)
    } as ${name}: expected a float, integer, boolean or complex number`,
  );
}

function writeFloat(value: number, { precision, exact }: FloatStyle): string {
  if (value !== value) return isNegative(value) ? "-nan" : "nan";
  const text = printFixed(value, precision);
  if (!exact || value >= ALL_DIGITS || value <= -ALL_DIGITS || Number(text) === value) return text;
  return String(value);
}

const bits = new DataView(new ArrayBuffer(8));

/** Whether the sign of a NaN is set, as C prints it; what JavaScript itself makes has none. */
function isNegative(nan: number): boolean {
  bits.setFloat64(0, nan);
  return bits.getInt8(0) < 0;
}

bits.setUint8(0, 0xff);
bits.setUint8(1, 0xf8);
/** A NaN whose sign is set. */
const NEGATIVE_NAN = bits.getFloat64(0);

const ZERO = 0x30;
const NINE = 0x39;
const PLUS_SIGN = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
/** Digits of an integer that a number holds exactly. */
const EXACT_DIGITS = 15;

/**
 * Reads a value.
 *
 * @param text Holds it.
 * @param start Where it begins.
 * @param end Where it ends.
 * @param wanted What it is to be.
 * @throws {LineFault} If it is no such value.
 */
export function readValue(text: string, start: number, end: number, wanted: Wanted): Value {
  let at = start;
  const sign = text.charCodeAt(at);
  if (sign === MINUS || sign === PLUS_SIGN) at++;
  const digits = at;
  let number = 0;
  for (let code; at < end && (code = text.charCodeAt(at)) >= ZERO && code <= NINE; at++) {
    number = number * 10 + code - ZERO;
  }
  if (at === end && at > digits) {
    if (at - digits > EXACT_DIGITS) return readLong(text, start, end, wanted);
    if (sign === MINUS) number = -number;
    switch (wanted) {
      case "look":
      case "integer":
        return BigInt(number);
      case "boolean":
        return number !== 0;
      case "complex":
        return { real: number, imag: 0 };
      default:
        return number;
    }
  }
  if (wanted === "integer" || wanted === "boolean") throw unfit(text, start, end, wanted);
  while (at < end && isFloatCharacter(text.charCodeAt(at))) at++;
  const float = at === end && end > start ? Number(text.slice(start, end)) : NaN;
  if (float !== float) return readOdd(text, start, end, wanted);
  return wanted === "complex" ? { real: float, imag: 0 } : float;
}

/** Whether a character can be part of a float in decimal: digits, signs, the point, e and E. */
function isFloatCharacter(code: number): boolean {
  return code >= ZERO && code <= NINE || code === POINT || (code | 0x20) === 0x65 ||
    code === MINUS || code === PLUS_SIGN;
}

/** An integer of so many digits that a number may not hold it. */
function readLong(text: string, start: number, end: number, wanted: Wanted): Value {
  const source = text.slice(start, end);
  if (wanted === "float") return Number(source);
  if (wanted === "complex") return { real: Number(source), imag: 0 };
  const value = end - start > 21 ? 2n ** 64n : BigInt(source.replace("+", ""));
  if (wanted === "boolean") return value !== 0n;
  if (wanted === "unstated") {
    if (BigInt(Number(source)) === value) return Number(source);
    throw new LineFault(
      start,
      `"${source}" is an integer that no float holds; --signals says which values are integers, as in --signals 3f2i`,
    );
  }
  if (BigInt.asIntN(64, value) === value) return value;
  throw unfit(text, start, end, wanted);
}

const REAL = String
  .raw`[+-]?(?:0x(?:[\da-f]+\.?[\da-f]*|\.[\da-f]+)(?:p[+-]?\d+)?|\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf(?:inity)?|nan)`;
const FLOAT = new RegExp(`^${REAL}$`, "i");
const COMPLEX = new RegExp(`^(?:(${REAL})(?=[+-]))?(${REAL})[ij]$`, "i");
/** Characters of the longest value; more are none, whatever they are. */
const LONGEST = 2 * 400;

/** Complex numbers, infinities, NaN, and C's hexadecimal floats. */
function readOdd(text: string, start: number, end: number, wanted: Wanted): Value {
  if (end - start > LONGEST) throw unfit(text, start, start + 20, wanted);
  const source = text.slice(start, end);
  if (FLOAT.test(source)) {
    const float = floatOf(source);
    return wanted === "complex" ? { real: float, imag: 0 } : float;
  }
  const [, real, imag] = COMPLEX.exec(source) ?? [];
  if (imag === undefined || wanted === "float") throw unfit(text, start, end, wanted);
  if (wanted === "unstated") {
    throw new LineFault(
      start,
      `"${source}" is a complex number; --signals says which values are complex, as in --signals 3f1c`,
    );
  }
  // Its halves have 32 bits in VILLASnode, which the decimals of small ones tell only then.
  return {
    real: real === undefined ? 0 : Math.fround(floatOf(real)),
    imag: Math.fround(floatOf(imag)),
  };
}

function floatOf(text: string): number {
  const [, sign, word] = /^([+-]?)(inf|nan|0x)?/i.exec(text)!;
  switch (word?.toLowerCase()) {
    case undefined:
      return Number(text);
    case "nan":
      return sign === "-" ? NEGATIVE_NAN : NaN;
    case "inf":
      return sign === "-" ? -Infinity : Infinity;
  }
  const [, whole = "", fraction = "", power = "0"] = /0x([\da-f]*)\.?([\da-f]*)(?:p(.+))?$/i.exec(
    text,
  )!;
  const value = parseInt(whole + fraction, 16) * 2 ** (Number(power) - 4 * fraction.length);
  return sign === "-" ? -value : value;
}

function unfit(text: string, start: number, end: number, wanted: Wanted): LineFault {
  const kind = wanted === "look" || wanted === "unstated"
    ? "a value"
    : `${wanted === "integer" ? "an" : "a"} ${wanted}`;
  return new LineFault(start, `expected ${kind}, got "${text.slice(start, end)}"`);
}
