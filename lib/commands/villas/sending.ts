/**
 * What commands have in common that send samples and check what comes back, wherever the samples come from.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { address, choice, flag, seconds } from "../../cli/options.ts";
import type { VillasFormat } from "../../codecs/villas/format.ts";
import { ConnectError, UsageError } from "../../errors.ts";
import type { Signal } from "../../codecs/villas/signals.ts";
import { type Endpoint, formatAddress } from "../../net/address/address.ts";
import { counted } from "../../text/wording.ts";
import { whenAborted } from "../../time/lifecycle.ts";
import type { ScopeControl } from "../../scope/scope.ts";
import type { Statistic } from "../../scope/viewer.ts";
import type { SendingOptions, SignalSource } from "../../villas/signal_source.ts";
import type { VillasSignalStats } from "../../villas/signal_source_options.ts";
import { socketFormat } from "./format_option.ts";
import { portFileOption } from "../serving/announce.ts";
import {
  announceLayer,
  droppedAdvice,
  layerOptions,
  type LayerValues,
  type ReadLayer,
  readLayer,
  sayProblem,
} from "./layer_options.ts";
import {
  notPrinted,
  outputDropOption,
  type SampleForm,
  sampleOutput,
  type SamplePrinter,
  samplePrinter,
} from "./print_samples.ts";
import { openTaps, tapOptions, type TapValues } from "./taps.ts";

/** The options. */
export const sendingOptions = {
  listen: address({
    default: "0.0.0.0:12000",
    help: "Where to bind; a tcp-server at localhost:12000 unless given",
  }),
  to: { ...address({ default: "127.0.0.1:12001", help: "Where to send to" }), also: "remote" },
  format: socketFormat,
  ...layerOptions,
  // Deno cannot send on a unix datagram socket while it receives on it.
  layer: choice(["udp", "tcp-client", "tcp-server"], {
    default: "udp",
    placeholder: "LAYER",
    help:
      "What carries the messages, as in VILLASnode's socket node: udp, tcp-client (connects again when the connection is lost), or " +
      "tcp-server (at localhost by default, any number of clients)",
  }),
  anySource: flag({ help: "Take samples back from every address, not only from that of --to" }),
  noReturn: flag({ help: "Only send: expect nothing back, and ignore what comes" }),
  output: sampleOutput("villas.human"),
  ...outputDropOption,
  wait: seconds({ default: 1, help: "How long to wait for the last samples to come back" }),
  check: flag({ help: "Exit with 4 when a sample did not come back unchanged" }),
  ...tapOptions,
  ...portFileOption,
} as const;

/** Their values. */
export interface SendingValues extends LayerValues, TapValues {
  readonly listen: Endpoint;
  readonly to: Endpoint;
  readonly format?: VillasFormat;
  readonly anySource: boolean;
  readonly noReturn: boolean;
  readonly output: SampleForm;
  readonly outputDrop: boolean;
  readonly wait: number;
  readonly check: boolean;
  readonly portFile?: string;
}

/** What is sent. */
export interface Sending {
  /** What a scope is called that shows it. */
  readonly title: string;
  /** Names and units of the signals, where they are known. */
  readonly signals?: readonly Signal[];
  /** What a scope may change of what is sent. Default: nothing. */
  readonly control?: (source: () => SignalSource) => ScopeControl;
  /** How many samples there are to be sent, if that is known. */
  readonly total?: number;
  /** Starts to send, with these options beside its own. */
  readonly start: (shared: SendingOptions & ReadLayer) => Promise<SignalSource>;
  /** Says more of how far it is, on a terminal, than how many samples were sent. */
  readonly progress?: (sent: string) => string;
}

/**
 * Sends samples, shows and checks what comes back, and says what became of them.
 *
 * @param context The world around the command.
 * @param options The options' values.
 * @param sending What is sent.
 * @returns What was counted.
 * @throws {ConnectError} If nothing could be sent, nothing came back, or with `--check` not all.
 */
