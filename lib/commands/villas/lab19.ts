import { defineCommand } from "../../cli/command.ts";
import { integer, number, value } from "../../cli/options.ts";
import { outputOption } from "../../cli/output_option.ts";
import type { Sample } from "../../codecs/villas/sample.ts";
import { formatVillasHuman } from "../../codecs/villas/human.ts";
import { formatVillasJson } from "../../codecs/villas/json.ts";
import { ConnectError, UsageError } from "../../errors.ts";
import { within } from "../../time/deadline.ts";
import { startVillasEcho } from "../../villas/echo.ts";
import type { VillasEchoStats } from "../../villas/echo_options.ts";
import { startVillasSignal } from "../../villas/signal_source.ts";
import type { VillasSignalStats } from "../../villas/signal_source_options.ts";

/** `labwire lab19`. */
export const lab19 = defineCommand({
  name: "lab19",
  summary: "run the whole of VILLASnode's Lab 19 here: signals to a client and back over UDP",
  details: [
    "A node sends mixed signals from port 12000 to a client on port 12001, which sends them back. What the client " +
    "received is printed after “client”, what came back after “node”; as JSON, the name is in each record. Also a check " +
    "that this program and UDP work: the exit code is 4 if a sample does not come back.",
    "Both ends speak protobuf, as the lab does: its client knows no other format. villas-signal and villas-echo are the two ends as programs " +
    "of their own, with all formats.",
  ],
  options: {
    limit: integer({ default: 3, min: 1, help: "Samples to send" }),
    values: integer({ default: 5, min: 1, max: 4096, help: "Values in each sample" }),
    rate: number({ default: 10, min: 0.001, max: 10_000, help: "Samples per second" }),
    portBase: integer({
      default: 12000,
      min: 1,
      max: 65534,
      help: "Port of the node; the client has the next one",
    }),
    format: value(
      { default: "protobuf", help: "Format of the messages: only protobuf, as in the lab" },
      "FORMAT",
      onlyProtobuf,
    ),
    seed: integer({ min: 0, help: "The same seed makes the same random walk each time" }),
    output: outputOption(["text", "json", "none"], {
      default: "text",
      help: "How to print what arrives at both ends",
    }),
  },
  examples: [
    { text: "The lab as it is written", command: "labwire lab19" },
    { text: "Beside a lab that is already running", command: "labwire lab19 --port-base 13000" },
  ],
  async run({ out, say, signal }, { limit, values, rate, portBase, seed, output }) {
    const node = `127.0.0.1:${portBase}`;
    const client = `127.0.0.1:${portBase + 1}`;
    const print = (end: "client" | "node", sample: Sample) => {
      if (output === "none") return;
      if (output === "json") {
        return out.line(`{"end": "${end}", ${formatVillasJson(sample).slice(1)}`);
      }
      const format = end === "client" ? formatVillasJson : formatVillasHuman;
      out.line(end.padEnd(8) + format(sample));
    };
    await using echo = await onFreePort(() =>
      startVillasEcho({
        listen: client,
        remote: node,
        onMessage: ({ samples, received }) => {
          for (const sample of samples) print("client", { ...sample, received });
        },
        onProblem: ({ message }) => say.warn(message),
      })
    );
    await using source = await onFreePort(() =>
      startVillasSignal({
        type: "mixed",
        listen: node,
        to: client,
        limit,
        values,
        rate,
        seed,
        signal,
        onReturn: ({ sample, received }) => print("node", { ...sample, received }),
        onProblem: ({ message }) => say.warn(message),
      })
    );
    say.info(
      `Node on ${node}, client on ${client}, ${limit} samples of ${values} mixed signals, ${rate} per second`,
    );
    await source.finished;
    const result = `${source.stats.returned} of ${limit} samples came back`;
    if (signal.aborted) return say.info(result);
    const fault = faultOf(source.stats, echo.stats, limit);
    if (fault !== undefined) throw new ConnectError(`${result}: ${fault}`);
    await within(out.flush(), 1); // on a terminal, the verdict is the last line
    say.info(result);
  },
});

function onlyProtobuf(format: string): string {
  if (format === "protobuf") return format;
  throw new UsageError(
    "expected protobuf, the only format that the lab's client knows; villas-signal and villas-echo have the others, " +
      `as in labwire villas-echo --format ${format} and labwire villas-signal mixed --format ${format}`,
  );
}

/** Names the option that helps where a port is taken. */
async function onFreePort<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${error.message}; use --port-base for other ports`, { cause: error });
  }
}

/** What is wrong, for the person who has to fix it. */
function faultOf(
  node: VillasSignalStats,
  client: VillasEchoStats,
  limit: number,
): string | undefined {
  if (node.unsent > 0) return "the system did not take the datagrams";
  if (client.messages === 0) {
    return "none reached the client; a firewall may keep UDP from this program";
  }
  if (node.returned === 0) {
    return "the client received them, but no reply reached the node; a firewall may keep them back";
  }
  if (node.changed > 0) return `${node.changed} of them changed on the way`;
  if (node.returned < limit) {
    return "the others were lost on the way; the computer may be too busy for this rate";
  }
  return undefined;
}
