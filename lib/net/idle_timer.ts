import { timerDelay } from "./deadline.ts";

/**
 * Notices that a peer has been waited for too long. The time runs while at least one wait is open and starts again whenever
 * one ends or begins anew; it never needs more than one timer.
 */
export class IdleTimer {
  readonly #seconds: number;
  readonly #onIdle: () => void;
  #waits = 0;
  #holds = 0;
  #since = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /**
   * @param seconds How long is too long; `Infinity` for never.
   * @param onIdle Called when it was.
   */
  constructor(seconds: number, onIdle: () => void) {
    this.#seconds = seconds;
    this.#onIdle = onIdle;
  }

  /** A wait begins. */
  begin(): void {
    if (this.#seconds === Infinity) return;
    if (this.#waits++ === 0) this.#since = performance.now();
    this.#start();
  }

  /** A wait is over: the peer did something. */
  end(): void {
    if (this.#seconds === Infinity) return;
    this.#waits--;
    this.#since = performance.now();
  }

  /** Waits do not count until {@linkcode IdleTimer.release} was called as often as this. */
  hold(): void {
    this.#holds++;
  }

  /** Takes back one {@linkcode IdleTimer.hold}. */
  release(): void {
    this.#holds--;
    this.#since = performance.now();
    if (this.#waits > 0) this.#start();
  }

  /** Lets go of the timer for good. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #start(): void {
    if (this.#stopped || this.#seconds === Infinity) return;
    this.#timer ??= setTimeout(this.#check, timerDelay(this.#seconds));
  }

  #check = (): void => {
    this.#timer = undefined;
    if (this.#waits === 0 || this.#holds > 0) return;
    const left = this.#seconds - (performance.now() - this.#since) / 1000;
    if (left <= 0) this.#onIdle();
    else this.#timer = setTimeout(this.#check, timerDelay(left) + 1);
  };
}
