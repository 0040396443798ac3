/** The time that runs evenly, and what wakes at a time. Tests bring their own, so that they need not wait. */
export interface Clock {
  /** Milliseconds since some moment; never runs backwards. */
  now(): number;
  /**
   * Calls back once.
   *
   * @param callback What to call.
   * @param ms After how many milliseconds.
   * @returns Calls it off.
   */
  wake(callback: () => void, ms: number): () => void;
}

/** The clock of this computer. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wake(callback, ms) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
