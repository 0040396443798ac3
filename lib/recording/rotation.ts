import { UsageError } from "../errors.ts";

/** When a recording goes on in another file. */
export interface Rotation {
  /** Before a file gets larger than so many bytes. */
  readonly bytes?: number;
  /** At every multiple of so many seconds in local time: for 21,600 at 0, 6, 12 and 18 o'clock. */
  readonly seconds?: number;
}

const SIZES: Readonly<Record<string, number>> = {
  ...{ B: 1, KB: 1e3, MB: 1e6, GB: 1e9 },
  ...{ KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 },
};
const TIMES: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400 };

/**
 * Reads a size, a time, or both: `100MB`, `1h`, `100MB,1h`.
 *
 * @param text The notation: sizes in B, kB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024); times in s, min, h, d.
 * @throws {UsageError} If the text is not of that form; the message starts at what was wanted.
 */
export function parseRotation(text: string): Rotation {
  let rotation: Rotation = {};
  for (const part of text.split(",")) {
    const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(part) ?? [];
    const size = unit && SIZES[unit.toUpperCase()];
    const time = unit && TIMES[unit.toLowerCase()];
    const count = Number(digits);
    if (size && rotation.bytes === undefined && count * size >= 1) {
      rotation = { ...rotation, bytes: Math.floor(count * size) };
    } else if (time && rotation.seconds === undefined && count * time >= 1) {
      rotation = { ...rotation, seconds: count * time };
    } else {
      throw new UsageError(
        "expected a size such as 100MB, a time of at least a second such as 1h, or both as in 100MB,1h " +
          "(units kB, MB, GB, KiB, MiB, GiB; s, min, h, d)",
      );
    }
  }
  return rotation;
}

/** The time for which a recording is in one file, in ms since 1970. */
export interface Period {
  /** When it begins, which may be an hour off where the clocks were changed since; never after the time that was asked about. */
  readonly from: number;
  /** When it is over; always after the time that was asked about. */
  readonly to: number;
}

/**
 * The period in which a time lies: the full hour, if periods are an hour long. Periods end at multiples of their length, as a clock on the
 * wall shows them. Where the clocks are changed, those longer than the change are longer or shorter by it; one whose end the clocks leave
 * out ends with the change, as do those that are no longer than what the clocks repeat.
 *
 * @param time The time in ms since 1970.
 * @param seconds Every how many seconds a period ends.
 * @param offsetAt What has to be added to local time for UTC, in ms, at a time. Default: as this computer's time zone has it.
 */
export function periodAt(time: number, seconds: number, offsetAt = localOffset): Period {
  const step = seconds * 1000;
  const offset = offsetAt(time);
  const start = Math.floor((time - offset) / step) * step; // in local time
  const from = start + offset;
  const to = from + step;
  const repeated = offsetAt(to) - offset;
  if (!repeated) return { from, to }; // NaN beyond the end of all dates
  if (step <= repeated) return { from, to: changeBetween(time, to, offsetAt) };
  const shifted = to + repeated;
  const isLeftOut = repeated < 0 && offsetAt(shifted) !== offsetAt(to);
  return { from, to: isLeftOut ? changeBetween(Math.max(time, shifted), to, offsetAt) : shifted };
}

/** The first time at which the offset is that of the end; at the start it is another one. */
function changeBetween(start: number, end: number, offsetAt: (time: number) => number): number {
  const after = offsetAt(end);
  let [low, high] = [start, end];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle) === after) high = middle;
    else low = middle;
  }
  return high;
}

function localOffset(time: number): number {
  return new Date(time).getTimezoneOffset() * 60_000;
}
