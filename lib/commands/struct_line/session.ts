import type { Context } from "../../cli/context.ts";
import { UsageError } from "../../errors.ts";
import { type HandlerValues, type ModuleHandler, openHandler } from "../../handlers/handler.ts";
import { kindWithPlace, withPlace } from "../../handlers/place.ts";
import type { Prompter } from "../../cli/prompt.ts";
import type { StructInput } from "../../codecs/struct/types.ts";
import type { Line } from "../../struct/line.ts";
import { formatAddress } from "../../net/address/address.ts";
import { echoAction, programAction } from "../../struct/actions.ts";
import type { LineAction, LineProblem, LineStats } from "../../struct/line_options.ts";
import { moduleAction, type RecordHandler, recordUse } from "../../struct/module_action.ts";
import type { LinePeer } from "../../struct/peer.ts";
import type { SentRecords } from "../../struct/send_records.ts";
import { counted, rareCounts } from "../../text/wording.ts";
import { BusyWatch } from "../serving/busy_watch.ts";
import { checkTwoFiles } from "../recording/record.ts";
import { endHandler, handlerCounts, handlerEvents } from "../serving/handler_options.ts";
import { connectionsToEnd, describeClosing, httpCount, problemText } from "../serving/serving.ts";
import { type InputTarget, sendLines, sendTyped, type SentLines } from "./input.ts";
import type { RecordText } from "./options.ts";
import { type Printer, type PrinterOptions, structPrinter } from "./printer.ts";
import type { ScopeValues } from "../scope/scope_options.ts";
import { openRecordScope } from "./scope.ts";
import {
  openRecords,
  openSentRecords,
  type RecordsRecording,
  type RecordValues,
  type SentRecording,
} from "./record.ts";

/** The values of the options that a session needs. */
export interface SessionValues extends PrinterOptions, HandlerValues, RecordValues, ScopeValues {
  readonly concurrency: number;
  readonly fields?: readonly string[];
  readonly echo: boolean;
  readonly count?: number;
  readonly once: boolean;
}

/** How {@linkcode LineSession.sendInput} sends. */
export interface SendInputOptions extends Pick<InputTarget, "onLine" | "countsRest"> {
  /** Gives lines of a recording, which are sent in place of standard input. */
  readonly recorded?: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
}

/** What one run of a line does with records, at either end: prints them, acts on them, and sends those of standard input. */
export class LineSession implements AsyncDisposable {
  /** Handles each record. */
  readonly action: LineAction<string>;
  /** How many records of a peer may be handled at once. */
  readonly concurrency: (() => number) | undefined;
  /** Aborted when the line is to close. */
  readonly signal: AbortSignal;
  readonly #context: Context;
  readonly #text: RecordText;
  readonly #ending = new AbortController();
  readonly #once: boolean;
  readonly #print: Printer;
  readonly #handler: SessionHandler;
  readonly #busy = new BusyWatch();
  /** Records that were given to the handler. */
  readonly #begun = new WeakMap<LinePeer, number>();
  /** Takes what was sent, if it is recorded. */
  readonly onSent: ((bytes: Uint8Array) => void) | undefined;
  readonly #recording: RecordsRecording | undefined;
  readonly #sent: SentRecording | undefined;
  #left: number;
  #surplus = 0;
  #prompter: Prompter | undefined;

