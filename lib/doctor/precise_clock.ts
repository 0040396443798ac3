/** Time in ms after which the wall clock is looked at again. */
const RENEW = 1000;
/** Time in ms to wait for the wall clock to tick; it ticks every millisecond. */
const TICK = 20;

/**
 * Makes a wall clock with the resolution of the monotonic clock: `Date.now()` alone tells whole milliseconds.
 *
 * @returns A function that tells the time in ms since the Unix epoch, with fractions. It may take a millisecond to do so.
 */
export function preciseClock(): () => number {
  let offset = 0;
  let renewed = -Infinity;
  return () => {
    const now = performance.now();
    if (now - renewed > RENEW) {
      const before = Date.now();
      while (Date.now() === before && performance.now() - now < TICK);
      renewed = performance.now();
      offset = Date.now() - renewed;
    }
    return now + offset;
  };
}
