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

const EMPTY = new Uint8Array();
const encoder = new TextEncoder();

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

/**
 * Makes a frame to Python.
 *
 * @param kind A letter.
 * @param number The number of the call or peer.
 * @param parts What it carries.
 */
export function frame(
  kind: string,
  number: number,
  ...parts: readonly (Uint8Array | string)[]
): Uint8Array {
  const bytes = parts.map((part) => typeof part === "string" ? encoder.encode(part) : part);
  const length = bytes.reduce((sum, part) => sum + part.length, 0);
  const made = new Uint8Array(HEADER + length);
  const view = new DataView(made.buffer);
  view.setUint32(0, length, true);
  view.setUint8(4, kind.charCodeAt(0));
  view.setUint32(5, number, true);
  let at = HEADER;
  for (const part of bytes) {
    made.set(part, at);
    at += part.length;
  }
  return made;
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
