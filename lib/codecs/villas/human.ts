/**
 * VILLASnode's format `villas.human`: the codec of its datagrams, and lines as its `print` hook writes them.
 *
 * @module
 */

import { printExponent, printFixed } from "../../text/printf.ts";
import type { Format } from "./format.ts";
import { plusSeconds, type Sample, type Timestamp, type Value, type ValueKind } from "./sample.ts";
import { checkCarried, decodeError, isTimePart } from "./text_format.ts";

const NAME = "villas.human";
const encoder = new TextEncoder();
/** One character for each byte, so that an index is an offset. */
const decoder = new TextDecoder("latin1");

const SIGNED = { plus: true };

/**
 * Writes one sample as VILLASnode's `print` hook does:
 * `SECONDS.NANOSECONDS+OFFSET(SEQUENCE)F`, then a tab before each value.
 *
 * - The offset is the time from origin to receipt in seconds; it is left out where the sample was not received.
 * - `F` marks the first sample of a frame.
 * - Floats have 17 decimals, every digit as C's `printf` writes it; booleans are 0 and 1; complex values are
 *   `REAL+IMAGi`.
 * - VILLASnode takes the time of receipt for the origin where the sender gave none, and so does this; where both
 *   are unknown the time is `0.0`. An unknown sequence number is left out, and an unset value is `nan`, so that
 *   the columns after it stay in place.
 *
 * @param sample The sample to write.
 * @returns One line, without a newline.
 *
 * @example A sample that came back after 0.1 s
 * ```ts
 * import { formatVillasHuman } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * const line = formatVillasHuman({
 *   type: "data",
 *   sequence: 2n,
 *   origin: { sec: 1795198430, nsec: 457807691 },
 *   received: { sec: 1795198430, nsec: 558140391 },
 *   values: [0.25, 7n, true],
 * });
 * assertEquals(line, "1795198430.457807691+1.003327e-01(2)\t0.25000000000000000\t7\t1");
 * ```
 */
export function formatVillasHuman(sample: Sample): string {
  let line = formatTime(sample);
  if (sample.sequence !== undefined) line += `(${sample.sequence})`;
  if (sample.newFrame) line += "F";
  for (const value of sample.values) line += "\t" + formatValue(value);
  return line;
}

function formatTime({ received, origin = received }: Sample): string {
  if (origin === undefined) return "0.0";
  const time = `${origin.sec}.${String(origin.nsec).padStart(9, "0")}`;
  if (received === undefined) return time;
  return time + printExponent(secondsBetween(origin, received), 6, SIGNED);
}

function secondsBetween(from: Timestamp, to: Timestamp): number {
  return ((to.sec - from.sec) * 1e9 + (to.nsec - from.nsec)) / 1e9;
}

function formatValue(value: Value): string {
  switch (typeof value) {
    case "number":
      return printFixed(value, 17);
    case "bigint":
      return value.toString();
    case "boolean":
      return value ? "1" : "0";
    default:
      return value === null ? "nan" : formatComplex(value.real, value.imag);
  }
}

function formatComplex(real: number, imag: number): string {
  return `${printFixed(real, 17)}${printFixed(imag, 17, SIGNED)}i`;
}

/**
 * VILLASnode's format `villas.human`: a line for each sample.
 *
 * - Written as VILLASnode's socket node does: without the time of receipt. Read also with it.
 * - The text of a value tells its kind, but for booleans: 0 and 1 are integers unless the signals are known
 *   ({@linkcode Format.withSignals}).
 * - Floats have 17 decimals: what is below about 1e-17 becomes 0. Samples of other types than DATA and unset values cannot be
 *   written; a missing origin is `0.0`.
 * - Read are also several lines, comments (`#`), spaces or commas between values, and a last line without its newline.
 *   The number behind the point of the time is a count of nanoseconds: `1.5` is 5 ns, as VILLASnode has it.
 *
 * @example A line and back
 * ```ts
 * import { villasFormat } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * const format = villasFormat("villas.human");
 * const bytes = new TextEncoder().encode("1795198430.000000005(7)\t0.50000000000000000\t3\n");
 * const samples = format.decode(bytes);
 * assertEquals(samples, [
 *   { type: "data", sequence: 7n, origin: { sec: 1795198430, nsec: 5 }, values: [0.5, 3n] },
 * ]);
 * assertEquals(format.encode(samples), bytes);
 * ```
 */
export const villasHuman: Format = humanFormat();

