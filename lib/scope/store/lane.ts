import type { Value } from "../../codecs/villas/sample.ts";
import { CHUNK, type Chunk, Level, MAX, MIN, PARTS, SQUARES, SUM, VALID } from "./level.ts";

/** Entries of a level that make one of the next. */
const FACTOR = 16;
/** Levels of the pyramid above the samples. */
const LEVELS = 4;
/** Seconds that can be looked at. */
const LONGEST = 3600;
/** Samples that are kept whatever their age. */
const LEAST = 1 << 16;
/** Channels at most: what is beyond cannot be told apart on a screen. */
export const MOST_CHANNELS = 1024;

/** What a channel shows of its signal. */
export type Part = "value" | "magnitude" | "real" | "imaginary" | "phase";

/** A signal as the user describes it. */
export interface SignalInfo {
  /** Its name. */
  readonly name?: string;
  /** Its unit. */
  readonly unit?: string;
}

/** One trace. */
export interface Channel {
  /** The signal's place in the samples. */
  readonly signal: number;
  /** What of the signal it is. */
  readonly part: Part;
  /** The kind of its values; integers and booleans are drawn as steps. */
  readonly kind: "float" | "integer" | "boolean" | "complex";
}

/** How much a lane remembers. */
export interface LaneOptions {
  /** Seconds of which every sample is kept. Default: 60. */
  readonly history?: number;
  /** Bytes of samples at most. Default: 320 MiB. */
  readonly bytes?: number;
}

/**
 * The samples that go one way, in rings of typed arrays, and a pyramid of minima and maxima above them: each level has one bucket for 16 of
 * the level below, and reaches further back. Adding a sample allocates nothing.
 */
export class Lane {
  /**
   * The samples, then the levels of buckets.
   *
   * @internal
   */
  readonly levels: readonly Level[];
  readonly #channels: Channel[] = [];
  /** The first channel of each signal; -1 while it has had no value. */
  readonly #places: number[] = [];
  /** For each level, the number of its first entry that is in no bucket of the next one. */
  readonly #open = new Float64Array(LEVELS + 1);
  #latest: readonly Value[] = [];
  #samples = 0;
  #hasComplex = false;
  #isFull = false;
  #early = 0;

  /**
   * Makes an empty lane.
   *
   * @param options How much to remember.
   */
  constructor({ history = 60, bytes = 320 * 2 ** 20 }: LaneOptions = {}) {
    const levels = [new Level(1, { seconds: history, least: LEAST, bytes })];
    for (let i = 1; i <= LEVELS; i++) {
      // Each reaches four times as far back as the one below; the last two as far as anything can be looked at.
      const seconds = Math.min(Math.max(history, LONGEST), history * 4 ** (i - 1));
      const isLast = i >= LEVELS - 1;
      levels.push(
        new Level(PARTS, {
          seconds: isLast ? Math.max(history, LONGEST) : seconds,
          least: LEAST / FACTOR,
          // At the limit, what is kept of all samples takes as much as the pyramid above it.
          bytes: bytes / 4,
        }),
      );
    }
    this.levels = levels;
  }

  /** The traces that there are so far. */
  get channels(): readonly Channel[] {
    return this.#channels;
  }

  /** Whether there were signals that found no room: {@linkcode MOST_CHANNELS}. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** The values of the last sample. */
  get latest(): readonly Value[] {
    return this.#latest;
  }

  /** Samples that were added. */
  get samples(): number {
    return this.#samples;
  }

  /** Samples that were earlier than one before them, and count as being at its time. */
  get early(): number {
    return this.#early;
  }

  /** When the last sample was, in s; -Infinity before there is one. */
  get end(): number {
    return this.levels[0]!.end;
  }

  /** When the oldest thing that is remembered was, in s; Infinity if nothing is. */
  get start(): number {
    return Math.min(...this.levels.map((level) => level.start));
  }

  /** Bytes that it takes. */
  get bytes(): number {
    return this.levels.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The channel of a signal; -1 if there is none. */
  channelOf(signal: number, part: Part = "value"): number {
    return this.#channels.findIndex((channel) =>
      channel.signal === signal &&
      (channel.part === part || part === "value" && channel.part === "magnitude")
    );
  }

  /**
   * Adds a sample.
   *
   * @param time When it was, in s; not before the last one, or it counts as being at the same time.
   * @param gap Whether something is missing before it.
   * @param values Its values; copied.
   */
  add(time: number, gap: boolean, values: readonly Value[]): void {
    const raw = this.levels[0]!;
    const { end } = raw;
    if (time < end) this.#early++;
    const chunk = raw.add(time < end ? end : time, time, gap);
    const at = chunk.length - 1;
    const { data } = chunk;
    const places = this.#places;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      const place = i < places.length && places[i]! >= 0 ? places[i]! : this.#begin(i, value);
      if (place < 0) continue;
      if (typeof value === "number" && !this.#hasComplex) data[place]![at] = value;
      else this.#other(data, place, at, value);
    }
    for (let i = values.length; i < places.length; i++) {
      if (places[i]! >= 0) this.#other(data, places[i]!, at, null);
    }
    this.#samples++;
    if (chunk.length % FACTOR === 0 || gap) this.#raise(0, gap);
  }

  /** Remembers the values of the last sample as they are, for a table. */
  note(values: readonly Value[]): void {
    this.#latest = values.slice(0, MOST_CHANNELS);
  }

