/**
 * Python's `marshal`, version 2, as far as it is needed for samples: what Python reads and writes in C, and quickest.
 *
 * @module
 */

import type { Value } from "../../codecs/villas/sample.ts";

/** What Python's values become: None, bool, int, float, complex, str, bytes, tuple or list. */
export type Marshalled = Value | string | Uint8Array | readonly Marshalled[];

const decoder = new TextDecoder();
/** Bits of an int's digits. */
const DIGIT = 15n;
/** What ends a `bigint` that Python may send: nothing on the wire is longer. */
const MOST_DIGITS = 1 << 16;

/** Writes lists of values. */
export class MarshalWriter {
  #bytes = new Uint8Array(1 << 12);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was written. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins a list; as many items must follow. */
  list(length: number): void {
    this.#code("[", 4);
    this.#view.setInt32(this.#length, length, true);
    this.#length += 4;
  }

  /** Writes a value. */
  value(value: Value): void {
    if (typeof value === "number") this.#float("g", value);
    else if (typeof value === "bigint") this.#int(value);
    else if (typeof value === "boolean") this.#code(value ? "T" : "F", 0);
    else if (value === null) this.#code("N", 0);
    else {
      this.#float("y", value.real);
      this.#view.setFloat64(this.#length, value.imag, true);
      this.#length += 8;
    }
  }

  #float(code: string, value: number): void {
    this.#code(code, 16);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  #int(value: bigint): void {
    let rest = value < 0n ? -value : value;
    const digits: number[] = [];
    for (; rest > 0n; rest >>= DIGIT) digits.push(Number(rest & 0x7fffn));
    this.#code("l", 4 + 2 * digits.length);
    this.#view.setInt32(this.#length, value < 0n ? -digits.length : digits.length, true);
    this.#length += 4;
    for (const digit of digits) {
      this.#view.setUint16(this.#length, digit, true);
      this.#length += 2;
    }
  }

  #code(code: string, behind: number): void {
    const needed = this.#length + 1 + behind;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(2 * needed);
      larger.set(this.bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#bytes[this.#length++] = code.charCodeAt(0);
  }
}

/**
 * Reads what Python's `marshal.dumps(…, 2)` has written.
 *
 * @param bytes The bytes.
 * @returns The value; an int is a `bigint`.
 * @throws {RangeError} If there is something else in it.
 */
export function readMarshal(bytes: Uint8Array): Marshalled {
  return new Reader(bytes).read();
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  read(): Marshalled {
    const code = String.fromCharCode(this.#view.getUint8(this.#at++) & 0x7f);
    switch (code) {
      case "N":
        return null;
      case "T":
        return true;
      case "F":
        return false;
      case "i":
        return BigInt(this.#int32());
      case "l":
        return this.#long();
      case "g":
        return this.#float();
      case "y":
        return { real: this.#float(), imag: this.#float() };
      case "u":
      case "t":
      case "a":
      case "A":
        return decoder.decode(this.#take(this.#int32()));
      case "z":
      case "Z":
        return decoder.decode(this.#take(this.#bytes[this.#at++]!));
      case "s":
        return this.#take(this.#int32()).slice();
      case ")":
        return this.#items(this.#bytes[this.#at++]!);
      case "(":
      case "[":
        return this.#items(this.#int32());
    }
    throw new RangeError(`Cannot read what Python has written: found ${JSON.stringify(code)}`);
  }

  #items(length: number): Marshalled[] {
    const items: Marshalled[] = [];
    for (let i = 0; i < length; i++) items.push(this.read());
    return items;
  }

  #int32(): number {
    this.#at += 4;
    return this.#view.getInt32(this.#at - 4, true);
  }

  #float(): number {
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8, true);
  }

  #long(): bigint {
    const length = this.#int32();
    const digits = Math.abs(length);
    if (digits > MOST_DIGITS) throw new RangeError("Cannot read what Python has written: too long");
    let value = 0n;
    for (let i = digits - 1; i >= 0; i--) {
      value = value << DIGIT | BigInt(this.#view.getUint16(this.#at + 2 * i, true));
    }
    this.#at += 2 * digits;
    return length < 0 ? -value : value;
  }

  #take(length: number): Uint8Array {
    this.#at += length;
    if (length < 0 || this.#at > this.#bytes.length) {
      throw new RangeError("Cannot read past the end");
    }
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
