import { defineCommand } from "../cli/command.ts";
import { address, flag, integer, number, numbers, seconds } from "../cli/options.ts";
import { ConnectError } from "../errors.ts";
import { formatAddress } from "../net/address.ts";
import { SIGNAL_TYPES, type SignalType } from "../villas/signal_generator.ts";
import { startSignal } from "../villas/signal_source.ts";
import type { SignalStats } from "../villas/signal_source_options.ts";
import { announce, portFileOption } from "./announce.ts";
import { messagePrinter, printOption } from "./print_samples.ts";

/** `labwire villas-signal`. */
export const villasSignal = defineCommand({
  name: "villas-signal",
  summary: "send generated signals and print what comes back (where there is no VILLASnode)",
  details: [
    "Stands in for VILLASnode's signal node behind a UDP socket node. Options that take X,X,… take one number for all " +
    "values, or one for each.",
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
    listen: address({ default: "0.0.0.0:12000", help: "Where to bind" }),
    to: address({ default: "127.0.0.1:12001", help: "Where to send to" }),
    print: printOption("human"),
    seed: integer({ min: 0, help: "Makes the random walk the same each time" }),
    wait: seconds({ default: 1, help: "How long to wait for the last samples to come back" }),
    check: flag({ help: "Exit with 4 when a sample did not come back unchanged" }),
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
        "labwire villas-signal counter --to 192.168.0.20:12001 --limit 100 --check --print none",
    },
  ],
  async run({ out, say, signal, given }, options, [type]) {
    const print = messagePrinter(options.print, out);
    await using source = await startSignal({
      ...options,
      type: type as SignalType | undefined,
      realtime: !options.noRealtime,
      listen: given.has("listen") ? options.listen : undefined,
      onReturn: options.print === "none"
        ? undefined
        : ({ sample, received }) => print([sample], received),
      onProblem: (message) => say.throttled("problem", message),
    });
    using _announced = announce(say, {
      addrs: [source.addr],
      detail: `sending to ${formatAddress(options.to)}`,
      portFile: options.portFile,
    });
    const stop = () => source.stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      await source.finished;
    } finally {
      signal.removeEventListener("abort", stop);
      say.summary(summary(source.stats));
    }
    const { sent, returned, changed } = source.stats;
    if (options.check && (returned < sent || changed > 0)) {
      throw new ConnectError(
        `Not all samples came back unchanged: ${sent} sent, ${returned} returned, ${changed} of them changed`,
      );
    }
  },
});

/** All counters in a line, and the round-trip times in another. */
function summary(stats: SignalStats): string {
  const names = ["sent", "returned", "lost", "changed"] as const;
  const rare = (["unexpected", "invalid", "unsent"] as const).filter((name) => stats[name] > 0);
  const counts = [...names, ...rare].map((name) => `${stats[name]} ${name}`);
  if (stats.missedSteps > 0) counts.push(`${stats.missedSteps} steps missed`);
  const { count, min, median, p99, max } = stats.roundTrip;
  const micros = [["min", min], ["median", median], ["p99", p99], ["max", max]] as const;
  const times = micros.map(([name, time]) => `${name} ${time.toFixed(1)} µs`).join(", ");
  return counts.join(", ") + (count > 0 ? `\nround trip: ${times}` : "");
}
