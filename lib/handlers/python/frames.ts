/**
 * The frames between labwire and the program that runs a module in Python; `host.py` is the other side.
 *
 * @module
 */

import { concat } from "@std/bytes/concat";

/** Bytes before the payload of a frame to Python: its length, kind, number. */
const HEADER = 9;
/** The same from Python, with two durations behind. */
const ANSWER_HEADER = 17;
/** The longest payload that is read: a longer one is no frame. */
const LONGEST = 1 << 27;

/** How large the buffers are at first, and when they are let go of again. */
const FIRST_SIZE = 1 << 14;
const LARGEST_KEPT = 1 << 20;

const EMPTY = new Uint8Array();

/** A frame from Python. */
export interface Answer {
  /** A letter. */
  readonly kind: string;
  /** The number of the call that it answers, or of a peer. */
  readonly number: number;
  /** µs that the user's code took. */
  readonly micros: number;
  /** µs from when Python had read the call until it answered. */
  readonly taken: number;
  /** What it carries; valid until the next frame is asked for. */
  readonly payload: Uint8Array;
}

/** Puts frames to Python one behind the other, to be written together. */
export class FrameWriter {
  #bytes = new Uint8Array(FIRST_SIZE);
  /** What was taken last: it is in use until the next one is taken. */
  #other = new Uint8Array(FIRST_SIZE);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds a frame.
   *
   * @param kind A letter.
   * @param number The number of the call or peer.
   * @param parts What it carries.
   */
  add(kind: string, number: number, ...parts: readonly Uint8Array[]): void {
    let length = 0;
    for (const part of parts) length += part.length;
    let at = this.#length;
    this.#reserve(at + HEADER + length);
    this.#view.setUint32(at, length, true);
    this.#bytes[at + 4] = kind.charCodeAt(0);
    this.#view.setUint32(at + 5, number, true);
    at += HEADER;
    for (const part of parts) {
      this.#bytes.set(part, at);
      at += part.length;
    }
    this.#length = at;
  }

  /**
   * Adds bytes as they are.
   *
   * @param bytes The bytes.
   */
  addBytes(bytes: Uint8Array): void {
    this.#reserve(this.#length + bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Takes all frames; the bytes are valid until they are taken the next time. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    const next = this.#other.length > LARGEST_KEPT ? new Uint8Array(FIRST_SIZE) : this.#other;
    [this.#bytes, this.#other] = [next, this.#bytes];
    this.#view = new DataView(this.#bytes.buffer);
    this.#length = 0;
    return taken;
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Splits what Python writes into frames. */
export class FrameReader {
  #bytes: Uint8Array = EMPTY;
  /** What follows those, of a frame that is not complete. */
  #more: Uint8Array[] = [];
  #missing = 0;

  /**
   * Takes what was read.
   *
   * @param chunk The bytes; not to be changed.
   */
  push(chunk: Uint8Array): void {
    if (this.#missing > chunk.length) {
      this.#more.push(chunk);
      this.#missing -= chunk.length;
      return;
    }
    this.#missing = 0;
    const parts = [this.#bytes, ...this.#more, chunk];
    this.#bytes = this.#bytes.length + this.#more.length === 0 ? chunk : concat(parts);
    this.#more = [];
  }

  /**
   * Gives the next frame.
   *
   * @returns Null where there is no whole one.
   * @throws {RangeError} If that is none.
   */
  next(): Answer | null {
    const bytes = this.#bytes;
    if (this.#missing > 0) return null;
    if (bytes.length < ANSWER_HEADER) return null;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const length = view.getUint32(0, true);
    if (length > LONGEST) throw new RangeError("what Python wrote is no frame");
    const end = ANSWER_HEADER + length;
    if (bytes.length < end) {
      this.#missing = end - bytes.length;
      return null;
    }
    this.#bytes = bytes.subarray(end);
    return {
      kind: String.fromCharCode(view.getUint8(4)),
      number: view.getUint32(5, true),
      micros: view.getUint32(9, true),
      taken: view.getUint32(13, true),
      payload: bytes.subarray(ANSWER_HEADER, end),
    };
  }
}
