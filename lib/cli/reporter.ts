import { visibleLine, visibleMessage, visibleText } from "../text/visible_text.ts";

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
  /** The width of the terminal in columns; 80 by default. */
  columns?: () => number;
}

const encoder = new TextEncoder();

/**
 * Standard error: everything that is said to a person.
 *
 * Messages may contain text from outside: control characters and bidirectional controls leave as visible escapes, and what
 * follows a newline within a message is indented, so that it cannot pass for a message of its own.
 */
export class Reporter {
  readonly #sink: TextSink;
  readonly #quiet: boolean;
  readonly #colour: boolean;
  readonly #now: () => number;
  readonly #columns: () => number;
  readonly #kinds = new Map<string, { last: number; held: number; message: string }>();
  #live = false;
  /** Lines above the live one that go with it. */
  #above = 0;
  /** What `--quiet` kept from being said last, as long as no error was. */
  #unsaid: string | undefined;
  #hasErred = false;

  /**
   * @param sink Standard error, or what stands for it in a test.
   * @param options How to speak.
   */
  constructor(sink: TextSink, options: ReporterOptions = {}) {
    this.#sink = sink;
    this.#quiet = options.quiet ?? false;
    this.#colour = (options.colour ?? true) && sink.isTerminal();
    this.#now = options.now ?? (() => performance.now());
    this.#columns = options.columns ?? (() => 80);
  }

  /** Prints a message about what happens; nothing with `--quiet`. */
  info(message: string): void {
    this.#write(this.infoText(message));
  }

  /** What {@linkcode Reporter.info} writes, for a thread that has to write it by itself. */
  infoText(message: string): string {
    return this.#quiet ? "" : `${visibleMessage(message)}\n`;
  }

  /** Says labwire's own text of several lines, help for example, as it is set; nothing with `--quiet`. */
  text(text: string): void {
    if (!this.#quiet) this.#write(`${visibleText(text)}\n`);
  }

  /** Says what was done, as it is set, after what was held back; nothing with `--quiet`. */
  summary(text: string): void {
    this.tellHeld();
    this.text(text);
  }

  /** Passes on what a program of the user wrote for people, each line behind a bar; nothing with `--quiet`. */
  relay(text: string): void {
    if (this.#quiet) return;
    const lines = text.trimEnd().split(/\r?\n/);
    this.#write(lines.map((line) => `| ${visibleLine(line)}\n`).join(""));
  }

  /** Says that something deserves attention; nothing with `--quiet`. */
  warn(message: string): void {
    if (this.#quiet) this.#unsaid = message;
    else this.#write(`${this.#paint("33", "warning:")} ${visibleMessage(message)}\n`);
  }

  /** Says that something went wrong. */
  error(message: string): void {
    this.#hasErred = true;
    this.#write(this.errorText(message));
  }

  /** Says what `--quiet` kept back last, for a program that fails and has not said why. */
  giveReason(): void {
    if (!this.#hasErred && this.#unsaid !== undefined) this.error(this.#unsaid);
  }

  /** What {@linkcode Reporter.error} writes, for a thread that has to write it by itself. */
  errorText(message: string): string {
    return `${this.#paint("31", "error:")} ${visibleMessage(message)}\n`;
  }

  /**
   * Warns at most once a second about things of one kind, however many there are; how many were held back is said
   * next time, or by {@linkcode Reporter.summary} and {@linkcode Reporter.tellHeld}.
   */
  throttled(kind: string, message: string): void {
    const now = this.#now();
    const state = this.#kinds.get(kind);
    if (state && now - state.last < 1000) {
      state.held++;
      state.message = message;
      return;
    }
    const more = state && state.held > 0 ? ` (and ${state.held} more like it before)` : "";
    this.#kinds.set(kind, { last: now, held: 0, message });
    this.warn(message + more);
  }

  /** Reports what was held back and not reported yet: the last of each kind, and how many there were. */
  tellHeld(): void {
    for (const state of this.#kinds.values()) {
      const { held, message } = state;
      if (held === 0) continue;
      state.held = 0;
      this.warn(held === 1 ? message : `${message} (and ${held - 1} more like it before)`);
    }
  }

  /** Shows a line that the next one replaces, cut to the terminal's width; only on a terminal, and never without colour. */
  live(text: string): void {
    if (this.#quiet || !this.#colour) return;
    this.#write(visibleLine(text).slice(0, this.#columns() - 1));
    this.#live = text !== "";
  }

  /**
   * Shows several lines that the next ones, or the next message, replace; only on a terminal. What stands in them from outside has been
   * made visible, and colours are the caller's.
   */
  picture(lines: readonly string[]): void {
    if (this.#quiet || !this.#sink.isTerminal()) return;
    this.#write(lines.map((line) => `${line}\x1b[K`).join("\n"));
    this.#live = lines.length > 0;
    this.#above = Math.max(0, lines.length - 1);
  }

  /** Leaves the picture as it is: what comes next is written below it. */
  keepPicture(): void {
    if (this.#above === 0) return;
    this.#live = false;
    this.#above = 0;
    this.#write("\n");
  }

  /** Whether {@linkcode Reporter.picture} shows anything, and in colour. */
  get canShow(): { readonly pictures: boolean; readonly colours: boolean } {
    return { pictures: !this.#quiet && this.#sink.isTerminal(), colours: this.#colour };
  }

  /** Takes the live line away, if one is shown. */
  clearLive(): void {
    if (this.#live) this.#write("");
  }

  #paint(code: string, text: string): string {
    return this.#colour ? `\x1b[${code};1m${text}\x1b[0m` : text;
  }

  #write(text: string): void {
    if (text === "" && !this.#live) return;
    const up = this.#above > 0 ? `\x1b[${this.#above}A\x1b[J` : "\x1b[K";
    const bytes = encoder.encode(this.#live ? `\r${up}${text}` : text);
    this.#live = false;
    this.#above = 0;
    try {
      for (let at = 0; at < bytes.length;) at += this.#sink.writeSync(bytes.subarray(at));
    } catch {
      // Standard error is closed: the message cannot be shown.
    }
  }
}
