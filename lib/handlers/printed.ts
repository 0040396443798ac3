/** What is shown in a second at most, in bytes: what a person could not read is not worth a server's time. */
const PER_SECOND = 1 << 20;
/** The longest line that is kept together, in bytes. */
const LONGEST_LINE = 1 << 16;

const LF = 0x0a;
const EMPTY = new Uint8Array();
const encoder = new TextEncoder();

/** Hands on what a program prints in whole lines, and not more than a person could want to see. */
export class PrintedLines {
  readonly #show: (lines: Uint8Array) => void;
  #held: Uint8Array = EMPTY;
  #second = -Infinity;
  #shown = 0;
  #dropped = 0;

  /** @param show Called with one or more lines. */
  constructor(show: (lines: Uint8Array) => void) {
    this.#show = show;
  }

  /**
   * Takes what was printed.
   *
   * @param bytes The bytes, which are copied where they are kept.
   */
  push(bytes: Uint8Array): void {
    const now = performance.now();
    if (now - this.#second >= 1000) this.#nextSecond(now);
    if (this.#shown + bytes.length > PER_SECOND) {
      this.#dropped += this.#held.length + bytes.length;
      this.#held = EMPTY;
      return;
    }
    this.#shown += bytes.length;
    const end = bytes.lastIndexOf(LF) + 1;
    if (end > 0) this.#show(join(this.#held, bytes.subarray(0, end)));
    this.#held = end > 0 ? bytes.slice(end) : join(this.#held, bytes);
    if (this.#held.length > LONGEST_LINE) this.flush();
  }

  /** Hands on what is left of a line without an end. */
  flush(): void {
    if (this.#held.length > 0) this.#show(this.#held);
    this.#held = EMPTY;
  }

  /** Hands on everything, and says what was left out. */
  end(): void {
    this.flush();
    this.#tellDropped();
  }

  #nextSecond(now: number): void {
    this.#second = now;
    this.#shown = 0;
    this.#tellDropped();
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    this.#show(encoder.encode(`(${this.#dropped} bytes more were printed and are not shown)\n`));
    this.#dropped = 0;
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
