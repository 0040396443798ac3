import { defineCommand } from "../cli/command.ts";
import type { Context } from "../cli/context.ts";
import { flag, host, integer, port, seconds, text } from "../cli/options.ts";
import { UsageError } from "../errors.ts";
import { splitCommandLine } from "../net/command_line.ts";
import { findProgram } from "../net/find_program.ts";
import { readServing, servingOptions } from "./serving.ts";
import { showOption } from "./show_bytes.ts";
import type { ServerValues } from "./socket_server_values.ts";
import { textBytes } from "./socket_message.ts";
import { serveDatagrams } from "./socket_server_udp.ts";
import { serveStreams } from "./socket_server_tcp.ts";

/** `labwire socket-server`. */
export const socketServer = defineCommand({
  name: "socket-server",
  summary: "echo bytes over TCP, TLS or UDP, or answer them with a text or a program",
  details: [
    "Each message that arrives is shown and sent back; over TCP a message is what arrives at once. Many clients are served at the " +
    "same time.",
    "--exec 'PROGRAM ARG…' starts the program for each connection, without a shell: what the client sends is its standard input, " +
    "what it prints goes to the client. Over UDP it is started for each datagram.",
  ],
  options: {
    host: host({ default: "localhost", help: "Address to listen on; 0.0.0.0 is all of them" }),
    port: port({ default: 12345, help: "Port; 0 for one that is free" }),
    udp: flag({ help: "Serve datagrams over UDP rather than connections over TCP" }),
    reply: text({ help: "Answer with this text instead of the message" }),
    escape: flag({ help: "Understand \\n, \\r, \\t, \\0, \\xNN and \\\\ in --reply" }),
    exec: text({ placeholder: "COMMAND", help: "Program that answers each connection" }),
    discard: flag({ help: "Answer nothing, only show" }),
    show: showOption,
    count: integer({ min: 1, help: "End after so many messages" }),
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
      command: "labwire socket-server --port 5025 --reply '1.25E+00\\n' --escape",
    },
    {
      text: "Collect what a device sends in a file",
      command: "labwire socket-server --udp --host 0.0.0.0 --discard --show raw > log.bin",
    },
  ],
  async run(context: Context, options): Promise<void> {
    const { exec, reply, discard, escape, udp } = options;
    if ([exec !== undefined, reply !== undefined, discard].filter(Boolean).length > 1) {
      throw new UsageError("Cannot use several of --reply, --exec and --discard: expected one");
    }
    if (udp && (options.tlsCert ?? options.tlsKey) !== undefined) {
      throw new UsageError("Cannot use --udp with TLS: expected one of them");
    }
    const values: ServerValues = {
      ...options,
      ...await readServing(options),
      count: options.count ?? Infinity,
      idleTimeout: options.idleTimeout || Infinity,
      reply: reply === undefined ? undefined : textBytes(reply, escape),
      command: exec === undefined ? undefined : await commandOf(exec),
    };
    await (udp ? serveDatagrams : serveStreams)(context, values);
    context.say.info("Bye.");
  },
});

async function commandOf(text: string): Promise<string[]> {
  const [program, ...args] = splitCommandLine(text);
  return [await findProgram(program), ...args];
}
