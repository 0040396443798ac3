import type { Context } from "../../cli/context.ts";
import { defineCommand } from "../../cli/command.ts";
import type { VillasFormat } from "../../codecs/villas/format.ts";
import type { Signal } from "../../codecs/villas/signals.ts";
import { withSignals } from "../../codecs/villas/with_signals.ts";
import { exit, messageOf, UsageError } from "../../errors.ts";
import { formatAddress, type HostPort, parseAddress } from "../../net/address/address.ts";
import { counted } from "../../text/wording.ts";
import { openEndpoint } from "../../villas/nodes/open_endpoint.ts";
import { readSamples } from "../../villas/sample_stream.ts";
import { peekLine, readChunks } from "../../cli/read_lines.ts";
import { whenAborted } from "../../time/lifecycle.ts";
import { timestampClock } from "../../time/timestamp.ts";
import { villasProtobuf } from "../../codecs/villas/protobuf.ts";
import {
  DEFAULT_ADDRESS,
  openRecordingScope,
  openScope,
  scopeOptions,
  type ScopeValues,
} from "../scope/scope_options.ts";
import { findRecords } from "../scope/records.ts";
import { formatOption, signalsOption } from "./format_option.ts";
import { formatOfFile } from "./format_of_file.ts";

/** Bytes of samples of a recording that are kept in full; of what is older, the least and the greatest values remain. */
const MOST_BYTES = 2 ** 30;

/** `labwire villas-scope`. */
export const villasScope = defineCommand({
  name: "villas-scope",
  summary: "show a recording, or what arrives at an address, in a browser",
  details: [
    "FILE is a recording of --record or of VILLASnode's file node, - for standard input. It can be looked at while it is being read.",
    "ADDR is an address to bind, such as :12001. What arrives there, from any sender, is shown and not answered.",
  ],
  positionals: [{ name: "FILE|ADDR", required: true, isFile: true, help: "What to show" }],
  options: {
    ...scopeOptions,
    history: { ...scopeOptions.history, needs: [] }, // it shows something in any case
    format: formatOption(
      "Format of the messages, by default protobuf; of a file, by default that of its name",
    ),
    signals: signalsOption,
  },
  examples: [
    { text: "Look at a recording", command: "labwire villas-scope run.dat --open" },
    {
      text: "See what VILLASnode sends to port 12001",
      command: "labwire villas-scope :12001 --open",
    },
  ],
  async run(context, options, [what]) {
    const values = {
      ...options,
      scope: options.scope ?? (options.plot ? undefined : DEFAULT_ADDRESS),
    };
    const address = what === "-" || await isFile(what!) ? undefined : readAddress(what!);
    return address
      ? await listen(context, values, address)
      : await showRecording(context, values, what!);
  },
});

interface Values extends ScopeValues {
  readonly format?: VillasFormat;
  readonly signals?: readonly Signal[];
}

async function isFile(path: string): Promise<boolean> {
  try {
    return !(await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

/** Reads an address that has a port; anything else is the name of a file that is not there. */
function readAddress(text: string): HostPort {
  if (/^(\d{1,5}|[^/\\]*:\d{1,5})$/.test(text)) return parseAddress(text);
  throw new UsageError(
    `Cannot show "${text}": expected a recording, found no such file, or an address such as :12001`,
  );
}

async function listen(context: Context, values: Values, address: HostPort): Promise<void> {
  const { say, signal } = context;
  const { format = villasProtobuf, signals } = values;
  await using scope = await openScope(context, values, {
    title: `What arrives at ${formatAddress(address)}`,
    lanes: [{ name: "received" }],
    ...{ signals, format },
  });
  const { node } = await openEndpoint({
    layer: "udp",
    listen: address,
    remote: { hostname: "127.0.0.1", port: 12000 },
    port: 12001,
    remotePort: 12000,
    format: withSignals(format, signals),
    anySource: true,
    onProblem: ({ kind, message }) => say.throttled(kind, message),
    now: timestampClock(),
  });
  await using _node = node;
  scope.tell(() => [{ name: "Invalid", value: node.counters.invalid }]);
  say.info(
    `Listening on ${
      (node.addrs ?? [node.addr]).map(formatAddress).join(" and ")
    }, without answering`,
  );
  say.info("Ready. Ctrl-C to quit.");
  using _ending = whenAborted(signal, () => node.end());
  const [show] = scope.taps;
  let samples = 0;
  await node.serve((batch) => {
    samples += batch.count;
    return show!(batch);
  });
  say.summary(`${counted(samples, "sample")}, ${node.counters.invalid} invalid`);
}

async function showRecording(context: Context, values: Values, path: string): Promise<number> {
  const { say, stdin, signal } = context;
  if (context.given.has("history")) {
    throw new UsageError("Cannot use --history with a recording: all of its samples are kept");
  }
  const { signals, format: given = formatOfFile(path) } = values;
  const format = withSignals(given, signals);
  const isPiped = path === "-";
  if (isPiped && stdin.isTerminal()) {
    throw new UsageError("Cannot show what is typed: expected a recording that is piped in");
  }
  using file = isPiped ? null : await Deno.open(path).catch((cause) => {
    throw new UsageError(`Cannot read "${path}": ${messageOf(cause)}`, { cause });
  });
  const size = (await file?.stat())?.size ?? 0; // 0 for a pipe, too
  const { line, all } = await peekLine(readChunks((file ?? stdin).readable, signal));
  const records = values.format ? undefined : findRecords(line);
  if (!records) format.stream.decoder(); // it may need to know the signals
  let [position, bad, isRead] = [0, 0, false];
  await using scope = await openRecordingScope(context, values, {
    title: isPiped ? "Standard input" : path.replace(/.*[/\\]/, ""),
    signals: signals ?? records?.names.map((name) => ({ name })),
    bytes: MOST_BYTES,
    progress: () => isRead ? 1 : Math.min(0.99, position / Math.max(position, size, 1)),
    statistics: () => [
      { name: "Invalid", value: bad },
      { name: "Out of order", value: scope.feed.lanes[0]!.early },
    ],
  });
  const [lane] = scope.feed.lanes;
  say.info("Ready. Ctrl-C to quit.");
  const onBad = (message: string) => {
    bad++;
    say.throttled("bad", message);
  };
  const counting = async function* () {
    for await (const bytes of all) {
      position += bytes.length;
      yield bytes;
    }
  };
  const portions = records?.read(ReadableStream.from(counting()), onBad, signal) ??
    readSamples(counting(), format, {
      onBad: ({ message }) => onBad(message),
      onCut: (message) => say.throttled("bad", message),
    });
  const shown = setInterval(() => {
    const part = `${Math.floor(position / size * 100)} %`;
    say.live(`${size > 0 ? part : counted(lane!.samples, "sample")} read`);
  }, 500);
  try {
    for await (const samples of portions) {
      if (signal.aborted) break;
      scope.feed.add(0, samples);
    }
  } finally {
    clearInterval(shown);
    say.clearLive();
  }
  isRead = true;
  const { samples, early } = lane!;
  if (early > 0) {
    say.warn(
      `Drew ${counted(early, "sample")} at the time of a later one that came before: ` +
        "the clock was set back, or there are several senders",
    );
  }
  say.info(`${counted(samples, "sample")} read`);
  await new Promise<void>((resolve) => whenAborted(signal, resolve));
  return bad === 0 ? exit.done : exit.codec;
}
