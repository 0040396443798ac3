import type { Context } from "../../cli/context.ts";
import { withPlace } from "../../handlers/place.ts";
import type { Prompter } from "../../cli/prompt.ts";
import type { StructInput } from "../../codecs/struct/types.ts";
import type { Line } from "../../struct/line.ts";
import type { LineAction, LineProblem } from "../../struct/line_options.ts";
import { problemText } from "../serving/serving.ts";
import { type ActionValues, lineAction } from "./action.ts";
import { sendLines, sendTyped } from "./input.ts";
import type { RecordText } from "./options.ts";
import type { InputResult } from "./stats.ts";
import { type Printer, type PrinterOptions, structPrinter } from "./printer.ts";

/** The values of the options that a session needs. */
export interface SessionValues extends ActionValues, PrinterOptions {
  readonly count?: number;
  readonly once: boolean;
}

/** What one run of a line does with records, at either end: prints them, handles them, and sends those of standard input. */
export class LineSession {
  /** Handles each record. */
  readonly action: LineAction<string>;
  /** Aborted when the line is to close. */
  readonly signal: AbortSignal;
  readonly #context: Context;
  readonly #text: RecordText;
  readonly #ending = new AbortController();
  readonly #once: boolean;
  readonly #print: Printer;
  #left: number;
  #prompter: Prompter | undefined;

  private constructor(
    context: Context,
    text: RecordText,
    values: SessionValues,
    act: LineAction<string> | undefined,
  ) {
    this.#context = context;
    this.#text = text;
    this.#once = values.once;
    this.#left = values.count ?? Infinity;
    this.#print = structPrinter(text.struct, values, context.out);
    this.signal = AbortSignal.any([context.signal, this.#ending.signal]);
    this.action = (record, peer) => this.#handle(record, peer, act);
  }

  /**
   * Makes a session.
   *
   * @param context The world around it.
   * @param text What the records are.
   * @param values The options' values.
   * @returns The session.
   * @throws {UsageError} If a handler or program cannot be used.
   */
  static async open(
    context: Context,
    text: RecordText,
    values: SessionValues,
  ): Promise<LineSession> {
    return new LineSession(context, text, values, await lineAction(values, text, context));
  }

  /** What is waited for when the line closes; undefined if nothing is. */
  inHand({ peers: { length } }: Line): string | undefined {
    if (length === 0) return undefined;
    return length === 1 ? "1 connection to end" : `${length} connections to end`;
  }

  /** Records that `--count` still waits for, unless this side has ended the line. */
  get awaited(): number {
    return this.#ending.signal.aborted || this.#left === Infinity ? 0 : this.#left;
  }

  /** Closes the line gracefully. */
  end(): void {
    this.#ending.abort();
  }

  /** Reports progress, even while there is a prompt. */
  tell(message: string): void {
    this.#aside(() => this.#context.say.info(message));
  }

  /** Reports a problem with a peer. */
  report(problem: LineProblem): void {
    const { kind, message, error } = problem;
    const text = kind === "action"
      ? withPlace(`Handling a record failed: ${message}`, error)
      : problemText(problem);
    this.#aside(() => this.#context.say.throttled(kind, text));
  }

  #aside(say: () => void): void {
    this.#prompter?.clear();
    say();
    this.#prompter?.redraw();
  }

  /**
   * Sends standard input, until it or the line ends.
   *
   * @param line Where to.
   * @param onLine Told of each line that is read.
   * @returns The result.
   */
  async sendInput(line: Line, onLine?: () => void): Promise<InputResult> {
    const context = this.#context;
    const over = new AbortController();
    const target = {
      text: this.#text,
      send: (values: StructInput[]) => line.send(values),
      signal: AbortSignal.any([this.signal, over.signal]),
      onLine,
      onInterrupt: () => this.end(),
      onPrompter: (prompter: Prompter) => {
        if (Deno.stdout.isTerminal()) this.#prompter = prompter;
      },
    };
    const onOver = () => over.abort();
    line.finished.then(onOver, onOver);
    const result = context.stdin.isTerminal()
      ? await sendTyped(context, target, this.#once)
      : await sendLines(context, target);
    this.#prompter = undefined;
    return result;
  }

  #handle(
    record: Parameters<LineAction<string>>[0],
    peer: Parameters<LineAction<string>>[1],
    act: LineAction<string> | undefined,
  ): unknown {
    if (this.#left <= 0) return;
    const { out } = this.#context;
    this.#prompter?.clear();
    this.#print(record, peer);
    const last = --this.#left === 0;
    let result: unknown;
    try {
      result = act?.(record, peer);
    } finally {
      if (last && !isPromise(result)) this.end();
    }
    if (out.full || this.#prompter || isPromise(result)) return this.#settle(result, last);
  }

  async #settle(result: unknown, last: boolean): Promise<void> {
    const { out } = this.#context;
    try {
      await result;
    } finally {
      if (last) this.end();
    }
    await out.ready();
    if (!this.#prompter) return;
    await out.flush();
    this.#prompter?.redraw();
  }
}

function isPromise(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value;
}
