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
  readonly #kinds = new Map<string, Texts>();
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
   * Warns of things of one kind, however many there are: of each text the first time, and then at most once a second about all of them.
   * Texts that differ in their numbers alone, such as an address, are alike. How many were held back is said next time, or by
   * {@linkcode Reporter.summary} and {@linkcode Reporter.tellHeld}.
   */
  throttled(kind: string, message: string): void {
    const now = this.#now();
    let texts = this.#kinds.get(kind);
    if (!texts) this.#kinds.set(kind, texts = new Texts(now));
    const [text, isNew] = texts.of(message, now);
    if (!isNew && now - texts.last < 1000) {
      text.held++;
      text.message = message;
      return;
    }
    texts.last = now;
    this.warn(message + text.more(text.held));
    text.held = 0;
  }

  /** Reports what was held back and not reported yet: the last of each text, and how many there were. */
  tellHeld(): void {
    for (const texts of this.#kinds.values()) {
      for (const text of texts.all()) {
        if (text.held === 0) continue;
        this.warn(text.message + text.more(text.held - 1));
        text.held = 0;
      }
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

/** Different texts of one kind that are remembered; what comes beyond them counts as one. */
const MOST_TEXTS = 16;
/** How much of a text tells it from others, in characters. */
const TOLD_APART = 300;
/** How long nothing of a kind was said when its texts are new again, in ms. */
const FORGET = 60_000;

/** A text, or those beyond {@linkcode MOST_TEXTS}. */
class HeldText {
  /** How many were not said. */
  held = 0;
  /** The last of them. */
  message = "";
  readonly #like: string;

  constructor(like: string) {
    this.#like = like;
  }

  /** What follows a message that stands for others, too. */
  more(count: number): string {
    return count === 0 ? "" : ` (and ${count} ${this.#like} before)`;
  }
}

/** What was said of one kind. */
class Texts {
  /** When the last was said. */
  last: number;
  readonly #known = new Map<string, HeldText>();
  readonly #others = new HeldText("others");

  constructor(now: number) {
    this.last = now;
  }

  /** Finds what a message is like, and tells whether it is the first of that. */
  of(message: string, now: number): [text: HeldText, isNew: boolean] {
    if (now - this.last >= FORGET) this.#forget();
    const shape = message.slice(0, TOLD_APART).replace(/\d+/g, "0");
    const known = this.#known.get(shape);
    if (known) return [known, false];
    if (this.#known.size === MOST_TEXTS) return [this.#others, false];
    const text = new HeldText("more like it");
    this.#known.set(shape, text);
    return [text, true];
  }

  all(): HeldText[] {
    return [...this.#known.values(), this.#others];
  }

  #forget(): void {
    for (const [shape, { held }] of this.#known) if (held === 0) this.#known.delete(shape);
  }
}
