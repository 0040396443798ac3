import { type Clock, systemClock } from "./clock.ts";
import { whenAborted } from "./lifecycle.ts";

/** A timer's longest delay in ms: what fits into 31 bits. */
const LONGEST = 2 ** 31 - 1;

/** Seconds in which what has come is read before its time counts as over. */
const LAST_LOOK = 0.1;

/** Milliseconds for a timer, from seconds; a delay that is too long for a timer becomes the longest possible. */
export function timerDelay(seconds: number): number {
  return Math.min(seconds * 1000, LONGEST);
}

/**
 * Calls a function once, after any time: also after one that is too long for a timer, such as a month.
 *
 * @param seconds How long to wait.
 * @param act What to do.
 * @param clock What wakes. Default: this computer's clock.
 * @returns Dispose of it to call it off.
 */
export function after(seconds: number, act: () => void, clock: Clock = systemClock): Disposable {
  let left = seconds * 1000;
  let callOff = () => {};
  const wait = () => {
    const part = Math.min(left, LONGEST);
    left -= part;
    callOff = clock.wake(left > 0 ? wait : act, part);
  };
  wait();
  return { [Symbol.dispose]: () => callOff() };
}

/**
 * Calls a function once when something that is read has not come in time. A timer that fires late, as where the computer slept or the
 * program was busy, has not seen what came meanwhile: so there is a moment more, in which that is read.
 *
 * @param seconds How long it may take.
 * @param act What to do.
 * @param clock What wakes. Default: this computer's clock.
 * @returns Dispose of it when it has come.
 */
export function whenOverdue(
  seconds: number,
  act: () => void,
  clock: Clock = systemClock,
): Disposable {
  let timer = after(seconds, () => timer = after(LAST_LOOK, act, clock), clock);
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

/**
 * Waits for some time.
 *
 * @param seconds How long.
 * @param signal Ends the wait early.
 * @param clock The clock. Default: this computer's.
 * @returns Resolves when the time is over.
 * @throws The signal's reason, if it is or gets aborted.
 */
export function delay(
  seconds: number,
  signal?: AbortSignal,
  clock: Clock = systemClock,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const callOff = clock.wake(() => {
      subscription[Symbol.dispose]();
      resolve();
    }, timerDelay(seconds));
    const subscription = whenAborted(signal, () => {
      callOff();
      reject(signal!.reason);
    });
  });
}

/**
 * Waits for a promise for a limited time. The promise continues on its own when the time is over.
 *
 * @param promise What to wait for.
 * @param seconds How long; `Infinity` for no limit.
 * @param clock The clock. Default: this computer's.
 * @returns The promise's value, or undefined if the time is over first.
 * @throws What the promise rejects with.
 */
export async function within<T>(
  promise: Promise<T>,
  seconds: number,
  clock: Clock = systemClock,
): Promise<T | undefined> {
  if (seconds === Infinity) return await promise;
  let callOff: (() => void) | undefined;
  const over = new Promise<undefined>((resolve) => {
    callOff = clock.wake(() => resolve(undefined), timerDelay(seconds));
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    callOff?.();
  }
}

/**
 * Waits for a promise that takes no signal.
 *
 * @param promise What to wait for; it continues on its own when the signal is aborted.
 * @param signal Ends the wait.
 * @returns The promise's value.
 * @throws What the promise rejects with, or the signal's reason.
 */
export function orAborted<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const subscription = whenAborted(signal, () => reject(signal.reason));
    promise.then((value) => {
      subscription[Symbol.dispose]();
      resolve(value);
    }, (error) => {
      subscription[Symbol.dispose]();
      reject(error);
    });
  });
}
