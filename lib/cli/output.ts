import { within } from "../time/deadline.ts";
import { visibleJson, visibleJsonLines, visibleLine, visibleText } from "../text/visible_text.ts";

/** Where bytes go: `Deno.stdout`, or anything like it in a test. */
export interface ByteSink {
  /** Writes some of the bytes and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Whether it is a terminal; without this method it is a file or a pipe. */
  isTerminal?(): boolean;
}

/** How an {@linkcode Output} behaves. */
export interface OutputOptions {
  /** Called once when nothing can be written any more, with what the system said. */
  onBroken?: (error: unknown) => void;
  /** Called before something is written. */
  before?: () => void;
  /** Colour on a terminal. */
  colour?: boolean;
}

/** Colours of {@linkcode Output.labelled}, by their codes. */
const COLOURS = { green: "32", yellow: "33", red: "31", grey: "90" } as const;

/** Bytes that may wait before {@linkcode Output.ready} makes a writer wait. */
const HIGH_WATER = 1 << 18;
const LF = 0x0a;
const encoder = new TextEncoder();

/**
 * Standard output for data: lines and bytes in order, written in the background in as few calls as possible. A reader
 * that goes away (`| head`) ends it quietly.
 *
 * Text may come from outside: control characters and bidirectional controls leave as visible escapes. Only
 * {@linkcode Output.bytes} writes what it is given.
 */
export class Output {
  readonly #sink: ByteSink;
  readonly #onBroken: (error: unknown) => void;
  readonly #before: () => void;
  readonly #colour: boolean;
  #text = "";
  /** Whether there is JSON in the text, of which not everything is visible yet. */
  #unseen = false;
  #chunks: Uint8Array[] = [];
  #later: (() => void) | undefined;
  /** The timer until what was put off is made. */
  #soon: ReturnType<typeof setTimeout> | undefined;
  #waiting = 0;
  /** What is being written, and how many bytes of it have left the program. */
  #leaving: readonly Uint8Array[] = [];
  #left = 0;
  #writing: Promise<void> | undefined;
  #broken = false;

  /**
   * @param sink Where the bytes go.
   * @param options What to call, and whether to colour.
   */
  constructor(sink: ByteSink, options: OutputOptions = {}) {
    this.#sink = sink;
    this.#onBroken = options.onBroken ?? (() => {});
    this.#before = options.before ?? (() => {});
    this.#colour = (options.colour ?? true) && this.terminal;
  }

  /** Writes one line of text; the newline is added, and newlines within become `\\n`. */
  line(text: string): void {
    this.#put(visibleLine(text));
  }

  /** Writes text that may have several lines; the last newline is added. */
  text(text: string): void {
    this.#put(visibleText(text));
  }

  /** Writes one line of JSON, which stays the same value: control characters are escaped as JSON does it. */
  json(json: string): void {
    // What else is unfit to be seen is escaped in all lines together, which costs a tenth of doing it in each.
    this.#put(json.includes("\n") ? visibleJson(json) : json);
    this.#unseen = true;
  }

  /** Writes one line that begins with a word, coloured on a terminal, followed by text as {@linkcode Output.line} writes it. */
  labelled(label: string, colour: keyof typeof COLOURS, text: string): void {
    const word = visibleLine(label);
    const painted = this.#colour ? `\x1b[${COLOURS[colour]};1m${word}\x1b[0m` : word;
    this.bytes(encoder.encode(`${painted}${visibleLine(text)}\n`));
  }

  /** Writes bytes unchanged. They may be used again at once. */
  bytes(bytes: Uint8Array): void {
    if (this.#broken) return;
    this.#makeLater();
    this.#takeText();
    this.#chunks.push(bytes.slice());
    this.#waiting += bytes.length;
    this.#start();
  }

  /**
   * Has lines made when they are about to be written, which is after the program has done what is more urgent. They keep their place
   * among what else is written.
   *
   * @param make Writes all lines that were put off so far; called once for all calls with the same function until then.
   * @param size About how many bytes this call adds to them; more than 0.
   */
  later(make: () => void, size: number): void {
    if (this.#broken) return;
    if (this.#later !== make) {
      this.#makeLater();
      this.#later = make;
    }
    this.#waiting += size;
    if (!this.#writing) this.#soon ??= setTimeout(this.#startNow, 0);
  }

  /** Whether a person looks at it, so that labels may stand beside the data. */
  get terminal(): boolean {
    return this.#sink.isTerminal?.() ?? false;
  }

  /** Whether it may be coloured: on a terminal, unless the user does not want that. */
  get colour(): boolean {
    return this.#colour;
  }

  /** Whether so much waits to be written that a writer should await {@linkcode Output.ready}. */
  get full(): boolean {
    return this.#waiting > HIGH_WATER;
  }

  /** Resolves when there is room; at once most of the time. */
  async ready(): Promise<void> {
    this.#startNow();
    while (this.full && this.#writing) await this.#writing;
  }

  /** Resolves when all that was written has left the program. */
  async flush(): Promise<void> {
    this.#startNow();
    while (this.#writing) await this.#writing;
  }

  /** The same, but not for longer than a second: what is said to a person then stands below it on a terminal. */
  async shown(): Promise<void> {
    await within(this.flush(), 1);
  }

  /** Counts what was written and has not left the program; of what the system is taking, nobody knows how much it has. */
  unwritten(): { bytes: number; lines: number } {
    this.#makeLater();
    this.#takeText();
    let [bytes, lines, left] = [0, 0, this.#left];
    for (const chunk of this.#broken ? [] : [...this.#leaving, ...this.#chunks]) {
      const rest = chunk.subarray(left);
      left = Math.max(0, left - chunk.length);
      bytes += rest.length;
      for (const byte of rest) if (byte === LF) lines++;
    }
    return { bytes, lines };
  }

  #put(text: string): void {
    if (this.#broken) return;
    this.#makeLater();
    this.#text += text + "\n";
    this.#waiting += text.length + 1;
    this.#start();
  }

  /** Makes what was put off. */
  #makeLater(): void {
    const make = this.#later;
    this.#later = undefined;
    make?.();
  }

  #takeText(): void {
    if (this.#text === "") return;
    this.#chunks.push(encoder.encode(this.#unseen ? visibleJsonLines(this.#text) : this.#text));
    this.#text = "";
    this.#unseen = false;
  }

  /** Begins to write what was put off, if anything was. */
  readonly #startNow = (): void => {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    if (this.#waiting > 0 && !this.#broken) this.#start();
  };

  #start(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#waiting > 0 && !this.#broken) this.#start();
    });
  }

  async #write(): Promise<void> {
    await null; // what is written in the same turn leaves together
    this.#makeLater();
    this.#takeText();
    this.#leaving = this.#chunks;
    this.#left = 0;
    this.#chunks = [];
    this.#waiting = 0;
    this.#before();
    try {
      for (const chunk of this.#leaving) {
        for (let at = 0; at < chunk.length;) {
          const taken = await this.#sink.write(chunk.subarray(at));
          at += taken;
          this.#left += taken;
        }
      }
    } catch (error) {
      this.#broken = true; // the reader has closed the pipe, or the disk is full
      this.#onBroken(error);
    }
    this.#leaving = [];
  }
}
