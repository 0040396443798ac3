import type { Context } from "../../cli/context.ts";
import { defineCommand } from "../../cli/command.ts";
import { address, flag, integer, list, seconds, text } from "../../cli/options.ts";
import { kebab } from "../../cli/parse.ts";
import { readChunks } from "../../cli/read_lines.ts";
import { ColumnsDecoder } from "../../codecs/villas/columns/read.ts";
import type { VillasFormat } from "../../codecs/villas/format.ts";
import { villasFormat } from "../../codecs/villas/formats.ts";
import type { Signal } from "../../codecs/villas/signals.ts";
import { withSignals } from "../../codecs/villas/with_signals.ts";
import { exit, UsageError } from "../../errors.ts";
import { formatAddress } from "../../net/address/address.ts";
import { counted, rareCounts } from "../../text/wording.ts";
import { after } from "../../time/deadline.ts";
import { startVillasPipe, type VillasPipe } from "../../villas/pipe.ts";
import type { VillasPipeInput, VillasPipeStats } from "../../villas/pipe_options.ts";
import type { Tap } from "../../villas/path.ts";
import { portFileOption } from "../serving/announce.ts";
import { formatOption, signalsOption, warnOfUncounted } from "./format_option.ts";
import {
  announceLayer,
  droppedAdvice,
  layerOptions,
  readLayer,
  sayProblem,
} from "./layer_options.ts";
import { isNamed, type PipeForm, pipeOutput, pipePrinter } from "./pipe_output.ts";
import { openTaps, tapOptions } from "./taps.ts";

