/** Steps of the wall clock below this are taken for its coarse resolution, above it for a clock that was set, in ms. */
const STEP = 5;
/** An offset between the two clocks that is known this well is good enough, in ms. */
const GOOD = 0.01;
/** Milliseconds that finding the offset may take. */
const PATIENCE = 20;

/**
 * Makes a wall clock with the resolution of the monotonic clock: `Date.now()` alone has whole milliseconds. It follows when
 * the system's clock is set.
 *
 * @returns A function that tells the time in ms since 1970-01-01T00:00:00Z, with fractions, to 0.01 ms where the computer is
 * not too busy. The first call takes about a millisecond, as does one after the system's clock was set.
 */
export function wallClock(): () => number {
  let offset = NaN; // which no time is near
  return () => {
    const now = performance.now() + offset;
    if (Math.abs(Date.now() - now) <= STEP) return now;
    offset = wallOffset();
    return performance.now() + offset;
  };
}

/**
 * What is to be added to `performance.now()`. Each look at both clocks gives two bounds, as the wall clock has its whole
 * milliseconds rounded down; a look that was interrupted gives wide ones and does no harm.
 */
function wallOffset(): number {
  const end = performance.now() + PATIENCE;
  let [least, most] = [-Infinity, Infinity];
  let after = performance.now();
  while (most - least > GOOD && after < end) {
    const before = after;
    const wall = Date.now();
    after = performance.now();
    least = Math.max(least, wall - after);
    most = Math.min(most, wall + 1 - before);
    // The wall clock was set meanwhile.
    if (least > most) [least, most] = [wall - after, wall + 1 - before];
  }
  return (least + most) / 2;
}
