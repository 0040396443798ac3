/**
 * Recognises the messages that VILLASnode itself sends, without building anything: it finds what an echo that changes nothing
 * has to know, and leaves no garbage to be collected. Whatever is not exactly of the usual shape is left to the decoder.
 *
 * @module
 */

import type { MessageScanner } from "../format.ts";
import {
  BOOLEAN,
  COMPLEX,
  COMPLEX_LENGTH,
  DATA,
  EXACT_VARINT,
  FLOAT,
  IMAG,
  INTEGER,
  LENGTH_VARINT,
  LONGEST_VARINT,
  NEW_FRAME,
  NSEC,
  REAL,
  SAMPLE,
  SEC,
  SEQUENCE,
  TS_ORIGIN,
  TS_RECEIVED,
  TYPE,
  VALUES,
  VALUES_2,
} from "./wire.ts";
import type { ValueKind } from "../sample.ts";

/** The tag that a value of each kind has. */
const TAGS = { float: FLOAT, integer: INTEGER, boolean: BOOLEAN, complex: COMPLEX, unset: 0 };

/** Walks over messages; make one and use it again. */
export class PlainScanner implements MessageScanner {
  /** The sequence numbers in the message scanned last; meaningful only if {@linkcode PlainScanner.scan} knew its shape. */
  readonly sequences: number[] = [];
  readonly #tags: readonly number[] | undefined;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  /** How many sequence numbers there were so far. */
  #numbered = 0;

  /**
   * @param kinds The kinds that the values of a sample have in their order, of which the last ones may be missing. Default: any.
   */
  constructor(kinds?: readonly ValueKind[]) {
    this.#tags = kinds?.map((kind) => TAGS[kind]);
  }

  /**
   * Looks whether a message is one that may go back as it came: only DATA samples, every value set and of the kind wanted,
   * fields in VILLASnode's order and none that are unknown.
   *
   * @param bytes A message in format `protobuf`.
   * @returns The number of samples, or -1 if the message is of any other shape, be it valid or not.
   */
  scan(bytes: Uint8Array): number {
    this.#bytes = bytes;
    this.#at = 0;
    this.#numbered = 0;
    let samples = 0;
    while (this.#at < bytes.length) {
      if (bytes[this.#at++] !== SAMPLE) return -1;
      const end = this.#end(bytes.length);
      if (end < 0 || !this.#sample(end)) return -1;
      samples++;
    }
    // An array that is emptied and filled again would be garbage each time.
    if (this.sequences.length !== this.#numbered) this.sequences.length = this.#numbered;
    return samples;
  }

  #sample(end: number): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#at++] !== TYPE || bytes[this.#at++] !== DATA) return false;
    if (this.#take(SEQUENCE, end)) {
      const sequence = this.#varint(end);
      if (sequence < 0) return false;
      this.sequences[this.#numbered++] = sequence;
    }
    if (this.#take(TS_ORIGIN, end) && !this.#timestamp(end)) return false;
    if (this.#take(TS_RECEIVED, end) && !this.#timestamp(end)) return false;
    if (this.#take(NEW_FRAME, end) && this.#varint(end) < 0) return false;
    for (let index = 0; this.#at < end; index++) {
      if (bytes[this.#at++] !== VALUES || bytes[this.#at++] !== VALUES_2) return false;
      if (!this.#value(this.#end(end), index)) return false;
    }
    return this.#at === end;
  }

  #timestamp(limit: number): boolean {
    const end = this.#end(limit);
    return end >= 0 && this.#take(SEC, end) && this.#varint(end) >= 0 && this.#take(NSEC, end) &&
      this.#varint(end) >= 0 && this.#at === end;
  }

  #value(end: number, index: number): boolean {
    if (end < 0 || this.#at >= end) return false;
    const tag = this.#bytes[this.#at++];
    if (this.#tags !== undefined && tag !== this.#tags[index]) return false;
    switch (tag) {
      case FLOAT:
        this.#at += 8;
        break;
      case INTEGER:
      case BOOLEAN:
        if (!this.#skipVarint(end)) return false;
        break;
      case COMPLEX: {
        const inner = this.#end(end);
        if (inner !== end || end - this.#at !== COMPLEX_LENGTH) return false;
        if (this.#bytes[this.#at] !== REAL || this.#bytes[this.#at + 5] !== IMAG) return false;
        this.#at = end;
        break;
      }
      default:
        return false;
    }
    return this.#at === end;
  }

  /** Takes a tag if it comes next. */
  #take(tag: number, end: number): boolean {
    if (this.#at >= end || this.#bytes[this.#at] !== tag) return false;
    this.#at++;
    return true;
  }

  /** Reads a length, and returns where what it measures ends; -1 if that is beyond the limit, or written in too many bytes. */
  #end(limit: number): number {
    const length = this.#varint(limit, LENGTH_VARINT);
    return length < 0 || length > limit - this.#at ? -1 : this.#at + length;
  }

  /** Reads a varint; -1 if it is cut off or longer than wanted, by default than a number is exact. */
  #varint(end: number, longest = EXACT_VARINT): number {
    let value = 0;
    for (let i = 0, factor = 1; i < longest && this.#at < end; i++, factor *= 128) {
      const byte = this.#bytes[this.#at++]!;
      if (byte < 128) return value + byte * factor;
      value += (byte - 128) * factor;
    }
    return -1;
  }

  #skipVarint(end: number): boolean {
    for (let i = 0; i < LONGEST_VARINT && this.#at < end; i++) {
      if (this.#bytes[this.#at++]! < 128) return true;
    }
    return false;
  }
}
