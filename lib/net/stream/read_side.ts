import type { IdleTimer } from "../../time/idle_timer.ts";

/** A read buffer grows from the first size to the second while reads fill it. */
const FIRST_BUFFER = 1 << 12;
const LARGEST_BUFFER = 1 << 16;
/** First buffers of closed connections, to be reused: most connections never need a larger one. */
const spare: Uint8Array<ArrayBuffer>[] = [];
const SPARE = 64;

/**
 * Why there is nothing more to read: `"open"` means that there may be more; the peer has ended its side; this side has stopped reading
 * or closed; a message was not complete in time; or the connection was lost or idle for too long.
 */
export type ReadEnd = "open" | "ended" | "stopped" | "late" | "lost";

/** Reads what has arrived into a buffer; null at the end. */
export type ReadSome = (buffer: Uint8Array) => Promise<number | null>;

/** The reading half of a connection: one read at a time, which can be cancelled without closing anything. */
export class ReadSide {
  readonly #readSome: ReadSome;
  readonly #idle: IdleTimer;
  readonly #onError: (error: unknown) => void;
  #buffer: Uint8Array<ArrayBuffer> | null = null;
  #isReading = false;
  /** Resolves when the read in progress is over; made where somebody wants to know. */
  #over: PromiseWithResolvers<void> | null = null;
  /** Resolves the promise of the read in progress: with what was read, or with null to call it off. */
  #resolve: ((read: unknown) => void) | null = null;
  /** Makes what was read of its length. */
  #take: (length: number) => unknown = asLength;
  #end: ReadEnd = "open";
  #bytes = 0;

  /**
   * @param readSome Reads from the system.
   * @param idle Measures how long reads wait.
   * @param onError Called with the error that ended reading, if any.
   */
  constructor(readSome: ReadSome, idle: IdleTimer, onError: (error: unknown) => void) {
    this.#readSome = readSome;
    this.#idle = idle;
    this.#onError = onError;
  }

  /** Why there is nothing more to read. */
  get end(): ReadEnd {
    return this.#end;
  }

  /** Bytes read so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Reads into a buffer that is used again by the next call. */
  read(): Promise<Uint8Array | null> {
    return this.#begin(this.#buffer ??= spare.pop() ?? new Uint8Array(FIRST_BUFFER), this.#asBytes);
  }

  /** Reads into the caller's buffer. */
  readInto(buffer: Uint8Array): Promise<number | null> {
    return this.#begin(buffer, asLength);
  }

  /** Ends reading, including a read in progress. */
  stop(end: "stopped" | "late" | "lost"): void {
    if (this.#end !== "open") return;
    this.#end = end;
    this.#resolve?.(null);
  }

  /** Reads and drops everything up to the peer's end, also after {@linkcode ReadSide.stop}. */
  async drain(): Promise<void> {
    await this.reading;
    // The last chunk may still be in use.
    this.#buffer = null;
    if (this.#end === "stopped" || this.#end === "late") this.#end = "open";
    while (await this.read() !== null);
  }

  /** The read in progress, even if it was cancelled; it never rejects. */
  get reading(): Promise<void> | null {
    if (!this.#isReading) return null;
    this.#over ??= Promise.withResolvers();
    return this.#over.promise;
  }

  #begin<T>(buffer: Uint8Array, take: (length: number) => T): Promise<T | null> {
    if (this.#end !== "open") return Promise.resolve(null);
    if (this.#isReading) {
      const why = "Cannot read: another read of this connection is in progress";
      return Promise.reject(new TypeError(why));
    }
    return new Promise((resolve) => {
      this.#resolve = resolve as (read: unknown) => void;
      this.#take = take;
      this.#isReading = true;
      this.#idle.begin();
      this.#readSome(buffer).then(this.#onRead, this.#onFailed);
    });
  }

  /** What was read into the own buffer. */
  readonly #asBytes = (length: number): Uint8Array => {
    const buffer = this.#buffer!;
    if (length === buffer.length && length < LARGEST_BUFFER) {
      this.#buffer = new Uint8Array(4 * length);
    }
    return buffer.subarray(0, length);
  };

  readonly #onRead = (length: number | null): void => {
    if (length !== null) this.#bytes += length;
    else this.#finish("ended");
    this.#done(length);
  };

  readonly #onFailed = (error: unknown): void => {
    // A TLS peer may close without announcing it.
    if (error instanceof Deno.errors.UnexpectedEof) this.#finish("ended");
    else if (this.#finish("lost")) this.#onError(error);
    this.#done(null);
  };

  #done(length: number | null): void {
    this.#idle.end();
    this.#isReading = false;
    this.#over?.resolve();
    this.#over = null;
    const isThere = length !== null && this.#end === "open";
    this.#resolve!(isThere ? this.#take(length) : null);
  }

  #finish(end: ReadEnd): boolean {
    if (this.#end !== "open") return false;
    this.#end = end;
    if (this.#buffer?.length === FIRST_BUFFER && spare.length < SPARE) spare.push(this.#buffer);
    this.#buffer = null;
    return true;
  }
}

function asLength(length: number): number {
  return length;
}
