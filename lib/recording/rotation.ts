import { UsageError } from "../errors.ts";

/** When a recording goes on in another file. */
export interface Rotation {
  /** Before a file gets larger than so many bytes. */
  readonly bytes?: number;
  /** At every multiple of so many seconds, counted from midnight in local time. */
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

/**
 * The next time at which a recording goes on in another file: on the full hour, if that is every hour.
 *
 * @param now The time in ms since 1970.
 * @param seconds Every how many seconds.
 * @returns The time in ms since 1970.
 */
export function nextRotation(now: number, seconds: number): number {
  const offset = new Date(now).getTimezoneOffset() * 60_000;
  const step = seconds * 1000;
  return (Math.floor((now - offset) / step) + 1) * step + offset;
}
