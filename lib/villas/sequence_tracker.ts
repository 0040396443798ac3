/** How many sequence numbers, up to the highest one, are told apart. A power of two, so that it divides 2⁶⁴. */
const WINDOW = 65_536;

/**
 * Tells from the sequence numbers of one source what was lost on the way, and what came late, twice or again
 * from the start.
 *
 * - The first number is as good as any: nothing is missing before it.
 * - After that the highest number so far plus one is expected. A jump ahead counts the numbers that were left
 *   out as missed.
 * - A number below the highest came late: it counts as reordered, and no longer as missed, or as a duplicate if it
 *   was seen before. More than 65,535 below the highest that is not known any more: it counts as reordered.
 * - The number 0 after any other is a restart of the source, as it is to VILLASnode, even if 0 was seen before:
 *   tracking starts anew, and what was counted stays.
 *
 * Numbers are exact up to 2⁶⁴ − 1. Tracking allocates nothing up to 2⁵³ − 1, as no generator gets any further.
 *
 * @example A gap that is filled in part
 * ```ts
 * import { SequenceTracker } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * const tracker = new SequenceTracker();
 * for (const sequence of [0, 1, 4, 2, 2, 5]) tracker.track(sequence);
 * assertEquals(tracker.missed, 1);
 * assertEquals(tracker.reordered, 1);
 * assertEquals(tracker.duplicates, 1);
 * ```
 */
export class SequenceTracker {
  /** One bit for each of the last numbers, set if it was seen: that of number n is n mod 65,536. */
  readonly #seen = new Uint32Array(WINDOW / 32);
  /** What the positions below are counted from, so that they are exact: 0 until a number exceeds 2⁵³ − 1. */
  #base = 0n;
  #started = false;
  #first = 0;
  #highest = 0;
  #missed = 0;
  #reordered = 0;
  #duplicates = 0;
  #restarts = 0;

  /** Numbers that were left out and have not come since. */
  get missed(): number {
    return this.#missed;
  }

  /** Numbers that came after a higher one. */
  get reordered(): number {
    return this.#reordered;
  }

  /** Numbers that came again. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** How often the source began again from 0. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Takes note of the next number that arrived.
   *
   * @param sequence A whole number from 0 to 2⁶⁴ − 1.
   */
  track(sequence: number | bigint): void {
    if (sequence === 0 || sequence === 0n) this.#trackZero();
    else if (!this.#started) this.#start(this.#positionOf(sequence));
    else {
      const position = this.#positionOf(sequence);
      if (position > this.#highest) this.#advance(position);
      else this.#lookBack(position);
    }
  }

  #trackZero(): void {
    if (this.#started && this.#base === 0n && this.#highest === 0) {
      this.#duplicates++;
      return;
    }
    if (this.#started) this.#restarts++;
    this.#base = 0n;
    this.#seen.fill(0);
    this.#start(0);
  }

  #start(position: number): void {
    this.#started = true;
    this.#first = position;
    this.#highest = position;
    this.#mark(indexOf(position));
  }

  #advance(position: number): void {
    const gap = position - this.#highest - 1;
    if (gap > 0) {
      this.#missed += gap;
      this.#forget(indexOf(this.#highest + 1), Math.min(gap, WINDOW));
    }
    this.#highest = position;
    this.#mark(indexOf(position));
  }

  #lookBack(position: number): void {
    if (this.#highest - position >= WINDOW) {
      this.#reordered++;
    } else if (this.#isMarked(indexOf(position))) {
      this.#duplicates++;
    } else {
      this.#reordered++;
      if (position > this.#first) this.#missed--;
      this.#mark(indexOf(position));
    }
  }

  /** A number relative to the base, which moves to where the number can be told exactly. */
  #positionOf(sequence: number | bigint): number {
    if (this.#base === 0n && sequence <= Number.MAX_SAFE_INTEGER) return Number(sequence);
    const exact = BigInt(sequence);
    const position = Number(exact - this.#base);
    if (position <= Number.MAX_SAFE_INTEGER) return position;
    // A multiple of the window keeps every bit in its place. The old positions stay exact if they are near.
    const base = exact - exact % BigInt(WINDOW);
    const shift = base - this.#base;
    this.#base = base;
    this.#first = Number(BigInt(this.#first) - shift);
    this.#highest = Number(BigInt(this.#highest) - shift);
    return Number(exact - base);
  }

  #mark(index: number): void {
    this.#seen[index >>> 5]! |= 1 << (index & 31);
  }

  #isMarked(index: number): boolean {
    return (this.#seen[index >>> 5]! >>> (index & 31) & 1) === 1;
  }

  /** Clears bits from an index on, around the end. */
  #forget(index: number, count: number): void {
    while (count > 0) {
      const whole = (index & 31) === 0 && count >= 32;
      if (whole) this.#seen[index >>> 5] = 0;
      else this.#seen[index >>> 5]! &= ~(1 << (index & 31));
      const step = whole ? 32 : 1;
      index = (index + step) % WINDOW;
      count -= step;
    }
  }
}

/** The bit that belongs to a position, which is negative below the base. */
function indexOf(position: number): number {
  const index = position % WINDOW;
  return index < 0 ? index + WINDOW : index;
}
