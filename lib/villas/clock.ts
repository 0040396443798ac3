import type { Timestamp } from "../codecs/sample.ts";

/** Steps of the wall clock below this are taken for its coarse resolution, above it for a clock that was set. */
const STEP_MS = 5;

/**
 * Makes a wall clock with the resolution of the monotonic clock. It follows when the system's clock is set.
 *
 * @returns A function that tells the time.
 */
export function wallClock(): () => Timestamp {
  let offset = Date.now() - performance.now();
  return () => {
    let now = performance.now() + offset;
    const wall = Date.now();
    if (Math.abs(wall - now) > STEP_MS) {
      offset += wall - now;
      now = wall;
    }
    return toTimestamp(now);
  };
}

/**
 * Writes a time in ms since the Unix epoch as seconds and nanoseconds.
 *
 * @param ms Milliseconds since 1970-01-01T00:00:00Z, with fractions.
 */
export function toTimestamp(ms: number): Timestamp {
  const sec = Math.floor(ms / 1000);
  return { sec, nsec: Math.floor((ms - sec * 1000) * 1e6) };
}
