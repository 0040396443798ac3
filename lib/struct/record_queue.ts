/** A block of records that waits to be consumed. */
interface Block {
  readonly view: DataView;
  readonly taken: () => void;
}

/** The part of a compiled format that is needed here. */
type Unpacker<V> = { readonly size: number; unpackFrom(view: DataView, offset: number): V };

/** Passes the records of blocks to an iteration, one by one; each is unpacked when it is requested. */
export class RecordQueue<V extends readonly unknown[]> implements AsyncIterableIterator<V> {
  readonly #struct: Unpacker<V>;
  readonly #blocks: Block[] = [];
  readonly #waiting: PromiseWithResolvers<IteratorResult<V, undefined>>[] = [];
  readonly #onTaken: () => void;
  #at = 0;
  #ended = false;
  #error: Error | undefined;

  /**
   * @param struct The format of the records.
   * @param onTaken Called for each record that is consumed.
   */
  constructor(struct: Unpacker<V>, onTaken: () => void) {
    this.#struct = struct;
    this.#onTaken = onTaken;
  }

  /**
   * Offers records.
   *
   * @param bytes Whole records; do not change them before the promise resolves.
   * @returns Resolves when all of them have been consumed, or never will be.
   */
  push(bytes: Uint8Array): Promise<void> {
    if (this.#ended || bytes.length === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#blocks.push({ view, taken: resolve });
    while (this.#waiting.length > 0 && this.#blocks.length > 0) {
      this.#waiting.shift()!.resolve({ done: false, value: this.#take(this.#blocks[0]!) });
    }
    return promise;
  }

  /**
   * Ends the iteration. Records that have not been consumed are dropped.
   *
   * @param error Ends the iteration with this error, once.
   */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    for (const { taken } of this.#blocks.splice(0)) taken();
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (this.#error === undefined) resolve({ done: true, value: undefined });
      else reject(this.#error);
      this.#error = undefined;
    }
  }

  /** @returns The next record, once there is one. */
  next(): Promise<IteratorResult<V, undefined>> {
    const block = this.#blocks[0];
    if (block !== undefined) return Promise.resolve({ done: false, value: this.#take(block) });
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    const waiting = Promise.withResolvers<IteratorResult<V, undefined>>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** Ends this iteration; another one continues with the next record. */
  return(): Promise<IteratorResult<V, undefined>> {
    return Promise.resolve({ done: true, value: undefined });
  }

  /** @returns This. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  #take({ view, taken }: Block): V {
    const record = this.#struct.unpackFrom(view, this.#at);
    this.#at += this.#struct.size;
    if (this.#at === view.byteLength) {
      this.#at = 0;
      this.#blocks.shift();
      taken();
    }
    this.#onTaken();
    return record;
  }
}
