import type { Context } from "../../cli/context.ts";
import { type Prompter, promptLines } from "../../cli/prompt.ts";
import { readByteLines } from "../../cli/read_lines.ts";
import type { StructInput } from "../../codecs/struct/types.ts";
import { counted, quoted } from "../../text/wording.ts";
import { CodecError } from "../../errors.ts";
import { NOTHING, sendRecords, type SentRecords } from "../../struct/send_records.ts";
import { whenAborted } from "../../time/lifecycle.ts";
import type { RecordText } from "./options.ts";

/** How long the lines are counted that are there after Ctrl-C, in ms: before it is said what is being waited for. */
const COUNTING_MS = 200;

/** What happened to lines, and whether they were read to their end. */
export interface SentLines extends SentRecords {
  /** Whether there are no more. */
  readonly isAll: boolean;
}

/** Where records from standard input go. */
export interface InputTarget {
  /** What the records are. */
  readonly text: RecordText;
  /** Sends one. */
  readonly send: (values: StructInput[]) => Promise<boolean>;
  /** Ends the reading. */
  readonly signal: AbortSignal;
  /** Whether the lines are counted that are there after Ctrl-C. Default: false. */
  readonly countsRest?: boolean;
  /** Called for each line that is read. */
  readonly onLine?: () => void;
  /** Called on Ctrl-C on a terminal. */
  readonly onInterrupt?: () => void;
  /** Receives what others need to write between prompts. */
  readonly onPrompter?: (prompter: Prompter) => void;
}

/**
 * Sends each line of standard input or of a recording, a record in JSON or CSV. A line that is none is reported, and the next one is read.
 *
 * @param context Standard input, and where messages go.
 * @param target Where to.
 * @param open Reads the lines until a signal is aborted. Default: those of standard input.
 * @returns What happened to the lines, at the end of the input.
 */
export async function sendLines(
  { stdin, say, signal: interruption }: Context,
  { text: { struct, reading }, send, signal, onLine, countsRest }: InputTarget,
  open = (signal: AbortSignal): AsyncIterable<Uint8Array> => readByteLines(stdin.readable, signal),
): Promise<SentLines> {
  const ending = new AbortController();
  const end = () => ending.abort();
  let timer: ReturnType<typeof setTimeout> | undefined;
  using _ = whenAborted(signal, () => {
    if (interruption.aborted && countsRest) timer = setTimeout(end, COUNTING_MS);
    else end();
  });
  const result = await sendRecords(open(ending.signal), struct, reading, {
    send,
    signal,
    onLine,
    onUnsent: (line) => say.throttled("unsent", `Cannot send line ${line}: no peer is connected`),
    onBad: ({ message }, line) => say.throttled("line", `Cannot send line ${line}: ${message}`),
  });
  clearTimeout(timer);
  return { ...result, isAll: !ending.signal.aborted };
}

/**
 * Asks for records on the terminal, field by field, and sends each. What does not fit is asked again.
 *
 * @param context Where messages go.
 * @param target Where to.
 * @param once Whether to end after one.
 * @returns What happened to them, when nothing more is typed.
 */
export async function sendTyped(
  { say }: Context,
  { text, send, signal, onPrompter, onInterrupt }: InputTarget,
  once: boolean,
): Promise<SentLines> {
  const labels = fieldLabels(text);
  const result = { ...NOTHING, isAll: true };
  let values: StructInput[] = [];
  const prompt = () => `${labels[values.length] ?? "Press Enter to send"}: `;
  for await (const typed of promptLines({ prompt, signal, onOpen: onPrompter, onInterrupt })) {
    if (labels.length > 0) {
      const { value, reason } = readField(text, values.length, typed);
      if (reason !== undefined) {
        say.error(reason);
        continue;
      }
      values.push(value!);
      if (values.length < labels.length) continue;
    }
    const record = values;
    values = [];
    result.sent++;
    if (await send(record)) say.info("Sent.");
    else if (!signal.aborted) {
      result.unsent++;
      say.warn("Not sent: no peer is connected");
    }
    if (once) break;
  }
  return result;
}

/** Reads what was typed for a field, or says why it does not fit. */
function readField(
  { struct, json }: RecordText,
  index: number,
  typed: string,
): { value?: StructInput; reason?: string } {
  try {
    const value = json.readTyped(index, typed);
    const reason = struct.misfit(index, value);
    return reason === undefined ? { value } : { reason: `${quoted(typed)} ${reason}` };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { reason: error.message };
  }
}

/** What a person is asked for: the value's name, or its code and what that means. */
function fieldLabels({ struct, json }: RecordText): readonly string[] {
  return json.names ??
    struct.layout.items.flatMap(({ text, letter, form, cType, count, width }) => {
      if (form === "bytes") return `${text} (text, up to ${counted(width, "byte")})`;
      if (form === "pascal") {
        return `${text} (text, up to ${counted(Math.max(0, Math.min(width - 1, 255)), "byte")})`;
      }
      return Array<string>(count).fill(`${letter} (${cType})`);
    });
}
