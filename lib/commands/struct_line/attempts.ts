import { messageOf } from "../../errors.ts";

/** Seconds between two messages about attempts without a limit. */
const SILENCE = 60;

/** Reports failed attempts to connect: each if they are limited, else the first and then one per minute. */
export class AttemptNews {
  readonly #retryDelay: number;
  readonly #tell: (message: string) => void;
  readonly #now: () => number;
  #since: number | undefined;
  #told = 0;

  /**
   * @param retryDelay Seconds between two attempts.
   * @param tell Reports a message.
   * @param now The clock in ms; any origin.
   */
  constructor(
    retryDelay: number,
    tell: (message: string) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#retryDelay = retryDelay;
    this.#tell = tell;
    this.#now = now;
  }

  /** To be called when an attempt has failed. */
  failed(attempt: number, attempts: number, error: unknown): void {
    if (attempts !== Infinity) {
      this.#tell(`Connection attempt ${attempt} of ${attempts} failed.`);
      return;
    }
    const now = this.#now();
    if (this.#since === undefined) {
      this.#since = this.#told = now;
      this.#tell(`${messageOf(error)}; trying again every ${this.#retryDelay} s`);
    } else if (now - this.#told >= SILENCE * 1000) {
      this.#told = now;
      this.#tell(`${messageOf(error)}; still trying after ${duration(now - this.#since)}`);
    }
  }

  /** To be called when there is a connection. */
  succeeded(): void {
    this.#since = undefined;
  }
}

/** A time of a minute or more in words. */
function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
