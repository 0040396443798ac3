/** How long a read of an output that is over is waited for, in milliseconds, twice. */
const LAST_MOMENT = 50;

/** What a pipe can hold, in bytes: more cannot be left of an output that is over. */
const LARGEST_PIPE = 1 << 20;

/**
 * Reads a pipe to its end, or to what the program that wrote it had written when it was over: another program may hold a pipe
 * open for as long as it lives.
 *
 * @internal
 */
export class ProgramOutput {
  /** Resolves at the end. */
  readonly finished: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #finish: () => void;
  #reading: ((bytes: undefined) => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Bytes that may still come once the output is over. */
  #left = Infinity;

  /** @param stream The pipe, read by nobody else. */
  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
  }

  /**
   * Reads what comes next; one read at a time.
   *
   * @returns One or more bytes, or undefined at the end.
   */
  async read(): Promise<Uint8Array | undefined> {
    const bytes = this.#left > 0 ? await this.#next() : undefined;
    if (bytes === undefined) await this.cancel();
    else this.#left -= bytes.length;
    return bytes;
  }

  /** Reads no more. */
  async cancel(): Promise<void> {
    this.#finish();
    this.#reading?.(undefined);
    await this.#reader.cancel().catch(() => {});
  }

  /** Says that the output is over: what the pipe holds is still read, but nothing is waited for. */
  end(): void {
    if (this.#left !== Infinity) return;
    this.#left = LARGEST_PIPE;
    if (this.#reading) this.#limit();
  }

  /** The same as a stream, which reads ahead of nobody. */
  readable(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const bytes = await this.read();
        if (bytes === undefined) controller.close();
        else controller.enqueue(bytes);
      },
      cancel: () => this.cancel(),
    }, { highWaterMark: 0 });
  }

  #next(): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => {
      const settle = (bytes: Uint8Array | undefined) => {
        clearTimeout(this.#timer);
        this.#reading = null;
        resolve(bytes);
      };
      this.#reading = settle;
      if (this.#left !== Infinity) this.#limit();
      this.#reader.read().then(({ value }) => settle(value), () => settle(undefined));
    });
  }

  /** Gives up the read under way; in two steps, because a timer that fires late has not seen what came in the meantime. */
  #limit(): void {
    const giveUp = () => this.#reading?.(undefined);
    this.#timer = setTimeout(() => this.#timer = setTimeout(giveUp, LAST_MOMENT), LAST_MOMENT);
  }
}
