/**
 * Reads samples in JSON that are written exactly as VILLASnode writes them, in less time than any JSON takes.
 *
 * @module
 */

import { kindOf, type Sample, type Value } from "../sample.ts";
import type { Signal } from "../signals.ts";
import { isTimePart } from "../text_format.ts";

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
const CLOSE = 0x5d;
/** Digits of an integer that a number holds exactly. */
const EXACT_DIGITS = 15;

/**
 * Reads a message.
 *
 * @param text Its text.
 * @param signals The signals, if they were stated.
 * @returns The samples; null if it is written in any other way, be it valid or not, or a value is not of the kind stated.
 */
export function readPlainJson(text: string, signals?: readonly Signal[]): Sample[] | null {
  return new Reader(text, signals).read();
}

/** What an object of named values says. */
export interface PlainMembers {
  /** Milliseconds since 1970. */
  readonly timestamp?: number;
  readonly sequence?: number;
  /** One value for each signal. */
  readonly values: Value[];
}

/**
 * Reads an object of named values: time and sequence number, where there are any, then all signals in their order.
 *
 * @param text A text that it is in.
 * @param start Where it begins.
 * @param end Where it must end.
 * @param signals The signals.
 * @param names Their names, as they begin a member.
 * @returns Null if it is written in any other way, be it valid or not, or a value is not of its signal's kind.
 */
export function readPlainMembers(
  text: string,
  start: number,
  end: number,
  signals: readonly Signal[],
  names: readonly string[],
): PlainMembers | null {
  return new Reader(text, signals, start).members(names, end);
}

class Reader {
  readonly #text: string;
  readonly #signals: readonly Signal[] | undefined;
  #at = 0;
  /** Whether the number that was read last has a point or an exponent. */
  #isFloat = false;

  constructor(text: string, signals: readonly Signal[] | undefined, start = 0) {
    this.#text = text;
    this.#signals = signals;
    this.#at = start;
  }

  members(names: readonly string[], end: number): PlainMembers | null {
    if (!this.#take("{")) return null;
    let timestamp: number | undefined;
    let sequence: number | undefined;
    if (this.#take('"timestamp": ')) {
      timestamp = this.#integer();
      if (timestamp !== timestamp || !this.#take(", ")) return null;
    }
    if (this.#take('"sequence": ')) {
      sequence = this.#integer();
      if (!(sequence >= 0) || !this.#take(", ")) return null;
    }
    const values: Value[] = [];
    for (let i = 0; i < names.length; i++) {
      if (i > 0 && !this.#take(", ")) return null;
      const value = this.#take(names[i]!) ? this.#value() : null;
      if (value === null || kindOf(value) !== this.#signals![i]!.type) return null;
      values.push(value);
    }
    return this.#take("}") && this.#at === end ? { timestamp, sequence, values } : null;
  }

  read(): Sample[] | null {
    const text = this.#text;
    const isList = this.#take("[");
    const samples: Sample[] = [];
    do {
      const sample = this.#sample();
      if (sample === null) return null;
      samples.push(sample);
    } while (isList && this.#take(", "));
    if (isList && !this.#take("]")) return null;
    return this.#at === text.length ? samples : null;
  }

  #sample(): Sample | null {
    const values: Value[] = [];
    const sample: Sample = { type: "data", values };
    if (!this.#take("{")) return null;
    if (this.#take('"ts": {"origin": [')) {
      const sec = this.#integer();
      if (!this.#take(", ")) return null;
      const nsec = this.#integer();
      if (!isTimePart(sec) || !isTimePart(nsec) || !this.#take("]}, ")) return null;
      sample.origin = { sec, nsec };
    }
    if (this.#take('"sequence": ')) {
      const sequence = this.#integer();
      if (!(sequence >= 0) || !this.#take(", ")) return null;
      sample.sequence = BigInt(sequence);
    }
    if (!this.#take('"data": [')) return null;
    if (this.#text.charCodeAt(this.#at) !== CLOSE) {
      do {
        const value = this.#value();
        const signal = this.#signals?.[values.length];
        if (value === null || signal && signal.type !== kindOf(value)) return null;
        values.push(value);
      } while (this.#take(", "));
    }
    return this.#take("]}") ? sample : null;
  }

  #value(): Value {
    const start = this.#at;
    const number = this.#number();
    if (number === number) {
      if (this.#isFloat) return number;
      // The number is exact where it has so few digits.
      return this.#at - start <= EXACT_DIGITS ? BigInt(number) : this.#long(start);
    }
    if (this.#take("true")) return true;
    if (this.#take("false")) return false;
    if (!this.#take('{"real": ')) return null;
    const real = this.#number();
    if (!this.#take(', "imag": ')) return null;
    const imag = this.#number();
    return this.#take("}") && real === real && imag === imag ? { real, imag } : null;
  }

  #long(start: number): Value {
    if (this.#at - start > 20) return null;
    const value = BigInt(this.#text.slice(start, this.#at));
    return BigInt.asIntN(64, value) === value ? value : null;
  }

  /** Reads an integer that a number holds exactly; NaN if there is none. */
  #integer(): number {
    const start = this.#at;
    const number = this.#number();
    return this.#isFloat || this.#at - start > EXACT_DIGITS ? NaN : number;
  }

  /** Reads a number (RFC 8259, section 6); NaN if there is none. */
  #number(): number {
    const text = this.#text;
    const start = this.#at;
    const first = text.charCodeAt(start) === MINUS ? start + 1 : start;
    let at = this.#digits(first);
    if (at === first || at > first + 1 && text.charCodeAt(first) === ZERO) return NaN;
    this.#isFloat = false;
    if (text.charCodeAt(at) === POINT) {
      const fraction = at + 1;
      at = this.#digits(fraction);
      if (at === fraction) return NaN;
      this.#isFloat = true;
    }
    if ((text.charCodeAt(at) | 0x20) === 0x65) { // e, E
      const sign = text.charCodeAt(at + 1);
      const exponent = sign === 0x2b || sign === MINUS ? at + 2 : at + 1;
      at = this.#digits(exponent);
      if (at === exponent) return NaN;
      this.#isFloat = true;
    }
    this.#at = at;
    const number = Number(text.slice(start, at));
    return number - number === 0 ? number : NaN; // too large: told by who reads it as any JSON
  }

  /** The index after some digits. */
  #digits(at: number): number {
    const text = this.#text;
    for (let code; (code = text.charCodeAt(at)) >= ZERO && code <= 0x39;) at++;
    return at;
  }

  /** Takes a text if it comes next. */
  #take(wanted: string): boolean {
    if (!this.#text.startsWith(wanted, this.#at)) return false;
    this.#at += wanted.length;
    return true;
  }
}
