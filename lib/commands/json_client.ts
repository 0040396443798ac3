import { defineCommand } from "../cli/command.ts";
import type { Context } from "../cli/context.ts";
import { choice, file, flag, host, integer, port, seconds } from "../cli/options.ts";
import { promptLines } from "../cli/prompt.ts";
import { readByteLines } from "../cli/read_lines.ts";
import { stringifyJson } from "../codecs/json.ts";
import { decodeUtf8 } from "../codecs/utf8.ts";
import { CodecError, UsageError } from "../errors.ts";
import type { SendOptions } from "../json/client.ts";
import { DEFAULT_HOST, DEFAULT_PORT } from "../json/protocol.ts";
import type { SendResult } from "../json/read_answer.ts";
import { formatAddress } from "../net/address.ts";
import { connectingOptions, readConnecting } from "./connecting.ts";
import { fileMessage, lineMessage, typedMessage, wordsMessage } from "./json_message.ts";
import { Sender } from "./json_sender.ts";

/** Exit code of each outcome. */
const EXIT_CODES: Readonly<Record<SendResult["outcome"], number>> = {
  "success": 0,
  "fail": 3,
  "no-answer": 4,
  "bad-answer": 5,
};

/** `labwire json-client`. */
export const jsonClient = defineCommand({
  name: "json-client",
  summary: "send JSON commands to a server and show what it answers",
  details: [
    "The message is one JSON text, or words as HTTPie has them. A first word without = is the command_id. name=text sends a text, " +
    "whatever it looks like: param1=100 sends \"100\". name:=json sends any JSON value: param1:=100, on:=true, list:='[1,2]'. " +
    "name=@FILE sends the text in a file, name:=@FILE the JSON value in it.",
    "Without a message, lines from standard input are sent one after another, each a JSON message, and the answers are printed " +
    "as JSON lines; on a terminal each line typed is sent.",
    "The exit code is 0 for success, 3 if the server reported a failure, 4 if nobody was there, no answer came in time or the " +
    "server closed without an answer, 5 if the answer makes no sense, and 2 if the command line does not.",
  ],
  positionals: [
    { name: "MESSAGE", variadic: true, help: "A JSON text, or command_id name=text name:=json" },
  ],
  options: {
    host: host({ default: DEFAULT_HOST, help: "Host name or IP address of the server" }),
    port: port({ default: DEFAULT_PORT, help: "TCP port of the server" }),
    file: file({ help: "Send the JSON message in this file" }),
    timeout: seconds({
      default: 5,
      min: 0.001,
      help: "Seconds that connecting may take, and then each answer",
    }),
    retries: integer({ default: 0, min: 0, help: "How often connecting is tried again" }),
    ...connectingOptions,
    keepOpen: flag({ help: "Use one connection for all messages, not one for each" }),
    output: choice(["text", "json"], {
      default: "text",
      help:
        "Say how it went, or print the answer as it came; json is the default for standard input",
    }),
  },
  examples: [
    {
      text: "The message of the documentation",
      command: "labwire json-client test_command param1:=100 param2='this is text' param3:=true",
    },
    {
      text: "A JSON text, and the answer for a script",
      command: `labwire json-client --output json '{"command_id": "get_voltage"}'`,
    },
    {
      text: "Many messages on one connection",
      command: "labwire json-client --keep-open < messages.jsonl > answers.jsonl",
    },
  ],
  async run(context, options, args) {
    const { say, signal, debug } = context;
    const send: SendOptions = {
      ...options,
      ...await readConnecting(options),
      signal,
      debug: debug ? (message) => say.info(message) : undefined,
    };
    if (args.length > 0 && options.file !== undefined) {
      throw new UsageError("Cannot send both --file and a message: expected one of them");
    }
    await using sender = new Sender(send, options.keepOpen);
    try {
      if (options.file !== undefined || args.length > 0) {
        const line = options.file === undefined
          ? await wordsMessage(args)
          : await fileMessage(options.file);
        return await show(context, await sender.send(line), options.output);
      }
      if (context.stdin.isTerminal()) return await converse(context, sender, options);
      const output = context.given.has("output") ? options.output : "json";
      return await sendLines(context, sender, output);
    } catch (error) {
      if (signal.aborted) return 130;
      throw error;
    }
  },
});

/** Sends each line of standard input. Goes on after a failure, but not when there is no sense in that. */
async function sendLines(
  context: Context,
  sender: Sender,
  output: "text" | "json",
): Promise<number> {
  let [code, number, sent] = [0, 0, 0];
  for await (const bytes of readByteLines(context.stdin.readable, context.signal)) {
    number++;
    let line: string;
    try {
      const text = decodeUtf8(bytes);
      if (text.trim() === "") continue;
      line = lineMessage(text);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      throw new UsageError(`Cannot send line ${number}: ${error.message}`, { cause: error });
    }
    const result = await sender.send(line);
    sent++;
    const now = await show(context, result, output);
    await context.out.ready();
    if (now === 4) return now;
    code ||= now;
  }
  if (sent === 0 && !context.signal.aborted) {
    throw new UsageError("Cannot tell what to send: expected a message, --file, or lines on stdin");
  }
  return context.signal.aborted ? 130 : code;
}

/** Sends what is typed. */
async function converse(
  context: Context,
  sender: Sender,
  { host, port, output }: { host: string; port: number; output: "text" | "json" },
): Promise<number> {
  const { out, say, signal } = context;
  say.info(
    `Messages go to ${
      formatAddress({ hostname: host, port })
    }. Type JSON, or command_id name=text name:=json.`,
  );
  say.info("Arrow keys bring back earlier lines. Ctrl-D to quit.");
  for await (const text of promptLines({ prompt: "> ", signal })) {
    if (text.trim() === "") continue;
    try {
      await show(context, await sender.send(await typedMessage(text)), output);
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

/** Prints what became of a message, and returns the exit code for it. */
async function show(
  { out, say }: Context,
  result: SendResult,
  output: "text" | "json",
): Promise<number> {
  const text = output === "text";
  if (text && result.outcome === "success") {
    out.line("Server reported success.");
    const { result: value } = result;
    if (typeof value === "string") out.text(value);
    else if (value !== undefined) out.json(stringifyJson(value));
  } else if (text && result.outcome === "fail") {
    out.text(`Server reported an error. ${result.error}`);
  } else if (result.outcome === "no-answer") {
    if (text) out.line("Failed to connect to the server or the server timed out.");
    await out.flush();
    say.error(result.error.message);
  } else if (result.outcome === "bad-answer") {
    say.error(result.error.message);
  } else {
    out.json(result.text);
  }
  return EXIT_CODES[result.outcome];
}
