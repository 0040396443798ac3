import { CodecError } from "../errors.ts";
import type { Struct } from "../codecs/struct/struct.ts";
import type { StructInputs } from "../codecs/struct/types.ts";

/** Bytes that are collected before they are written. */
const BUFFER_BYTES = 1 << 16;

/**
 * Collects the records of one turn of the event loop, and those sent while others are being written, so that many records cost one
 * write.
 */
export class SendBuffer<F extends string> {
  readonly #struct: Struct<F, readonly unknown[]>;
  readonly #write: (bytes: Uint8Array) => Promise<boolean>;
  readonly #capacity: number;
  #bytes: Uint8Array | null = null;
  #view: DataView | null = null;
  #spare: Uint8Array | null = null;
  #used = 0;
  #batch: PromiseWithResolvers<boolean> | null = null;
  #last: Promise<boolean> = Promise.resolve(true);
  #writing = 0;
  #sent = 0;

  /**
   * @param struct The format of the records.
   * @param write Writes bytes in the order of the calls; resolves with whether that succeeded, when they may be reused.
   */
  constructor(
    struct: Struct<F, readonly unknown[]>,
    write: (bytes: Uint8Array) => Promise<boolean>,
  ) {
    this.#struct = struct;
    this.#write = write;
    this.#capacity = Math.max(1, Math.floor(BUFFER_BYTES / struct.size)) * struct.size;
  }

  /** Records that the system has accepted. */
  get sent(): number {
    return this.#sent;
  }

  /**
   * Packs a record, to be written at the end of this turn of the event loop or, if a write is in progress, after it.
   *
   * @param values The record.
   * @returns Resolves with whether the system has accepted it.
   * @throws {CodecError} If the values do not fit the format.
   */
  send(values: StructInputs<F>): Promise<boolean> {
    this.#makeRoom();
    this.#struct.packInto(values, this.#view!, this.#used);
    return this.#take(this.#struct.size);
  }

  /**
   * The same with records that are packed.
   *
   * @param records The bytes of whole records, which may be used again at once.
   * @returns Resolves with whether the system has accepted the last of them.
   * @throws {CodecError} If they end inside a record.
   */
  sendBytes(records: Uint8Array): Promise<boolean> {
    const { length } = records;
    if (length % this.#struct.size !== 0) {
      throw new CodecError(
        `Cannot send ${length} bytes: expected whole records of ${this.#struct.size}`,
      );
    }
    let taken = this.#batch?.promise ?? this.#last;
    for (let at = 0; at < length;) {
      this.#makeRoom();
      const size = Math.min(length - at, this.#capacity - this.#used);
      this.#bytes!.set(size === length ? records : records.subarray(at, at + size), this.#used);
      taken = this.#take(size);
      at += size;
    }
    return taken;
  }

  /** Makes room for a record. */
  #makeRoom(): void {
    if (this.#used === this.#capacity) this.#flush();
    this.#bytes ??= this.#spare ?? new Uint8Array(this.#capacity);
    this.#view ??= new DataView(this.#bytes.buffer);
    this.#spare = null;
  }

  /** Takes what was put there. */
  #take(size: number): Promise<boolean> {
    this.#used += size;
    if (this.#batch === null) {
      this.#batch = Promise.withResolvers();
      if (this.#writing === 0) queueMicrotask(() => this.#flush());
    }
    return this.#batch.promise;
  }

  /** Resolves when everything sent so far has been written or has failed, with whether the last of it succeeded. */
  async flush(): Promise<boolean> {
    this.#flush();
    return await this.#last;
  }

  #flush(): void {
    const [bytes, batch, used] = [this.#bytes, this.#batch, this.#used];
    if (bytes === null || batch === null) return;
    this.#bytes = this.#view = this.#batch = null;
    this.#used = 0;
    this.#last = batch.promise;
    this.#writing++;
    this.#write(bytes.subarray(0, used)).then((taken) => {
      this.#spare = bytes;
      if (taken) this.#sent += used / this.#struct.size;
      batch.resolve(taken);
      if (--this.#writing === 0) this.#flush();
    });
  }
}
