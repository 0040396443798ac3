/** What a {@linkcode Reporter} needs of standard error. */
export interface TextSink {
  /** Writes all of the bytes. */
  writeSync(bytes: Uint8Array): number;
  /** Whether a person looks at it. */
  isTerminal(): boolean;
}

/** How a {@linkcode Reporter} speaks. */
export interface ReporterOptions {
  /** Say nothing but errors. */
  quiet?: boolean;
  /** Colour on a terminal. */
  colour?: boolean;
  /** The clock in ms that throttles; any origin. */
  now?: () => number;
  /** The width of the terminal in columns. */
  columns?: () => number;
}

const encoder = new TextEncoder();

/** Standard error: everything that is said to a person. */
export class Reporter {
  readonly #sink: TextSink;
  readonly #quiet: boolean;
  readonly #colour: boolean;
  readonly #now: () => number;
  readonly #columns: () => number;
  readonly #kinds = new Map<string, { last: number; held: number }>();
  #live = false;

  /**
   * @param sink Standard error, or what stands for it in a test.
   * @param options How to speak.
   */
  constructor(sink: TextSink, options: ReporterOptions = {}) {
    this.#sink = sink;
    this.#quiet = options.quiet ?? false;
    this.#colour = (options.colour ?? true) && sink.isTerminal();
    this.#now = options.now ?? (() => performance.now());
    this.#columns = options.columns ?? terminalColumns;
  }

  /** Says how things go; nothing with `--quiet`. */
  info(message: string): void {
    if (!this.#quiet) this.#write(`${message}\n`);
  }

  /** Says that something deserves attention; nothing with `--quiet`. */
  warn(message: string): void {
    if (!this.#quiet) this.#write(`${this.#paint("33", "warning:")} ${message}\n`);
  }

  /** Says that something went wrong. */
  error(message: string): void {
    this.#write(`${this.#paint("31", "error:")} ${message}\n`);
  }

  /**
   * Warns at most once a second about things of one kind, however many there are; what was held back is told as a number
   * next time.
   */
  throttled(kind: string, message: string): void {
    const now = this.#now();
    const state = this.#kinds.get(kind);
    if (state && now - state.last < 1000) {
      state.held++;
      return;
    }
    const more = state && state.held > 0 ? ` (and ${state.held} more like it before)` : "";
    this.#kinds.set(kind, { last: now, held: 0 });
    this.warn(message + more);
  }

  /** Shows a line that the next one replaces, cut to the terminal's width; only on a terminal, and never without colour. */
  live(text: string): void {
    if (this.#quiet || !this.#colour) return;
    this.#write(text.slice(0, this.#columns() - 1));
    this.#live = text !== "";
  }

  /** Takes the live line away, if one is shown. */
  clearLive(): void {
    if (this.#live) this.#write("");
  }

  #paint(code: string, text: string): string {
    return this.#colour ? `\x1b[${code};1m${text}\x1b[0m` : text;
  }

  #write(text: string): void {
    const bytes = encoder.encode(this.#live ? `\r\x1b[K${text}` : text);
    this.#live = false;
    try {
      for (let at = 0; at < bytes.length;) at += this.#sink.writeSync(bytes.subarray(at));
    } catch {
      // Standard error is closed: there is nobody left to tell.
    }
  }
}

/** The width of the terminal in columns. */
export function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 80; // not a terminal that tells
  }
}
