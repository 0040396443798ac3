/**
 * Lines as bytes: what both connections and programs are read and written by.
 *
 * @module
 */

import { CodecError } from "../errors.ts";

const LF = 0x0a;
const CR = 0x0d;
const EMPTY = new Uint8Array();
const encoder = new TextEncoder();

/**
 * Encodes a message as a line: adds `\n`.
 *
 * @param message The message, without a newline; text is encoded as UTF-8.
 * @returns The line.
 * @throws {CodecError} If there is a newline in the message.
 */
export function encodeLine(message: Uint8Array | string): Uint8Array {
  const at = typeof message === "string" ? message.indexOf("\n") : message.indexOf(LF);
  if (at >= 0) {
    const where = typeof message === "string" ? "character" : "byte";
    throw new CodecError(
      `Cannot send as one line: ${where} ${at} is a newline, expected none in a message`,
      { offset: at },
    );
  }
  // Text takes one pass, without a copy of its bytes.
  if (typeof message === "string") return encoder.encode(message + "\n");
  const line = new Uint8Array(message.length + 1);
  line.set(message);
  line[message.length] = LF;
  return line;
}

function withoutEnd(line: Uint8Array): Uint8Array {
  const content = line[line.length - 1] === LF ? line.subarray(0, -1) : line;
  return content[content.length - 1] === CR ? content.subarray(0, -1) : content;
}

/**
 * Whether there is nothing in a line but blanks, tabs and carriage returns.
 *
 * @param line The line.
 */
export function isBlankLine(line: Uint8Array): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x09 && byte !== CR) return false;
  return true;
}

/** Cuts a stream of bytes into lines, however it comes in chunks: pass each to `push()`, then call `next()` until it returns null. */
export class LineDecoder {
  readonly #maxBytes: number;
  readonly #keepEnds: boolean;
  #chunk = EMPTY;
  #at = 0;
  /** The start of a line whose end has not arrived. */
  #held = EMPTY;
  #heldLength = 0;
  #skipping = false;

  /**
   * Starts with nothing read.
   *
   * @param maxBytes Longest line in bytes.
   * @param keepEnds Whether each line keeps its ending.
   */
  constructor(maxBytes: number, keepEnds: boolean) {
    this.#maxBytes = maxBytes;
    this.#keepEnds = keepEnds;
  }

  /** The start of a line whose end has not arrived; valid until the next call of any method. */
  get held(): Uint8Array {
    return this.#held.subarray(0, this.#heldLength);
  }

  /** Takes the bytes that arrived next. Their memory may be reused once {@linkcode LineDecoder.next} has returned null. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk as Uint8Array<ArrayBuffer>;
    this.#at = 0;
  }

  /**
   * Returns the next complete line.
   *
   * @returns The line, valid until the next call of any method, or null if more bytes are needed.
   * @throws {CodecError} If the line is too long. The next call continues after it.
   */
  next(): Uint8Array | null {
    while (this.#at < this.#chunk.length) {
      const end = this.#chunk.indexOf(LF, this.#at);
      if (end < 0) {
        const rest = this.#chunk.subarray(this.#at);
        this.#at = this.#chunk.length;
        if (!this.#skipping) this.#hold(rest);
        return null;
      }
      const part = this.#chunk.subarray(this.#at, this.#keepEnds ? end + 1 : end);
      this.#at = end + 1;
      if (this.#skipping) this.#skipping = false;
      else return this.#complete(part);
    }
    return null;
  }

  /** Whether a line has begun whose end has not arrived. */
  get partial(): boolean {
    return this.#heldLength > 0 || this.#skipping;
  }

  /** Whether that line was thrown as too long already, so that nothing of it is returned. */
  get skipping(): boolean {
    return this.#skipping;
  }

  /** Ends the stream: returns the bytes held so far as the last line, null if there are none. */
  end(): Uint8Array | null {
    if (this.#skipping || this.#heldLength === 0) return null;
    return this.#complete(EMPTY);
  }

  #complete(part: Uint8Array): Uint8Array {
    let line = part;
    if (this.#heldLength > 0) {
      this.#append(part);
      line = this.#held.subarray(0, this.#heldLength);
      this.#heldLength = 0;
    }
    const content = withoutEnd(line);
    if (content.length > this.#maxBytes) throw this.#tooLong();
    return this.#keepEnds ? line : content;
  }

  #hold(part: Uint8Array): void {
    // The one byte beyond the limit may be the carriage return of the ending.
    if (this.#heldLength + part.length > this.#maxBytes + 1) {
      this.#heldLength = 0;
      this.#skipping = true;
      throw this.#tooLong();
    }
    this.#append(part);
  }

  #append(part: Uint8Array): void {
    const length = this.#heldLength + part.length;
    if (length > this.#held.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#held.length, 256));
      grown.set(this.#held.subarray(0, this.#heldLength));
      this.#held = grown;
    }
    this.#held.set(part, this.#heldLength);
    this.#heldLength = length;
  }

  #tooLong(): CodecError {
    return new CodecError(
      `Cannot read line: it is longer than ${this.#maxBytes} bytes`,
      { offset: this.#maxBytes },
    );
  }
}
