/**
 * VILLASnode's format `villas.human`: lines as its `print` hook writes them, in datagrams and files.
 *
 * @module
 */

import { printExponent, printFixed } from "../../text/printf.ts";
import { ALL, carriedBy, formatRow } from "./format_row.ts";
import { type LineForm, lineForms, LINES } from "./line_format.ts";
import { plusSeconds, type Sample, type Timestamp, type Value } from "./sample.ts";
import type { Signal } from "./signals.ts";
import { checkHead, isTimePart, sequenceText } from "./text_format.ts";
import { LineFault, readValue, type Wanted, writeValue } from "./text_values.ts";

const NAME = "villas.human";
const SIGNED = { plus: true };
/** Decimals by default: those that VILLASnode has are not meant to be fewer than a float needs. */
const ALL_DIGITS = 17;

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
 * import { formatVillasHuman } from "@labwire/labwire/codecs/villas";
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
 * - In a datagram without the time of receipt; read also with it.
 * - Floats have 17 decimals, as VILLASnode writes them. What it reads, and what is written to a file, has the digits that it takes to read
 *   the same float again where those are not enough, such as `1e-20`.
 * - The text of a value tells its kind, but for booleans: 0 and 1 are integers unless the signals are stated. In a file, where anybody may
 *   have written it, all are floats unless the signals are stated, as VILLASnode has it.
 * - Read are also several lines, comments (`#`), spaces or commas between values, and a last line without its newline.
 *   The number after the point of the time is a count of nanoseconds: `1.5` is 5 ns, as VILLASnode has it.
 *
 * @example A line and back
 * ```ts
 * import { villasFormat } from "@labwire/labwire/codecs/villas";
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
export const villasHuman = formatRow(NAME, LINES, (settings, signals) => {
  const written = { precision: settings.real_precision, exact: false };
  const exact = { ...written, exact: settings.real_precision === ALL_DIGITS };
  return {
    carried: { ...ALL, ...carriedBy(settings), received: true, exact: false },
    ...lineForms({
      name: NAME,
      settings,
      signals,
      plainEcho: settings.ts_origin, // VILLASnode reads no line without a time
      header: (signals, offset) => headerOf(signals, { ...settings, offset }),
      write(sample, form) {
        checkHead(sample, NAME);
        const style = form === "node" ? written : exact;
        const fields = form === "reply" ? { ...settings, ts_origin: true } : settings;
        let line = headOf(sample, fields, form === "file");
        if (!settings.data && form !== "reply") return line;
        const { values } = sample;
        for (let i = 0; i < values.length; i++) {
          line += "\t" + writeValue(values[i]!, i, NAME, style);
        }
        return line;
      },
      read: (text, start, end, form) =>
        new HumanLine(text, start, end, settings.ts_origin).read(signals, form),
    }),
  };
});

/** What of a line can be left out. */
interface Fields {
  readonly ts_origin: boolean;
  readonly sequence: boolean;
  readonly data: boolean;
}

function headerOf(signals: readonly Signal[], fields: Fields & { offset: boolean }): string {
  const head = (fields.ts_origin ? "seconds.nanoseconds" : "") + (fields.offset ? "+offset" : "") +
    (fields.sequence ? "(sequence)" : "");
  return `# ${head}` +
    (fields.data ? signals.map((signal, i) => "\t" + titleOf(signal, i)).join("") : "");
}

/** How VILLASnode writes a signal in a header line. */
export function titleOf({ name, unit }: Signal, index: number): string {
  return (name || `signal${index}`) + (unit && `[${unit}]`);
}

function headOf(sample: Sample, fields: Fields, offset: boolean): string {
  const { received, origin = received, sequence } = sample;
  let head = "";
  if (fields.ts_origin) {
    head = origin === undefined ? "0.0" : `${origin.sec}.${nineDigits(origin.nsec)}`;
  }
  if (offset && received !== undefined && origin !== undefined) {
    head += printExponent(secondsBetween(origin, received), 6, SIGNED);
  }
  if (fields.sequence && sequence !== undefined) head += `(${sequenceText(sequence)})`;
  return sample.newFrame ? head + "F" : head;
}

/** Nanoseconds as VILLASnode writes them. */
export function nineDigits(nsec: number): string {
  return nsec < 100_000_000 ? String(nsec).padStart(9, "0") : String(nsec);
}

