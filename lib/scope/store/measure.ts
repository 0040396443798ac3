import type { Lane } from "./lane.ts";
import { MAX, MIN, PARTS, SQUARES, SUM, VALID } from "./level.ts";
import { segments } from "./reduce.ts";

/** Samples, or buckets of them, that are read at most, for all channels together. */
const MOST_ENTRIES = 1 << 16;
/** Of these, how many each channel gets. */
const [LEAST_EACH, MOST_EACH] = [1 << 11, 1 << 16];

/** What there is to say about a trace over some time. */
export interface Measurement {
  /** The least value. */
  min: number;
  /** The greatest value. */
  max: number;
  /** The mean of the samples. */
  mean: number;
  /** The square root of the mean square. */
  rms: number;
  /** The frequency in Hz, from where the trace rises through the middle of its values; NaN where that is not regular. */
  frequency: number;
}

/**
 * Measures traces.
 *
 * @param lane The samples.
 * @param channels Which traces.
 * @param from The begin, in s.
 * @param to The end.
 * @returns A measurement for each channel, of NaN where there is no value.
 */
export function measure(
  lane: Lane,
  channels: readonly number[],
  from: number,
  to: number,
): Measurement[] {
  const until = Math.min(to, lane.end) + 1e-9;
  const each = MOST_ENTRIES / Math.max(1, channels.length);
  const most = Math.min(Math.max(each, LEAST_EACH), MOST_EACH);
  const parts = segments(lane, from, until, Math.max(until - from, 0) / most);
  return channels.map((channel) => {
    let [min, max, sum, squares, valid] = [Infinity, -Infinity, 0, 0, 0];
    for (const { level, first, end } of parts) {
      lane.levels[level]!.visit(first, end, ({ data }, start, stop) => {
        const place = level === 0 ? channel : channel * PARTS;
        const lows = data[place + (level === 0 ? 0 : MIN)];
        if (!lows) return;
        const highs = level === 0 ? lows : data[place + MAX]!;
        for (let i = start; i < stop; i++) {
          const [low, high] = [lows[i]!, highs[i]!];
          if (low !== low) continue; // NaN
          if (low < min) min = low;
          if (high > max) max = high;
          sum += level === 0 ? low : data[place + SUM]![i]!;
          squares += level === 0 ? low * low : data[place + SQUARES]![i]!;
          valid += level === 0 ? 1 : data[place + VALID]![i]!;
        }
      });
    }
    if (valid === 0) return { min: NaN, max: NaN, mean: NaN, rms: NaN, frequency: NaN };
    const frequency = max > min ? frequencyOf(lane, channel, from, until, most, [min, max]) : NaN;
    return { min, max, mean: sum / valid, rms: Math.sqrt(squares / valid), frequency };
  });
}

/** Counts, in the last of the visible samples, where a trace rises through the middle, having been a tenth of its height below it. */
function frequencyOf(
  lane: Lane,
  channel: number,
  from: number,
  to: number,
  most: number,
  [min, max]: readonly [number, number],
): number {
  const raw = lane.levels[0]!;
  const end = raw.find(to);
  const middle = (min + max) / 2;
  const low = middle - (max - min) / 10;
  let [armed, count, first, last] = [false, 0, NaN, NaN];
  let [shortest, longest] = [Infinity, 0];
  let [time, value] = [NaN, NaN];
  raw.visit(Math.max(raw.find(from), end - most), end, (chunk, start, stop) => {
    const values = chunk.data[channel];
    if (!values) return;
    for (let i = start; i < stop; i++) {
      const now = values[i]!;
      if (chunk.gaps[i] === 1) [armed, count] = [false, 0];
      if (now <= low) armed = true;
      else if (armed && now >= middle) {
        const at = crossing(time, value, chunk.from[i]!, now, middle);
        if (count > 0) {
          shortest = Math.min(shortest, at - last);
          longest = Math.max(longest, at - last);
        } else {
          [first, shortest, longest] = [at, Infinity, 0];
        }
        [armed, last] = [false, at];
        count++;
      }
      [time, value] = [chunk.from[i]!, now];
    }
  });
  // What is irregular, such as noise, has no frequency.
  if (count < 2 || longest > 2 * shortest) return NaN;
  return (count - 1) / (last - first);
}

/** When a straight line between two samples goes through a level. */
export function crossing(t0: number, v0: number, t1: number, v1: number, level: number): number {
  const part = (level - v0) / (v1 - v0);
  return part >= 0 && part <= 1 ? t0 + part * (t1 - t0) : t1;
}
