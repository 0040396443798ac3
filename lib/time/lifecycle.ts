/**
 * Calls a function once when a signal is aborted; at once, before this returns, where it is aborted already.
 *
 * @param signal The signal; without one the function is never called.
 * @param act What to do.
 * @returns Dispose of it when the signal does not matter any more, so that a long-lived signal does not keep what is closed alive.
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
