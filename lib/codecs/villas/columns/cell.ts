/**
 * What a cell of plain CSV, or a member of a JSON record, can be: a value of a signal, a time, a sequence number.
 *
 * @module
 */

import type { JsonValue } from "../../json/reader.ts";
import { quoted } from "../../../text/wording.ts";
import { beginsWithDay } from "../../../time/date.ts";
import type { Complex, Timestamp, Value } from "../sample.ts";
import type { SignalKind } from "../signals.ts";

/** A cell, before it is known what it means. */
export type Cell = JsonValue;

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;
const NOT_FINITE = /^([+-]?)(nan|inf(?:inity)?)$/i;
const TRUTH = /^(?:true|false)$/i;
const REAL = String
  .raw`[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf(?:inity)?|nan)`;
/** Complex numbers as Python, struct-line and VILLASnode write them. */
const COMPLEX = new RegExp(`^\\(?(?:(${REAL})(?=[+-]))?(${REAL}|[+-]?)[ij]\\)?$`, "i");

/**
 * Reads a value.
 *
 * @param cell The cell: a text, or what JSON has there.
 * @param kind What the signal's values are.
 * @param comma Whether a comma is the decimal point in texts.
 * @returns The value; undefined if the cell is none of that kind. An empty cell is NaN for a float.
 */
export function valueOf(cell: Cell, kind: SignalKind, comma: boolean): Value | undefined {
  const text = typeof cell === "string" ? decimal(cell.trim(), comma) : undefined;
  switch (kind) {
    case "float": {
      const float = text === undefined ? floatOf(cell) : floatOfText(text);
      return float === undefined || isChanged(text ?? cell, float) ? undefined : float;
    }
    case "integer":
      return text === undefined ? integerOf(cell) : integerOfText(text);
    case "boolean":
      return text === undefined ? truthOf(cell) : truthOfText(text);
    case "complex":
      return text === undefined ? complexOf(cell) : complexOfText(text);
  }
}

/** Whether a text looks like a value, so that a row of such cells is no header; without complex signals, `i` is a name. */
export function isValueText(text: string, comma: boolean, complex: boolean): boolean {
  const plain = decimal(text.trim(), comma);
  return plain === "" || FLOAT.test(plain) || floatOfText(plain) !== undefined ||
    complex && complexOfText(plain) !== undefined;
}

/** Puts a point in the place of the one comma. */
function decimal(text: string, comma: boolean): string {
  return comma && !text.includes(".") ? text.replace(",", ".") : text;
}

/** Whether a cell is an integer, and its float another number. */
function isChanged(cell: Cell, float: number): boolean {
  if (Number.isSafeInteger(float) || !isInteger(cell)) return false;
  if (!Number.isFinite(float)) return true;
  const integer = BigInt(String(cell).replace("+", ""));
  // JavaScript writes a float with the digits that tell it from others, and zeros behind them.
  return BigInt(float) !== integer && String(float) !== String(integer);
}

/** Whether a cell is an integer as it is written, be it large or small. */
export function isInteger(cell: Cell): boolean {
  return typeof cell === "bigint" || typeof cell === "string" && INTEGER.test(cell.trim());
}

function floatOf(cell: Cell): number | undefined {
  if (typeof cell === "number") return cell;
  if (cell === null) return NaN;
  return typeof cell === "boolean" || typeof cell === "bigint" ? Number(cell) : undefined;
}

function floatOfText(text: string): number | undefined {
  if (FLOAT.test(text)) {
    const number = Number(text);
    return Number.isFinite(number) ? number : undefined;
  }
  if (text === "") return NaN;
  const [, sign, word] = NOT_FINITE.exec(text) ?? [];
  if (word !== undefined) return /^n/i.test(word) ? NaN : sign === "-" ? -Infinity : Infinity;
  return TRUTH.test(text) ? Number(text.toLowerCase() === "true") : undefined;
}

function integerOf(cell: Cell): bigint | undefined {
  if (typeof cell === "boolean") return BigInt(cell);
  if (typeof cell !== "number" && typeof cell !== "bigint") return undefined;
  if (typeof cell === "number" && !Number.isSafeInteger(cell)) return undefined;
  return in64(BigInt(cell));
}

function integerOfText(text: string): bigint | undefined {
  if (INTEGER.test(text) && text.length < 30) return in64(BigInt(text.replace("+", "")));
  if (TRUTH.test(text)) return BigInt(text.toLowerCase() === "true");
  return FLOAT.test(text) ? integerOf(Number(text)) : undefined;
}

