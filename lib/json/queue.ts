/**
 * Runs tasks in the order in which they arrive, no more than so many at once. A task that does not wait for anything
 * costs no promise.
 *
 * @example Never two at a time
 * ```ts
 * import { Queue } from "./queue.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const queue = new Queue(1);
 * assertEquals(queue.run(() => 1), 1);
 * const first = queue.run(() => Promise.resolve("first"));
 * const second = queue.run(() => "second");
 * assertEquals(queue.waiting, 1);
 * assertEquals(await Promise.all([first, second]), ["first", "second"]);
 * ```
 */
export class Queue {
  /** How many tasks may run at once. */
  readonly concurrency: number;
  #waiting: (() => void)[] = [];
  /** How many at the start of `#waiting` have had their turn. */
  #taken = 0;
  #running = 0;
  #draining = false;

  /** @param concurrency How many tasks may run at once. */
  constructor(concurrency: number) {
    this.concurrency = concurrency;
  }

  /** How many tasks run now. */
  get running(): number {
    return this.#running;
  }

  /** How many tasks wait for their turn. */
  get waiting(): number {
    return this.#waiting.length - this.#taken;
  }

  /**
   * Runs a task when its turn has come: at once, where nothing is ahead of it.
   *
   * @param task What to do.
   * @returns What the task returns; a promise of it if it had to wait or returned one.
   */
  run<T>(task: () => T | Promise<T>): T | Promise<T> {
    if (this.#running < this.concurrency && this.waiting === 0) return this.#start(task);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(this.#start(task));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #start<T>(task: () => T | Promise<T>): T | Promise<T> {
    this.#running++;
    let result: T | Promise<T>;
    try {
      result = task();
    } catch (error) {
      this.#end();
      throw error;
    }
    if (result instanceof Promise) return result.finally(() => this.#end());
    this.#end();
    return result;
  }

  /** Takes the first that waits, at a cost that does not grow with their number. */
  #take(): () => void {
    const first = this.#waiting[this.#taken++]!;
    if (this.#taken > 100 && 2 * this.#taken > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    return first;
  }

  #end(): void {
    this.#running--;
    if (this.#draining) return;
    // A loop, not a call from task to task: a thousand tasks that were waiting would be a thousand calls deep.
    this.#draining = true;
    while (this.#running < this.concurrency && this.waiting > 0) this.#take()();
    this.#draining = false;
  }
}
