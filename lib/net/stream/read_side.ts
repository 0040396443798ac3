import type { IdleTimer } from "../../time/idle_timer.ts";
import type { RawConnection } from "./connection_options.ts";
import { mayBeForeign } from "./first_bytes.ts";
import type { FirstBytesGate } from "./first_bytes_gate.ts";

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

/** The reading half of a connection: one read at a time, which can be cancelled without closing anything. */
export class ReadSide {
  readonly #conn: Pick<RawConnection, "read">;
  readonly #idle: IdleTimer;
  /** Makes what refuses browsers; null once the first bytes have shown that the peer is not one. */
  #makeGate: (() => FirstBytesGate) | null;
  #gate: FirstBytesGate | null = null;
  #buffer: Uint8Array<ArrayBuffer> | null = null;
  #isReading = false;
  /** Resolves when the read in progress is over; made where somebody wants to know. */
  #over: PromiseWithResolvers<void> | null = null;
  /** Takes what the read in progress has read, or null where there is nothing more or it was called off. */
  #then: ((read: unknown) => void) | null = null;
  /** What it reads into: the own buffer, of which bytes are handed on, or the caller's. */
  #target: Uint8Array | null = null;
  /** Whether what arrives is dropped, and the end of that. */
  #isDropping = false;
  #drained: Promise<void> | null = null;
  #end: ReadEnd = "open";
  #bytes = 0;
  #error: unknown;

  /**
   * @param conn The system's connection.
   * @param idle Measures how long reads wait.
   * @param makeGate Makes what the first bytes have to pass; null if there is no such thing.
   */
  constructor(
    conn: Pick<RawConnection, "read">,
    idle: IdleTimer,
    makeGate: (() => FirstBytesGate) | null,
  ) {
    this.#conn = conn;
    this.#idle = idle;
    this.#makeGate = makeGate;
  }

  /** The error that ended reading; undefined if none did. */
  get error(): unknown {
    return this.#error;
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
    return new Promise((resolve) => this.readThen(resolve));
  }

  /** Reads into the caller's buffer. */
  readInto(buffer: Uint8Array): Promise<number | null> {
    return new Promise((resolve) => this.#begin(buffer, resolve));
  }

  /** As {@linkcode ReadSide.read}, with a call instead of a promise; what is called must not throw. */
  readThen(then: (chunk: Uint8Array | null) => void): void {
    this.#begin(this.#buffer ??= spare.pop() ?? new Uint8Array(FIRST_BUFFER), then);
  }

  /** Ends reading, including a read in progress. */
  stop(end: "stopped" | "late" | "lost"): void {
    this.#isDropping = false;
    if (this.#end !== "open") return;
    this.#end = end;
    const then = this.#then;
    this.#then = null;
    if (then) queueMicrotask(() => then(null));
  }

  /** Stops reading, and drops everything up to the peer's end, or until {@linkcode ReadSide.stop} is called again. */
  drain(): Promise<void> {
    return this.#drained ??= this.#drain();
  }

  async #drain(): Promise<void> {
    this.stop("stopped");
    this.#isDropping = this.#end === "stopped" || this.#end === "late";
    await this.reading;
    const buffer = new Uint8Array(FIRST_BUFFER);
    while (this.#isDropping) await new Promise((resolve) => this.#start(buffer, resolve));
  }

  /** The read in progress, even if it was cancelled; it never rejects. */
  get reading(): Promise<void> | null {
    if (!this.#isReading) return null;
    this.#over ??= Promise.withResolvers();
    return this.#over.promise;
  }

  /**
   * Waits for the first bytes, without consuming them.
   *
   * @param seconds How long.
   * @returns Whether the peer can be served.
   */
  async firstBytes(seconds: number): Promise<boolean> {
    if (this.#makeGate === null) return true;
    try {
      this.#gate ??= this.#makeGate();
      return await this.#gate.look(seconds);
    } catch (error) {
      if (this.#finish("lost")) this.#error = error;
      return false;
    }
  }

  #begin<T>(buffer: Uint8Array, then: (read: T | null) => void): void {
    if (this.#end !== "open") return then(null);
    if (this.#isReading) {
      throw new TypeError("Cannot read: another read of this connection is in progress");
    }
    this.#start(buffer, then);
  }

  #start<T>(buffer: Uint8Array, then: (read: T | null) => void): void {
    if (this.#gate?.open) this.#gate = this.#makeGate = null;
    this.#then = then as (read: unknown) => void;
    this.#target = buffer;
    this.#isReading = true;
    this.#idle.begin();
    (this.#gate ?? this.#conn).read(buffer).then(this.#onRead, this.#onFailed);
  }

  /** What was read into the own buffer. */
  #asBytes(length: number): Uint8Array {
    const buffer = this.#buffer!;
    if (length === buffer.length && length < LARGEST_BUFFER) {
      this.#buffer = new Uint8Array(4 * length);
    }
    return buffer.subarray(0, length);
  }

  readonly #onRead = (length: number | null): void => {
    if (this.#makeGate !== null && this.#gate === null && length !== null && length > 0) {
      // Most first bytes show at once that the peer is not a browser.
      if (mayBeForeign(this.#target![0]!)) {
        this.#gate = this.#makeGate();
        this.#gate.pass(this.#target!, length).then(this.#onRead, this.#onFailed);
        return;
      }
      this.#makeGate = null;
    }
    if (length !== null) this.#bytes += length;
    else this.#finish("ended");
    this.#done(length);
  };

  readonly #onFailed = (error: unknown): void => {
    // A TLS peer may close without announcing it.
    if (error instanceof Deno.errors.UnexpectedEof) this.#finish("ended");
    else if (this.#finish("lost")) this.#error = error;
    this.#done(null);
  };

  #done(length: number | null): void {
    this.#idle.end();
    this.#isReading = false;
    this.#over?.resolve();
    const isOwn = this.#target === this.#buffer;
    this.#over = this.#target = null;
    const then = this.#then;
    this.#then = null;
    if (then === null) return; // it was called off
    if (length === null || this.#end !== "open") then(null);
    else then(isOwn ? this.#asBytes(length) : length);
  }

  /** Gives the own buffer away. Where it is not what the last read was for, what it read earlier may still be in use. */
  #reuseBuffer(): void {
    const buffer = this.#buffer;
    this.#buffer = null;
    const isDone = buffer !== null && buffer === this.#target && buffer.length === FIRST_BUFFER;
    if (isDone && spare.length < SPARE) spare.push(buffer);
  }

  #finish(end: ReadEnd): boolean {
    if (this.#end !== "open" && !this.#isDropping) return false;
    this.#end = end;
    this.#isDropping = false;
    this.#reuseBuffer();
    return true;
  }
}
