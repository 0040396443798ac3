import { counted, rareCounts, shorten } from "../../text/wording.ts";
import { defineCommand } from "../../cli/command.ts";
import type { Context } from "../../cli/context.ts";
import { choice, flag, host, integer, port, seconds } from "../../cli/options.ts";
import { outputOption } from "../../cli/output_option.ts";
import { kindWithPlace, withPlace } from "../../handlers/place.ts";
import { stackOf } from "../../errors.ts";
import {
  DEFAULT_HOST,
  DEFAULT_MAX_BYTES,
  DEFAULT_PORT,
  type Interact,
} from "../../json/protocol.ts";
import type { Handled } from "../../json/responder.ts";
import { type JsonServerStats, startJsonServer } from "../../json/server.ts";
import { formatAddress } from "../../net/address/address.ts";
import { visibleJson } from "../../text/visible_text.ts";
import { openLines, recordOptions } from "../recording/record.ts";
import { endHandler, handlerCounts, handlerOptions } from "../serving/handler_options.ts";
import { handleAfter, jsonHandler } from "./handler.ts";
import {
  announceServer,
  connectionsToEnd,
  describeClosing,
  httpCount,
  messageTimeoutOption,
  problemText,
  readServing,
  servingOptions,
} from "../serving/serving.ts";

/** Most of an error that is shown, in characters; the client gets all of it. */
const LONGEST_REASON = 2000;

/** `labwire json-server`. */
export const jsonServer = defineCommand({
  name: "json-server",
  summary: "answer JSON commands over TCP, one per line, and pass them to your equipment code",
  details: [
    'Each line is a JSON message, most often an object with a "command_id". The answer is one line: {"status":"success"}, ' +
    'with a "result" where there is one, or {"status":"error","error":"…"}. The "id" of a message comes back in its answer.',
    "Numbers are passed on digit for digit; handlers in JavaScript get integers beyond 2^53 as bigint, and 1e400 is an error. A " +
    "message without a newline at its end is answered when it is complete and nothing has followed for a moment.",
    'Without a handler, every object with a "command_id" is answered with success and printed: on a terminal as the original program does, ' +
    "in a pipe or a file as one line of JSON. --handler, --exec or --exec-persistent " +
    "pass messages to your own code. Unless --concurrency says otherwise, one message is handled at a time.",
    "--handler FILE is a module in Python, of which each function is a command: the message's fields are its arguments, checked by their " +
    "annotations; or one in JavaScript with `export const commands = { name(data) { … } }`. `interact` (Python: `def " +
    "interact(message)`, JavaScript: `export function interact(data, context)`) gets every message instead. What is returned is the " +
    "result; what is raised or thrown is the error. `setup(options)` is called at the start, `close()` at the end.",
    "--exec 'PROGRAM ARG…' starts the program for each message, without a shell; it reads the message from stdin and prints the " +
    "result as JSON or text; what begins like JSON must be JSON, without NaN. An exit code other than 0 is a failure, with the last line of stderr as the error. " +
    "--exec-persistent keeps the program running: it must answer each line with one line on stdout, and flush it; a line " +
    '{"status":"error","error":"…"} is a failure.',
  ],
  options: {
    host: host({ default: DEFAULT_HOST, help: "Address to listen on; 0.0.0.0 is all of them" }),
    port: port({ default: DEFAULT_PORT, help: "TCP port; 0 for one that is free" }),
    ...handlerOptions,
    failStatus: choice(["error", "failed"], {
      default: "error",
      help: 'Word that marks a failure; the original template\'s server writes "failed"',
    }),
    maxBytes: integer({ default: DEFAULT_MAX_BYTES, min: 1, help: "Longest message in bytes" }),
    maxConnections: integer({ default: 256, min: 1, help: "Most connections at once" }),
    idleTimeout: seconds({
      default: 30,
      help: "Seconds of silence that end a connection; 0 for none",
    }),
    ...messageTimeoutOption,
    completeAfter: seconds({
      default: 0.1,
      help: "Seconds of silence after which a message needs no newline; 0 for never",
    }),
    ...servingOptions,
    stats: flag({
      help:
        "Show the counters once a second on a terminal, with the time that a handler in Python takes",
    }),
    output: outputOption(["text", "json", "none"], {
      default: "text",
      help: "What arrives, in json with peer, answer and duration in s",
    }),
    ...recordOptions("Record messages and answers in this file, as --output json prints them"),
  },
  binds: { option: "port", transports: ["tcp"] },
  examples: [
    { text: "Print what clients send", command: "labwire json-server" },
    {
      text: "Make the functions of a Python file commands, and load it again when it has changed",
      command: "labwire json-server --handler supply.py --reload",
    },
    {
      text: "Handle messages in JavaScript, for the whole laboratory network",
      command: "labwire json-server --handler supply.js --host 0.0.0.0 --allow 192.168.1.0/24",
    },
    {
      text: "Handle messages in a Python program that keeps running",
      command: "labwire json-server --exec-persistent 'python3 supply.py'",
    },
  ],
  async run(context, options) {
    const { out, say, signal, debug } = context;
    const { output } = options;
    const serving = await readServing(options);
    const recording = await openLines(context, options, ["message", "messages"]);
    await using _recording = { [Symbol.asyncDispose]: async () => await recording?.close() };
    await using handler = await jsonHandler(options, context, output === "text");
    const tell = (handled: Handled) => {
      const line = record(handled);
      recording?.write(line.includes("\n") ? visibleJson(line) : line);
      if (output === "json") out.json(line);
    };
    await using server = startJsonServer({
      ...options,
      ...serving,
      idleTimeout: options.idleTimeout || Infinity,
      messageTimeout: options.messageTimeout || Infinity,
      completeAfter: options.completeAfter || Infinity,
      interact: whenRead(handler.interact, out),
      // A module in Python is ended by its own clock, which starts when its turn has come.
      handlerTimeout: handler.module?.language === "python" ? undefined : options.handlerTimeout,
      signal,
      onGraceOver: () => handler.module?.stop(),
      onMessage: recording || output === "json" ? tell : undefined,
      onFailure: (handled) => reportFailure(say, handled),
      onProblem(problem) {
        // Once for each client, and not to be lost among those of others.
        if (problem.kind === "unended") say.warn(problem.message);
        else say.throttled(problem.kind, problemText(problem));
      },
      onHandlerError(error) {
        if (debug) say.info(stackOf(error));
      },
      debug: debug ? (message) => say.info(message) : undefined,
    });
    describeClosing(context, {
      work: () => pending(server.stats),
      peers: () => connectionsToEnd(server.stats.open),
      finished: server.finished,
    });
    using _announced = announceServer(say, server.addrs, options);
    const counters = () =>
      [summary(server.stats), ...handlerCounts(handler.module, options.stats)]
        .join(", ");
    const shown = options.stats ? setInterval(() => say.live(counters()), 1000) : 0;
    await server.finished;
    clearInterval(shown);
    await recording?.close();
    await endHandler(context, handler.module, async () => await handler[Symbol.asyncDispose]());
    say.summary(counters());
    say.info("Bye.");
  },
});

