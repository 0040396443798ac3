import { defineCommand } from "../../cli/command.ts";
import { choice, flag, integer, number, value } from "../../cli/options.ts";
import { withSignals } from "../../codecs/villas/with_signals.ts";
import { exit, UsageError } from "../../errors.ts";
import { counted } from "../../text/wording.ts";
import { beginsWithDay } from "../../time/date.ts";
import type { FileNode, RecordingTime } from "../../villas/nodes/file.ts";
import { startVillasReplay } from "../../villas/replay.ts";
import { speedOption } from "../recording/replay.ts";
import { formatOption, signalsOption } from "./format_option.ts";
import { sendingOptions, sendSamples } from "./sending.ts";
import { formatOfFile } from "./format_of_file.ts";

/** `labwire villas-replay`. */
export const villasReplay = defineCommand({
  name: "villas-replay",
  summary: "send a recording of samples again, at the times in it, and print what comes back",
  details: [
    "The file is a recording of --record or of VILLASnode's file node. The samples keep their values, sequence numbers " +
    "and times of origin, and the time between two of them. With --loop, numbers and times continue where the file ends; " +
    "samples without a number get one.",
    "A last sample that was cut off, for example by a power failure, is left out. Anything else that is not a sample is " +
    "reported and left out, and the exit code is then 5. It is 4 when nothing comes back at all: with --no-return nothing " +
    "is expected back, and with --check every sample must come back unchanged.",
  ],
  positionals: [{ name: "FILE", required: true, isFile: true, help: "The recording" }],
  options: {
    inputFormat: formatOption(
      "Format of the file, by default that of its name, as for --record-format",
    ),
    signals: signalsOption,
    ...speedOption,
    rate: number({ min: 0.001, max: 1e6, help: "Samples per second, whatever their times are" }),
    loop: flag({ help: "Start over at the end of the file, until Ctrl-C or --limit" }),
    from: value(
      {
        help:
          "Leave out samples before this time: seconds from the first sample, or 2026-11-21T13:45:00",
      },
      "TIME",
      parseTime,
    ),
    until: value({ help: "Leave out samples at this time or later" }, "TIME", parseTime),
    limit: integer({ min: 0, help: "Samples to send at most" }),
    origin: choice(["file", "now"], {
      default: "file",
      help: "Time of origin of the samples sent: that in the file, or the time of sending",
    }),
    vectorize: integer({ default: 1, min: 1, help: "Samples in each datagram" }),
    ...sendingOptions,
  },
  binds: { option: "listen", transports: ["udp"] },
  examples: [
    {
      text: "Send what was recorded to a client on this computer",
      command: "labwire villas-replay run.dat",
    },
    {
      text: "Check that a client sends everything back, as fast as it can",
      command: "labwire villas-replay run.dat --speed max --check --output none",
    },
    {
      text: "The second minute only, to another computer that sends nothing back",
      command:
        "labwire villas-replay run.dat --from 60 --until 120 --to 192.168.0.20:12001 --no-return",
    },
  ],
  async run(context, options, [path]) {
    const { say } = context;
    const { signals, inputFormat = formatOfFile(path!), format, ...rest } = options;
    if (context.given.has("speed") && rest.rate !== undefined) {
      throw new UsageError("Cannot use --speed and --rate together: expected one of them");
    }
    let file: FileNode | undefined;
    const { sent } = await sendSamples(context, { ...options, replay: path }, {
      title: `${path}`,
      signals,
      total: options.limit,
      start: async (shared) => {
        const replay = await startVillasReplay({
          ...rest,
          ...shared,
          path: path!,
          format: withSignals(inputFormat, signals),
          codec: format && withSignals(format, signals),
          onBad: (message) => say.throttled("bad", message),
        });
        file = replay.file;
        return replay.source;
      },
      progress: (sent) => file && file.size > 0 ? `${sent}, ${percentOf(file)} of the file` : sent,
    });
    if (file!.bad === 0) {
      if (sent > 0 || !options.check || context.signal.aborted) return exit.done;
      say.error(`Cannot check anything: "${path}" gave no sample to send`);
      return exit.codec;
    }
    say.giveReason();
    say.error(
      `Left out ${counted(file!.bad, "thing")} in "${path}" that ${
        file!.bad === 1 ? "is not a sample" : "are not samples"
      }`,
    );
    return exit.codec;
  },
});

function percentOf({ position, size }: FileNode): string {
  return `${Math.floor(Math.min(1, position / size) * 100)} %`;
}

/** Seconds from the first sample, or a point in time, which is local where it has no zone. */
function parseTime(text: string): RecordingTime {
  const seconds = text.trim() === "" ? NaN : Number(text);
  if (seconds >= 0) return seconds;
  const date = new Date(beginsWithDay(text) ? text.replace(" ", "T") : NaN);
  if (!Number.isNaN(date.getTime())) return date;
  throw new UsageError(
    "expected seconds from the first sample, or a time such as 2026-11-21T13:45:00",
  );
}
