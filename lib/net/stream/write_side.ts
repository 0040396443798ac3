import { concat } from "@std/bytes/concat";
import type { IdleTimer } from "../../time/idle_timer.ts";

/** Writes up to this size are combined. */
const JOINED_BYTES = 1 << 16;

/** Writes some of the bytes and returns how many. */
export type WriteSome = (bytes: Uint8Array) => Promise<number>;

/** Writes whole byte arrays one after another; those written during another write are combined. */
export class WriteSide {
  readonly #writeSome: WriteSome;
  readonly #idle: IdleTimer;
  readonly #onError: (error: unknown) => void;
  /** Bytes that wait for their turn, and the promise of their batch. */
  #queue: Uint8Array[] = [];
  #batch: Promise<boolean> | null = null;
  #tail: Promise<boolean> = Promise.resolve(true);
  #flushing = false;
  #waiting = 0;
  #bytes = 0;
  #writing: Promise<void> | null = null;
  #callOff: ((written: number) => void) | null = null;
  #ended = false;
  #failed = false;

  /**
   * @param writeSome Writes to the system.
   * @param idle Measures how long writes wait.
   * @param onError Called with the first error; nothing is written after it.
   */
  constructor(writeSome: WriteSome, idle: IdleTimer, onError: (error: unknown) => void) {
    this.#writeSome = writeSome;
    this.#idle = idle;
    this.#onError = onError;
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
    if (this.#ended) return Promise.resolve(false);
    this.#waiting += bytes.length;
    if (!this.#flushing) return this.#tail = this.#flush([bytes]);
    this.#queue.push(bytes);
    this.#batch ??= this.#tail = this.#tail.then(() => {
      const chunks = joined(this.#queue);
      this.#queue = [];
      this.#batch = null;
      return this.#flush(chunks);
    });
    return this.#batch;
  }

  /** Accepts no more writes; resolves when everything queued has been written or has failed. */
  finish(): Promise<boolean> {
    this.#ended = true;
    return this.#tail;
  }

  /** Accepts no more writes and drops those queued or in progress. */
  fail(): void {
    this.#ended = true;
    this.#failed = true;
    this.#callOff?.(0);
  }

  /** The last write, if it is in progress. */
  get writing(): Promise<void> | null {
    return this.#writing;
  }

  async #flush(chunks: Uint8Array[]): Promise<boolean> {
    this.#flushing = true;
    try {
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length && !this.#failed;) {
          const written = await this.#some(at === 0 ? chunk : chunk.subarray(at));
          this.#idle.end();
          this.#bytes += written;
          this.#waiting -= written;
          at += written;
        }
      }
    } catch (error) {
      this.#idle.end();
      if (!this.#failed) this.#onError(error);
      this.fail();
    }
    this.#flushing = this.#batch !== null;
    return !this.#failed;
  }

  /** Waits until the system has accepted some bytes, or the write is cancelled. */
  #some(bytes: Uint8Array): Promise<number> {
    this.#idle.begin();
    return new Promise((resolve, reject) => {
      this.#callOff = resolve;
      this.#writing = this.#writeSome(bytes).then((written) => {
        this.#writing = null;
        resolve(written);
      }, (error) => {
        this.#writing = null;
        reject(error);
      });
    });
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
