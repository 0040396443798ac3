import type { Sample } from "../../codecs/villas/sample.ts";
import type { Hook, Tap } from "../path.ts";

/** Samples that may be on the way; beyond them the oldest is given up. */
const MOST = 65536;

/**
 * Knows how many of the samples that were sent have not been answered. An answer has the number of what it answers; where the format
 * carries no numbers, any sample is the answer to what was sent first.
 */
export class Answers {
  /** How many there are of each number: of two sources, or of one that began again, there may be several. */
  readonly #outstanding = new Map<bigint, number>();
  /** Goes along with what is given up: a map whose first entries were deleted takes long to tell the first of the others. */
  #ages = this.#outstanding.keys();
  #oldest: bigint | undefined;
  #numbered = 0;
  #unnumbered = 0;
  #any = false;

  /** How many samples have not been answered. */
  get outstanding(): number {
    return this.#numbered + this.#unnumbered;
  }

  /** Whether anything was answered at all. */
  get any(): boolean {
    return this.#any;
  }

  /** The hook of the path there: remembers samples. */
  readonly sent: Hook = {
    prepare: ({ samples }) => {
      for (const { sequence } of samples) {
        if (sequence === undefined) this.#unnumbered++;
        else {
          this.#outstanding.set(sequence, (this.#outstanding.get(sequence) ?? 0) + 1);
          this.#numbered++;
        }
      }
      while (this.#numbered > MOST) this.#forgetOldest();
    },
  };

  /** The tap of the path back: finds what is answered. */
  readonly back: Tap = ({ samples }) => {
    for (const { sequence } of samples) {
      if (sequence !== undefined && this.#forget(sequence)) this.#any = true;
      else if (this.#unnumbered > 0) {
        this.#unnumbered--;
        this.#any = true;
      } else if (sequence === undefined && this.#numbered > 0) {
        this.#forgetOldest();
        this.#any = true;
      }
    }
  };

  /** Gives up samples that were not sent after all. */
  forget(samples: readonly Sample[]): void {
    for (const { sequence } of samples) {
      if (sequence === undefined) this.#unnumbered = Math.max(0, this.#unnumbered - 1);
      else this.#forget(sequence);
    }
  }

  /** Gives up all that are on the way. */
  forgetAll(): void {
    this.#outstanding.clear();
    this.#numbered = this.#unnumbered = 0;
  }

  /** Gives up the sample that was sent first; there must be one. */
  #forgetOldest(): void {
    while (this.#oldest === undefined || !this.#forget(this.#oldest)) {
      const { value, done } = this.#ages.next();
      if (done) this.#ages = this.#outstanding.keys();
      this.#oldest = value;
    }
  }

  /** Takes one sample of a number for answered, or gives it up; whether there is one. */
  #forget(sequence: bigint): boolean {
    const count = this.#outstanding.get(sequence);
    if (count === undefined) return false;
    if (count > 1) this.#outstanding.set(sequence, count - 1);
    else this.#outstanding.delete(sequence);
    this.#numbered--;
    return true;
  }
}