  private constructor(
    context: Context,
    text: RecordText,
    values: SessionValues,
    handler: SessionHandler,
    recording: RecordsRecording | undefined,
    sent: SentRecording | undefined,
  ) {
    this.#recording = recording;
    this.#sent = sent;
    this.onSent = sent?.write;
    this.#context = context;
    this.#text = text;
    this.#handler = handler;
    this.concurrency = handler.concurrency;
    this.#once = values.once;
    this.#left = values.count ?? Infinity;
    this.#print = structPrinter(text.struct, values, context.out);
    this.signal = AbortSignal.any([context.signal, this.#ending.signal]);
    this.action = (record, peer) => this.#handle(record, peer);
  }

  /**
   * Makes a session.
   *
   * @param context The world around it.
   * @param text What the records are.
   * @param values The options' values.
   * @returns The session, to be disposed of when the line is closed.
   * @throws {UsageError} If the handler or program cannot be used, or the recording cannot be made.
   */
  static async open(
    context: Context,
    text: RecordText,
    values: SessionValues,
  ): Promise<LineSession> {
    const handler = await sessionHandler(values, text, context);
    const opened: { close?: () => Promise<void> }[] = [handler];
    try {
      await checkTwoFiles(values);
      const recording = await openRecords(context, text.struct, values);
      if (recording) opened.push(recording);
      const sent = await openSentRecords(context, text.struct, values);
      if (sent) opened.push(sent);
      const scope = await openRecordScope(context, text.struct, values);
      return new LineSession(context, text, values, handler, bothOf(recording, scope), sent);
    } catch (error) {
      for (const { close } of opened) await close?.();
      throw error;
    }
  }

  /** Records that `--count` still waits for, unless this side has ended the line. */
  get awaited(): number {
    return this.#ending.signal.aborted || this.#left === Infinity ? 0 : this.#left;
  }

  /** Records that came after those of `--count`, while the last of these was being handled. */
  get surplus(): number {
    return this.#surplus;
  }

  /** Whether records may be answered. */
  get answers(): boolean {
    return this.#handler.action !== undefined;
  }

  /** The module that handles the records, if one does. */
  get module(): ModuleHandler | undefined {
    return this.#handler.module;
  }

  /** Has no more records handled. */
  stop(): void {
    this.#handler.stop?.();
  }

  /** Lets go of a peer that has disconnected. */
  release(peer: LinePeer): void {
    this.#handler.release?.(peer);
  }

  /** Ends the recordings, if there are any. */
  async closeRecording(): Promise<void> {
    await this.#recording?.close();
    await this.#sent?.close();
  }

  /** Ends the recording, and then what handles the records. */
  async close(): Promise<void> {
    await this.closeRecording();
    const { close } = this.#handler;
    if (close) await endHandler(this.#context, this.module, close);
  }

  /** Ends the recording, and then what handles the records. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
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
    this.#aside(() => this.#context.say.throttled(kindWithPlace(kind, error), text));
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
   * @param options How.
   * @returns What happened to it.
   */
  async sendInput(
    line: Line,
    { onLine, countsRest, recorded }: SendInputOptions = {},
  ): Promise<SentLines> {
    const context = this.#context;
    const over = new AbortController();
    const target = {
      text: this.#text,
      send: (values: StructInput[]) => line.send(values),
      signal: AbortSignal.any([this.signal, over.signal]),
      ...{ onLine, countsRest },
      onInterrupt: () => this.end(),
      onPrompter: (prompter: Prompter) => {
        if (context.out.terminal) this.#prompter = prompter;
      },
    };
    const onOver = () => over.abort();
    line.finished.then(onOver, onOver);
    const result = recorded
      ? await sendLines(context, target, recorded)
      : context.stdin.isTerminal()
      ? await sendTyped(context, target, this.#once)
      : await sendLines(context, target);
    this.#prompter = undefined;
    return result;
  }

  #handle(
    record: Parameters<LineAction<string>>[0],
    peer: Parameters<LineAction<string>>[1],
  ): unknown {
    if (this.#left <= 0) return void this.#surplus++;
    const { out } = this.#context;
    this.#prompter?.clear();
    this.#print(record, peer);
    this.#recording?.write(record, peer);
    const last = --this.#left === 0;
    let result: unknown;
    // Sending back takes no time that would have to be watched.
    if (this.#handler.close) this.#begun.set(peer, (this.#begun.get(peer) ?? 0) + 1);
    try {
      result = this.#handler.action?.(record, peer);
    } finally {
      if (last && !isPromise(result)) this.end();
    }
    if (isPromise(result)) this.#watch(peer);
    if (out.full || this.#prompter || isPromise(result)) return this.#settle(result, last);
  }

  /** Says so if the handler is slower than the peer sends. */
  #watch(peer: LinePeer): void {
    const waiting = peer.bytesReceived - this.#begun.get(peer)! * this.#text.struct.size;
    if (!this.#busy.isSlow(peer, waiting >= this.#text.struct.size)) return;
    const message = `The handler is slower than ${formatAddress(peer.remoteAddr)} sends records`;
    this.#aside(() => this.#context.say.throttled("slow", `${message}: the sender has to wait`));
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

/** What records and what shows the records that arrive, as one. */
function bothOf(
  recording: RecordsRecording | undefined,
  scope: RecordsRecording | undefined,
): RecordsRecording | undefined {
  if (!recording || !scope) return recording ?? scope;
  return {
    write: (record, peer) => {
      recording.write(record, peer);
      scope.write(record, peer);
    },
    close: async () => {
      await recording.close();
      await scope.close();
    },
  };
}

/** What handles the records of a session, and its end. */
interface SessionHandler extends Partial<RecordHandler> {
  readonly module?: ModuleHandler;
  readonly close?: () => Promise<void>;
}

/**
 * Opens what `--handler`, `--exec`, `--exec-persistent` or `--echo` ask for.
 *
 * @param values The options' values.
 * @param text What the records are.
 * @param context Where is said what happens beside records.
 * @returns What handles them; nothing where there is nothing to do but print.
 * @throws {UsageError} If there are several, the module has no handler, or the program cannot be found.
 */
async function sessionHandler(
  values: SessionValues,
  { struct, json }: RecordText,
  context: Context,
): Promise<SessionHandler> {
  const { handler, exec, execPersistent, echo, fields, concurrency } = values;
  if ([handler, exec, execPersistent, echo || undefined].filter(isGiven).length > 1) {
    throw new UsageError(
      "Cannot use several of --handler, --exec, --exec-persistent and --echo: expected one",
    );
  }
  if (echo) return { action: echoAction(struct) };
  const code = await openHandler(values, recordUse(struct.layout, fields), handlerEvents(context));
  if (!code) return {};
  const close = () => code.close();
  if (code.kind === "program") {
    return { ...programAction(code, json, concurrency), close };
  }
  try {
    return { ...moduleAction(code, struct, concurrency), module: code, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined;
}

/**
 * Describes what a line waits for when it closes.
 *
 * @param context The world around the command.
 * @param line The line.
 */
export function describeLine(context: Context, line: Line): void {
  describeClosing(context, {
    work: () => connectionsToEnd(line.peers.length),
    peers: () => "what was sent to be read",
    finished: line.finished,
  });
}

/**
 * Ends what handles the records, and says what a line has done; on a terminal, after the records.
 *
 * @param context Where to.
 * @param session Whose line it was.
 * @param line What it counted.
 * @param input What happened to standard input.
 */
export async function sayStats(
  { out, say }: Context,
  session: LineSession,
  line: LineStats,
  { unsent, refused }: Readonly<SentRecords>,
): Promise<void> {
  await session.close();
  await out.shown();
  const stats = { ...line, received: line.received - session.surplus, unsent };
  say.summary(
    [
      `${counted(stats.received, "record")} received, ${stats.sent} sent`,
      counted(stats.connections, "connection"),
      ...rareCounts(stats, ["failed", "unsent", "cut", "lost", "refused"]),
      ...httpCount(stats),
      ...(refused > 0 ? [counted(refused, "bad line")] : []),
      ...handlerCounts(session.module),
    ].join(", "),
  );
}
