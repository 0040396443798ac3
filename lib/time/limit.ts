import { orAborted, timerDelay } from "./deadline.ts";

/** A time limit together with a caller's signal; lets go of both when disposed of. */
export class Limit implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #outer: AbortSignal | undefined;

  /**
   * @param seconds The time limit; `Infinity` for none.
   * @param reason What waiting fails with when the time is over.
   * @param outer Aborts as well, with its own reason.
   */
  constructor(seconds: number, reason: Error, outer?: AbortSignal) {
    if (seconds !== Infinity) {
      this.#timer = setTimeout(() => this.#controller.abort(reason), timerDelay(seconds));
    }
    this.#outer = outer;
    if (outer?.aborted) this.#onAbort();
    else outer?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Aborted when the time is over or the caller's signal is. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Waits for a promise that knows nothing of signals.
   *
   * @param promise What to wait for; it goes on by itself when the limit is reached.
   * @returns The promise's value.
   * @throws What the promise rejects with, or the limit's reason.
   */
  wait<T>(promise: PromiseLike<T>): Promise<T> {
    return orAborted(promise, this.signal);
  }

  #onAbort = (): void => this.#controller.abort(this.#outer!.reason);

  /** Lets go of the timer and the caller's signal. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#onAbort);
  }
}
