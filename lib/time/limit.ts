import { type Clock, systemClock } from "./clock.ts";
import { orAborted, timerDelay } from "./deadline.ts";
import { whenAborted } from "./lifecycle.ts";

/** A time limit combined with the caller's signal; lets go of both when disposed. */
export class Limit implements Disposable {
  readonly #controller = new AbortController();
  readonly #callOff: (() => void) | undefined;
  readonly #outer: Disposable;

  /**
   * @param seconds The time limit; `Infinity` for none.
   * @param reason What waiting fails with when the time is over.
   * @param outer Aborts as well, with its own reason.
   * @param clock The clock. Default: this computer's.
   */
  constructor(seconds: number, reason: Error, outer?: AbortSignal, clock: Clock = systemClock) {
    if (seconds !== Infinity) {
      this.#callOff = clock.wake(() => this.#controller.abort(reason), timerDelay(seconds));
    }
    this.#outer = whenAborted(outer, () => this.#controller.abort(outer!.reason));
  }

  /** Aborted when the time is over or the caller's signal is. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Waits for a promise that takes no signal.
   *
   * @param promise What to wait for; it continues on its own when the limit is reached.
   * @returns The promise's value.
   * @throws What the promise rejects with, or the limit's reason.
   */
  wait<T>(promise: PromiseLike<T>): Promise<T> {
    return orAborted(promise, this.signal);
  }

  /** Lets go of the timer and the caller's signal. */
  [Symbol.dispose](): void {
    this.#callOff?.();
    this.#outer[Symbol.dispose]();
  }
}
