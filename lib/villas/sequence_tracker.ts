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
 *   was seen before.
 * - A number that is 65,536 or more away is believed once one near to it follows: then the source jumped ahead, or
 *   began again below. If the next number is not near to it, it was a stray, and counts as reordered; so one bad
 *   number does not spoil what is counted. Until then a number ahead counts as a jump, one below as reordered.
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
  /** A number far away that awaits another one near to it. */
  #far: number | bigint | undefined;

  /** Numbers that were left out and have not come since. */
  get missed(): number {
    return this.#missed + (this.#far === undefined ? 0 : Math.max(0, this.#gapTo(this.#far)));
  }

  /** Numbers that came after a higher one, or out of nowhere. */
  get reordered(): number {
    return this.#reordered + (this.#far !== undefined && this.#gapTo(this.#far) < 0 ? 1 : 0);
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
      if (this.#far !== undefined) this.#settle(this.#far, sequence);
      if (Math.abs(this.#gapTo(sequence) + 1) >= WINDOW) this.#far = sequence;
      else this.#trackNear(this.#positionOf(sequence));
    }
  }

  #trackZero(): void {
    if (this.#started && this.#far === undefined && this.#base === 0n && this.#highest === 0) {
      this.#duplicates++;
      return;
    }
    if (this.#started) this.#restart();
    this.#start(0);
  }

  /** Decides about a number far away, now that the next one is known. */
  #settle(far: number | bigint, next: number | bigint): void {
    const gap = this.#gapTo(far);
    this.#far = undefined;
    if (distance(far, next) >= WINDOW) {
      this.#reordered++;
    } else if (gap < 0) {
      this.#restart();
      this.#start(this.#positionOf(far));
    } else {
      this.#missed += gap;
      this.#seen.fill(0);
      this.#highest = this.#positionOf(far);
      this.#mark(indexOf(this.#highest));
    }
  }

  /** Forgets all numbers, but not what was counted. */
  #restart(): void {
    this.#missed = this.missed;
    this.#reordered = this.reordered;
    this.#restarts++;
    this.#far = undefined;
    this.#base = 0n;
    this.#seen.fill(0);
  }

  #start(position: number): void {
    this.#started = true;
    this.#first = position;
    this.#highest = position;
    this.#mark(indexOf(position));
  }

  #trackNear(position: number): void {
    const gap = position - this.#highest - 1;
    if (gap >= 0) {
      this.#missed += gap;
      this.#forget(indexOf(this.#highest + 1), gap);
      this.#highest = position;
    } else if (this.#isMarked(indexOf(position))) {
      this.#duplicates++;
    } else {
      this.#reordered++;
      if (position > this.#first) this.#missed--;
    }
    this.#mark(indexOf(position));
  }

  /** How many numbers there are between the highest one and another; negative if that is not above. Exact where it is small. */
  #gapTo(sequence: number | bigint): number {
    if (this.#base === 0n && sequence <= Number.MAX_SAFE_INTEGER) {
      return Number(sequence) - this.#highest - 1;
    }
    return Number(BigInt(sequence) - this.#base - BigInt(this.#highest)) - 1;
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

/** How far two numbers are apart; exact where it is small. */
function distance(a: number | bigint, b: number | bigint): number {
  return Math.abs(Number(BigInt(a) - BigInt(b)));
}

/** The bit that belongs to a position, which is negative below the base. */
function indexOf(position: number): number {
  const index = position % WINDOW;
  return index < 0 ? index + WINDOW : index;
}
