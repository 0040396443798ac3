import type { Context } from "../../cli/context.ts";
import { defineCommand } from "../../cli/command.ts";
import { graceOption } from "../../cli/grace_option.ts";
import { address, choice, flag, integer, seconds, value } from "../../cli/options.ts";
import { kindWithPlace, withPlace } from "../../handlers/place.ts";
import { counted } from "../../text/wording.ts";
import { messageOf, stackOf, UsageError } from "../../errors.ts";
import { villasProtobuf } from "../../codecs/villas/protobuf.ts";
import { withSignals } from "../../codecs/villas/with_signals.ts";
import { formatAddress } from "../../net/address/address.ts";
import { after } from "../../time/deadline.ts";
import { startVillasEcho } from "../../villas/echo.ts";
import type { VillasEchoProblem, VillasEchoStats } from "../../villas/echo_options.ts";
import { portFileOption } from "../serving/announce.ts";
import { handlerCounts, handlerOptions } from "../serving/handler_options.ts";
import { openEchoHandler } from "./echo_handler.ts";
import { signalsFor, socketFormat, warnOfUncounted } from "./format_option.ts";
import { announceLayer, droppedAdvice, layerOptions, readLayer } from "./layer_options.ts";
import {
  notPrinted,
  outputDropOption,
  sampleOutput,
  type SamplePrinter,
  samplePrinter,
} from "./print_samples.ts";
import type { Statistic } from "../../scope/viewer.ts";
import { openTaps, tapOptions } from "./taps.ts";

/** How long an echo with nothing else to do waits for the next message outside of Deno's event loop, in ms. */
const LINGER_MS = 2;

/** `labwire villas-echo`. */
export const villasEcho = defineCommand({
  name: "villas-echo",
  summary: "receive samples from VILLASnode, print each, and send it back (the client of Lab 19)",
  details: [
    "Replies never make VILLASnode abort: a reply of another type than DATA, with an unset value, with more values than " +
    "were received, or with values of other kinds is refused, counted and not sent. With --signals, replies are compared " +
    "with these signals instead of what was received. If --any-source passes a message from another sender on to the " +
    "remote, it is compared with the remote's own last sample.",
    "--handler FILE is a module in Python with `def handle(sample): …`, which returns the sample, another one, several or " +
    "None, or with `def handle_batch(samples): …`, which gets all samples that have arrived together; or a module in " +
    "JavaScript with `export default (sample) => sample`. If a handler in Python is too slow, messages are dropped and " +
    "counted. --exec 'PROGRAM ARG…' starts the program for each sample, which it reads as a line of JSON; each line of " +
    "JSON that it prints is a reply.",
  ],
  options: {
    listen: address({
      default: "0.0.0.0:12001",
      help: "Where to bind; a tcp-server at localhost:12001 unless given",
    }),
    remote: {
      ...address({ default: "127.0.0.1:12000", help: "VILLASnode's address; replies go there" }),
      also: "to",
    },
    replyTo: choice(["remote", "sender"], { default: "remote", help: "Who gets the replies" }),
    anySource: flag({ help: "Handle datagrams from every address, not only from the remote" }),
    ...layerOptions,
    output: sampleOutput("json"),
    ...outputDropOption,
    format: socketFormat,
    signals: signalsFor(
      "The signals that VILLASnode expects; those received unless given, floats where the format does not say",
    ),
    constant: value(
      { help: "Reply with these values, each as the kind that its signal has" },
      "V,V,…",
      parseConstants,
    ),
    ...handlerOptions,
    count: integer({ min: 1, help: "End after N messages" }),
    duration: seconds({ help: "End after this many seconds" }),
    grace: graceOption,
    stats: flag({ help: "Show the counters once a second, on a terminal" }),
    ...tapOptions,
    ...portFileOption,
  },
  binds: { option: "listen", transports: ["udp"] },
  examples: [
    { text: "Answer VILLASnode running Lab 19 on this computer", command: "labwire villas-echo" },
    {
      text: "Answer a VILLASnode elsewhere with constants, and print nothing",
      command: "labwire villas-echo --remote 192.168.0.10:12000 --constant 1,2,3 --output none",
    },
    { text: "Work out the replies in Python", command: "labwire villas-echo --handler double.py" },
    {
      text:
        "Answer a VILLASnode whose socket has no format, with five floats and an integer in each sample",
      command: "labwire villas-echo --format villas.binary --signals 5f1i",
    },
    {
      text: "Work out the replies in JavaScript",
      command: "labwire villas-echo --handler double.js",
    },
  ],
  async run(context, options) {
    const { out, say, signal, describeOpenWork, debug, given } = context;
    const own = options.handler ?? options.exec ?? options.execPersistent;
    if (own !== undefined && options.constant !== undefined) {
      const name = options.handler !== undefined ? "--handler" : "--exec";
      throw new UsageError(`Cannot use --constant and ${name} together: expected one of them`);
    }
    const layer = readLayer(options, { ...options, remoteOption: "remote" }, given);
    await using reply = await openEchoHandler(options, context);
    const format = options.format ?? villasProtobuf;
    const known = withSignals(format, options.signals);
    const printer = samplePrinter(options.output, out, {
      format: known,
      drop: options.outputDrop,
    });
    await using recorded = await openTaps(context, options, {
      title: "villas-echo",
      begins: "received",
      signals: options.signals,
      format: known,
    });
    const { taps, sentTaps } = recorded;
    // What happens beside the replies needs the event loop.
    const hasMore = printer || recorded.needsLoop || reply.batchHandler;
    warnOfUncounted(say, known, "VILLASnode aborts if that is wrong");
    say.info("Start client...");
    await using echo = await startVillasEcho({
      ...layer,
      replyTo: options.replyTo,
      anySource: options.anySource,
      codec: format,
      signals: options.signals,
      constant: options.constant,
      handler: reply.handler,
      batchHandler: reply.batchHandler,
      concurrency: options.concurrency,
      count: options.count,
      grace: options.grace,
      signal,
      taps: [...printer ? [printer.print] : [], ...taps],
      sentTaps,
      linger: hasMore ? 0 : LINGER_MS,
      onProblem: (problem) =>
        report(say, problem, { debug, program: options.handler === undefined }),
    });
    recorded.tell(() => echoStatistics(echo.stats));
    describeOpenWork(() =>
      options.concurrency > 1
        ? "the messages that are being handled"
        : "1 message that is being handled"
    );
    using _announced = announceLayer(say, options, {
      addrs: echo.addrs,
      detail: `remote ${formatAddress(layer.remote)}`,
      portFile: options.portFile,
      receiveBuffer: echo.receiveBuffer,
    });
    const counters = () =>
      [summary(echo.stats, printer), ...handlerCounts(reply.module, options.stats)].join(
        ", ",
      );
    using _ending = options.duration === undefined
      ? undefined
      : after(options.duration, () => void echo.close());
    const shown = options.stats ? setInterval(() => say.live(counters()), 1000) : 0;
    try {
      await echo.finished;
    } finally {
      clearInterval(shown);
      await recorded.close();
      await reply[Symbol.asyncDispose]();
      await out.shown();
      say.summary(counters());
      const { stats: { overflowed = 0 }, receiveBuffer } = echo;
      if (overflowed > 0 && receiveBuffer) say.warn(droppedAdvice(overflowed, receiveBuffer));
    }
    say.info("Bye.");
  },
});

