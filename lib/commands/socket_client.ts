import { defineCommand } from "../cli/command.ts";
import type { Context } from "../cli/context.ts";
import { file, flag, host, integer, port, seconds, text } from "../cli/options.ts";
import { UsageError } from "../errors.ts";
import { connectingOptions, readConnecting } from "./connecting.ts";
import { showOption } from "./show_bytes.ts";
import { type ClientValues, exchangeOnce } from "./socket_exchange.ts";
import { converse } from "./socket_converse.ts";
import { messagePieces } from "./socket_message.ts";
import { pingServer } from "./socket_ping.ts";

/** `labwire socket-client`. */
export const socketClient = defineCommand({
  name: "socket-client",
  summary: "send bytes over TCP, TLS or UDP and show what comes back",
  details: [
    "An answer is complete when the server closes the connection, or is silent for 100 ms; --count and --wait say otherwise. " +
    "The exit code is 4 if nobody is there, or no answer comes in time.",
    "With --interactive, which is the default on a terminal without a MESSAGE, what is typed or piped in is sent line by line, " +
    "and what arrives is shown at once. The end of the input ends this side of a TCP connection; the rest of the answers is " +
    "waited for until the server closes, or is silent for --timeout.",
    "--show bytes is exact: it is what Python's print() shows of the bytes. --show raw is what arrived, for a file or a pipe.",
  ],
  positionals: [{
    name: "MESSAGE",
    help: 'What to send, "Hello, world" unless it is given or typed',
  }],
  options: {
    host: host({ default: "localhost", help: "Host name or IP address of the server" }),
    port: port({ default: 12345, help: "Port of the server" }),
    udp: flag({ help: "Send a datagram over UDP rather than connect over TCP" }),
    ...connectingOptions,
    timeout: seconds({
      default: 5,
      help: "Seconds that connecting may take, and then the answer to begin",
    }),
    hex: text({ placeholder: "DIGITS", help: "Send the bytes with these hex digits" }),
    file: file({ help: "Send what is in this file" }),
    escape: flag({
      help: "Understand \\n, \\r, \\t, \\0, \\xNN and \\\\ in MESSAGE and in what is typed",
    }),
    newline: flag({ help: "Send a newline behind the message" }),
    halfClose: flag({
      help: "End this side behind the message; the server's end completes the answer",
    }),
    show: showOption,
    interactive: flag({ help: "Send what is typed or piped in" }),
    wait: seconds({ help: "Seconds to receive for, whatever comes" }),
    count: integer({ min: 1, help: "How many bytes, or over UDP datagrams, to receive" }),
    repeat: integer({ min: 1, help: "Send the message so often and report round-trip times" }),
    interval: seconds({ default: 0, help: "Seconds from one message to the next with --repeat" }),
  },
  examples: [
    { text: "The tutorial's client", command: "labwire socket-client 'Hello, world'" },
    {
      text: "Ask an instrument who it is",
      command:
        "labwire socket-client --host 192.168.1.20 --port 5025 --newline --show text '*IDN?'",
    },
    {
      text: "Round-trip times to an echo server over UDP",
      command: "labwire socket-client --udp --repeat 100 --interval 0.1 ping",
    },
  ],
  async run(context, options, [message]) {
    checkOptions(options, message);
    const values: ClientValues = {
      ...options,
      ...await readConnecting(options),
      signal: context.signal,
    };
    const nothingToSend = [message, options.hex, options.file].every((given) =>
      given === undefined
    );
    const isConversation = options.interactive ||
      (nothingToSend && options.repeat === undefined && context.stdin.isTerminal());
    const pieces = isConversation ? undefined : await messagePieces(message, options);
    context.say.info("Starting client...");
    try {
      if (pieces === undefined) await converse(context, values);
      else if (options.repeat === undefined) await exchangeOnce(context, values, pieces);
      else return await pingServer(context, { ...values, repeat: options.repeat }, pieces);
    } catch (error) {
      if (!context.signal.aborted) throw error;
    }
    return interrupted(context) ? 130 : 0;
  },
});

/** Whether it was a person that ended the command, rather than the reader of its output. */
function interrupted({ signal }: Context): boolean {
  return signal.aborted;
}

function checkOptions(
  options: { udp: boolean; tls: boolean; ca?: string; interactive: boolean; repeat?: number } & {
    tlsCert?: string;
    hex?: string;
    file?: string;
    halfClose: boolean;
  },
  message: string | undefined,
): void {
  const { udp, interactive, repeat, halfClose } = options;
  const isGiven = [message, options.hex, options.file].some((given) => given !== undefined);
  const conflicts: [boolean, string][] = [
    [udp && (options.tls || (options.ca ?? options.tlsCert) !== undefined), "--udp with TLS"],
    [udp && halfClose, "--udp with --half-close"],
    [interactive && isGiven, "--interactive with a message"],
    [interactive && repeat !== undefined, "--interactive with --repeat"],
    [halfClose && repeat !== undefined, "--half-close with --repeat"],
  ];
  for (const [conflict, what] of conflicts) {
    if (conflict) throw new UsageError(`Cannot use ${what}: expected one of them`);
  }
}