/** `labwire villas-pipe`. */
export const villasPipe = defineCommand({
  name: "villas-pipe",
  summary: "send samples from standard input to VILLASnode, and print what it sends",
  details: [
    "Lines of standard input are samples in the format of --input-format, or with --columns plain numbers from any " +
    "program: rows of CSV, with or without a header, JSON arrays, objects and numbers. Samples without a sequence number " +
    "are numbered, those without a time get the present one. Values are floats unless --signals or the format itself " +
    "(protobuf) says otherwise. A sample that would make VILLASnode abort is not sent: one of another type than DATA, with " +
    "an unset value, or with a value of another kind than --signals states.",
    "With --columns, a column or member called time, timestamp or date is the time, in seconds since 1970 or in ISO 8601; " +
    "one called sequence or seq is the sequence number. All others are values, unless --fields names them.",
    "This is VILLASnode's villas-pipe, with the same letters for options and some differences. At the end of standard " +
    "input it waits for the answers to what it sent; with --send-only it ends at once. If standard input was empty, " +
    "without a single byte, it goes on receiving. It prints exactly as many samples as --limit-received says. A line that " +
    "is not a sample is reported and not sent, and the exit code is then 5, unless --skip-bad is given.",
  ],
  options: {
    listen: address({
      default: "0.0.0.0:12001",
      help: "Where to bind; a tcp-server at localhost:12001 unless given",
    }),
    remote: {
      ...address({ default: "127.0.0.1:12000", help: "VILLASnode's address; samples go there" }),
      also: "to",
    },
    anySource: flag({ help: "Take samples from every address, not only from the remote" }),
    ...layerOptions,
    format: formatOption("How messages are written on the wire (default protobuf)"),
    asNode: flag({
      help:
        "Stand in for VILLASnode: the other end is villas-echo or another client; matters for formats that VILLASnode does not read " +
        "as it writes them, such as csv and tsv",
    }),
    signals: { ...signalsOption, short: "t" },
    inputFormat: formatOption("What standard input is (default villas.human)"),
    columns: flag({ help: "Standard input is plain columns: rows of CSV, or JSON records" }),
    fields: list({
      help:
        "With --columns, which columns or members are the values, such as data.voltage or volts[0], or columns by numbers from 1; in " +
        "plain output, the names of the values",
    }),
    time: text({
      placeholder: "COLUMN",
      help: "With --columns, which column or member is the time, by its name or number",
    }),
    sequence: text({
      placeholder: "COLUMN",
      help: "With --columns, which column or member is the sequence number",
    }),
    output: pipeOutput,
    timestamps: flag({
      help:
        'Begin each plain record with the time of its sample, in UTC; in objects and headers it is called "time"',
    }),
    commandId: text({
      placeholder: "NAME",
      help: 'Make each object a command for json-client, with this "command_id"',
    }),
    sendOnly: {
      ...flag({ help: "Only send: print nothing, and wait for nothing" }),
      short: "s",
    },
    receiveOnly: { ...flag({ help: "Only receive: do not read standard input" }), short: "r" },
    limitReceived: {
      ...integer({ min: 1, help: "End when this many samples were received, and not before" }),
      short: "l",
    },
    limitSent: { ...integer({ min: 1, help: "Send no more samples than this" }), short: "L" },
    duration: { ...seconds({ help: "End after this many seconds" }), short: "T" },
    realtime: flag({ help: "Keep the time between samples that their timestamps say" }),
    vectorize: integer({ default: 1, min: 1, help: "Samples in each message" }),
    wait: seconds({
      default: 1,
      help: "How long to wait for each further answer at the end of standard input",
    }),
    skipBad: flag({ help: "Exit with 0 even if some lines were not samples" }),
    ...tapOptions,
    ...portFileOption,
  },
  binds: { option: "listen", transports: ["udp"] },
  examples: [
    {
      text: "Send a file at its own pace, and record what comes back",
      command: "labwire villas-pipe --realtime < samples.dat > answers.dat",
    },
    {
      text: "Send a table from a spreadsheet to VILLASnode",
      command: "labwire villas-pipe --columns --send-only < table.csv",
    },
    {
      text: "Send the records of a struct line",
      command:
        "labwire struct-line server --format '<Id' --fields n,volts | labwire villas-pipe --columns --fields volts",
    },
  ],
  async run(context, options) {
    const { out, say, signal, given, stdin } = context;
    checkOptions(options, given);
    const layer = readLayer(options, { ...options, remoteOption: "remote" }, given);
    const { sendOnly, receiveOnly } = options;
    if (!sendOnly) {
      const known = options.format && withSignals(options.format, options.signals);
      warnOfUncounted(say, known, "the columns are wrong if it has several");
    }
    let unprinted = 0;
    const print = sendOnly ? undefined : pipePrinter({
      ...options,
      form: options.output,
      onBad: (error) => {
        unprinted++;
        say.throttled("unprinted", `Cannot print a sample: ${error.message}`);
      },
    }, out);
    const reading = new AbortController();
    const read = readChunks(stdin.readable, reading.signal);
    const isUnsaid = !options.columns && options.inputFormat === undefined;
    const chunks = isUnsaid ? withTableNews(read, say) : read;
    const input = receiveOnly ? undefined : { chunks, ...readerOf(options) };
    const columns = options.columns ? input?.decoder as ColumnsDecoder : undefined;
    await using recorded = await openTaps(context, options, {
      title: "villas-pipe",
      begins: "received",
      signals: options.signals,
    });
    const { taps, sentTaps } = recorded;
    await using pipe = await startVillasPipe({
      ...options,
      ...layer,
      codec: options.format,
      input,
      onBatch: print,
      signal,
      ...{ taps, sentTaps: columns ? [...sentTaps, leftOutNews(columns, say)] : sentTaps },
      onProblem: (problem) => sayProblem(say, problem),
    });
    using _announced = announceLayer(say, options, {
      addrs: pipe.addrs,
      detail: `remote ${formatAddress(layer.remote)}`,
      state: stateOf(options, stdin.isTerminal()),
      portFile: options.portFile,
      receiveBuffer: pipe.receiveBuffer,
    });
    using _ending = options.duration === undefined
      ? undefined
      : after(options.duration, () => void pipe.close());
    try {
      await pipe.finished;
    } finally {
      reading.abort();
      await out.shown();
      say.summary(summary(pipe.stats, unprinted));
      const { receiveBuffer, stats: { dropped = 0 } } = pipe;
      if (dropped > 0 && receiveBuffer) say.warn(droppedAdvice(dropped, receiveBuffer));
    }
    return exitCode(context, pipe, unprinted, options);
  },
});

/** The values that {@linkcode checkOptions} looks at. */
interface PipeValues {
  readonly sendOnly: boolean;
  readonly receiveOnly: boolean;
  readonly columns: boolean;
  readonly inputFormat?: VillasFormat;
  readonly signals?: readonly Signal[];
  readonly fields?: readonly string[];
  readonly time?: string;
  readonly sequence?: string;
  readonly output: PipeForm;
  readonly skipBad: boolean;
}

