import { wallClock } from "./wall_clock.ts";

/** A point in time since the Unix epoch, in whole seconds and nanoseconds. */
export interface Timestamp {
  /** Seconds since 1970-01-01T00:00:00Z, 0 to 2³² − 1. */
  readonly sec: number;
  /** Nanoseconds, 0 to 999,999,999. */
  readonly nsec: number;
}

/**
 * Writes a time in ms since the Unix epoch as seconds and nanoseconds.
 *
 * @param ms Milliseconds since 1970-01-01T00:00:00Z, with fractions.
 */
export function timestampOf(ms: number): Timestamp {
  const sec = Math.floor(ms / 1000);
  return { sec, nsec: Math.floor((ms - sec * 1000) * 1e6) };
}

/**
 * Makes a wall clock, as {@linkcode wallClock}.
 *
 * @returns A function that tells the time in seconds and nanoseconds.
 */
export function timestampClock(): () => Timestamp {
  const now = wallClock();
  return () => timestampOf(now());
}
