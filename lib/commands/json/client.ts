import { defineCommand } from "../../cli/command.ts";
import type { Context } from "../../cli/context.ts";
import { file, flag, host, integer, type OptionValues, port, seconds } from "../../cli/options.ts";
import { type OutputForm, outputOption } from "../../cli/output_option.ts";
import { globalOptions, parseOptions } from "../../cli/parse.ts";
import { promptLines } from "../../cli/prompt.ts";
import { readByteLines } from "../../cli/read_lines.ts";
import { parseJson } from "../../codecs/json/json.ts";
import { compactJson, jsonMembers } from "../../codecs/json/text.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import { CodecError, ConnectError, exit, UsageError } from "../../errors.ts";
import { connectJson, type JsonClient, type JsonSendOptions } from "../../json/client.ts";
import { DEFAULT_HOST, DEFAULT_PORT } from "../../json/protocol.ts";
import type { JsonSendResult, SuccessResult } from "../../json/read_answer.ts";
import { formatAddress } from "../../net/address/address.ts";
import { isBlankLine } from "../../text/lines.ts";
import { counted, notSent } from "../../text/wording.ts";
import { checkReplay, type Pace, replayLines, replayOptions } from "../recording/replay.ts";
import { connectingOptions, readConnecting } from "../serving/connecting.ts";
import { commandNamed, listCommands, showCommands } from "./list.ts";
import { fileMessage, lineMessage, sentAsText, typedMessage, wordsMessage } from "./message.ts";

/** Exit code of each outcome. */
const EXIT_CODES: Readonly<Record<JsonSendResult["outcome"], number>> = {
  "success": exit.done,
  "fail": exit.remote,
  "no-answer": exit.connect,
  "bad-answer": exit.codec,
};

/** The forms in which answers are printed. */
const FORMS = ["text", "json", "none"] as const satisfies readonly OutputForm[];
type Output = typeof FORMS[number];

/** How long a shell waits for a server's commands when TAB is pressed, in seconds. */
const COMPLETION_TIMEOUT = 0.5;

/** How long the lines are counted that are not sent any more, in ms. */
const COUNTING_MS = 500;

const options = {
  host: host({ default: DEFAULT_HOST, help: "Host name or IP address of the server" }),
  port: port({ default: DEFAULT_PORT, min: 1, help: "TCP port of the server" }),
  file: file({ help: "Send the JSON message in this file" }),
  list: flag({ help: "Show the server's commands: how they are called, and what they do" }),
  timeout: seconds({
    default: 5,
    min: 0.001,
    help: "Seconds that connecting, and then each answer, may take",
  }),
  retries: integer({ default: 0, min: 0, help: "How many times to try to connect again" }),
  ...connectingOptions,
  ...replayOptions,
  keepOpen: flag({ help: "Use one connection for all messages, not one for each" }),
  output: outputOption(FORMS, {
    default: "text",
    help:
      "Result of a message as text, or its whole answer as json, the default for lines from stdin",
  }),
} as const;

