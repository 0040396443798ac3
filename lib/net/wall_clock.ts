/** Steps of the wall clock below this are taken for its coarse resolution, above it for a clock that was set. */
const STEP_MS = 5;

/**
 * Makes a wall clock with the resolution of the monotonic clock. It follows when the system's clock is set.
 *
 * @returns A function that tells the time in ms since 1970-01-01T00:00:00Z, with fractions.
 */
export function wallClock(): () => number {
  let offset = Date.now() - performance.now();
  return () => {
    const now = performance.now() + offset;
    const wall = Date.now();
    if (Math.abs(wall - now) <= STEP_MS) return now;
    offset += wall - now;
    return wall;
  };
}
