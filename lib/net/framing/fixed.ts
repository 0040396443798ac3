import { CodecError } from "../../errors.ts";
import type { Framing, Splitter } from "./framing.ts";

/**
 * Messages that all have the same size, with nothing between them. Where they come by the million, take them in blocks
 * with `readRecords()` instead.
 *
 * @param size Bytes per message, 1 or more.
 * @returns The framing.
 * @throws {RangeError} If the size is no whole number of at least 1.
 */
export function fixedFraming(size: number): Framing {
  checkRecordSize(size);
  return {
    wrap(message) {
      if (message.length === size) return message;
      throw new CodecError(
        `Cannot send record of ${message.length} bytes: expected ${size} bytes`,
      );
    },
    splitter: () => new FixedSplitter(size),
  };
}

/** @throws {RangeError} If the size is no whole number of at least 1. */
export function checkRecordSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(`Cannot cut a stream into records of ${size} bytes: expected at least 1`);
  }
}

/** The error of a stream that ends inside a record. */
export function cutRecord(bytes: number, size: number): CodecError {
  return new CodecError(
    `Cannot read record: stream ended ${bytes} ${
      bytes === 1 ? "byte" : "bytes"
    } into a ${size}-byte record`,
    { offset: bytes },
  );
}

class FixedSplitter implements Splitter {
  readonly #size: number;
  /** The beginning of a record whose rest has not come yet. */
  readonly #held: Uint8Array;
  #heldLength = 0;
  #chunk = new Uint8Array();
  #at = 0;

  constructor(size: number) {
    this.#size = size;
    this.#held = new Uint8Array(size);
  }

  push(chunk: Uint8Array): void {
    this.#chunk = chunk as Uint8Array<ArrayBuffer>;
    this.#at = 0;
  }

  next(): Uint8Array | null {
    const left = this.#chunk.length - this.#at;
    if (this.#heldLength === 0 && left >= this.#size) {
      return this.#chunk.subarray(this.#at, this.#at += this.#size);
    }
    const taken = Math.min(left, this.#size - this.#heldLength);
    this.#held.set(this.#chunk.subarray(this.#at, this.#at + taken), this.#heldLength);
    this.#at += taken;
    this.#heldLength += taken;
    if (this.#heldLength < this.#size) return null;
    this.#heldLength = 0;
    return this.#held;
  }

  get partial(): boolean {
    return this.#heldLength > 0;
  }

  end(): null {
    if (this.#heldLength === 0) return null;
    const bytes = this.#heldLength;
    this.#heldLength = 0;
    throw cutRecord(bytes, this.#size);
  }
}