/** Makes a handler that reads no further than the output is read. */
function whenRead(interact: Interact, out: Context["out"]): Interact {
  const waiting: Interact = (data, request) =>
    out.full ? handleAfter(out.ready(), interact, data, request) : interact(data, request);
  Object.assign(waiting, { anyNumber: interact.anyNumber });
  return "depth" in interact
    ? Object.defineProperty(waiting, "depth", { get: () => interact.depth })
    : waiting;
}

function record({ time, remoteAddr, text, answerText, duration }: Handled): string {
  const peer = JSON.stringify(formatAddress(remoteAddr));
  const seconds = Math.round(duration * 1e6) / 1e6;
  return `{"time":"${time.toISOString()}","peer":${peer},"data":${text ?? null},` +
    `"answer":${answerText},"duration":${seconds}}`;
}

function reportFailure(
  say: Context["say"],
  { remoteAddr, data, answer, thrown }: Handled,
): void {
  if (answer.status === "success") return;
  const kind = data === undefined ? "unreadable" : "failed";
  const why = shorten(answer.error, LONGEST_REASON);
  const message = `Message from ${formatAddress(remoteAddr)} failed: ${why}`;
  say.throttled(kindWithPlace(kind, thrown), withPlace(message, thrown));
}

/** What is waited for when the server closes. */
function pending({ pending }: JsonServerStats): string | undefined {
  if (pending === 0) return undefined;
  return pending === 1
    ? "1 message that is being handled"
    : `${pending} messages that are being handled or wait for it`;
}

function summary(stats: JsonServerStats): string {
  return [
    counted(stats.messages, "message"),
    counted(stats.successes, "success", "successes"),
    counted(stats.failures, "failure"),
    `${stats.invalid} invalid`,
    counted(stats.connections, "connection"),
    ...rareCounts(stats, ["refused", "unanswered", "dropped"]),
    ...httpCount(stats),
  ].join(", ");
}