/** `labwire json-client`. */
export const jsonClient = defineCommand({
  name: "json-client",
  summary: "send JSON commands to a server and show what it answers",
  details: [
    "The message is one JSON text, or words as HTTPie has them. A first word without = is the command_id. name=text sends a text, " +
    "whatever it looks like: param1=100 sends \"100\". name:=json sends any JSON value: param1:=100, on:=true, list:='[1,2]'. " +
    "name=@FILE sends the text in a file, name:=@FILE the JSON value in it. " +
    "cfg[gain]:=1 is a member of the object cfg, list[]:=1 one more item of a list. All digits are sent as they are written.",
    "The output is the result: a text without quotation marks, anything else as JSON, nothing if there is none. Errors go " +
    "to stderr. Without a message, lines from standard input are sent one after another, each a JSON message, and the " +
    "answers are printed as JSON lines; a line that is not JSON is reported, and the others are sent. After a message " +
    "without an answer nothing more is sent, as later commands may rely on it: it is said how many lines were not. On a " +
    "terminal each line typed is sent.",
    "--list shows the commands of a server that describes them, as json-server does with a handler that has a function for each; " +
    "`labwire json-client NAME --help` shows one of them, and a shell with completions offers them.",
    "The exit code is 0 for success, 3 if the server reported a failure, 4 if the server was not reached, did not answer in time or " +
    "closed without an answer, 5 if the answer or a line of stdin is invalid, 2 if the command line is, and " +
    "130 after Ctrl-C while waiting for an answer, or with more of --replay to send.",
  ],
  positionals: [
    {
      name: "MESSAGE",
      variadic: true,
      help: "A JSON text, or command_id name=text name:=json",
      complete: completeCommand,
    },
  ],
  options,
  examples: [
    {
      text: "The message of the documentation",
      command: "labwire json-client test_command param1:=100 param2='this is text' param3:=true",
    },
    {
      text: "A result for a script",
      command: "volts=$(labwire json-client get_voltage)",
    },
    { text: "Which commands a server has", command: "labwire json-client --list" },
    {
      text: "Many messages on one connection",
      command: "labwire json-client --keep-open < messages.jsonl > answers.jsonl",
    },
  ],
  async help(context, options, [name]) {
    const list = await listCommands(await sendOptions(context, options));
    showCommands(context.out, [commandNamed(list, name!)]);
  },
  async run(context, options, args) {
    const { say } = context;
    // At the prompt, Ctrl-C gives no signal.
    const prompt = new AbortController();
    const signal = AbortSignal.any([context.signal, prompt.signal]);
    const send = await sendOptions({ ...context, signal }, options);
    if (options.list) {
      if (args.length > 0 || options.file !== undefined) {
        throw new UsageError("Cannot use --list with a message: expected one of them");
      }
      const { commands, text } = await listCommands(send);
      if (options.output === "json") context.out.json(text);
      else if (options.output === "text") showCommands(context.out, commands);
      return exit.done;
    }
    if (args.length > 0 && options.file !== undefined) {
      throw new UsageError("Cannot send both --file and a message: expected one of them");
    }
    const { replay } = options;
    if (replay !== undefined && (args.length > 0 || options.file !== undefined)) {
      throw new UsageError("Cannot send both --replay and a message: expected one of them");
    }
    await checkReplay(replay);
    await using sender = new Sender(send, options.keepOpen);
    try {
      if (options.file !== undefined || args.length > 0) {
        const line = options.file === undefined
          ? await wordsMessage(args)
          : await fileMessage(options.file);
        return await show(context, await sender.send(line), options.output, sentAsText(args));
      }
      const output = context.given.has("output") ? options.output : "json";
      if (replay !== undefined) {
        const { speed } = options;
        const open = (signal: AbortSignal, pace: Pace) =>
          replayLines(context, { replay, speed, signal, pace });
        const messages = { open, messageOf: recordedMessage };
        const code = await sendLines(context, sender, output, messages);
        return signal.aborted ? exit.interrupted : code;
      }
      if (context.stdin.isTerminal()) {
        return await converse({ ...context, signal }, sender, {
          ...options,
          onInterrupt: () => prompt.abort(),
        });
      }
      return await sendLines(context, sender, output, {
        open: (signal) => readByteLines(context.stdin.readable, signal),
        messageOf: lineMessage,
      });
    } catch (error) {
      if (!signal.aborted) throw error;
      if (sender.isWaiting) say.warn("The message was sent, and may still be carried out");
      return exit.interrupted;
    }
  },
});

/** Where and how the options say that messages are sent. */
async function sendOptions(
  { say, signal, debug }: Pick<Context, "say" | "signal" | "debug">,
  values: OptionValues<typeof options>,
): Promise<JsonSendOptions> {
  return {
    ...values,
    ...await readConnecting(values),
    signal,
    debug: debug ? (message) => say.info(message) : undefined,
  };
}

/** The commands of the server that the words before name. */
async function completeCommand(words: readonly string[]): Promise<string[]> {
  const before = words.slice(0, -1);
  const { options: values, args } = parseOptions({ ...options, ...globalOptions }, before);
  if (args.length > 0) return [];
  const { host, port } = values;
  const connecting = await readConnecting(values);
  const { commands } = await listCommands({
    host,
    port,
    ...connecting,
    timeout: COMPLETION_TIMEOUT,
  });
  return commands.map(({ name, signature }) => `${name}\t${signature}`);
}

/** Where messages come from. */
interface MessageLines {
  /** Reads the lines until the signal ends that: as they are due, unless that is no matter any more. */
  readonly open: (signal: AbortSignal, pace: Pace) => AsyncIterable<Uint8Array>;
  /** The message of a line; undefined if there is none in it. */
  readonly messageOf: (line: string) => string | undefined;
}

/**
 * The message in a line that `json-server --record` has written; none if what came was no JSON, which is recorded as `null`, too, and was
 * answered with a failure.
 */
function recordedMessage(line: string): string | undefined {
  parseJson(line, { anyNumber: true });
  const members = line.startsWith("{") ? jsonMembers(compactJson(line)) : undefined;
  const data = members?.get("data");
  if (data === undefined) {
    throw new CodecError('expected a recording of json-server, with "data" in each line');
  }
  const isRead = data !== "null" || members!.get("answer")?.startsWith('{"status":"success"');
  return isRead ? data : undefined;
}

/**
 * Sends each line. Goes on after a failure that the server reports, but not after a message whose fate is unknown: what follows may rely
 * on it. The lines that are there and are not sent are counted then.
 */