  /** Stores what is no plain number, or a part of a signal that has been complex. */
  #other(data: readonly Float64Array[], place: number, at: number, value: Value): void {
    const isComplex = this.#channels[place]!.part === "magnitude";
    if (value === null) {
      for (let i = 0; i < (isComplex ? 4 : 1); i++) data[place + i]![at] = NaN;
      return;
    }
    const isWhole = typeof value !== "object";
    const [real, imag] = isWhole ? [Number(value), 0] : [value.real, value.imag];
    data[place]![at] = isComplex || !isWhole ? Math.hypot(real, imag) : real;
    if (!isComplex) return;
    data[place + 1]![at] = real;
    data[place + 2]![at] = imag;
    data[place + 3]![at] = Math.atan2(imag, real);
  }

  /** Makes the channels of a signal when its first value tells what it is. */
  #begin(signal: number, value: Value): number {
    while (this.#places.length <= signal) this.#places.push(-1);
    const place = this.#channels.length;
    if (value === null) return -1;
    if (place + 4 > MOST_CHANNELS) {
      this.#isFull = true;
      return -1;
    }
    if (typeof value === "object") {
      this.#hasComplex = true;
      for (const part of ["magnitude", "real", "imaginary", "phase"] as const) {
        this.#channels.push({ signal, part, kind: "complex" });
      }
    } else {
      const kind = typeof value === "bigint"
        ? "integer"
        : typeof value === "boolean"
        ? "boolean"
        : "float";
      this.#channels.push({ signal, part: "value", kind });
    }
    for (const level of this.levels) level.widen(this.#channels.length);
    this.#places[signal] = place;
    return place;
  }

  /**
   * Puts entries of one level into buckets of the next.
   *
   * @param index The level.
   * @param gap Whether the newest entry has a gap before it: the bucket that ends there is closed, so that no bucket hides a gap that is
   * longer than itself.
   */
  #raise(index: number, gap: boolean): void {
    if (index >= LEVELS) return;
    const level = this.levels[index]!;
    const chunk = level.chunks.at(-1)!;
    const open = this.#open[index]!;
    if (gap) {
      const stop = level.next - 1;
      if (open < stop && this.#isLong(index, chunk, stop)) this.#close(index, open, stop);
    }
    while (level.next - this.#open[index]! >= FACTOR) {
      this.#close(index, this.#open[index]!, this.#open[index]! + FACTOR);
    }
    // A bucket lies in one chunk.
    if (chunk.length === CHUNK && this.#open[index]! < level.next) {
      this.#close(index, this.#open[index]!, level.next);
    }
  }

  /** Whether the gap before an entry is longer than the bucket that it would lie in. */
  #isLong(index: number, chunk: Chunk, number: number): boolean {
    const at = number - chunk.first;
    if (at < 1) return false;
    const first = Math.max(0, this.#open[index]! - chunk.first);
    return chunk.from[at]! - chunk.to[at - 1]! > 2 * (chunk.to[at - 1]! - chunk.from[first]!);
  }

  #close(index: number, first: number, end: number): void {
    const level = this.levels[index]!;
    const above = this.levels[index + 1]!;
    this.#open[index] = end;
    const { chunks, oldest } = level;
    const chunk = chunks[Math.floor((first - oldest) / CHUNK)]!;
    const start = first - chunk.first;
    const stop = end - chunk.first;
    const gap = chunk.gaps[start] === 1;
    const bucket = above.add(chunk.from[start]!, chunk.to[stop - 1]!, gap);
    const at = bucket.length - 1;
    for (let channel = 0; channel < this.#channels.length; channel++) {
      if (index === 0) sum(chunk.data[channel]!, start, stop, bucket.data, channel * PARTS, at);
      else merge(chunk.data, channel * PARTS, start, stop, bucket.data, at);
    }
    if (bucket.length % FACTOR === 0 || gap) this.#raise(index + 1, gap);
  }
}

/** Puts values into a bucket. */
function sum(
  values: Float64Array,
  start: number,
  stop: number,
  into: readonly Float64Array[],
  place: number,
  at: number,
): void {
  let [least, greatest, total, squares, valid] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = start; i < stop; i++) {
    const value = values[i]!;
    if (value !== value) continue; // NaN
    if (value < least) least = value;
    if (value > greatest) greatest = value;
    total += value;
    squares += value * value;
    valid++;
  }
  into[place + MIN]![at] = valid > 0 ? least : NaN;
  into[place + MAX]![at] = valid > 0 ? greatest : NaN;
  into[place + SUM]![at] = total;
  into[place + SQUARES]![at] = squares;
  into[place + VALID]![at] = valid;
}

/** Puts buckets into a larger one. */
function merge(
  from: readonly Float64Array[],
  place: number,
  start: number,
  stop: number,
  into: readonly Float64Array[],
  at: number,
): void {
  let [least, greatest, total, squares, valid] = [Infinity, -Infinity, 0, 0, 0];
  const [mins, maxs] = [from[place + MIN]!, from[place + MAX]!];
  const [sums, powers, counts] = [from[place + SUM]!, from[place + SQUARES]!, from[place + VALID]!];
  for (let i = start; i < stop; i++) {
    if (counts[i] === 0) continue;
    if (mins[i]! < least) least = mins[i]!;
    if (maxs[i]! > greatest) greatest = maxs[i]!;
    total += sums[i]!;
    squares += powers[i]!;
    valid += counts[i]!;
  }
  into[place + MIN]![at] = valid > 0 ? least : NaN;
  into[place + MAX]![at] = valid > 0 ? greatest : NaN;
  into[place + SUM]![at] = total;
  into[place + SQUARES]![at] = squares;
  into[place + VALID]![at] = valid;
}
