import { defineCommand } from "../../cli/command.ts";
import { address, flag, integer, number, numbers, seconds } from "../../cli/options.ts";
import { counted } from "../../text/wording.ts";
import { ConnectError, UsageError } from "../../errors.ts";
import { formatAddress } from "../../net/address/address.ts";
import { SIGNAL_TYPES, type SignalType } from "../../villas/nodes/signal_generator.ts";
import { startVillasSignal } from "../../villas/signal_source.ts";
import type { VillasSignalStats } from "../../villas/signal_source_options.ts";
import { portFileOption } from "../serving/announce.ts";
import { announceLayer, droppedAdvice, layerOptions, readLayer } from "./layer_options.ts";
import { notPrinted, outputDropOption, sampleOutput, samplePrinter } from "./print_samples.ts";
import { openTaps, tapOptions } from "./taps.ts";

/** `labwire villas-signal`. */
export const villasSignal = defineCommand({
  name: "villas-signal",
  summary: "send generated signals and print what comes back (where there is no VILLASnode)",
  details: [
    "Stands in for VILLASnode's signal node behind a UDP socket node. Options that take X,X,… take one number for all " +
    "values, or one for each.",
    "The exit code is 4 when nothing came back at all. --no-return only sends, and --check wants every sample back unchanged.",
  ],
  positionals: [{
    name: "TYPE",
    help: `${SIGNAL_TYPES.join(", ")} (default mixed)`,
    choices: SIGNAL_TYPES,
  }],
  options: {
    values: integer({ default: 1, min: 1, max: 4096, help: "Values in each sample" }),
    rate: number({ default: 10, min: 0.001, max: 100_000, help: "Samples per second" }),
    limit: integer({
      min: 0,
      help: "Samples to send, counted with the steps missed; endless without it",
    }),
    frequency: numbers({ default: [1], help: "Frequency in Hz" }),
    amplitude: numbers({ default: [1], help: "Amplitude" }),
    offset: numbers({ default: [0], help: "Offset" }),
    phase: numbers({ default: [0], help: "Phase in rad" }),
    stddev: numbers({ default: [0.2], help: "Standard deviation of a random signal's steps" }),
    pulseWidth: numbers({ default: [1], help: "Width of a pulse in samples" }),
    pulseLow: numbers({ default: [0], help: "Value outside a pulse" }),
    pulseHigh: numbers({ default: [1], help: "Value in a pulse" }),
    vectorize: integer({ default: 1, min: 1, help: "Samples in each datagram" }),
    noRealtime: flag({ help: "Send as fast as the other end answers, not by the clock" }),
    listen: address({
      default: "0.0.0.0:12000",
      help: "Where to bind; a tcp-server at localhost:12000 unless given",
    }),
    to: address({ default: "127.0.0.1:12001", help: "Where to send to" }),
    ...layerOptions,
    anySource: flag({ help: "Take samples back from every address, not only from that of --to" }),
    noReturn: flag({ help: "Only send: expect nothing back, and ignore what comes" }),
    output: sampleOutput("villas.human"),
    ...outputDropOption,
    seed: integer({ min: 0, help: "Makes the random walk the same each time" }),
    wait: seconds({ default: 1, help: "How long to wait for the last samples to come back" }),
    check: flag({ help: "Exit with 4 when a sample did not come back unchanged" }),
    ...tapOptions,
    ...portFileOption,
  },
  binds: { option: "listen", transports: ["udp"] },
  examples: [
    {
      text: "The generator of Lab 19",
      command: "labwire villas-signal mixed --values 5 --limit 3",
    },
    {
      text: "A sine of 50 Hz at 1,000 samples per second",
      command: "labwire villas-signal sine --frequency 50 --rate 1000",
    },
    {
      text: "Check a client at another computer",
      command:
        "labwire villas-signal counter --to 192.168.0.20:12001 --limit 100 --check --output none",
    },
  ],
  async run(context, options, [type]) {
    const { out, say, signal, given } = context;
    if (options.check && options.noReturn) {
      throw new UsageError("Cannot use --check with --no-return: nothing comes back to be checked");
    }
    if (options.layer === "unix") {
      throw new UsageError("Cannot send signals to a unix socket: expected another --layer");
    }
    const layer = readLayer(options, { ...options, remote: options.to, remoteOption: "to" }, given);
    const printer = samplePrinter(options.output, out, { drop: options.outputDrop });
    // Where nothing comes back, what is sent is all there is.
    const { record, noReturn } = options;
    const files = noReturn ? { record: undefined, recordSent: options.recordSent ?? record } : {};
    await using recorded = await openTaps(context, { ...options, ...files });
    const { taps, sentTaps } = recorded;
    await using source = await startVillasSignal({
      ...options,
      type: type as SignalType | undefined,
      realtime: !options.noRealtime,
      returns: !options.noReturn,
      ...layer,
      ...{ taps, sentTaps },
      onReturn: printer &&
        (({ sample, received }) => printer.print({ samples: [sample], received })),
      onProblem: ({ kind, message }) => {
        if (kind === "ignored") say.warn(`${message}; --any-source takes them too`);
        else if (kind === "own") say.warn(message);
        else if (kind === "waiting" || kind === "connection") say.info(message);
        else say.throttled(kind, message);
      },
    });
    using _announced = announceLayer(say, options, {
      addrs: source.addrs,
      detail: `sending to ${formatAddress(options.to)}`,
      state: options.limit === undefined
        ? undefined
        : `Ends after ${counted(options.limit, "sample")}`,
      portFile: options.portFile,
      receiveBuffer: source.receiveBuffer,
    });
    const stop = () => source.stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    // Where samples scroll by on the terminal, they are progress enough.
    const live = options.output === "none" || options.noReturn || !out.terminal
      ? setInterval(() => say.live(progress(source.stats, options)), 1000)
      : undefined;
    try {
      await source.finished;
    } finally {
      clearInterval(live);
      signal.removeEventListener("abort", stop);
      await recorded.close();
      const told = options.noReturn ? sentOnly(source.stats) : summary(source.stats);
      say.summary([told, ...notPrinted(printer)].join(", "));
      const { dropped = 0 } = source.stats;
      if (dropped > 0 && source.receiveBuffer && !options.noReturn) {
        say.warn(droppedAdvice(dropped, source.receiveBuffer));
      }
    }
    const { sent, returned, changed } = source.stats;
    if (sent > 0 && returned === 0 && !options.noReturn && !signal.aborted) {
      throw nothingReturned(source.stats, formatAddress(options.to));
    }
    if (options.check && (returned < sent || changed > 0)) {
      throw new ConnectError(
        `Not all samples came back unchanged: ${sent} sent, ${returned} returned, ${changed} of them changed`,
      );
    }
  },
});

