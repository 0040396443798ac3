import type { Lane } from "./lane.ts";
import { CHUNK, type Chunk, MAX, MIN, PARTS } from "./level.ts";

/** Buckets of a level are used where at least so many fall into a column. */
const BUCKETS_PER_COLUMN = 4;

/** A column or point before which something is missing. */
export const GAP = 1;
/** A column without samples. */
export const EMPTY = 2;

/** Columns of pixels: column k reaches from `origin + k × width` to the next one. */
export interface Grid {
  /** Where column 0 begins, in s. */
  readonly origin: number;
  /** Seconds in a column. */
  readonly width: number;
}

/** Traces that are reduced to columns. */
export interface Columns {
  /** For each column {@linkcode GAP} and {@linkcode EMPTY}. */
  readonly flags: Uint8Array;
  /** For each channel the least value in each column; NaN where there is none. */
  readonly mins: readonly Float64Array[];
  /** For each channel the greatest. */
  readonly maxs: readonly Float64Array[];
}

/** Traces as they are. */
export interface Points {
  /** The number of the first sample. */
  readonly first: number;
  /** When each was. */
  readonly times: Float64Array;
  /** For each, whether something is missing before it ({@linkcode GAP}). */
  readonly flags: Uint8Array;
  /** For each channel the values. */
  readonly values: readonly Float64Array[];
}

/** A part of a lane, read at one of its levels. */
export interface Segment {
  /** The level; 0 are the samples. */
  readonly level: number;
  /** The number of its first entry. */
  readonly first: number;
  /** The number after its last entry. */
  readonly end: number;
}

/**
 * Finds the levels in which a time is to be read: the coarsest that is fine enough, a coarser one for what is too old for that, and finer
 * ones for what is too new.
 *
 * @param lane The samples.
 * @param from The begin, in s.
 * @param to The end, which does not belong to it.
 * @param finest Seconds that a bucket may last.
 */
export function segments(lane: Lane, from: number, to: number, finest: number): Segment[] {
  const { levels } = lane;
  const found: Segment[] = [];
  const wanted = wantedLevel(lane, finest);
  let cursor = from;
  for (let index = levels.length - 1; index >= 0; index--) {
    const level = levels[index]!;
    if (level.next === level.oldest) continue;
    // A coarser level serves only for what the finer one does not have any more.
    const until = index > wanted ? Math.min(to, levels[index - 1]!.start) : to;
    if (until <= cursor) continue;
    const first = level.find(cursor);
    const end = level.find(until);
    if (first >= end) continue;
    found.push({ level: index, first, end });
    const [last] = entry(lane, index, end - 1);
    cursor = Math.max(cursor, nextAfter(last));
  }
  return found;
}

/** The first number after a time. */
function nextAfter(time: number): number {
  return time + Math.max(Math.abs(time), 1) * Number.EPSILON;
}

/** When the last sample of an entry was. */
function entry(lane: Lane, level: number, number: number): [number] {
  let time = NaN;
  lane.levels[level]!.visit(number, number + 1, (chunk, start) => void (time = chunk.to[start]!));
  return [time];
}

function wantedLevel(lane: Lane, finest: number): number {
  const { levels } = lane;
  for (let index = levels.length - 1; index > 0; index--) {
    const { next, oldest, start, end } = levels[index]!;
    const count = next - oldest;
    if (count > 1 && (end - start) / count <= finest) return index;
  }
  return 0;
}

/**
 * Reduces traces to minimum and maximum in columns.
 *
 * @param lane The samples.
 * @param channels Which traces.
 * @param grid The columns.
 * @param first The first column.
 * @param count How many.
 */
export function reduceToColumns(
  lane: Lane,
  channels: readonly number[],
  grid: Grid,
  first: number,
  count: number,
): Columns {
  const flags = new Uint8Array(count).fill(EMPTY);
  const rows = rowsOf(2 * channels.length, count).map((row) => row.fill(NaN));
  const mins = rows.slice(0, channels.length);
  const maxs = rows.slice(channels.length);
  const { origin, width } = grid;
  const from = origin + first * width;
  const places = new Int32Array(CHUNK);
  const lasts = new Int32Array(CHUNK);
  const place = (time: number) =>
    Math.min(Math.max(Math.floor((time - origin) / width) - first, 0), count - 1);
  for (
    const { level, first: begin, end } of segments(
      lane,
      from,
      from + count * width,
      width / BUCKETS_PER_COLUMN,
    )
  ) {
    lane.levels[level]!.visit(begin, end, (chunk, start, stop) => {
      for (let i = start; i < stop; i++) {
        const at = places[i] = place(chunk.from[i]!);
        // What is older than the finer levels may lie in buckets wider than a column.
        const last = lasts[i] = chunk.to[i]! - chunk.from[i]! > width ? place(chunk.to[i]!) : at;
        if (flags[at]! & EMPTY) flags[at] = chunk.gaps[i]! ? GAP : 0;
        for (let k = at + 1; k <= last; k++) if (flags[k]! & EMPTY) flags[k] = 0;
      }
      channels.forEach((channel, i) => {
        spread(chunk, level, channel, start, stop, places, lasts, mins[i]!, maxs[i]!);
      });
    });
  }
  return { flags, mins, maxs };
}

/** Rows of numbers, in one piece of memory: thousands of small ones in a second would leave holes in that of the process. */
function rowsOf(rows: number, length: number): Float64Array[] {
  const all = new Float64Array(rows * length);
  return Array.from({ length: rows }, (_, i) => all.subarray(i * length, (i + 1) * length));
}

/** Puts entries of one channel into their columns. */
function spread(
  chunk: Chunk,
  level: number,
  channel: number,
  start: number,
  stop: number,
  places: Int32Array,
  lasts: Int32Array,
  mins: Float64Array,
  maxs: Float64Array,
): void {
  const lows = chunk.data[level === 0 ? channel : channel * PARTS + MIN];
  const highs = level === 0 ? lows : chunk.data[channel * PARTS + MAX];
  if (!lows || !highs) return;
  for (let i = start; i < stop; i++) {
    const [low, high] = [lows[i]!, highs[i]!];
    if (low !== low) continue; // NaN
    for (let place = places[i]!; place <= lasts[i]!; place++) {
      // Written so that NaN, for "none yet", does what it should.
      if (!(low >= mins[place]!)) mins[place] = low;
      if (!(high <= maxs[place]!)) maxs[place] = high;
    }
  }
}

/**
 * Copies samples.
 *
 * @param lane The samples.
 * @param channels Which traces.
 * @param first The number of the first sample.
 * @param end The number after the last.
 */
export function copyPoints(
  lane: Lane,
  channels: readonly number[],
  first: number,
  end: number,
): Points {
  const raw = lane.levels[0]!;
  const from = Math.max(first, raw.oldest);
  const count = Math.max(0, Math.min(end, raw.next) - from);
  const times = new Float64Array(count);
  const flags = new Uint8Array(count);
  const values = rowsOf(channels.length, count);
  let filled = 0;
  raw.visit(from, from + count, (chunk, start, stop) => {
    times.set(chunk.from.subarray(start, stop), filled);
    flags.set(chunk.gaps.subarray(start, stop), filled);
    channels.forEach((channel, i) => {
      const data = chunk.data[channel];
      if (data) values[i]!.set(data.subarray(start, stop), filled);
      else values[i]!.fill(NaN, filled, filled + stop - start);
    });
    filled += stop - start;
  });
  return { first: from, times, flags, values };
}
