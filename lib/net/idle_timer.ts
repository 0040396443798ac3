import { timerDelay } from "./deadline.ts";

/** How much later than it should a peer may be found to be idle, as a part of the time. */
const TOLERANCE = 0.02;

/** Watches any number of connections with one timer of the system, for which all of them have the same time. */
export class IdleClock {
  /** Seconds that are too long; `Infinity` for never. */
  readonly seconds: number;
  readonly #lasting: boolean;
  readonly #watched = new Set<IdleTimer>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param seconds How long is too long; `Infinity` for never.
   * @param lasting Keep the timer of the system when nobody is watched for a while, until `stop()` is called. Connections that
   * come and go are cheaper so.
   */
  constructor(seconds: number, lasting = false) {
    this.seconds = seconds;
    this.#lasting = lasting;
  }

  /** Watches a connection. */
  add(timer: IdleTimer): void {
    this.#watched.add(timer);
    this.#timer ??= setTimeout(this.#check, timerDelay(this.seconds));
  }

  /** Watches a connection no longer. */
  delete(timer: IdleTimer): void {
    this.#watched.delete(timer);
    if (this.#watched.size === 0 && !this.#lasting) this.stop();
  }

  /** Lets go of the timer of the system. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #check = (): void => {
    this.#timer = undefined;
    if (this.#watched.size === 0) return;
    const now = performance.now();
    let next = this.seconds;
    for (const timer of this.#watched) next = Math.min(next, timer.check(now) ?? Infinity);
    if (this.#watched.size === 0 && !this.#lasting) return;
    const soonest = this.seconds * TOLERANCE;
    this.#timer = setTimeout(this.#check, timerDelay(Math.max(next, soonest)) + 1);
  };
}

/**
 * Notices that a peer has been waited for too long. The time runs while at least one wait is open and starts again whenever
 * one ends or begins anew.
 */
export class IdleTimer {
  readonly #clock: IdleClock;
  readonly #onIdle: () => void;
  #waits = 0;
  #holds = 0;
  #since = 0;
  #watched = false;
  #stopped = false;

  /**
   * @param clock How long is too long.
   * @param onIdle Called when it was.
   */
  constructor(clock: IdleClock, onIdle: () => void) {
    this.#clock = clock;
    this.#onIdle = onIdle;
  }

  /** A wait begins. */
  begin(): void {
    if (this.#clock.seconds === Infinity) return;
    if (this.#waits++ === 0) this.#since = performance.now();
    if (this.#watched || this.#stopped) return;
    this.#watched = true;
    this.#clock.add(this);
  }

  /** A wait is over: the peer did something. */
  end(): void {
    if (this.#clock.seconds === Infinity) return;
    if (--this.#waits > 0) this.#since = performance.now();
  }

  /** Waits do not count until {@linkcode IdleTimer.release} was called as often as this. */
  hold(): void {
    this.#holds++;
  }

  /** Takes back one {@linkcode IdleTimer.hold}. */
  release(): void {
    this.#holds--;
    this.#since = performance.now();
  }

  /** Waits do not count any more. */
  stop(): void {
    this.#stopped = true;
    if (this.#watched) this.#clock.delete(this);
  }

  /**
   * Looks whether the time is over, and says so.
   *
   * @param now The time, from `performance.now()`.
   * @returns Seconds that are left; undefined where no time runs.
   */
  check(now: number): number | undefined {
    if (this.#waits === 0 || this.#holds > 0) return undefined;
    const left = this.#clock.seconds - (now - this.#since) / 1000;
    if (left > 0) return left;
    this.#onIdle();
    return undefined;
  }
}
