/** How many sequence numbers, up to the highest one, are distinguished. A power of two, so that it divides 2⁶⁴. */
const WINDOW = 65_536;
const FAR = BigInt(WINDOW);
/** How far apart numbers may be that support one another, unless the source itself takes larger steps. */
const NEAR = 64n;
/** Where the counters of senders end that hold them in 32 bits. */
const WRAP = 2n ** 32n;
/** Long jumps that wait for support. Two neighbours may be damaged in the same way; three will not be. */
const MOST_JUMPS = 2;

/** A number that came before its turn, and may have been another one before a bit of it was flipped. */
interface Suspect {
  readonly number: bigint;
  /** How many numbers below it have come since. */
  late: bigint;
}

/**
 * Tells from the sequence numbers of one source what was lost on the way, and what came late, twice or again
 * from the start. One number that was damaged on the way never counts as more than the loss of the number that it was, and
 * one or two that came out of turn.
 *
 * - The first number is as good as any: nothing is missing before it.
 * - After that the highest number so far plus one is expected. A jump ahead counts the numbers that were left
 *   out as missed, if it is one of up to 64, or of up to twice the source's last step. A longer one does once the next
 *   number supports it; until then, and if the next one does not, it is a stray, which counts as reordered.
 * - A number below the highest came late: it counts as reordered, and no longer as missed, or as a duplicate if it
 *   was seen before. Where the jump ahead differs in one bit from the number that was expected, and is contradicted by
 *   the next one, it is the jump that was out of turn and not what follows.
 * - A number that is 65,536 or more below is believed once one near to it follows: then the source began again. If
 *   the next number is not near to it, it was a stray, and counts as reordered.
 * - The number 0 after any other is a restart of the source, as it is to VILLASnode, unless the next number goes on as if
 *   nothing had been. At a restart tracking starts over, and what was counted stays. Where the numbers before were
 *   the last ones of 32 bits, it is no restart: the source's counter has wrapped.
 *
 * Numbers are exact up to 2⁶⁴ − 1. Tracking a stream in its order allocates nothing up to 2⁵³ − 1.
 *
 * @example A gap that is filled in part
 * ```ts
 * import { SequenceTracker } from "@labwire/labwire/villas";
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
  /** What goes on with the stream while nothing is in doubt; else NaN, as it is beyond 2⁵³ − 1. */
  #next = NaN;
  #started = false;
  /** Whether nothing supports the highest number, because it is the first. */
  #alone = false;
  #first = 0n;
  /** Behind while {@linkcode SequenceTracker.#next} tells. */
  #highest = 0n;
  /** How far a jump may reach that is believed. */
  #reach = NEAR;
  #missed = 0n;
  #reordered = 0;
  #duplicates = 0;
  #restarts = 0;
  /** Numbers above the highest, in their order, that await another one to support them. */
  readonly #jumps: bigint[] = [];
  readonly #suspects: Suspect[] = [];
  /** A 0, or a number far below, that awaits the next one. */
  #below: bigint | undefined;

  /** Numbers that were left out and have not come since; 2⁵³ − 1 at most. */
  get missed(): number {
    let missed = this.#missed;
    let last = this.#highest;
    for (const jump of this.#jumps) {
      if (jump - last > this.#reach) break;
      missed += jump - last - 1n - this.#suspectsBetween(last, jump);
      last = jump;
    }
    return missed > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : Number(missed);
  }

  /** Numbers that came after a higher one, or out of nowhere. */
  get reordered(): number {
    let strays = this.#suspects.length;
    let last = this.#highest;
    for (const jump of this.#jumps) {
      if (jump - last > this.#reach) strays++;
      else last = jump;
    }
    if (this.#below !== undefined && this.#below !== 0n && !this.#hasWrapped(this.#below)) strays++;
    return this.#reordered + strays;
  }

  /** Numbers that came again. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** How often the source began again. */
  get restarts(): number {
    return this.#restarts + (this.#below === 0n && !this.#hasWrapped(0n) ? 1 : 0);
  }

  /**
   * Takes note of the next number that arrived.
   *
   * @param sequence A whole number from 0 to 2⁶⁴ − 1.
   */
  track(sequence: number | bigint): void {
    const number = Number(sequence);
    if (number === this.#next) {
      this.#mark(number % WINDOW);
      this.#next = number < Number.MAX_SAFE_INTEGER ? number + 1 : NaN;
      if (number === Number.MAX_SAFE_INTEGER) this.#highest = BigInt(number);
      return;
    }
    if (!Number.isNaN(this.#next)) this.#leaveOrder(BigInt(this.#next - 1));
    this.#take(BigInt(sequence));
    const clear = this.#jumps.length === 0 && this.#suspects.length === 0 &&
      this.#below === undefined && this.#highest < Number.MAX_SAFE_INTEGER;
    this.#next = clear ? Number(this.#highest) + 1 : NaN;
  }

  #leaveOrder(highest: bigint): void {
    if (highest === this.#highest) return;
    this.#reach = NEAR;
    this.#alone = false;
    this.#highest = highest;
  }

  #take(number: bigint): void {
    if (!this.#started) return this.#begin(number);
    if (this.#below !== undefined) this.#settleBelow(this.#below, number);
    const behind = this.#highest - number;
    const doubtful = behind >= FAR || behind > 0n && (number === 0n || this.#alone);
    if (doubtful) this.#below = number;
    else this.#place(number);
  }

  #place(number: bigint): void {
    if (number <= this.#highest) return this.#late(number);
    this.#acquit(number);
    const last = this.#jumps.at(-1);
    if (last !== undefined) this.#beside(number, last);
    else if (number === this.#highest + 1n) this.#advance(number);
    else this.#jumps.push(number);
  }

  /** Takes a number above the highest while there are jumps that wait for support. */
  #beside(number: bigint, last: bigint): void {
    const [jump, other] = this.#jumps as [bigint, bigint?];
    if (number > last) {
      const step = last - (other === undefined ? this.#highest : jump);
      const supports = number - last <= max(this.#reach, 2n * step);
      this.#jumps.push(number);
      const enough = this.#jumps.length > MOST_JUMPS || jump - this.#highest <= this.#reach;
      if (supports && enough) this.#believe(this.#jumps.length);
      else if (enough) this.#believe(1);
    } else if (number === last || number === jump) {
      this.#duplicates++;
    } else if (number > jump && last - number > this.#reach && number - jump > this.#reach) {
      this.#jumps.pop();
      this.#reordered++;
      this.#place(number);
    } else if (number > jump || this.#overtook(jump, number)) {
      this.#believe(this.#jumps.length);
      this.#place(number);
    } else {
      this.#contradict(number);
      this.#place(number);
    }
  }

  /** Whether a number below a jump is one that the jump has overtaken. */
  #overtook(jump: bigint, number: bigint): boolean {
    return jump - number <= this.#reach && jump - number < number - this.#highest;
  }

  /** Takes some of the jumps for the numbers that they are. */
  #believe(count: number): void {
    for (const jump of this.#jumps.splice(0, count)) {
      const isLong = jump - this.#highest > this.#reach;
      if (isLong && this.#alone && isFlip(this.#highest, jump - 1n)) {
        this.#reordered++;
        this.#begin(jump);
      } else this.#advance(jump);
    }
  }

  /** Decides about jumps when a number follows that goes on below them. */
  #contradict(number: bigint): void {
    const expected = this.#highest + 1n;
    const early = this.#jumps.splice(0).filter((jump) => {
      if (jump - this.#highest > this.#reach) this.#reordered++;
      else if (number > expected && (isFlip(jump, expected) || isFlip(jump, number - 1n))) {
        this.#suspects.push({ number: jump, late: 0n });
      } else return true;
      return false;
    });
    for (const jump of early) this.#advance(jump);
  }

  /** A suspect that comes again in its turn was another number when it came first. */
  #acquit(number: bigint): void {
    const at = this.#suspects.findIndex((suspect) => suspect.number === number);
    if (at < 0) return;
    this.#suspects.splice(at, 1);
    this.#reordered++;
  }

  #advance(number: bigint): void {
    const before = this.#highest;
    const gap = number - before - 1n;
    this.#missed += gap - this.#suspectsBetween(before, number);
    this.#reach = max(NEAR, 2n * (gap + 1n));
    this.#forget(before + 1n, gap);
    this.#alone = false;
    this.#highest = number;
    this.#mark(indexOf(number));
    if (this.#suspects.length > 0) this.#passSuspects(number);
  }

  #passSuspects(number: bigint): void {
    for (const suspect of this.#suspects.splice(0)) {
      if (suspect.number > number && ++suspect.late <= NEAR) this.#suspects.push(suspect);
      else if (suspect.number > number) this.#reordered++;
      else {
        // It has not come again: it really was early, and what followed it late.
        this.#reordered += Number(max(1n, suspect.late));
        this.#mark(indexOf(suspect.number));
      }
    }
  }

  #suspectsBetween(low: bigint, high: bigint): bigint {
    let count = 0n;
    for (const { number } of this.#suspects) if (number > low && number < high) count++;
    return count;
  }

  /** Takes a number that is not above the highest one. */
  #late(number: bigint): void {
    this.#alone = false;
    if (this.#isMarked(indexOf(number))) {
      this.#duplicates++;
    } else {
      this.#reordered++;
      if (number > this.#first) this.#missed--;
      this.#mark(indexOf(number));
    }
  }

  /** Decides about a number below, now that the next one is known. */
  #settleBelow(below: bigint, next: bigint): void {
    this.#below = undefined;
    const highest = this.#highest;
    if (this.#alone && below > 0n && isFlip(highest, below - 1n)) {
      if (distance(below, next) >= distance(highest, next)) return this.#stray(below);
      this.#begin(below);
      if (highest - below > NEAR) this.#reordered++;
      else this.#suspects.push({ number: highest, late: 1n });
    } else if (below > 0n && highest - below < FAR || !this.#beginsAt(below, next)) {
      this.#stray(below);
    } else this.#restart(below);
  }

  #stray(number: bigint): void {
    if (this.#highest - number < FAR) this.#late(number);
    else this.#reordered++;
  }

  #restart(number: bigint): void {
    for (const jump of this.#jumps.splice(0)) {
      if (jump - this.#highest > this.#reach) this.#reordered++;
      else this.#advance(jump);
    }
    const wrapped = this.#hasWrapped(number);
    if (wrapped) this.#missed += WRAP - 1n - this.#highest + number;
    else this.#restarts++;
    this.#reordered += this.#suspects.splice(0).length;
    this.#begin(number);
    if (wrapped) this.#first = -1n; // what comes late is not missing any more
  }

  /** Whether a stream begins at 0 or far below, going by the number that follows. */
  #beginsAt(below: bigint, next: bigint): boolean {
    if (below > 0n) return distance(below, next) < FAR;
    const last = this.#jumps.at(-1) ?? this.#highest;
    if (next > this.#highest) {
      return next - this.#highest > NEAR && distance(next, last) > NEAR;
    }
    const behind = this.#highest - next;
    return behind > NEAR || next <= 16n * (behind + 1n);
  }

  /** Whether the stream may have gone on at the end of 32 bits. */
  #hasWrapped(below: bigint): boolean {
    return this.#highest < WRAP && this.#highest + FAR >= WRAP && below < FAR;
  }

  /** Starts over; what was counted stays. */
  #begin(number: bigint): void {
    this.#started = true;
    this.#alone = true;
    this.#first = number;
    this.#highest = number;
    this.#reach = NEAR;
    this.#seen.fill(0);
    this.#mark(indexOf(number));
  }

  #mark(index: number): void {
    this.#seen[index >>> 5]! |= 1 << (index & 31);
  }

  #isMarked(index: number): boolean {
    return (this.#seen[index >>> 5]! >>> (index & 31) & 1) === 1;
  }

  /** Clears bits from a number on, around the end. */
  #forget(from: bigint, count: bigint): void {
    if (count >= FAR) {
      this.#seen.fill(0);
      return;
    }
    for (let index = indexOf(from), left = Number(count), step; left > 0; left -= step) {
      const [word, bit] = [index >>> 5, index & 31];
      const words = bit === 0 ? Math.min(left, WINDOW - index) >>> 5 : 0;
      if (words > 0) this.#seen.fill(0, word, word + words);
      step = words > 0 ? 32 * words : Math.min(left, 32 - bit);
      if (words === 0) this.#seen[word]! &= ~((2 ** step - 1) << bit);
      index = (index + step) % WINDOW;
    }
  }
}

/** Whether two numbers differ in one bit. */
function isFlip(a: bigint, b: bigint): boolean {
  const difference = a ^ b;
  return difference > 0n && (difference & (difference - 1n)) === 0n;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}

/** The bit that belongs to a number. */
function indexOf(number: bigint): number {
  return Number(number & (FAR - 1n));
}
