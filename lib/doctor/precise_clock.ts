/** Time in ms after which the wall clock is looked at again. */
const RENEW = 1000;
/** An offset that is known to so many ms is good enough. */
const GOOD = 0.01;
/** Milliseconds that finding it may take. */
const PATIENCE = 20;

/**
 * Makes a wall clock with the resolution of the monotonic clock: `Date.now()` alone tells whole milliseconds.
 *
 * @returns A function that tells the time in ms since the Unix epoch, with fractions. It may take milliseconds to do so.
 */
export function preciseClock(): () => number {
  let offset = 0;
  let renewed = -Infinity;
  return () => {
    const now = performance.now();
    if (now - renewed > RENEW) {
      offset = wallOffset();
      renewed = performance.now();
    }
    return now + offset;
  };
}

/**
 * What is to be added to `performance.now()`. Each look at both clocks tells two bounds, as the wall clock has its whole
 * milliseconds rounded down; a look that was interrupted tells wide ones and does no harm.
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