async function sendLines(
  context: Context,
  sender: Sender,
  output: Output,
  { open, messageOf }: MessageLines,
): Promise<number> {
  const { signal, say, out } = context;
  let [code, number, seen, leftOut] = [exit.done as number, 0, 0, 0];
  let [unsent, from, isAll] = [0, 0, true];
  const reading = new AbortController();
  const pace = { isHurried: false };
  let timer: ReturnType<typeof setTimeout> | undefined;
  for await (const bytes of open(AbortSignal.any([signal, reading.signal]), pace)) {
    number++;
    if (isBlankLine(bytes)) continue;
    seen++;
    if (pace.isHurried) {
      if (unsent++ === 0) from = number;
      continue;
    }
    let line: string | undefined;
    try {
      line = messageOf(decodeUtf8(bytes));
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      say.error(`Cannot send line ${number}: ${error.message}`);
      code ||= exit.codec;
      continue;
    }
    if (line === undefined) {
      leftOut++;
      continue;
    }
    const now = await show(context, await sender.send(line), output);
    await out.ready();
    code ||= now;
    if (now !== exit.connect) continue;
    code = now;
    pace.isHurried = true;
    timer = setTimeout(() => {
      isAll = false;
      reading.abort();
    }, COUNTING_MS);
  }
  clearTimeout(timer);
  if (unsent > 0) say.error(notSent(unsent, from, isAll));
  if (leftOut > 0) {
    say.warn(`Left out ${counted(leftOut, "entry", "entries")} of the recording: no JSON had come`);
  }
  if (seen === 0) {
    if (signal.aborted) return exit.interrupted;
    throw new UsageError(
      "Cannot send nothing: expected a message, --file, --replay with lines, or lines on stdin",
    );
  }
  return code;
}

/** Sends each line that is typed. */
async function converse(
  context: Context,
  sender: Sender,
  { host, port, output, onInterrupt }: {
    host: string;
    port: number;
    output: Output;
    onInterrupt: () => void;
  },
): Promise<number> {
  const { out, say, signal } = context;
  say.info(
    `Messages go to ${
      formatAddress({ hostname: host, port })
    }. Type JSON, or command_id name=text name:=json.`,
  );
  say.info("Arrow keys bring back earlier lines. Ctrl-D to quit.");
  for await (const text of promptLines({ prompt: "> ", signal, onInterrupt })) {
    if (text.trim() === "") continue;
    try {
      const result = await sender.send(await typedMessage(text));
      await show(context, result, output, sentAsText(text.split(/\s+/)));
    } catch (error) {
      if (signal.aborted || !(error instanceof UsageError || error instanceof CodecError)) {
        throw error;
      }
      say.error(error.message);
    }
    await out.flush();
  }
  return 0;
}

/** Prints what happened to a message, with a hint where the server refused it, and returns the exit code for it. */
async function show(
  { out, say }: Context,
  result: JsonSendResult,
  output: Output,
  hint = "",
): Promise<number> {
  if (result.outcome === "success") showSuccess(out, result, output);
  else if (result.outcome === "fail" && output === "json") out.json(result.text);
  else {
    await out.flush();
    say.error(
      result.outcome === "fail"
        ? `Server reported an error. ${result.error}${hint}`
        : result.error.message,
    );
  }
  return EXIT_CODES[result.outcome];
}

/** Prints the answer or the result: digit for digit as it came. */
function showSuccess(out: Context["out"], { result, text }: SuccessResult, output: Output): void {
  if (output === "json") out.json(text);
  if (output !== "text") return;
  if (out.terminal) out.line("Server reported success.");
  if (typeof result === "string") out.text(result);
  else if (result !== undefined) out.json(jsonMembers(compactJson(text)).get("result")!);
}

/** Sends lines of JSON, each on its own connection as the template does, or all on one. */
class Sender implements AsyncDisposable {
  readonly #options: JsonSendOptions;
  readonly #keepOpen: boolean;
  #client: JsonClient | null = null;
  #isWaiting = false;

  /**
   * @param options Where to, and how.
   * @param keepOpen Whether to use one connection for all messages.
   */
  constructor(options: JsonSendOptions, keepOpen: boolean) {
    this.#options = { ...options, anyNumber: true };
    this.#keepOpen = keepOpen;
  }

  /** Whether a message has been sent and its result is unknown. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /**
   * Sends a message and waits for its result.
   *
   * @param line One line of JSON.
   * @returns The result.
   */
  async send(line: string): Promise<JsonSendResult> {
    try {
      if (!this.#client?.open) {
        await this.#client?.close();
        this.#client = await connectJson(this.#options);
      }
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      return { outcome: "no-answer", error, sent: false };
    }
    this.#isWaiting = true;
    const result = await this.#client.sendLine(line);
    this.#isWaiting = false;
    if (!this.#keepOpen) await this.#client.close();
    return result;
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.close();
  }
}
