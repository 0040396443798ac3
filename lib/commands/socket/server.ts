import { defineCommand } from "../../cli/command.ts";
import type { Context } from "../../cli/context.ts";
import { flag, host, integer, port, seconds, text } from "../../cli/options.ts";
import { UsageError } from "../../errors.ts";
import { outputOption } from "../../cli/output_option.ts";
import { findCommand } from "../../process/find_program.ts";
import { handlerEvents, handlerOptions } from "../serving/handler_options.ts";
import { messageTimeoutOption, readServing, servingOptions } from "../serving/serving.ts";
import { openBytesRecording, recordBytesOptions } from "./record.ts";
import { BYTES_FORMS } from "./show_bytes.ts";
import { type Handler, openHandler } from "../../handlers/handler.ts";
import {
  type HandlerAnswerer,
  type HandlerAnswererOptions,
  lineAnswerer,
  moduleAnswerer,
} from "../../socket/handler_answer.ts";
import { kebab } from "../../cli/parse.ts";
import { readReplies, repliesOptions } from "./replies.ts";
import { serveDatagrams, type ServerValues, serveStreams } from "./serve.ts";

/** `labwire socket-server`. */
export const socketServer = defineCommand({
  name: "socket-server",
  summary: "echo bytes over TCP, TLS or UDP, or stand in for an instrument",
  details: [
    "Each message that arrives is shown and sent back. Over UDP a message is a datagram, over TCP whatever arrives at " +
    "once, and with --line a line, however packets cut and join it; the last line may end with the connection. Many " +
    "clients are served at the same time.",
    "--reply QUERY=ANSWER and --replies FILE make a table that stands in for an instrument: a query that is in it is answered, " +
    "one with an empty ANSWER and one that is not in it are not, unless --reply-else has a text for the latter. A line end is no " +
    "part of a query; its answer ends with the same one, or with its own. \\n, \\r, \\t, \\0, \\xNN and \\\\ are understood in " +
    "all of them, and \\= is an equals sign in a query. In FILE, blank lines and those that begin with # are comments.",
    "--handler FILE is a module in Python with `def handle(data, peer): …`, or in JavaScript with `export function " +
    "handle(data, peer) { … }`. It gets what arrives as bytes, and what it returns is sent back: bytes, a text, or " +
    "nothing; peer.send() sends at any time. With --line it gets one line at a time without its end, and the same end is " +
    "added to what it sends. Over UDP, up to 1000 datagrams wait for a handler that is too slow; further ones are dropped " +
    "and counted.",
    "--exec 'PROGRAM ARG…' starts the program for each connection, without a shell: what the client sends is its standard input, " +
    "what it prints goes to the client. Over UDP it is started for each datagram. What it leaves in the background is ended with it. " +
    "--exec-persistent, with --line or --udp, keeps one program running: it must answer each line with one line and flush it; an empty " +
    "one is no answer.",
  ],
  options: {
    host: host({ default: "localhost", help: "Address to listen on; 0.0.0.0 is all of them" }),
    port: port({ default: 12345, help: "Port; 0 for one that is free" }),
    udp: flag({ help: "Serve datagrams over UDP rather than connections over TCP" }),
    line: flag({ help: "A line is a message, rather than what arrives at once" }),
    maxBytes: integer({
      default: 1 << 20,
      min: 1,
      help: "Longest line in bytes; a longer one is skipped",
    }),
    ...messageTimeoutOption,
    ...repliesOptions,
    ...handlerOptions,
    exec: text({ placeholder: "COMMAND", help: "Program that answers each connection" }),
    discard: flag({ help: "Answer nothing, only show" }),
    output: outputOption(BYTES_FORMS, { default: "bytes", help: "What arrives" }),
    ...recordBytesOptions,
    count: integer({ min: 1, help: "End after this many messages" }),
    idleTimeout: seconds({
      default: 0,
      help: "Seconds of silence that end a connection; 0 is never",
    }),
    maxConnections: integer({ default: 256, min: 1, help: "Most connections at once" }),
    ...servingOptions,
  },
  binds: { option: "port", transports: ["tcp", "udp"] },
  examples: [
    { text: "The tutorial's echo server", command: "labwire socket-server" },
    {
      text: "Stand in for an instrument",
      command:
        "labwire socket-server --port 5025 --line --reply '*IDN?=ACME,1' --reply 'VOLT?=3.0'",
    },
    {
      text: "Collect what a device sends in a file",
      command: "labwire socket-server --udp --host 0.0.0.0 --discard --output raw > log.bin",
    },
  ],
  async run(context: Context, options): Promise<void> {
    const { handler, exec, execPersistent, discard, udp, line } = options;
    const table = await readReplies(options, context);
    const code = (["handler", "exec", "execPersistent"] as const).find((name) =>
      options[name] !== undefined
    );
    const codeOption = code === undefined ? "" : `--${kebab(code)}`;
    const conflicts: [boolean, string][] = [
      [
        code !== undefined && table !== undefined,
        `${codeOption} with --reply, --replies or --reply-else`,
      ],
      [discard && table !== undefined, "--discard with --reply, --replies or --reply-else"],
      [discard && code !== undefined, `--discard with ${codeOption}`],
      [line && exec !== undefined, "--line with --exec, whose program reads what arrives"],
      [line && udp, "--line with --udp, where a datagram is a message"],
      [udp && (options.tlsCert ?? options.tlsKey) !== undefined, "--udp with TLS"],
    ];
    for (const [conflict, what] of conflicts) {
      if (conflict) throw new UsageError(`Cannot use ${what}: expected one of them`);
    }
    for (
      const [name, option] of [["maxBytes", "--max-bytes"], ["messageTimeout", "--message-timeout"]]
    ) {
      if (!line && context.given.has(name!)) {
        throw new UsageError(`Cannot use ${option} without --line: expected both`);
      }
    }
    if (execPersistent !== undefined && !line && !udp) {
      throw new UsageError(
        "Cannot use --exec-persistent without --line or --udp: the program answers a line with a line",
      );
    }
    if (exec !== undefined && !udp && context.given.has("execTimeout")) {
      throw new UsageError(
        "Cannot use --exec-timeout with --exec over TCP: the program runs as long as the connection; --idle-timeout ends that",
      );
    }
    // A program for each connection or datagram is started there.
    const opened = handler === undefined && execPersistent === undefined
      ? undefined
      : await openHandler({ ...options, exec }, { kind: "bytes" }, handlerEvents(context));
    await using _code = opened;
    await using recording = await openBytesRecording(context, options);
    const values: ServerValues = {
      ...options,
      recording,
      answerer: opened && answererOf(opened, {
        lines: line,
        datagrams: udp,
        onSend: (message, to) => recording.write("server", message, to),
      }),
      module: opened?.kind === "module" ? opened : undefined,
      closeHandler: async () => await opened?.close(),
      concurrency: context.given.has("concurrency") ? options.concurrency : undefined,
      ...await readServing(options),
      count: options.count ?? Infinity,
      idleTimeout: options.idleTimeout || Infinity,
      messageTimeout: line && options.messageTimeout || Infinity,
      table,
      command: exec === undefined ? undefined : await findCommand(exec),
    };
    await (udp ? serveDatagrams : serveStreams)(context, values);
    context.say.info("Bye.");
  },
});

function answererOf(handler: Handler, options: HandlerAnswererOptions): HandlerAnswerer {
  return handler.kind === "module" ? moduleAnswerer(handler, options) : lineAnswerer(handler);
}