export async function sendSamples(
  context: Context,
  options: SendingValues,
  sending: Sending,
): Promise<VillasSignalStats> {
  const { out, say, signal, given } = context;
  const { record, noReturn, to } = options;
  if (options.check && noReturn) {
    throw new UsageError("Cannot use --check with --no-return: nothing comes back to be checked");
  }
  if (noReturn && record !== undefined && options.recordSent !== undefined) {
    throw new UsageError(
      "Cannot use --record and --record-sent together with --no-return: nothing comes back, and both record what is sent",
    );
  }
  const layer = readLayer(options, { ...options, remote: to, remoteOption: "to" }, given);
  const printer = samplePrinter(options.output, out, { drop: options.outputDrop });
  // Where nothing comes back, what is sent is all there is.
  const files = noReturn ? { record: undefined, recordSent: options.recordSent ?? record } : {};
  await using recorded = await openTaps(context, { ...options, ...files }, {
    title: `${sending.title} to ${formatAddress(to)}`,
    begins: "sent",
    isOneWay: noReturn,
    signals: sending.signals,
    control: sending.control?.(() => source),
  });
  const { taps, sentTaps } = recorded;
  await using source = await sending.start({
    ...layer,
    ...{ taps, sentTaps, to: layer.remote },
    codec: options.format,
    returns: !noReturn,
    anySource: options.anySource,
    wait: options.wait,
    onReturn: printer &&
      (({ sample, received }) => printer.print({ samples: [sample], received })),
    onProblem: (problem) => sayProblem(say, problem),
  });
  recorded.tell(() => statistics(source.stats, noReturn));
  const { total } = sending;
  using _announced = announceLayer(say, options, {
    addrs: source.addrs,
    detail: `sending to ${formatAddress(to)}`,
    state: total === undefined ? undefined : `Ends after ${counted(total, "sample")}`,
    portFile: options.portFile,
    receiveBuffer: source.receiveBuffer,
  });
  using _stopping = whenAborted(signal, () => source.stop());
  const describe = () => {
    const sent = progress(source.stats, total, noReturn);
    return sending.progress?.(sent) ?? sent;
  };
  // Where samples scroll by on the terminal, they are progress enough.
  const live = !printer || noReturn || !out.terminal
    ? setInterval(() => say.live(describe()), 1000)
    : undefined;
  try {
    await source.finished;
  } finally {
    clearInterval(live);
    await recorded.close();
    await out.shown();
    say.summary(noReturn ? sentOnly(source.stats) : summary(source.stats, printer));
    const { dropped = 0 } = source.stats;
    if (dropped > 0 && source.receiveBuffer && !noReturn) {
      say.warn(droppedAdvice(dropped, source.receiveBuffer));
    }
  }
  const { stats } = source;
  const { sent, returned, changed, unsent } = stats;
  if (sent === 0 && unsent > 0 && !signal.aborted) {
    throw new ConnectError(`Cannot send to ${formatAddress(to)}: the system took no datagram`);
  }
  if (sent > 0 && returned === 0 && !noReturn && !signal.aborted) {
    throw nothingReturned(stats, formatAddress(to));
  }
  if (options.check && (returned < sent || unsent > 0 || changed > 0)) {
    throw new ConnectError(
      `Not all samples came back unchanged: ${sent} sent, ${returned} returned, ${changed} of them changed` +
        (unsent > 0 ? `, ${unsent} unsent` : ""),
    );
  }
  return stats;
}

/** Why nothing came back, as far as it shows, and the way out. */
function nothingReturned(stats: VillasSignalStats, to: string): ConnectError {
  const { ignored, invalid, unexpected } = stats;
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
  limit: number | undefined,
  noReturn: boolean,
): string {
  const count = `${sent}${limit === undefined ? "" : ` of ${limit}`} sent`;
  return noReturn ? count : `${count}, ${returned} returned, ${lost} on the way or lost`;
}

/** All counters in a line, and the round-trip times in another. */
function summary(stats: VillasSignalStats, printer: SamplePrinter | undefined): string {
  const names = ["returned", "lost", "changed"] as const;
  const rare = (["unexpected", "invalid", "ignored", "dropped"] as const)
    .filter((name) => (stats[name] ?? 0) > 0);
  const counts = [
    sentOnly(stats),
    ...[...names, ...rare].map((name) => `${stats[name]} ${name}`),
    ...notPrinted(printer),
  ];
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

/** What a scope shows of the counters. */
function statistics(stats: VillasSignalStats, noReturn: boolean): Statistic[] {
  const names = noReturn
    ? ["unsent", "missedSteps"] as const
    : ["lost", "changed", "unexpected", "invalid", "unsent", "missedSteps"] as const;
  return names.map((name) => ({
    name: name === "missedSteps" ? "Missed steps" : name[0]!.toUpperCase() + name.slice(1),
    value: stats[name],
  }));
}
