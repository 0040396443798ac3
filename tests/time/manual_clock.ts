import type { Clock } from "../../lib/time/clock.ts";

/** A clock that a test moves. */
export class ManualClock implements Clock {
  #now = 1000;
  readonly #wakes = new Set<{ at: number; callback: () => void }>();
  #onWake: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  wake(callback: () => void, ms: number): () => void {
    const wake = { at: this.#now + ms, callback };
    this.#wakes.add(wake);
    for (const resolve of this.#onWake.splice(0)) resolve();
    return () => void this.#wakes.delete(wake);
  }

  /** Resolves when something begins to wait for a time, from now on. */
  nextWake(): Promise<void> {
    return new Promise((resolve) => this.#onWake.push(resolve));
  }

  /** Whether something waits for a time. */
  get isAwaited(): boolean {
    return this.#wakes.size > 0;
  }

  /** Lets time pass, and calls back each waiter when its time has come. */
  pass(seconds: number): void {
    const end = this.#now + seconds * 1000;
    for (;;) {
      const next = [...this.#wakes].sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      this.#wakes.delete(next);
      next.callback();
    }
    this.#now = end;
  }

  /** Lets time pass while the computer sleeps: all waiters are called back at the end, late. */
  suspend(seconds: number): void {
    this.#now += seconds * 1000;
    this.pass(0.001);
  }
}
