/** Bytes that arrived in chunks, taken out in other pieces; its memory follows the largest piece that had to be waited for. */
export class ByteQueue {
  #buffer = new Uint8Array(1 << 16);
  #start = 0;
  #end = 0;
  #dropped = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** How many bytes were taken out so far: where in the stream the next one lies. */
  get offset(): number {
    return this.#dropped;
  }

  /** Puts bytes in; they are copied. */
  push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Looks at the first bytes, of which there must be so many. */
  peek(length: number): DataView {
    return new DataView(this.#buffer.buffer, this.#start, length);
  }

  /** Takes bytes out, of which there must be so many; valid until the next `push()`. */
  take(length: number): Uint8Array {
    const bytes = this.#buffer.subarray(this.#start, this.#start + length);
    this.drop(length);
    return bytes;
  }

  /** Leaves bytes out, of which there must be so many. */
  drop(length: number): void {
    this.#start += length;
    this.#dropped += length;
  }

  #makeRoom(more: number): void {
    const bytes = this.#buffer.subarray(this.#start, this.#end);
    const needed = bytes.length + more;
    if (needed > this.#buffer.length) this.#buffer = new Uint8Array(Math.max(2 * needed, 1 << 16));
    this.#buffer.set(bytes);
    this.#start = 0;
    this.#end = bytes.length;
  }
}