const TAB = 0x09;
const SPACE = 0x20;
const COMMA = 0x2c;
const POINT = 0x2e;
const PLUS = 0x2b;
const MINUS = 0x2d;
const OPEN = 0x28;
const CLOSE = 0x29;
const F = 0x46;
/** Digits of 2^64 - 1. */
const LONGEST_SEQUENCE = 20;
/** Digits of 2^32 - 1. */
const LONGEST_TIME = 10;

/** A line that is being read: `SECONDS.NANOSECONDS+OFFSET(SEQUENCE)F`, and values. */
class HumanLine {
  readonly #text: string;
  readonly #start: number;
  readonly #end: number;
  readonly #timed: boolean;
  #at: number;

  constructor(text: string, start: number, end: number, timed: boolean) {
    this.#text = text;
    this.#start = start;
    this.#end = end;
    this.#timed = timed;
    this.#at = start;
  }

  read(signals: readonly Signal[] | undefined, form: LineForm): Sample {
    const sample: Sample = { type: "data", values: [] };
    this.#head(sample);
    this.#values(sample.values, signals, form === "file" || form === "plain" ? "unstated" : "look");
    return sample;
  }

  #head(sample: Sample): void {
    while (this.#code() <= SPACE && this.#at < this.#end && this.#timed) this.#at++;
    if (this.#timed || isDigit(this.#code())) this.#time(sample);
    if (this.#code() === OPEN) {
      this.#at++;
      sample.sequence = this.#sequence();
      if (this.#code() !== CLOSE) throw this.#fault();
      this.#at++;
    }
    if (this.#code() === F) {
      sample.newFrame = true;
      this.#at++;
    }
    if (this.#at < this.#end && !isSeparator(this.#code())) throw this.#fault();
  }

  #time(sample: Sample): void {
    const sec = this.#number();
    let nsec = 0;
    if (this.#code() === POINT) {
      this.#at++;
      nsec = this.#number();
    } else if (this.#at === this.#end) throw this.#fault(); // a number alone is no sample
    const sign = this.#code();
    const offset = sign === PLUS || sign === MINUS ? this.#offset() : undefined;
    // VILLASnode writes 0.0 for a time that is not known.
    if (sec === 0 && nsec === 0) return;
    sample.origin = { sec, nsec };
    if (offset !== undefined) sample.received = plusSeconds(sample.origin, offset);
  }

  #number(): number {
    const start = this.#at;
    let number = 0;
    for (let code; isDigit(code = this.#code()); this.#at++) number = number * 10 + code - 0x30;
    const length = this.#at - start;
    if (length === 0 || length > LONGEST_TIME || !isTimePart(number)) throw this.#fault();
    return number;
  }

  #offset(): number {
    const start = this.#at++;
    for (let code; (code = this.#code()) !== OPEN && code !== F && !isSeparator(code); this.#at++) {
      if (this.#at >= this.#end) break;
    }
    const text = this.#text.slice(start, this.#at);
    const offset = OFFSET.test(text) ? Number(text) : NaN;
    if (Math.abs(offset) < LONGEST_OFFSET) return offset;
    throw this.#fault();
  }

  #sequence(): bigint {
    const start = this.#at;
    while (isDigit(this.#code())) this.#at++;
    const length = this.#at - start;
    if (length === 0 || length > LONGEST_SEQUENCE) throw this.#fault();
    const text = this.#text.slice(start, this.#at);
    const sequence = BigInt(length <= 15 ? Number(text) : text);
    if (length === LONGEST_SEQUENCE && BigInt.asUintN(64, sequence) !== sequence) {
      throw this.#fault();
    }
    return sequence;
  }

  #values(values: Value[], signals: readonly Signal[] | undefined, unstated: Wanted): void {
    const text = this.#text;
    while (this.#at < this.#end) {
      const start = ++this.#at;
      while (this.#at < this.#end && !isSeparator(text.charCodeAt(this.#at))) this.#at++;
      values.push(readValue(text, start, this.#at, signals?.[values.length]?.type ?? unstated));
    }
  }

  /** The character that comes next; NaN at the end. */
  #code(): number {
    return this.#at < this.#end ? this.#text.charCodeAt(this.#at) : NaN;
  }

  #fault(): LineFault {
    return new LineFault(
      this.#start,
      "expected SECONDS.NANOSECONDS(SEQUENCE) and values with tabs before them",
    );
  }
}

const OFFSET = /^[+-][\d.]+(?:[eE][+-]?\d+)?$/;
/** Seconds that two clocks can differ by: all that 32 bits hold. */
const LONGEST_OFFSET = 2 ** 32;

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isSeparator(code: number): boolean {
  return code === TAB || code === SPACE || code === COMMA;
}
