/**
 * The frames between labwire and the program that runs a module in Python; `host.py` is the other side.
 *
 * @module
 */

import { concat } from "@std/bytes/concat";

/** Bytes before the payload of a frame to Python: its length, kind, number. */
const HEADER = 9;
/** The same from Python, with two durations after it. */
const ANSWER_HEADER = 17;
/** The longest payload that is read: a longer one is no frame. */
const LONGEST = 1 << 27;

/** How large the buffers are at first, and when they are let go of again. */
const FIRST_SIZE = 1 << 14;
const LARGEST_KEPT = 1 << 20;

const EMPTY: Uint8Array = new Uint8Array();

/** How many bytes are copied sooner one by one than by a call of the engine. */
const FEW = 64;

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

/** Puts frames to Python one after another, to be written together. */
export class FrameWriter {
  #bytes = new Uint8Array(FIRST_SIZE);
  /** What was taken last: it is in use until the next one is taken. */
  #other = new Uint8Array(FIRST_SIZE);
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
   * @param first What it carries, in up to three parts.
   */
  add(kind: string, number: number, first = EMPTY, second = EMPTY, third = EMPTY): void {
    const at = this.#length;
    const length = first.length + second.length + third.length;
    const end = at + HEADER + length;
    if (end > this.#bytes.length) this.#grow(end);
    const bytes = this.#bytes;
    writeUint32(bytes, at, length);
    bytes[at + 4] = kind.charCodeAt(0);
    writeUint32(bytes, at + 5, number);
    copy(first, bytes, at + HEADER);
    copy(second, bytes, at + HEADER + first.length);
    copy(third, bytes, end - third.length);
    this.#length = end;
  }

  /**
   * Adds bytes as they are.
   *
   * @param bytes The bytes.
   */
  addBytes(bytes: Uint8Array): void {
    const end = this.#length + bytes.length;
    if (end > this.#bytes.length) this.#grow(end);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Takes all frames; the bytes are valid until they are taken the next time. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    const next = this.#other.length > LARGEST_KEPT ? new Uint8Array(FIRST_SIZE) : this.#other;
    [this.#bytes, this.#other] = [next, this.#bytes];
    this.#length = 0;
    return taken;
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function copy(from: Uint8Array, to: Uint8Array, at: number): void {
  if (from.length > FEW) to.set(from, at);
  else for (let i = 0; i < from.length; i++) to[at + i] = from[i]!;
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
