/** The first of the 256 braille patterns. */
const FIRST = 0x2800;
/** The bit of each dot of a pattern, by column and row. */
const DOTS = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]] as const;

/** A drawing of dots in a terminal: each character has two dots beside one another and four below one another. */
export class BrailleCanvas {
  /** Dots from left to right. */
  readonly width: number;
  /** Dots from top to bottom. */
  readonly height: number;
  readonly #columns: number;
  readonly #patterns: Uint8Array;
  readonly #colours: Uint8Array;

  /**
   * @param columns Characters in a line.
   * @param rows Lines.
   */
  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.width = 2 * columns;
    this.height = 4 * rows;
    this.#patterns = new Uint8Array(columns * rows);
    this.#colours = new Uint8Array(columns * rows);
  }

  /** Sets a dot; none outside. */
  dot(x: number, y: number, colour: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const at = (y >> 2) * this.#columns + (x >> 1);
    this.#patterns[at]! |= DOTS[x & 1]![y & 3]!;
    this.#colours[at] = colour;
  }

  /** Draws a straight line between two dots. */
  line(x0: number, y0: number, x1: number, y1: number, colour: number): void {
    const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
    // Far outside nothing is to be seen.
    if (steps > 1e5) return;
    for (let i = 0; i <= steps; i++) {
      const part = i / steps;
      this.dot(Math.round(x0 + (x1 - x0) * part), Math.round(y0 + (y1 - y0) * part), colour);
    }
  }

  /**
   * The lines of text.
   *
   * @param paint Colours a text, by the number that its dots were set with.
   */
  lines(paint: (text: string, colour: number) => string): string[] {
    const lines: string[] = [];
    for (let at = 0; at < this.#patterns.length; at += this.#columns) {
      let line = "";
      const painted = (run: string, colour: number) => run.trim() === "" ? run : paint(run, colour);
      let [run, colour] = ["", 0];
      for (let i = at; i < at + this.#columns; i++) {
        const pattern = this.#patterns[i]!;
        const own = pattern === 0 ? colour : this.#colours[i]!;
        if (own !== colour) {
          line += painted(run, colour);
          [run, colour] = ["", own];
        }
        run += pattern === 0 ? " " : String.fromCharCode(FIRST + pattern);
      }
      lines.push(line + painted(run, colour));
    }
    return lines;
  }
}
