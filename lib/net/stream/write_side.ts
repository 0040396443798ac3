import { concat } from "@std/bytes/concat";
import type { IdleTimer } from "../../time/idle_timer.ts";
import type { RawConnection } from "./connection_options.ts";

/** Writes up to this size are combined. */
const JOINED_BYTES = 1 << 16;

const NOTHING = new Uint8Array();

/** Writes whole byte arrays one after another; those written during another write are combined. */
export class WriteSide {
  readonly #conn: Pick<RawConnection, "write">;
  readonly #idle: IdleTimer;
  /** What is being written, how much of it has been, what follows it, and what takes whether the system has taken all that. */
  #chunk: Uint8Array | null = null;
  #at = 0;
  #following: Uint8Array[] | null = null;
  #then: ((taken: boolean) => void) | null = null;
  /** Bytes that wait for their turn, and the promise of all of them. */
  #queue: Uint8Array[] | null = null;
  #queued: PromiseWithResolvers<boolean> | null = null;
  #waiting = 0;
  #bytes = 0;
  /** Whether the system is writing, and what resolves when that is over; made where somebody wants to know. */
  #isWriting = false;
  #over: PromiseWithResolvers<void> | null = null;
  #ended = false;
  /** Settles when nothing more is to be written; made where somebody waits for it. */
  #finished: Promise<boolean> | null = null;
  #failed = false;
  #error: unknown;

  /**
   * @param conn The system's connection.
   * @param idle Measures how long writes wait.
   */
  constructor(conn: Pick<RawConnection, "write">, idle: IdleTimer) {
    this.#conn = conn;
    this.#idle = idle;
  }

  /** The error that ended writing; undefined if none did. */
  get error(): unknown {
    return this.#error;
  }

  /** Bytes that the system has not accepted yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Bytes that the system has accepted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves with true when the system has taken all of the bytes, with false when it will not. */
  write(bytes: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => this.writeThen(bytes, resolve));
  }

  /** As {@linkcode WriteSide.write}, with a call instead of a promise; what is called must not throw. */
  writeThen(bytes: Uint8Array, then: (taken: boolean) => void): void {
    if (this.#ended) return then(false);
    this.#waiting += bytes.length;
    if (this.#chunk !== null) {
      (this.#queue ??= []).push(bytes);
      this.#queued ??= Promise.withResolvers();
      void this.#queued.promise.then(then);
    } else if (bytes.length === 0) then(true);
    else {
      this.#then = then;
      this.#begin(bytes);
    }
  }

  /** Accepts no more writes; resolves when everything queued has been written or has failed, with whether it has been written. */
  finish(): Promise<boolean> {
    this.#finished ??= this.write(NOTHING);
    this.#ended = true;
    return this.#finished;
  }

  /** Accepts no more writes and drops those queued or in progress. */
  fail(): void {
    this.#ended = true;
    this.#failed = true;
    const then = this.#then;
    this.#then =
      this.#chunk =
      this.#following =
      this.#queue =
        null;
    if (then) queueMicrotask(() => then(false));
    this.#queued?.resolve(false);
  }

  /** The write of the system that is in progress, also after {@linkcode WriteSide.fail}; it never rejects. */
  get writing(): Promise<void> | null {
    if (!this.#isWriting) return null;
    this.#over ??= Promise.withResolvers();
    return this.#over.promise;
  }

  #begin(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
    this.#writeRest();
  }

  /** Has the system write what is left of the chunk. */
  #writeRest(): void {
    const chunk = this.#chunk!;
    this.#idle.begin();
    this.#isWriting = true;
    this.#conn.write(this.#at === 0 ? chunk : chunk.subarray(this.#at))
      .then(this.#onWritten, this.#onFailed);
  }

  readonly #onWritten = (written: number): void => {
    this.#settle();
    if (this.#failed) return;
    this.#bytes += written;
    this.#waiting -= written;
    this.#at += written;
    if (this.#at < this.#chunk!.length) return this.#writeRest();
    const next = this.#following?.shift();
    if (next) this.#begin(next);
    else this.#done();
  };

  readonly #onFailed = (error: unknown): void => {
    this.#settle();
    if (!this.#failed) this.#error = error;
    this.fail();
  };

  #settle(): void {
    this.#idle.end();
    this.#isWriting = false;
    this.#over?.resolve();
    this.#over = null;
  }

  /** Begins to write what was queued meanwhile. */
  #done(): void {
    const then = this.#then!;
    this.#chunk = this.#then = null;
    if (this.#queued !== null) this.#beginQueued(this.#queue!, this.#queued.resolve);
    then(true);
  }

  #beginQueued(queue: Uint8Array[], then: (taken: boolean) => void): void {
    const chunks = joined(queue.filter((chunk) => chunk.length > 0));
    this.#then = then;
    this.#queue = this.#queued = null;
    const [first, ...following] = chunks;
    this.#following = following;
    if (first) this.#begin(first);
    else this.#done();
  }
}

/** Combines neighbouring chunks while they are small. */
function joined(chunks: Uint8Array[]): Uint8Array[] {
  if (chunks.length < 2) return chunks;
  const result: Uint8Array[] = [];
  for (let from = 0; from < chunks.length;) {
    let to = from;
    let size = 0;
    do size += chunks[to++]!.length; while (
      to < chunks.length && size + chunks[to]!.length <= JOINED_BYTES
    );
    result.push(to === from + 1 ? chunks[from]! : concat(chunks.slice(from, to)));
    from = to;
  }
  return result;
}
