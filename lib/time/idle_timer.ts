import { type Clock, systemClock } from "./clock.ts";
import { timerDelay } from "./deadline.ts";

/** How much later than it should a peer may be found to be idle, as a part of the time. */
const TOLERANCE = 0.02;
/** Milliseconds by which a timer may be late on a computer that has nothing else to do. */
const PUNCTUAL = 20;
/** How many times as long as a timer was late everybody has at least before it fires again. */
const SECOND_CHANCE = 10;

/** How an {@linkcode IdleClock} runs. */
export interface IdleClockOptions {
  /**
   * Keep the timer of the system when nobody is watched for a while, until `stop()` is called. Connections that come and go are
   * cheaper so. Default: false.
   */
  lasting?: boolean;
  /** Default: this computer's. */
  clock?: Clock;
}

/**
 * Watches any number of connections with one timer of the system, for which all of them have the same time.
 *
 * When the timer fires late, this computer slept or the program was busy, and what arrived in the meantime waits in the sockets
 * unread. So nobody is idle then: all get a while in which it can be read, the longer the later it was, up to their whole time.
 */
export class IdleClock {
  /** Seconds that are too long; `Infinity` for never. */
  readonly seconds: number;
  readonly #lasting: boolean;
  readonly #clock: Clock;
  /** An array: where connections come and go, a `Set` costs more. */
  readonly #watched: IdleTimer[] = [];
  /** When the timer of the system fires, and what calls it off. */
  #due = 0;
  #callOff: (() => void) | undefined;

  /**
   * @param seconds How long is too long; `Infinity` for never.
   * @param options How it runs.
   */
  constructor(seconds: number, options: IdleClockOptions = {}) {
    this.seconds = seconds;
    this.#lasting = options.lasting ?? false;
    this.#clock = options.clock ?? systemClock;
  }

  /** The time in milliseconds. */
  now(): number {
    return this.#clock.now();
  }

  /** Watches a connection. */
  add(timer: IdleTimer): void {
    this.#watched.push(timer);
    if (!this.#callOff) this.#wakeIn(timerDelay(this.seconds));
  }

  /** Watches a connection no longer. */
  delete(timer: IdleTimer): void {
    const at = this.#watched.indexOf(timer);
    const last = at >= 0 ? this.#watched.pop() : undefined;
    if (last && last !== timer) this.#watched[at] = last;
    if (this.#watched.length === 0 && !this.#lasting) this.stop();
  }

  /** Lets go of the timer of the system. */
  stop(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }

  #wakeIn(ms: number): void {
    this.#due = this.#clock.now() + ms;
    this.#callOff = this.#clock.wake(this.#check, ms);
  }

  #check = (): void => {
    this.#callOff = undefined;
    if (this.#watched.length === 0) return;
    const now = this.#clock.now();
    const late = now - this.#due;
    const atLeast = late > PUNCTUAL ? Math.min(this.seconds, SECOND_CHANCE * late / 1000) : 0;
    let next = this.seconds;
    for (const timer of [...this.#watched]) {
      next = Math.min(next, timer.check(now, atLeast) ?? Infinity);
    }
    if (this.#watched.length === 0 && !this.#lasting) return;
    const soonest = this.seconds * TOLERANCE;
    this.#wakeIn(timerDelay(Math.max(next, soonest)) + 1);
  };
}

/**
 * Notices that a peer has been waited for too long. The time runs while at least one wait is open and starts again whenever
 * one ends or starts over.
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

  /** How long is too long, in seconds. */
  get seconds(): number {
    return this.#clock.seconds;
  }

  /** Whether a wait is open. */
  get waiting(): boolean {
    return this.#waits > 0;
  }

  /** A wait begins. */
  begin(): void {
    if (this.#clock.seconds === Infinity) return;
    if (this.#waits++ === 0) this.#since = this.#clock.now();
    if (this.#watched || this.#stopped) return;
    this.#watched = true;
    this.#clock.add(this);
  }

  /** A wait is over: the peer did something. */
  end(): void {
    if (this.#clock.seconds === Infinity) return;
    if (--this.#waits > 0) this.#since = this.#clock.now();
  }

  /** Waits do not count until {@linkcode IdleTimer.release} was called as often as this. */
  hold(): void {
    this.#holds++;
  }

  /** Takes back one {@linkcode IdleTimer.hold}. */
  release(): void {
    this.#holds--;
    this.#since = this.#clock.now();
  }

  /** Waits do not count any more. */
  stop(): void {
    this.#stopped = true;
    if (this.#watched) this.#clock.delete(this);
  }

  /**
   * Looks whether the time is over, and says so.
   *
   * @param now The time in milliseconds.
   * @param atLeast Seconds that are to be left in any case.
   * @returns Seconds that are left; undefined where no time runs.
   */
  check(now: number, atLeast = 0): number | undefined {
    if (this.#stopped || this.#waits === 0 || this.#holds > 0) return undefined;
    if (atLeast > 0) this.#since = Math.max(this.#since, now - (this.seconds - atLeast) * 1000);
    const left = this.seconds - (now - this.#since) / 1000;
    if (left > 0) return left;
    this.#onIdle();
    return undefined;
  }
}
