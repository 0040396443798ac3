import { delay } from "./deadline.ts";
import { notify } from "./lifecycle.ts";

/** How often, and how patiently, something is tried. */
export interface RetryOptions {
  /** How many times to try, 1 or more; `Infinity` is allowed. Default: 1. */
  attempts?: number;
  /** Seconds between two attempts. Default: 1. */
  retryDelay?: number;
  /** Called with each attempt that failed, the last one too. */
  onAttemptFailed?: (attempt: number, attempts: number, error: unknown) => void;
  /** Whether another attempt makes sense after this error. Default: it always does. */
  isWorthRetrying?: (error: unknown) => boolean;
  /** Ends the wait between attempts. */
  signal?: AbortSignal;
  /** Waits; for tests. Default: a timer. */
  sleep?: (seconds: number, signal?: AbortSignal) => Promise<void>;
}

/**
 * Tries something until it works or the attempts are used up.
 *
 * @typeParam T What the attempt results in.
 * @param attempt Tries once; gets the attempt's number, from 1.
 * @param options How often and how patiently.
 * @returns What the first successful attempt returned.
 * @throws What the last attempt threw, or the signal's reason.
 */
export async function retry<T>(
  attempt: (number: number) => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  const { attempts = 1, retryDelay = 1, signal, sleep = delay } = options;
  for (let number = 1;; number++) {
    signal?.throwIfAborted();
    try {
      return await attempt(number);
    } catch (error) {
      if (signal?.aborted) throw error;
      notify(options.onAttemptFailed, number, attempts, error);
      if (number >= attempts || options.isWorthRetrying?.(error) === false) throw error;
    }
    await sleep(retryDelay, signal);
  }
}
