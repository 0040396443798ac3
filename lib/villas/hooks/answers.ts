import type { Sample } from "../../codecs/villas/sample.ts";
import type { Hook, Tap } from "../path.ts";

/** Samples that may be on the way; beyond them the oldest is given up. */
const MOST = 65536;

/** Knows which of the samples that were sent have not been answered: an answer has the number of what it answers, or none. */
export class Answers {
  readonly #outstanding = new Set<bigint>();
  #any = false;

  /** How many samples have not been answered. */
  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** Whether anything was answered at all. */
  get any(): boolean {
    return this.#any;
  }

  /** The hook of the path there: remembers samples. */
  readonly sent: Hook = {
    prepare: ({ samples }) => {
      for (const { sequence } of samples) {
        if (sequence !== undefined) this.#outstanding.add(sequence);
      }
      while (this.#outstanding.size > MOST) this.#forgetOldest();
    },
  };

  /** The tap of the path back: finds what is answered. Where the format carries no numbers, that is what was sent first. */
  readonly back: Tap = ({ samples }) => {
    for (const { sequence } of samples) {
      if (sequence === undefined && this.#outstanding.size > 0) this.#forgetOldest();
      else if (sequence === undefined || !this.#outstanding.delete(sequence)) continue;
      this.#any = true;
    }
  };

  /** Gives up samples that were not sent after all. */
  forget(samples: readonly Sample[]): void {
    for (const { sequence } of samples) {
      if (sequence !== undefined) this.#outstanding.delete(sequence);
    }
  }

  /** Gives up all that are on the way. */
  forgetAll(): void {
    this.#outstanding.clear();
  }

  #forgetOldest(): void {
    for (const sequence of this.#outstanding) {
      this.#outstanding.delete(sequence);
      return;
    }
  }
}
