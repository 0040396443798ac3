import { messageOf } from "../../errors.ts";

/** Seconds between two messages. */
const INTERVAL = 60;

/** Says at first, and then once a minute, why attempts to connect fail that go on without end. */
export class AttemptNews {
  readonly #retryDelay: number;
  readonly #now: () => number;
  #since: number | undefined;
  #saidAt = 0;

  /**
   * @param retryDelay Seconds between two attempts.
   * @param now The clock in ms; any origin.
   */
  constructor(retryDelay: number, now: () => number = () => performance.now()) {
    this.#retryDelay = retryDelay;
    this.#now = now;
  }

  /**
   * An attempt has failed.
   *
   * @param error Why.
   * @returns What is to be said; undefined if nothing is yet.
   */
  failed(error: unknown): string | undefined {
    const now = this.#now();
    const isFirst = this.#since === undefined;
    this.#since ??= now;
    if (!isFirst && now - this.#saidAt < INTERVAL * 1000) return undefined;
    this.#saidAt = now;
    const more = isFirst
      ? `trying again every ${this.#retryDelay} s`
      : `still trying after ${duration(now - this.#since)}`;
    return `${messageOf(error)}; ${more}`;
  }

  /** There is a connection now. */
  succeeded(): void {
    this.#since = undefined;
  }
}

/** A time of a minute or more in words. */
function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
