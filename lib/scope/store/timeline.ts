import type { Timestamp } from "../../time/timestamp.ts";

/** Seconds that the sender's clock may run away from ours before it is set anew. */
const DRIFT = 2;
/** Times that a clock is set anew before it is not looked at any more. */
const PATIENCE = 5;

/**
 * Places samples on one time axis, that of this computer, by the times that the sender gave them: what arrives late or in bursts is drawn
 * where it was measured. A sender's clock that is wrong, jumps or begins anew is set by the arrival; one that never fits is ignored.
 */
export class Timeline {
  /** What is 0 on the axis, in s since 1970. */
  readonly zero: number;
  readonly #isAbsolute: boolean;
  #offset = NaN;
  #settings = 0;

  /**
   * @param zero What is 0 on the axis, in s since 1970.
   * @param isAbsolute Whether the sender's times are taken as they are, as in a recording.
   */
  constructor(zero: number, isAbsolute = false) {
    this.zero = zero;
    this.#isAbsolute = isAbsolute;
  }

  /**
   * Tells where a sample is.
   *
   * @param origin The sender's time.
   * @param arrival Ours, in s since 1970.
   * @returns Seconds on the axis.
   */
  place(origin: Timestamp | undefined, arrival: number): number {
    const seen = arrival - this.zero;
    if (origin === undefined) return seen;
    const time = origin.sec - this.zero + origin.nsec / 1e9;
    if (this.#isAbsolute) return time;
    if (this.#settings > PATIENCE) return seen;
    const placed = time + this.#offset;
    if (Math.abs(placed - seen) <= DRIFT) return placed;
    // A clock that is right to the second needs no correction: times of several senders can be compared then.
    this.#offset = Math.abs(time - seen) <= DRIFT / 2 ? 0 : seen - time;
    this.#settings++;
    return time + this.#offset;
  }
}
