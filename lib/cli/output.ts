import { visibleText } from "./visible_text.ts";

/** Where bytes go: `Deno.stdout`, or anything like it in a test. */
export interface ByteSink {
  /** Writes some of the bytes and tells how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Whether a person looks at it; a file or a pipe where it does not tell. */
  isTerminal?(): boolean;
}

/** Bytes that may wait before {@linkcode Output.ready} makes a writer wait. */
const HIGH_WATER = 1 << 18;
const encoder = new TextEncoder();

/**
 * Standard output for data: lines and bytes in order, written in the background in as few calls as possible. A reader
 * that goes away (`| head`) ends it quietly.
 */
export class Output {
  readonly #sink: ByteSink;
  readonly #onBroken: (error: unknown) => void;
  readonly #before: () => void;
  #text = "";
  #chunks: Uint8Array[] = [];
  #waiting = 0;
  #writing: Promise<void> | undefined;
  #broken = false;

  /**
   * @param sink Where the bytes go.
   * @param onBroken Called once when nothing can be written any more, with what the system said.
   * @param before Called before something is written.
   */
  constructor(
    sink: ByteSink,
    onBroken: (error: unknown) => void = () => {},
    before: () => void = () => {},
  ) {
    this.#sink = sink;
    this.#onBroken = onBroken;
    this.#before = before;
  }

  /** Writes a line of text; the newline is added. */
  line(text: string): void {
    if (this.#broken) return;
    this.#text += visibleText(text) + "\n";
    this.#waiting += text.length + 1;
    this.#start();
  }

  /** Writes text that may have several lines; the last newline is added. */
  text(text: string): void {
    this.line(text);
  }

  /** Writes one line of JSON; what is not fit to be seen is escaped as JSON does it. */
  json(json: string): void {
    this.line(json.replace(
      /[\x7f-\x9f]/g,
      (control) => `\\u00${control.charCodeAt(0).toString(16)}`,
    ));
  }

  /** Writes bytes unchanged. They may be used again at once. */
  bytes(bytes: Uint8Array): void {
    if (this.#broken) return;
    this.#takeText();
    this.#chunks.push(bytes.slice());
    this.#waiting += bytes.length;
    this.#start();
  }

  /** Whether a person looks at it, so that labels may stand beside the data. */
  get terminal(): boolean {
    return this.#sink.isTerminal?.() ?? false;
  }

  /** Whether so much waits to be written that a writer should await {@linkcode Output.ready}. */
  get full(): boolean {
    return this.#waiting > HIGH_WATER;
  }

  /** Resolves when there is room; at once most of the time. */
  async ready(): Promise<void> {
    while (this.full && this.#writing) await this.#writing;
  }

  /** Resolves when all that was written has left the program. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  #takeText(): void {
    if (this.#text === "") return;
    this.#chunks.push(encoder.encode(this.#text));
    this.#text = "";
  }

  #start(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#waiting > 0 && !this.#broken) this.#start();
    });
  }

  async #write(): Promise<void> {
    await null; // what is written in the same turn leaves together
    this.#takeText();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#waiting = 0;
    this.#before();
    try {
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length;) at += await this.#sink.write(chunk.subarray(at));
      }
    } catch (error) {
      this.#broken = true; // nobody reads any more, or the disk is full: there is nowhere left to write to
      this.#onBroken(error);
    }
  }
}
