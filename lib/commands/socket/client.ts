import { defineCommand } from "../../cli/command.ts";
import type { Context } from "../../cli/context.ts";
import { file, flag, host, integer, port, seconds, text } from "../../cli/options.ts";
import { outputOption } from "../../cli/output_option.ts";
import { exit, UsageError } from "../../errors.ts";
import { checkReplay, type ReplayOptions, replayOptions } from "../recording/replay.ts";
import { connectingOptions, readConnecting } from "../serving/connecting.ts";
import { openBytesRecording, recordBytesOptions, replayedBytes } from "./record.ts";
import { BYTES_FORMS, type BytesForm } from "./show_bytes.ts";
import { type ClientValues, exchangeOnce, interact, sendOnly } from "./exchange.ts";
import { ClientInput } from "./input.ts";
import { messagePieces, type MessageValues } from "./message.ts";
import { pingServer } from "./ping.ts";

/** `labwire socket-client`. */
export const socketClient = defineCommand({
  name: "socket-client",
  summary: "send bytes over TCP, TLS or UDP and show what comes back",
  details: [
    "The message is MESSAGE, the bytes of --hex or --file, or else what is piped in: exactly that, and nothing that you " +
    "did not write. Without any of them, on a terminal, what you type is sent line by line, and what arrives is shown at " +
    "once; --interactive does the same with piped input. Ctrl-D ends this side of a TCP connection; the client then waits " +
    "for the rest of the answers until the server closes, or is silent for --timeout. A server that ends its side may still " +
    "read: what is piped in, or recorded, is then sent all the same, unless the input is silent for 1 s.",
    "An answer is complete when the server closes the connection, or is silent for 100 ms; --count and --wait say otherwise. " +
    "--no-answer waits for none. The exit code is 4 if nobody is there, or no answer comes in time, and 5 if a line of the " +
    "input could not be read; the others are sent.",
    "In a file or a pipe the answer is written unchanged, or with --output bytes as Python's print() shows it. --output json is a " +
    'record for each piece: "time" of arrival, "peer" (who sent it), and "text" if the bytes are UTF-8, else "hex".',
  ],
  positionals: [{ name: "MESSAGE", help: "What to send; by default what is typed or piped in" }],
  options: {
    host: host({ default: "localhost", help: "Host name or IP address of the server" }),
    port: port({ default: 12345, min: 1, help: "Port of the server" }),
    udp: flag({ help: "Send a datagram over UDP rather than connect over TCP" }),
    ...connectingOptions,
    timeout: seconds({
      default: 5,
      help: "Seconds until connected, and then until the answer begins",
    }),
    hex: text({ placeholder: "DIGITS", help: "Send the bytes with these hex digits" }),
    file: file({ help: "Send what is in this file" }),
    escape: flag({
      help:
        "Understand \\n, \\r, \\t, \\0, \\xNN and \\\\ in MESSAGE and in what is typed or piped in",
    }),
    newline: flag({ help: "Send a newline after the message" }),
    halfClose: flag({
      help:
        "End this side of the connection after the message; the server's end completes the answer",
    }),
    noAnswer: flag({ help: "Wait for no answer" }),
    output: outputOption(BYTES_FORMS, {
      help: "How to print what arrives: by default bytes on a terminal, raw in a file or pipe",
    }),
    interactive: flag({ help: "Send what is typed or piped in while showing what arrives" }),
    wait: seconds({ help: "Seconds to receive for, whatever comes" }),
    count: integer({ min: 1, help: "How many bytes, or over UDP datagrams, to receive" }),
    repeat: integer({
      min: 1,
      help: "Send the message this many times, and report round-trip times",
    }),
    ...recordBytesOptions,
    ...replayOptions,
    interval: seconds({ default: 0, help: "Seconds from one message to the next with --repeat" }),
  },
  examples: [
    { text: "The tutorial's client", command: "labwire socket-client 'Hello, world'" },
    {
      text: "Ask an instrument who it is",
      command: "labwire socket-client --host 192.168.1.20 --port 5025 --newline '*IDN?'",
    },
    {
      text: "Set a value, which is not answered",
      command:
        "labwire socket-client --host 192.168.1.20 --port 5025 --newline --no-answer 'VOLT 3'",
    },
    {
      text: "Round-trip times to an echo server over UDP",
      command: "labwire socket-client --udp --repeat 100 --interval 0.1 ping",
    },
  ],
  async run(context, options, [message]) {
    checkOptions(options, message);
    const isTyped = context.stdin.isTerminal();
    const { replay, file } = options;
    await checkReplay(replay);
    await using recording = await openBytesRecording(context, {
      ...options,
      replay: replay ?? file,
    });
    const isConversation = options.interactive ||
      (isTyped && !isGiven(options, message) && options.repeat === undefined && !options.noAnswer);
    const values: ClientValues = {
      ...options,
      ...await readConnecting(options),
      recording,
      output: options.output ?? (context.out.terminal ? "bytes" : "raw"),
      signal: context.signal,
    };
    const input = new ClientInput(context);
    // Whoever types, or measures, may end that at any time; whoever sends something waits until it is done.
    let isEnough = isConversation && isTyped;
    try {
      if (replay !== undefined) {
        await sendReplay(context, values, { ...options, replay });
      } else if (isConversation) await interact(context, values, input);
      else isEnough = await sendMessage(context, values, input, message);
    } catch (error) {
      if (!context.signal.aborted) throw error;
    }
    if (context.signal.aborted && !isEnough) return exit.interrupted;
    return input.bad > 0 && !isTyped ? exit.codec : exit.done;
  },
});