/** Why nothing came back, as far as it shows, and the way out. */
function nothingReturned(stats: VillasSignalStats, to: string): ConnectError {
  const { ignored, invalid, unexpected, unsent } = stats;
  if (unsent > 0) return new ConnectError(`Cannot send to ${to}: the system took no datagram`);
  const reason = ignored > 0
    ? `${counted(ignored, "datagram")} came from elsewhere, which --any-source takes too`
    : invalid > 0
    ? `${counted(invalid, "datagram")} came that ${invalid === 1 ? "is" : "are"} no VILLAS messages`
    : unexpected > 0
    ? `${counted(unexpected, "sample")} came that had not been sent`
    : "start a client there that sends samples back, or only send with --no-return";
  return new ConnectError(`No sample came back from ${to}: ${reason}`);
}

/** How far it is. */
function progress(
  { sent, returned, lost }: VillasSignalStats,
  { limit, noReturn }: { limit?: number; noReturn: boolean },
): string {
  const count = `${sent}${limit === undefined ? "" : ` of ${limit}`} sent`;
  return noReturn ? count : `${count}, ${returned} returned, ${lost} on the way or lost`;
}

/** All counters in a line, and the round-trip times in another. */
function summary(stats: VillasSignalStats): string {
  const names = ["returned", "lost", "changed"] as const;
  const rare = (["unexpected", "invalid", "ignored", "dropped"] as const)
    .filter((name) => (stats[name] ?? 0) > 0);
  const counts = [sentOnly(stats), ...[...names, ...rare].map((name) => `${stats[name]} ${name}`)];
  const { count, min, median, p99, max } = stats.roundTrip;
  const micros = [["min", min], ["median", median], ["p99", p99], ["max", max]] as const;
  const times = micros.map(([name, time]) => `${name} ${time.toFixed(1)} µs`).join(", ");
  return counts.join(", ") + (count > 0 ? `\nround trip: ${times}` : "");
}

/** What there is to count about sending. */
function sentOnly({ sent, unsent, missedSteps }: VillasSignalStats): string {
  const rare = [
    ...(unsent > 0 ? [`${unsent} unsent`] : []),
    ...(missedSteps > 0 ? [`${counted(missedSteps, "step")} missed`] : []),
  ];
  return [`${sent} sent`, ...rare].join(", ");
}
