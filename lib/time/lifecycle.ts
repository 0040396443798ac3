/**
 * Calls a function once when a signal is aborted; immediately, before this returns, if it already is.
 *
 * @param signal The signal; without one the function is never called.
 * @param act What to do.
 * @returns Dispose of it when the signal no longer matters, so that a long-lived signal does not keep closed objects alive.
 *
 * @example Close with the caller
 * ```ts
 * import { whenAborted } from "./lifecycle.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const controller = new AbortController();
 * let closed = 0;
 * using _ = whenAborted(controller.signal, () => closed++);
 * controller.abort();
 * assertEquals(closed, 1);
 * ```
 */
export function whenAborted(signal: AbortSignal | undefined, act: () => void): Disposable {
  if (signal?.aborted) act();
  else signal?.addEventListener("abort", act, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", act) };
}

/**
 * Closes an object when a signal is aborted, and lets go of the signal when the object has finished.
 *
 * @param signal The signal; without one nothing happens.
 * @param finished Resolves or rejects when the object is closed.
 * @param close Closes the object; called immediately, before this returns, if the signal is aborted already.
 *
 * @example In a constructor
 * ```ts ignore
 * closeWhenAborted(options.signal, this.finished, () => void this.close());
 * ```
 */
export function closeWhenAborted(
  signal: AbortSignal | undefined,
  finished: Promise<unknown>,
  close: () => void,
): void {
  if (signal === undefined) return;
  const subscription = whenAborted(signal, close);
  const forget = () => subscription[Symbol.dispose]();
  finished.then(forget, forget);
}

/**
 * Calls a function with which somebody watches an object: `onProblem` and the like. What it throws, or its promise rejects with, is a
 * fault of its own program and must neither end nor confuse what is watched. It is reported as the platform reports what an event
 * listener throws: as an `error` event, which ends the program unless it is handled.
 *
 * @param observer The function; nothing happens without one.
 * @param args What it is called with.
 *
 * @example Two observers
 * ```ts
 * import { notify } from "./lifecycle.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: number[] = [];
 * notify((n: number) => void seen.push(n), 1);
 * notify<[number]>(undefined, 2);
 * assertEquals(seen, [1]);
 * ```
 */
export function notify<A extends unknown[]>(
  observer: ((...args: A) => unknown) | undefined,
  ...args: A
): void {
  try {
    const result = observer?.(...args);
    if (result instanceof Promise) result.catch(reportError);
  } catch (error) {
    reportError(error);
  }
}