/** Sends what was recorded, while showing what arrives. */
async function sendReplay(
  context: Context,
  values: ClientValues,
  options: Omit<ReplayOptions, "signal">,
): Promise<void> {
  let failure: { error: unknown } | undefined;
  await interact(context, values, {
    async *pieces({ signal }) {
      try {
        yield* replayedBytes(context, { ...options, signal });
      } catch (error) {
        failure = { error }; // the conversation does not care why its input ends
      }
    },
  });
  if (failure) throw failure.error;
}

/** Sends one message, in the way that the options say; whether Ctrl-C, should it come, has cut off nothing. */
async function sendMessage(
  context: Context,
  values: ClientValues,
  input: ClientInput,
  text: string | undefined,
): Promise<boolean> {
  const ended = new AbortController();
  const signal = AbortSignal.any([values.signal, ended.signal]);
  try {
    const piped = input.pieces({ lines: false, escape: values.escape, signal });
    const pieces = await messagePieces(text, values, context.stdin.isTerminal() ? null : piped);
    if (pieces === undefined) {
      if (signal.aborted || input.bad > 0) return false;
      throw new UsageError("Cannot send nothing: expected MESSAGE, --hex, --file or piped input");
    }
    context.say.info("Starting client...");
    if (values.repeat !== undefined) {
      return await pingServer(context, { ...values, repeat: values.repeat }, pieces);
    }
    if (values.noAnswer) await sendOnly(values, pieces);
    else await exchangeOnce(context, values, pieces);
    return false;
  } finally {
    ended.abort();
  }
}

function isGiven({ hex, file }: Partial<MessageValues>, message: string | undefined): boolean {
  return [message, hex, file].some((given) => given !== undefined);
}

/** What {@linkcode checkOptions} looks at. */
interface CheckedOptions {
  readonly udp: boolean;
  readonly tls: boolean;
  readonly ca?: string;
  readonly tlsCert?: string;
  readonly hex?: string;
  readonly file?: string;
  readonly interactive: boolean;
  readonly halfClose: boolean;
  readonly noAnswer: boolean;
  readonly wait?: number;
  readonly count?: number;
  readonly repeat?: number;
  readonly record?: string;
  readonly replay?: string;
  readonly output?: BytesForm;
}

function checkOptions(options: CheckedOptions, message: string | undefined): void {
  const { udp, interactive, halfClose, noAnswer, output } = options;
  const isRepeated = options.repeat !== undefined;
  const isReplay = options.replay !== undefined;
  const isWaiting = options.wait !== undefined || options.count !== undefined;
  const conflicts: [boolean, string][] = [
    [udp && (options.tls || (options.ca ?? options.tlsCert) !== undefined), "--udp with TLS"],
    [udp && halfClose, "--udp with --half-close"],
    [interactive && isGiven(options, message), "--interactive with a message"],
    [interactive && isRepeated, "--interactive with --repeat"],
    [interactive && noAnswer, "--interactive with --no-answer"],
    [halfClose && isRepeated, "--half-close with --repeat"],
    [noAnswer && isRepeated, "--no-answer with --repeat"],
    [isRepeated && options.record !== undefined, "--repeat with --record"],
    [isReplay && isGiven(options, message), "--replay with a message"],
    [isReplay && isRepeated, "--replay with --repeat"],
    [isReplay && interactive, "--replay with --interactive"],
    [isReplay && noAnswer, "--replay with --no-answer"],
    [noAnswer && isWaiting, "--no-answer with --wait or --count"],
  ];
  for (const [conflict, what] of conflicts) {
    if (conflict) throw new UsageError(`Cannot use ${what}: expected one of them`);
  }
  if (isRepeated && output !== undefined && !["text", "json", "none"].includes(output)) {
    throw new UsageError(
      `Cannot use --output ${output} with --repeat: expected text, json or none`,
    );
  }
}
