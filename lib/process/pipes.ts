/**
 * The two ends of a program's pipes. Another program, which the first has left behind, may hold a pipe open for as long as it
 * lives: so neither end waits any longer for its other side once the program itself is over.
 *
 * @module
 */

import { within } from "../time/deadline.ts";

/** How long to wait for a read of an output that is over, in milliseconds, twice. */
const LAST_READ = 50;

/** How long the system may take to give up a write to a program that has ended, in seconds. */
const LAST_WRITE = 0.1;

/** Bytes that are read at once. */
const CHUNK = 1 << 16;

/** What a pipe can hold, in bytes: more cannot be left of an output that is over. */
const LARGEST_PIPE = 1 << 20;

/**
 * Reads a pipe to its end, or to what the program that wrote it had written when it was over.
 *
 * @internal
 */
export class ProgramOutput {
  /** Resolves at the end. */
  readonly finished: Promise<void>;
  readonly #reader: ReadableStreamBYOBReader;
  /** What is read into, again and again: what was read is copied out of it. */
  #buffer = new Uint8Array(CHUNK);
  readonly #finish: () => void;
  #reading: ((bytes: null) => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Bytes that may still come once the output is over. */
  #left = Infinity;

  /** @param stream The pipe, read by nobody else. */
  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader({ mode: "byob" });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
  }

  /**
   * Reads what comes next; one read at a time.
   *
   * @returns One or more bytes, or null at the end.
   */
  async read(): Promise<Uint8Array | null> {
    const bytes = this.#left > 0 ? await this.#next() : null;
    if (bytes === null) await this.cancel();
    else this.#left -= bytes.length;
    return bytes;
  }

  /** Reads no more. */
  async cancel(): Promise<void> {
    this.#finish();
    this.#reading?.(null);
    await this.#reader.cancel().catch(() => {});
  }

  /** Marks the output as over: what the pipe holds is still read, but nothing is waited for. */
  end(): void {
    if (this.#left !== Infinity) return;
    this.#left = LARGEST_PIPE;
    if (this.#reading) this.#limit();
  }

  #next(): Promise<Uint8Array | null> {
    return new Promise((resolve) => {
      const settle = (bytes: Uint8Array | null) => {
        if (this.#timer !== undefined) clearTimeout(this.#timer);
        this.#reading = null;
        resolve(bytes);
      };
      this.#reading = settle;
      if (this.#left !== Infinity) this.#limit();
      this.#reader.read(this.#buffer).then(
        ({ value, done }) => settle(done || !value ? null : this.#copied(value)),
        () => settle(null),
      );
    });
  }

  /** What was read, apart from the buffer, which is there for the next read. */
  #copied(value: Uint8Array<ArrayBuffer>): Uint8Array {
    const bytes = value.slice();
    this.#buffer = new Uint8Array(value.buffer);
    return bytes;
  }

  /** Gives up the read under way; in two steps, because a timer that fires late has not seen what came in the meantime. */
  #limit(): void {
    const giveUp = () => this.#reading?.(null);
    this.#timer = setTimeout(() => this.#timer = setTimeout(giveUp, LAST_READ), LAST_READ);
  }
}

/**
 * Writes a pipe as long as the program that reads it lives.
 *
 * @internal
 */
export class ProgramInput {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #waiting = new Set<(taken: boolean) => void>();
  #ending: Promise<void> | null = null;

  /** @param stream The pipe, written by nobody else. */
  constructor(stream: WritableStream<Uint8Array>) {
    this.#writer = stream.getWriter();
    this.#writer.closed.catch(() => {});
  }

  /**
   * Writes bytes.
   *
   * @param bytes What to write; not to be changed before the promise resolves.
   * @returns Whether the program's end of the pipe took them.
   */
  write(bytes: Uint8Array): Promise<boolean> {
    return this.#taken(this.#writer.write(bytes));
  }

  /** Ends the input, after what is being written. */
  async close(): Promise<void> {
    await this.#taken(this.#writer.close());
  }

  /** Gives up what has not been taken: whoever was meant to read it is gone. */
  end(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  async #end(): Promise<void> {
    for (const settle of this.#waiting) settle(false);
    await within(this.#writer.abort().catch(() => {}), LAST_WRITE);
  }

  /** Whether something was done before the input was over. Never rejects. */
  #taken(done: Promise<void>): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (taken: boolean) => {
        this.#waiting.delete(settle);
        resolve(taken);
      };
      this.#waiting.add(settle);
      done.then(() => settle(true), () => settle(false));
      if (this.#ending) settle(false);
    });
  }
}
