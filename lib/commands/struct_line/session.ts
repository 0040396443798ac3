import type { Context } from "../../cli/context.ts";
import { UsageError } from "../../errors.ts";
import { defaultFunction, openHandler } from "../../handlers/handler.ts";
import { withPlace } from "../../handlers/place.ts";
import type { Prompter } from "../../cli/prompt.ts";
import type { StructInput } from "../../codecs/struct/types.ts";
import type { Line } from "../../struct/line.ts";
import { echoAction, programAction } from "../../struct/actions.ts";
import type { LineAction, LineProblem, LineStats } from "../../struct/line_options.ts";
import type { SentRecords } from "../../struct/send_records.ts";
import { counted, rareCounts } from "../../text/wording.ts";
import { within } from "../../time/deadline.ts";
import { httpCount, problemText } from "../serving/serving.ts";
import { sendLines, sendTyped } from "./input.ts";
import type { RecordText } from "./options.ts";
import { type Printer, type PrinterOptions, structPrinter } from "./printer.ts";

/** The values of the options that a session needs. */
export interface SessionValues extends PrinterOptions {
  readonly handler?: string;
  readonly exec?: string;
  readonly execTimeout: number;
  readonly echo: boolean;
  readonly count?: number;
  readonly once: boolean;
}

/** What one run of a line does with records, at either end: prints them, acts on them, and sends those of standard input. */
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
   * @throws {UsageError} If the handler or program cannot be used.
   */
  static async open(
    context: Context,
    text: RecordText,
    values: SessionValues,
  ): Promise<LineSession> {
    return new LineSession(context, text, values, await lineAction(values, text, context.signal));
  }

  /** Records that `--count` still waits for, unless this side has ended the line. */
  get awaited(): number {
    return this.#ending.signal.aborted || this.#left === Infinity ? 0 : this.#left;
  }

  /** Ends the line in order. */
  end(): void {
    this.#ending.abort();
  }

  /** Prints a message about the line, beside a prompt. */
  info(message: string): void {
    this.#aside(() => this.#context.say.info(message));
  }

  /** Says what went wrong with a peer. */
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
   * Sends what comes from standard input, to its end or that of the line.
   *
   * @param line Where to.
   * @param onLine Called for each line that is read.
   * @returns What happened to it.
   */
  async sendInput(line: Line, onLine?: () => void): Promise<SentRecords> {
    const context = this.#context;
    const over = new AbortController();
    const target = {
      text: this.#text,
      send: (values: StructInput[]) => line.send(values),
      signal: AbortSignal.any([this.signal, over.signal]),
      onLine,
      onInterrupt: () => this.end(),
      onPrompter: (prompter: Prompter) => {
        if (context.out.terminal) this.#prompter = prompter;
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

/**
 * Makes the action that `--handler`, `--exec` or `--echo` ask for.
 *
 * @param values The options' values.
 * @param text What the records are.
 * @param signal Ends programs.
 * @returns The action; undefined if there is nothing to do but print.
 * @throws {UsageError} If there are several, the module has no handler, or the program cannot be found.
 */
async function lineAction(
  { handler, exec, execTimeout, echo }: SessionValues,
  { struct, json }: RecordText,
  signal: AbortSignal,
): Promise<LineAction<string> | undefined> {
  if ([handler !== undefined, exec !== undefined, echo].filter(Boolean).length > 1) {
    throw new UsageError("Cannot use several of --handler, --exec and --echo: expected one");
  }
  const code = await openHandler({ handler, exec, execTimeout }, { kind: "records" });
  if (code?.kind === "module") {
    return defaultFunction<LineAction<string>>(code, "function (values, line) { … }");
  }
  if (code) return programAction(code, json, signal);
  return echo ? echoAction(struct) : undefined;
}

/**
 * Says what a line has done, behind the records on a terminal.
 *
 * @param context Where to.
 * @param line What it counted.
 * @param input What happened to standard input.
 */
export async function sayStats(
  { out, say }: Context,
  line: LineStats,
  { unsent, refused }: Readonly<SentRecords>,
): Promise<void> {
  await within(out.flush(), 1);
  const stats = { ...line, unsent };
  say.summary(
    [
      `${counted(stats.received, "record")} received, ${stats.sent} sent`,
      counted(stats.connections, "connection"),
      ...rareCounts(stats, ["failed", "unsent", "cut", "lost", "refused"]),
      ...httpCount(stats),
      ...(refused > 0 ? [counted(refused, "bad line")] : []),
    ].join(", "),
  );
}