/** Says what went wrong; `program` says that a program makes the replies, which nothing is thrown in. */
function report(
  say: Context["say"],
  problem: VillasEchoProblem,
  { debug, program }: { debug: boolean; program: boolean },
): void {
  const { kind, error, unstated } = problem;
  const message = program && kind === "handler"
    ? `The program failed: ${messageOf(error)}`
    : problem.message;
  if (debug && kind === "handler") say.info(stackOf(error));
  if (kind === "ignored") say.warn(`${message}; --any-source handles them too`);
  else if (kind === "own") say.warn(message);
  else if (kind === "waiting" || kind === "connection") say.info(message);
  else if (unstated) {
    say.throttled(kind, `${message}; --signals says what VILLASnode expects, as in --signals 5f1i`);
  } else say.throttled(kindWithPlace(kind, error), withPlace(message, error));
}

/** What a scope shows of the counters. */
function echoStatistics(stats: VillasEchoStats): Statistic[] {
  return (["invalid", "refused", "failed", "unsent", "ignored"] as const)
    .map((name) => ({ name: name[0]!.toUpperCase() + name.slice(1), value: stats[name] }));
}

/** All counters in one line. */
function summary(stats: VillasEchoStats, printer: SamplePrinter | undefined): string {
  const rate = stats.seconds > 0 ? stats.messages / stats.seconds : 0;
  const rare = (["failed", "dropped", "unsent"] as const).filter((name) => stats[name] > 0);
  return [
    counted(stats.messages, "message"),
    counted(stats.samples, "sample"),
    counted(stats.bytes, "byte"),
    `${rate.toFixed(1)} messages/s`,
    counted(stats.replies, "reply", "replies"),
    ...(["invalid", "refused", "ignored", "missed", "reordered"] as const)
      .map((name) => `${stats[name]} ${name}`),
    counted(stats.duplicates, "duplicate"),
    counted(stats.restarts, "restart"),
    ...rare.map((name) => `${stats[name]} ${name}`),
    ...notPrinted(printer),
  ].join(", ");
}

function parseConstants(text: string): (number | bigint)[] {
  return text.split(",").map((part) => {
    const word = part.trim();
    const special =
      { nan: NaN, inf: Infinity, "+inf": Infinity, "-inf": -Infinity }[word.toLowerCase()];
    if (special !== undefined) return special;
    const number = word === "" ? NaN : Number(word);
    if (!Number.isFinite(number)) throw new UsageError("expected numbers with commas between them");
    return /^[+-]?\d+$/.test(word) && !Number.isSafeInteger(number) ? BigInt(word) : number;
  });
}
