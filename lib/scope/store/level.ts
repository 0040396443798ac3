/** Entries in a chunk. A whole number of buckets of the level above. */
export const CHUNK = 1024;

/** What is kept of each channel in a bucket of a pyramid's level, in this order. */
export const PARTS = 5;
/** The places of those parts. */
export const [MIN, MAX, SUM, SQUARES, VALID] = [0, 1, 2, 3, 4] as const;

/** Some consecutive entries of a level: samples, or buckets of samples. */
export class Chunk {
  /** When each entry begins, in s. */
  readonly from: Float64Array = new Float64Array(CHUNK);
  /** When the last sample of each entry was, in s; the same array for single samples. */
  readonly to: Float64Array;
  /** 1 where something is missing before the entry. */
  readonly gaps: Uint8Array = new Uint8Array(CHUNK);
  /** The parts of each channel: channel × parts + part. */
  readonly data: Float64Array[] = [];
  /** Entries that are filled. */
  length = 0;
  /** The number of its first entry. */
  first = 0;

  /** @param isRaw Whether the entries are single samples. */
  constructor(isRaw: boolean) {
    this.to = isRaw ? this.from : new Float64Array(CHUNK);
  }
}

/** How much of a level is kept. */
export interface Retention {
  /** Seconds. */
  readonly seconds: number;
  /** Entries that are kept however old they are. */
  readonly least: number;
  /** Bytes at most. */
  readonly bytes: number;
}

/**
 * One level of what a lane remembers: a ring of chunks of typed arrays. Nothing is allocated once it is full: the oldest chunk becomes the
 * newest.
 */
export class Level {
  readonly #parts: number;
  readonly #retention: Retention;
  readonly #chunks: Chunk[] = [];
  #channels = 0;
  #next = 0;

  /**
   * @param parts Numbers for each channel: 1 for samples, {@linkcode PARTS} for buckets.
   * @param retention How much is kept.
   */
  constructor(parts: number, retention: Retention) {
    this.#parts = parts;
    this.#retention = retention;
  }

  /** The chunks, the oldest first. */
  get chunks(): readonly Chunk[] {
    return this.#chunks;
  }

  /** The number that the next entry gets; the first one ever was 0. */
  get next(): number {
    return this.#next;
  }

  /** The number of the oldest entry that is kept. */
  get oldest(): number {
    return this.#chunks[0]?.first ?? this.#next;
  }

  /** When the oldest entry begins; Infinity if there is none. */
  get start(): number {
    return this.#chunks[0]?.from[0] ?? Infinity;
  }

  /** When the last sample was; -Infinity if there is none. */
  get end(): number {
    const last = this.#chunks.at(-1);
    return last && last.length > 0 ? last.to[last.length - 1]! : -Infinity;
  }

  /** Bytes that it takes. */
  get bytes(): number {
    return this.#chunks.length * this.#chunkBytes;
  }

  /** Makes room for more channels; what was before has no values there. */
  widen(channels: number): void {
    if (channels <= this.#channels) return;
    this.#channels = channels;
    for (const chunk of this.#chunks) this.#fit(chunk);
  }

  /**
   * Adds an entry, whose data the caller fills.
   *
   * @param from When it begins.
   * @param to When its last sample was.
   * @param gap Whether something is missing before it.
   * @returns Its chunk; its place is the last.
   */
  add(from: number, to: number, gap: boolean): Chunk {
    let chunk = this.#chunks.at(-1);
    if (!chunk || chunk.length === CHUNK) chunk = this.#append(to);
    const at = chunk.length++;
    chunk.from[at] = from;
    if (chunk.to !== chunk.from) chunk.to[at] = to;
    chunk.gaps[at] = gap ? 1 : 0;
    this.#next++;
    return chunk;
  }

  /** The number of the first entry that begins at a time or later. */
  find(time: number): number {
    const chunks = this.#chunks;
    let [low, high] = [0, chunks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (chunks[middle]!.from[0]! < time) low = middle + 1;
      else high = middle;
    }
    const chunk = chunks[low - 1];
    if (!chunk) return this.oldest;
    let [first, last] = [0, chunk.length];
    while (first < last) {
      const middle = (first + last) >>> 1;
      if (chunk.from[middle]! < time) first = middle + 1;
      else last = middle;
    }
    return chunk.first + first;
  }

  /**
   * Goes over entries, chunk by chunk.
   *
   * @param first The number of the first.
   * @param end The number after the last.
   * @param visit Called with each chunk, and the places in it.
   */
  visit(
    first: number,
    end: number,
    visit: (chunk: Chunk, start: number, stop: number) => void,
  ): void {
    const chunks = this.#chunks;
    if (chunks.length === 0) return;
    const from = Math.max(first, this.oldest);
    const to = Math.min(end, this.#next);
    for (
      let i = Math.floor((from - this.oldest) / CHUNK);
      i < chunks.length && chunks[i]!.first < to;
      i++
    ) {
      const chunk = chunks[i]!;
      const start = Math.max(0, from - chunk.first);
      const stop = Math.min(chunk.length, to - chunk.first);
      if (start < stop) visit(chunk, start, stop);
    }
  }

  get #chunkBytes(): number {
    return CHUNK * 8 * (this.#channels * this.#parts + 2);
  }

  #append(now: number): Chunk {
    const { seconds, least, bytes } = this.#retention;
    const chunks = this.#chunks;
    const expendable = (kept: number) =>
      kept > 1 && ((kept + 1) * this.#chunkBytes > bytes ||
        chunks[1]!.from[0]! < now - seconds && (kept - 1) * CHUNK >= least);
    let chunk: Chunk | undefined;
    while (expendable(chunks.length)) chunk = chunks.shift()!;
    chunk ??= new Chunk(this.#parts === 1);
    chunk.length = 0;
    chunk.first = this.#next;
    this.#fit(chunk);
    chunks.push(chunk);
    return chunk;
  }

  #fit(chunk: Chunk): void {
    while (chunk.data.length < this.#channels * this.#parts) {
      chunk.data.push(new Float64Array(CHUNK).fill(this.#parts === 1 ? NaN : 0));
      // A bucket without values has no least and greatest one.
      const part = (chunk.data.length - 1) % this.#parts;
      if (this.#parts > 1 && part <= MAX) chunk.data.at(-1)!.fill(NaN);
    }
  }
}