function humanFormat(kinds?: readonly ValueKind[]): Format {
  return {
    name: NAME,
    withSignals: humanFormat,

    encode(samples: Sample[]): Uint8Array {
      return encoder.encode(samples.map(encodeLine).join(""));
    },

    decode(bytes: Uint8Array): Sample[] {
      const samples: Sample[] = [];
      const text = decoder.decode(bytes);
      for (let start = 0; start < text.length;) {
        const newline = text.indexOf("\n", start);
        const end = newline < 0 ? text.length : newline;
        const line = text.slice(start, end).replace(/\r$/, "");
        if (/^\s*[^\s#]/.test(line)) samples.push(decodeLine(line, start, bytes, kinds));
        start = end + 1;
      }
      return samples;
    },
  };
}

function encodeLine(sample: Sample): string {
  checkCarried(sample, NAME);
  const { origin = sample.received } = sample;
  return formatVillasHuman({ ...sample, origin, received: undefined }) + "\n";
}

/** `SECONDS.NANOSECONDS+OFFSET(SEQUENCE)F`, and what separates it from the values. */
const HEAD =
  /^\s*(\d{1,10})(?:\.(\d{1,10}))?([+-][\d.]+(?:[eE][+-]?\d+)?)?(?:\((\d{1,20})\))?(F)?(?=[\t ,]|$)/;

function decodeLine(
  line: string,
  start: number,
  bytes: Uint8Array,
  kinds: readonly ValueKind[] | undefined,
): Sample {
  const fault = (at: number, why: string) => decodeError(bytes, NAME, start + at, why);
  const head = HEAD.exec(line);
  const [whole = "", sec, nsec, offset, sequence, frame] = head ?? [];
  const origin = { sec: Number(sec), nsec: Number(nsec ?? 0) };
  const delay = Number(offset ?? 0);
  const number = sequence === undefined ? undefined : BigInt(sequence);
  if (
    !head || nsec === undefined && whole.length === line.length || !isTimePart(origin.sec) ||
    !isTimePart(origin.nsec) || !Number.isFinite(delay) ||
    number !== undefined && BigInt.asUintN(64, number) !== number
  ) {
    throw fault(0, "expected SECONDS.NANOSECONDS(SEQUENCE) and values with tabs before them");
  }
  const sample: Sample = { type: "data", values: [] };
  if (number !== undefined) sample.sequence = number;
  // VILLASnode writes 0.0 for a time that is not known.
  if (origin.sec !== 0 || origin.nsec !== 0) {
    sample.origin = origin;
    if (offset !== undefined) sample.received = plusSeconds(origin, delay);
  }
  if (frame !== undefined) sample.newFrame = true;
  for (let at = whole.length; at < line.length;) {
    const next = line.slice(++at).search(/[\t ,]/);
    const field = next < 0 ? line.slice(at) : line.slice(at, at + next);
    const kind = kinds?.[sample.values.length];
    const value = decodeValue(field, kind);
    if (value === undefined) throw fault(at, `expected ${kind ?? "a value"}, got "${field}"`);
    sample.values.push(value);
    at += field.length;
  }
  return sample;
}

const INTEGER = /^[+-]?\d{1,20}$/;
const REAL = String
  .raw`[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)`;
const FLOAT = new RegExp(`^${REAL}$`, "i");
const COMPLEX = new RegExp(`^(?:(${REAL})(?=[+-]))?(${REAL})[ij]$`, "i");

/** The value that a text stands for, in the kind wanted or in the one that it looks like; undefined if it is none. */
function decodeValue(text: string, kind: ValueKind | undefined): Value | undefined {
  switch (kind) {
    case "float":
      return FLOAT.test(text) ? floatOf(text) : undefined;
    case "integer":
      return INTEGER.test(text) ? integerOf(text) : undefined;
    case "boolean":
      return INTEGER.test(text) ? Number(text) !== 0 : undefined;
    case "complex":
      return complexOf(text) ?? (FLOAT.test(text) ? { real: floatOf(text), imag: 0 } : undefined);
    default:
      if (INTEGER.test(text)) return integerOf(text);
      return FLOAT.test(text) ? floatOf(text) : complexOf(text);
  }
}

function integerOf(text: string): bigint | undefined {
  const value = BigInt(text.replace(/^\+/, ""));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function floatOf(text: string): number {
  const [, sign, word] = /^([+-]?)(inf|nan)?/i.exec(text)!;
  if (word === undefined) return Number(text);
  return word.toLowerCase() === "nan" ? NaN : sign === "-" ? -Infinity : Infinity;
}

function complexOf(text: string): Value | undefined {
  const [, real, imag] = COMPLEX.exec(text) ?? [];
  if (imag === undefined) return undefined;
  return { real: real === undefined ? 0 : floatOf(real), imag: floatOf(imag) };
}
