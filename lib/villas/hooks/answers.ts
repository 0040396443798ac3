import type { Sample } from "../../codecs/villas/sample.ts";
import type { Hook, Tap } from "../path.ts";

/** Samples that may be on the way; beyond them the oldest is given up. */
const MOST = 65536;

/**
 * Knows how many of the samples that were sent have not been answered. An answer has the number of what it answers; where the format
 * carries no numbers, any sample is the answer to what was sent first.
 */
export class Answers {
  readonly #outstanding = new Set<bigint>();
  #unnumbered = 0;
  #any = false;

  /** How many samples have not been answered. */
  get outstanding(): number {
    return this.#outstanding.size + this.#unnumbered;
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
        else this.#outstanding.add(sequence);
      }
      while (this.#outstanding.size > MOST) this.#forgetOldest();
    },
  };

  /** The tap of the path back: finds what is answered. */
  readonly back: Tap = ({ samples }) => {
    for (const { sequence } of samples) {
      if (sequence !== undefined && this.#outstanding.delete(sequence)) this.#any = true;
      else if (this.#unnumbered > 0) {
        this.#unnumbered--;
        this.#any = true;
      } else if (sequence === undefined && this.#outstanding.size > 0) {
        this.#forgetOldest();
        this.#any = true;
      }
    }
  };

  /** Gives up samples that were not sent after all. */
  forget(samples: readonly Sample[]): void {
    for (const { sequence } of samples) {
      if (sequence === undefined) this.#unnumbered = Math.max(0, this.#unnumbered - 1);
      else this.#outstanding.delete(sequence);
    }
  }

  /** Gives up all that are on the way. */
  forgetAll(): void {
    this.#outstanding.clear();
    this.#unnumbered = 0;
  }

  #forgetOldest(): void {
    for (const sequence of this.#outstanding) {
      this.#outstanding.delete(sequence);
      return;
    }
  }
}
