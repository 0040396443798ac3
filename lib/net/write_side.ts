import type { IdleTimer } from "./idle_timer.ts";

/** Writes up to this size are put together into one. */
const JOINED_BYTES = 1 << 16;

/** Writes some of the bytes and tells how many. */
export type WriteSome = (bytes: Uint8Array) => Promise<number>;

/** Writes whole byte arrays one after another; what is written while another write is under way leaves together. */
export class WriteSide {
  readonly #writeSome: WriteSome;
  readonly #idle: IdleTimer;
  readonly #onError: (error: unknown) => void;
  #queue: Uint8Array[] = [];
  #waiting = 0;
  #bytes = 0;
  #batch: Promise<boolean> | null = null;
  #tail: Promise<boolean> = Promise.resolve(true);
  #writing: Promise<number> | null = null;
  #callOff: ((written: number) => void) | null = null;
  #ended = false;
  #failed = false;

  /**
   * @param writeSome Writes to the system.
   * @param idle Counts the time that writes wait.
   * @param onError Told of the first error; nothing is written after it.
   */
  constructor(writeSome: WriteSome, idle: IdleTimer, onError: (error: unknown) => void) {
    this.#writeSome = writeSome;
    this.#idle = idle;
    this.#onError = onError;
  }

  /** Bytes that the system has not taken yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Bytes that the system has taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves with true when the system has taken all of the bytes, with false when it will not. */
  write(bytes: Uint8Array): Promise<boolean> {
    if (this.#ended) return Promise.resolve(false);
    this.#queue.push(bytes);
    this.#waiting += bytes.length;
    if (this.#batch === null) this.#tail = this.#batch = this.#tail.then(() => this.#flush());
    return this.#batch;
  }

  /** Takes no more writes; resolves when everything queued so far is dealt with. */
  finish(): Promise<boolean> {
    this.#ended = true;
    return this.#tail;
  }

  /** Takes no more writes and gives up those that are queued or under way. */
  fail(): void {
    this.#ended = true;
    this.#failed = true;
    this.#callOff?.(0);
  }

  /** Resolves when the system is done with the last write. */
  async settled(): Promise<void> {
    await this.#writing?.catch(() => {});
  }

  async #flush(): Promise<boolean> {
    const chunks = joined(this.#queue);
    this.#queue = [];
    this.#batch = null;
    try {
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length && !this.#failed;) {
          at += await this.#some(at === 0 ? chunk : chunk.subarray(at));
        }
      }
    } catch (error) {
      if (!this.#failed) this.#onError(error);
      this.fail();
    }
    return !this.#failed;
  }

  async #some(bytes: Uint8Array): Promise<number> {
    this.#idle.begin();
    try {
      const calledOff = new Promise<number>((resolve) => this.#callOff = resolve);
      this.#writing = this.#writeSome(bytes);
      const written = await Promise.race([this.#writing, calledOff]);
      this.#bytes += written;
      this.#waiting -= written;
      return written;
    } finally {
      this.#idle.end();
    }
  }
}

/** Puts neighbours together as long as they are small. */
function joined(chunks: Uint8Array[]): Uint8Array[] {
  if (chunks.length < 2) return chunks;
  const result: Uint8Array[] = [];
  for (let from = 0; from < chunks.length;) {
    let to = from;
    let size = 0;
    do size += chunks[to++]!.length; while (
      to < chunks.length && size + chunks[to]!.length <= JOINED_BYTES
    );
    result.push(to === from + 1 ? chunks[from]! : concat(chunks.slice(from, to), size));
    from = to;
  }
  return result;
}

function concat(chunks: Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
