/** A timer's longest delay in ms: what fits into 31 bits. */
const LONGEST = 2 ** 31 - 1;

/** Milliseconds for a timer, from seconds; without end where the seconds are. */
export function timerDelay(seconds: number): number {
  return Math.min(seconds * 1000, LONGEST);
}

/**
 * Waits, unless told not to.
 *
 * @param seconds How long.
 * @param signal Ends the wait early.
 * @returns Resolves when the time is over.
 * @throws The signal's reason, if it is or gets aborted.
 */
export function delay(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const end = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, timerDelay(seconds));
    signal?.addEventListener("abort", end, { once: true });
  });
}

/**
 * Waits for a promise, but not for ever. The promise goes on by itself when the time is over.
 *
 * @param promise What to wait for.
 * @param seconds How long; without end for `Infinity`.
 * @returns The promise's value, or undefined when the time is over first.
 * @throws What the promise rejects with.
 */
export async function within<T>(promise: Promise<T>, seconds: number): Promise<T | undefined> {
  if (seconds === Infinity) return await promise;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timerDelay(seconds));
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for a promise that knows nothing of signals.
 *
 * @param promise What to wait for; it goes on by itself when the signal fires.
 * @param signal Ends the wait.
 * @returns The promise's value.
 * @throws What the promise rejects with, or the signal's reason.
 */
export function orAborted<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
    promise.then((value) => {
      signal.removeEventListener("abort", end);
      resolve(value);
    }, (error) => {
      signal.removeEventListener("abort", end);
      reject(error);
    });
  });
}
