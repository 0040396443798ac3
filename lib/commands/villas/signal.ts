import { defineCommand } from "../../cli/command.ts";
import { flag, integer, number, numbers } from "../../cli/options.ts";
import type { VillasFormat } from "../../codecs/villas/format.ts";
import type { Signal } from "../../codecs/villas/signals.ts";
import { UsageError } from "../../errors.ts";
import { SIGNAL_TYPES, type SignalType } from "../../villas/nodes/signal_generator.ts";
import type { ScopeControl } from "../../scope/scope.ts";
import { type SignalSource, startVillasSignal } from "../../villas/signal_source.ts";
import { signalsFor } from "./format_option.ts";
import { sendingOptions, sendSamples } from "./sending.ts";

/** `labwire villas-signal`. */
export const villasSignal = defineCommand({
  name: "villas-signal",
  summary: "send generated signals and print what comes back (where there is no VILLASnode)",
  details: [
    "Stands in for VILLASnode's signal node behind a UDP socket node. Options that take X,X,… take one number for all " +
    "values, or one for each.",
    "The exit code is 4 when nothing comes back at all: with --no-return nothing is expected back, and with --check every " +
    "sample must come back unchanged.",
  ],
  positionals: [{
    name: "TYPE",
    help: `${SIGNAL_TYPES.join(", ")} (default mixed)`,
    choices: SIGNAL_TYPES,
  }],
  options: {
    values: {
      ...integer({ default: 1, min: 1, max: 4096, help: "Values in each sample" }),
      short: "v",
    },
    rate: {
      ...number({ default: 10, min: 0.001, max: 100_000, help: "Samples per second" }),
      short: "r",
    },
    limit: {
      ...integer({
        min: 0,
        help: "Samples to send, counted with the steps missed; endless without it",
      }),
      short: "l",
    },
    frequency: { ...numbers({ default: [1], help: "Frequency in Hz" }), short: "F" },
    amplitude: { ...numbers({ default: [1], help: "Amplitude" }), short: "a" },
    offset: { ...numbers({ default: [0], help: "Offset" }), short: "o" },
    phase: { ...numbers({ default: [0], help: "Phase in rad" }), short: "p" },
    stddev: {
      ...numbers({ default: [0.2], help: "Standard deviation of a random signal's steps" }),
      short: "D",
    },
    pulseWidth: numbers({ default: [1], help: "Width of a pulse in samples" }),
    pulseLow: numbers({ default: [0], help: "Value outside a pulse" }),
    pulseHigh: numbers({ default: [1], help: "Value in a pulse" }),
    vectorize: integer({ default: 1, min: 1, help: "Samples in each datagram" }),
    noRealtime: {
      ...flag({ help: "Send as fast as the other end answers, not by the clock" }),
      short: "n",
    },
    seed: integer({ min: 0, help: "The same seed makes the same random walk each time" }),
    signals: signalsFor(
      "Names and units of the values, for formats that have these; all are floats",
    ),
    ...sendingOptions,
    scopeControl: flag({
      help: "Let the page of --scope change type, frequency, amplitude and offset",
    }),
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
    await sendSamples(context, options, {
      title: "villas-signal",
      signals: options.signals,
      total: options.limit,
      control: options.scopeControl ? generatorControl : undefined,
      start: (shared) =>
        startVillasSignal({
          ...options,
          ...shared,
          ...formatOf(options, context.given.has("values")),
          type: type as SignalType | undefined,
          realtime: !options.noRealtime,
        }),
    });
  },
});

/** The format of the messages, and how many values are in a sample. */
function formatOf(
  { format, signals, values }: {
    format: VillasFormat | undefined;
    signals: Signal[] | undefined;
    values: number;
  },
  counted: boolean,
): { codec?: VillasFormat; values: number } {
  if (signals === undefined) return { codec: format, values };
  const other = signals.find(({ type }) => type !== "float");
  if (other) {
    throw new UsageError(
      `Cannot generate signal "${other.name}" of type ${other.type}: expected floats`,
    );
  }
  if (counted && values !== signals.length) {
    throw new UsageError(
      `Cannot use --values ${values} with --signals of ${signals.length}: expected the same number`,
    );
  }
  return { codec: format?.withSignals(signals), values: signals.length };
}

/** What the page may change of the generator. */
function generatorControl(source: () => SignalSource): ScopeControl {
  return {
    describe() {
      const { type = "mixed", frequency = 1, amplitude = 1, offset = 0 } = source().generator;
      const [f, a, o] = [frequency, amplitude, offset].map((each) => [each].flat()[0]);
      return { signal: type, types: SIGNAL_TYPES, frequency: f, amplitude: a, offset: o };
    },
    change({ signal, frequency, amplitude, offset }) {
      const type = SIGNAL_TYPES.find((each) => each === signal);
      const numbers = Object.entries({ frequency, amplitude, offset })
        .filter(([, value]) => typeof value === "number" && Number.isFinite(value));
      source().change({ ...Object.fromEntries(numbers), ...type && { type } });
    },
  };
}
