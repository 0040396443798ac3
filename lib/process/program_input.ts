import { within } from "../time/deadline.ts";

/** How long the system may take to give up a write to a program that has ended, in seconds. */
const LAST_MOMENT = 0.1;

/**
 * Writes to a pipe as long as the program that reads it lives: another program may hold the pipe open and not read it, and a write
 * would wait for that one.
 *
 * @internal
 */
export class ProgramInput {
  /** The pipe as a stream that takes a chunk at a time; writing fails once the input is over. */
  readonly writable: WritableStream<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #giveUp: ((why: Error) => void) | null = null;
  #over: Error | null = null;

  /** @param stream The pipe, written by nobody else. */
  constructor(stream: WritableStream<Uint8Array>) {
    this.#writer = stream.getWriter();
    this.#writer.closed.catch(() => {});
    this.writable = new WritableStream<Uint8Array>({
      write: (chunk) => this.#unlessOver(this.#writer.write(chunk)),
      close: () => this.#unlessOver(this.#writer.close()),
      abort: () => this.#abort(),
    });
  }

  /** Says that nobody reads any more who is meant to. */
  end(): void {
    this.#over ??= new Error("the program has ended");
    this.#giveUp?.(this.#over);
    void this.#abort();
  }

  async #abort(): Promise<void> {
    await within(this.#writer.abort().catch(() => {}), LAST_MOMENT);
  }

  #unlessOver(written: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      if (this.#over) reject(this.#over);
      written.then(resolve, reject);
    });
  }
}