/** Refuses options that contradict each other, or would have no effect. */
function checkOptions(options: PipeValues, given: ReadonlySet<string>): void {
  const refuse = (one: string, other: string, why: string) => {
    throw new UsageError(`Cannot use ${one} with ${other}: ${why}`);
  };
  const { sendOnly, receiveOnly, columns, output } = options;
  if (sendOnly && receiveOnly) refuse("--send-only", "--receive-only", "expected one of them");
  for (const name of ["limitReceived", "output", "wait", "timestamps", "commandId", "record"]) {
    if (sendOnly && given.has(name)) {
      refuse(`--${kebab(name)}`, "--send-only", "nothing is received");
    }
  }
  const sending = ["limitSent", "realtime", "vectorize", "columns", "inputFormat", "recordSent"];
  for (const name of sending) {
    if (receiveOnly && given.has(name)) {
      refuse(`--${kebab(name)}`, "--receive-only", "nothing is sent");
    }
  }
  if (columns && given.has("inputFormat")) {
    refuse("--columns", "--input-format", "they are two forms of standard input");
  }
  if (given.has("fields") && !columns && !(!sendOnly && isNamed(output))) {
    throw new UsageError(
      "Cannot use --fields without --columns, or --output columns or objects: nothing else has names",
    );
  }
  for (const name of ["time", "sequence"]) {
    if (!columns && given.has(name)) {
      throw new UsageError(
        `Cannot use --${name} without --columns: formats have their own place for it`,
      );
    }
  }
}

/** What reads standard input. */
function readerOf(options: PipeValues): Omit<VillasPipeInput, "chunks"> {
  const { columns, inputFormat = villasFormat("villas.human"), signals } = options;
  if (columns) return { decoder: new ColumnsDecoder(options) };
  const decoder = withSignals(inputFormat, signals).stream.decoder();
  return { decoder, floats: !signals && inputFormat.name !== "protobuf" };
}

/** Warns of rows of CSV where nobody said what the input is: as villas.human, their first number would be the time. */
async function* withTableNews(
  chunks: AsyncIterable<Uint8Array>,
  say: Context["say"],
): AsyncGenerator<Uint8Array, void, void> {
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst && /^[^\t\n(#]*,/.test(new TextDecoder().decode(chunk.subarray(0, 512)))) {
      say.warn(
        "Standard input has commas, and is read as villas.human, where a line begins with its time: " +
          "--columns reads tables",
      );
    }
    isFirst = false;
    yield chunk;
  }
}

function stateOf({ receiveOnly, columns, inputFormat }: PipeValues, terminal: boolean): string {
  if (receiveOnly || !terminal) return "Ready";
  const form = columns ? "numbers with commas between them" : inputFormat?.name ?? "villas.human";
  return `Ready. Type samples, one per line, as ${form}; Ctrl-D ends them`;
}

/** Says once which members of objects are texts, which VILLASnode does not have. */
function leftOutNews(columns: ColumnsDecoder, say: Context["say"]): Tap {
  let isTold = false;
  return () => {
    if (isTold || columns.leftOut.length === 0) return;
    isTold = true;
    say.info(`Left out what is text: ${columns.leftOut.join(", ")}; --fields chooses the values`);
  };
}

function summary(stats: VillasPipeStats, unprinted: number): string {
  const { sent, received, bad } = stats;
  return [
    `${sent} sent, ${received} received`,
    ...(bad > 0 ? [counted(bad, "bad line")] : []),
    ...rareCounts({ ...stats, dropped: stats.dropped ?? 0, unprinted }, [
      ...["refused", "invalid", "ignored", "dropped", "unsent", "unprinted"] as const,
    ]),
  ].join(", ");
}

/** What of the input and of what arrived went nowhere. */
function whatWasLeftOut(
  { bad, refused, unprinted }: { bad: number; refused: number; unprinted: number },
): string {
  return [
    ...bad > 0
      ? [`${counted(bad, "line")} that ${bad === 1 ? "is not a sample" : "are not samples"}`]
      : [],
    ...refused > 0 ? [`${counted(refused, "sample")} that cannot be sent`] : [],
    ...unprinted > 0 ? [`${counted(unprinted, "sample")} that cannot be printed`] : [],
  ].join(", ") + "; with --skip-bad the exit code is 0";
}

function exitCode(
  { say, signal }: Context,
  pipe: VillasPipe,
  unprinted: number,
  { skipBad }: PipeValues,
): number {
  const { sent, bad, refused, unsent } = pipe.stats;
  if ((bad > 0 || refused > 0 || unprinted > 0) && !skipBad) {
    say.giveReason();
    say.error(`Left out ${whatWasLeftOut({ bad, refused, unprinted })}`);
    return exit.codec;
  }
  if (pipe.isBarren && bad === 0 && !signal.aborted) {
    say.error("Cannot find a sample in standard input: expected more than blank lines or a header");
    return exit.codec;
  }
  if (sent > 0 || unsent === 0) return exit.done;
  say.error("Cannot send: the system took no message");
  return exit.connect;
}
