/** A task that waits for its turn, in a linked list. */
interface Waiting {
  start: () => void;
  before: Waiting | null;
  behind: Waiting | null;
}

/**
 * Runs tasks in the order in which they arrive, with a limit on how many run at once. A synchronous task that need not wait costs no
 * promise.
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
  readonly #concurrency: () => number;
  #first: Waiting | null = null;
  #last: Waiting | null = null;
  #waiting = 0;
  #running = 0;
  #draining = false;

  /** @param concurrency How many tasks may run at once; a function where that changes. */
  constructor(concurrency: number | (() => number)) {
    this.#concurrency = typeof concurrency === "number" ? () => concurrency : concurrency;
  }

  /** How many tasks run now. */
  get running(): number {
    return this.#running;
  }

  /** How many tasks wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Runs a task when its turn has come: immediately, if nothing is ahead of it.
   *
   * @param task What to do.
   * @param onWait Called if the task has to wait, with a function that cancels it before its turn; the result is then the argument of that
   * function. It must not be called later.
   * @returns What the task returns; a promise of it if it had to wait or returned one.
   */
  run<T>(
    task: () => T | Promise<T>,
    onWait?: (callOff: (result: T) => void) => void,
  ): T | Promise<T> {
    if (this.#running < this.#concurrency() && this.#waiting === 0) return this.#start(task);
    return new Promise<T>((resolve, reject) => {
      const waiting = this.#append(() => {
        try {
          resolve(this.#start(task));
        } catch (error) {
          reject(error);
        }
      });
      onWait?.((result) => {
        this.#remove(waiting);
        resolve(result);
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
    if (result instanceof Promise) {
      return result.then((value) => {
        this.#end();
        return value;
      }, (error) => {
        this.#end();
        throw error;
      });
    }
    this.#end();
    return result;
  }

  #append(start: () => void): Waiting {
    const waiting: Waiting = { start, before: this.#last, behind: null };
    if (this.#last) this.#last.behind = waiting;
    else this.#first = waiting;
    this.#last = waiting;
    this.#waiting++;
    return waiting;
  }

  #remove({ before, behind }: Waiting): void {
    if (before) before.behind = behind;
    else this.#first = behind;
    if (behind) behind.before = before;
    else this.#last = before;
    this.#waiting--;
  }

  #end(): void {
    this.#running--;
    if (this.#draining) return;
    // A loop rather than recursion: a thousand waiting tasks would be a thousand calls deep.
    this.#draining = true;
    while (this.#running < this.#concurrency() && this.#first) {
      const first = this.#first;
      this.#remove(first);
      first.start();
    }
    this.#draining = false;
  }
}