function in64(value: bigint): bigint | undefined {
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function truthOf(cell: Cell): boolean | undefined {
  if (typeof cell === "boolean") return cell;
  return cell === 0 || cell === 1 ? cell === 1 : undefined;
}

function truthOfText(text: string): boolean | undefined {
  if (TRUTH.test(text)) return text.toLowerCase() === "true";
  return FLOAT.test(text) ? truthOf(Number(text)) : undefined;
}

function complexOf(cell: Cell): Complex | undefined {
  if (isMembers(cell)) {
    const real = partOf(cell.real ?? cell.re);
    const imag = partOf(cell.imag ?? cell.im);
    return real === undefined || imag === undefined ? undefined : { real, imag };
  }
  const real = floatOf(cell);
  return real === undefined ? undefined : { real, imag: 0 };
}

function partOf(cell: Cell | undefined): number | undefined {
  if (typeof cell === "string") return cell === "" ? undefined : floatOfText(cell);
  return cell === undefined ? undefined : floatOf(cell);
}

function complexOfText(text: string): Complex | undefined {
  const plain = floatOfText(text);
  if (plain !== undefined) return { real: plain, imag: 0 };
  const [all, first, second] = COMPLEX.exec(text) ?? [];
  if (all === undefined) return undefined;
  const real = first === undefined ? 0 : floatOfText(first);
  const imag = /^[+-]?$/.test(second!) ? Number(`${second}1`) : floatOfText(second!);
  return real === undefined || imag === undefined ? undefined : { real, imag };
}

/** Whether JSON has an object there. */
export function isMembers(cell: Cell | undefined): cell is { [name: string]: Cell } {
  return typeof cell === "object" && cell !== null && !Array.isArray(cell);
}

const ISO =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9})\d*)?)?\s*(Z|[+-]\d\d:?\d\d)?$/;
const SECONDS = /^(\d{1,10})(?:\.(\d{1,9})\d*)?$/;
const UINT32 = 2 ** 32;

/** Whether a cell is a date and time in ISO 8601, which nothing but a time can be. */
export function isIsoTime(cell: Cell): boolean {
  return typeof cell === "string" && cell.includes(":") && ISO.test(cell.trim());
}

/**
 * Reads a time: ISO 8601, in local time where it names no zone, or seconds since 1970.
 *
 * @param cell The cell.
 * @param comma Whether a comma is the decimal point in texts.
 * @returns The time, to the nanosecond where it is a text; undefined if it is none.
 */
export function timeOf(cell: Cell, comma: boolean): Timestamp | undefined {
  if (typeof cell === "number") return cell >= 0 && cell < UINT32 ? split(cell) : undefined;
  if (typeof cell !== "string") return undefined;
  const text = cell.trim();
  const [, date, time = "00:00", second = ":00", digits = "", zone = ""] = ISO.exec(text) ?? [];
  if (date !== undefined) {
    if (!beginsWithDay(date)) return undefined;
    const sec = Date.parse(`${date}T${time}${second}${zone}`) / 1000;
    return sec >= 0 && sec < UINT32 ? { sec, nsec: nanoseconds(digits) } : undefined;
  }
  const plain = decimal(text, comma);
  const [, whole, fraction = ""] = SECONDS.exec(plain) ?? [];
  if (whole === undefined) return FLOAT.test(plain) ? timeOf(Number(plain), comma) : undefined;
  const sec = Number(whole);
  return sec < UINT32 ? { sec, nsec: nanoseconds(fraction) } : undefined;
}

function nanoseconds(digits: string): number {
  return Number(digits.padEnd(9, "0"));
}

function split(seconds: number): Timestamp {
  const sec = Math.floor(seconds);
  return { sec, nsec: Math.min(999_999_999, Math.round((seconds - sec) * 1e9)) };
}

/** Reads a sequence number, 0 to 2⁶⁴ − 1; undefined if the cell is none. */
export function sequenceOf(cell: Cell): bigint | undefined {
  const value = typeof cell === "string"
    ? INTEGER.test(cell.trim()) && cell.length < 30
      ? BigInt(cell.trim().replace("+", ""))
      : undefined
    : typeof cell === "bigint" || Number.isSafeInteger(cell)
    ? BigInt(cell as number)
    : undefined;
  return value !== undefined && BigInt.asUintN(64, value) === value ? value : undefined;
}

/** How a cell is shown in a message. */
export function shown(cell: Cell | undefined): string {
  if (cell === undefined) return "nothing";
  if (typeof cell === "string") return quoted(cell);
  if (typeof cell === "object" && cell !== null) {
    return Array.isArray(cell) ? "a list" : "an object";
  }
  return String(cell);
}
