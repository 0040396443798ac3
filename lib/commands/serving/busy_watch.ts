/** Seconds for which messages have to wait all the time before that is said. */
const LIMIT = 1;

/** Notices that a handler is slower than a peer sends: there have been messages waiting for it all the time. */
export class BusyWatch {
  /** Since when messages of a peer have been waiting, in ms. */
  readonly #since = new WeakMap<object, number>();
  readonly #now: () => number;

  /** @param now The clock in ms; any origin. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Notes that a message is given to the handler.
   *
   * @param peer Whose message it is.
   * @param waiting Whether others of that peer wait after it.
   * @returns Whether that has been so for a second; then not again before another second.
   */
  isSlow(peer: object, waiting: boolean): boolean {
    const now = this.#now();
    const since = this.#since.get(peer);
    if (!waiting) this.#since.delete(peer);
    else if (since === undefined) this.#since.set(peer, now);
    else if (now - since >= LIMIT * 1000) {
      this.#since.set(peer, now);
      return true;
    }
    return false;
  }
}
