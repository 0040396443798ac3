import { concat } from "@std/bytes/concat";
import { defineCommand } from "../../cli/command.ts";
import type { Context } from "../../cli/context.ts";
import { flag, integer, value } from "../../cli/options.ts";
import { readChunks } from "../../cli/read_lines.ts";
import type { SampleEncoder, VillasFormat } from "../../codecs/villas/format.ts";
import { villasFormat } from "../../codecs/villas/formats.ts";
import type { Sample } from "../../codecs/villas/sample.ts";
import { shownSignals } from "../../codecs/villas/uniform.ts";
import { withSignals } from "../../codecs/villas/with_signals.ts";
import { CodecError, exit, messageOf, UsageError } from "../../errors.ts";
import { isSameFile } from "../../recording/same_file.ts";
import { counted } from "../../text/wording.ts";
import { CapturedSamples } from "../../villas/captured_samples.ts";
import { beginSamples, chunksOf, readSamples } from "../../villas/sample_stream.ts";
import { formatOption, signalsOption, warnOfUncounted } from "./format_option.ts";
import { formatOfFile, isCapture } from "./format_of_file.ts";

/** A capture of network traffic, in the place of a format. */
const CAPTURE = "capture";

/** `labwire villas-convert`. */
export const villasConvert = defineCommand({
  name: "villas-convert",
  summary: "convert samples from one of VILLASnode's formats into another, or out of a capture",
  details: [
    "Reads IN or standard input and writes OUT or standard output, in the form of the files that VILLASnode's file node " +
    "and its tools read and write. Without --from and --to, the names of the files say the formats: .csv, .tsv, .json, " +
    ".pb, .bin, .pcap, .pcapng; any other is villas.human.",
    "--from pcap (or pcapng) takes the UDP datagrams to --port out of a capture of tcpdump or Wireshark; --format says what is in " +
    "them. The time of each packet becomes the time of receipt.",
    "If something cannot be read or written, the conversion ends with exit code 5, and the error says where; with " +
    "--skip-bad it is left out and counted. A last sample that was cut off, and a last line without its newline, are left " +
    "out with a warning.",
  ],
  positionals: [
    { name: "IN", isFile: true, help: "What to read; standard input without it, or if it is -" },
    { name: "OUT", isFile: true, help: "What to write; standard output without it, or if it is -" },
  ],
  options: {
    from: value(
      { help: "Format of what is read, as for --to, or pcap or pcapng" },
      "FORMAT",
      (text) => /^pcap(ng)?$/.test(text) ? CAPTURE : villasFormat(text),
      { short: "i" },
    ),
    to: { ...formatOption("Format of what is written"), short: "o" },
    signals: { ...signalsOption, short: "t" },
    port: integer({
      min: 0,
      max: 65535,
      help: "Take only datagrams to this port out of a capture",
    }),
    format: formatOption("Format of the datagrams in a capture, by default protobuf"),
    skipBad: flag({ help: "Leave out and count what cannot be converted" }),
    force: flag({ help: "Overwrite OUT if it exists" }),
  },
  examples: [
    {
      text: "A recording as a table",
      command: "labwire villas-convert run.dat run.csv",
    },
    {
      text: "What VILLASnode sent, out of a capture",
      command: "labwire villas-convert --port 12001 --to csv traffic.pcap",
    },
    {
      text: "As VILLASnode's tool, in a pipe",
      command: "labwire villas-convert -i villas.human -o json -t 2f1i < run.dat",
    },
  ],
  async run(context, options, [inPath = "-", outPath = "-"]) {
    const { say, signal } = context;
    const { signals } = options;
    const { from = captureOr(inPath), to = formatOfFile(outPath), port, format } = options;
    const known = (format: VillasFormat) => withSignals(format, signals);
    if (from !== CAPTURE && (port !== undefined || format !== undefined)) {
      throw new UsageError(
        `Cannot use --${
          port === undefined ? "format" : "port"
        } without --from pcap: nothing else has datagrams`,
      );
    }
    const target = known(to);
    if (signals) target.check(signals);
    const bad = new BadSamples(context, options.skipBad);
    const reading = { onBad: bad.onBad, onCut: (message: string) => say.warn(message) };
    if (from === CAPTURE) {
      warnOfUncounted(say, format && known(format), "the columns are wrong if it has several");
    }
    const capture = from === CAPTURE
      ? new CapturedSamples({ ...reading, port, format: known(format ?? villasFormat("protobuf")) })
      : undefined;
    if (await isSameFile(inPath === "-" ? 0 : inPath, outPath === "-" ? 1 : outPath)) {
      const written = outPath === "-" ? "standard output" : `"${outPath}"`;
      throw new UsageError(`Cannot write ${written}: it is the file that is read`);
    }
    await using input = await openInput(context, inPath);
    const samples = from === CAPTURE
      ? capture!.read(input.chunks)
      : readSamples(input.chunks, known(from), reading);
    await using output = await openOutput(context, outPath, options.force);
    const writer = new SampleWriter(target, bad);
    const live = setInterval(() => say.live(progress(writer.written, input)), 500);
    try {
      for await (const portion of samples) {
        if (signal.aborted) break;
        const bytes = writer.encode(portion);
        if (bytes.length > 0) await output.write(bytes);
      }
    } finally {
      clearInterval(live);
      say.clearLive();
    }
    if (signal.aborted) return exit.interrupted;
    if (capture?.datagrams === 0) say.warn(noDatagram(capture, port));
    const told = [counted(writer.written, "sample"), ...bad.count > 0 ? [`${bad.count} bad`] : []];
    say.summary(`Converted ${told.join(", ")}`);
  },
});

function captureOr(path: string): VillasFormat | typeof CAPTURE {
  return isCapture(path) ? CAPTURE : formatOfFile(path);
}

/** Counts what cannot be converted, or ends the conversion. */
class BadSamples {
  readonly #say: Context["say"];
  readonly #skips: boolean;
  count = 0;

  constructor({ say }: Context, skips: boolean) {
    this.#say = say;
    this.#skips = skips;
  }

  /** Takes what is wrong. */
  readonly onBad = (error: CodecError): void => {
    if (!this.#skips) {
      throw new CodecError(`${error.message}; --skip-bad leaves such samples out`, {
        cause: error,
        offset: error.offset,
      });
    }
    this.count++;
    this.#say.throttled("bad", error.message);
  };
}

/** Writes samples in a format. */
class SampleWriter {
  readonly #format: VillasFormat;
  #encoder: SampleEncoder | undefined;
  readonly #bad: BadSamples;
  written = 0;

  constructor(format: VillasFormat, bad: BadSamples) {
    this.#format = format;
    this.#bad = bad;
  }

  /** The bytes of samples, without those that cannot be written. */
  encode(samples: readonly Sample[]): Uint8Array {
    if (!this.#encoder) return this.#begin(samples);
    try {
      const bytes = this.#encoder.encode(samples);
      this.written += samples.length;
      return bytes;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      if (samples.length > 1) return this.#eachOf(samples);
      const { sequence } = samples[0]!;
      const which = sequence === undefined ? `${this.written + 1}` : `with sequence ${sequence}`;
      this.#bad.onBad(new CodecError(`Cannot write sample ${which}: ${error.message}`));
      return new Uint8Array();
    }
  }

  #begin(samples: readonly Sample[]): Uint8Array {
    // VILLASnode's tool writes no time of receipt into json, and nothing but a header where it knows the signals.
    const format = this.#format;
    const options = { ...format.name === "json" && { offset: false }, uniform: true };
    if (format.signals) {
      this.#encoder = format.stream.encoder(options);
      return this.encode(samples);
    }
    const signals = shownSignals(samples);
    const { head, encoder } = beginSamples(format, samples[0]!, { ...options, signals });
    this.#encoder = encoder;
    return concat([head, this.encode(samples)]);
  }

  #eachOf(samples: readonly Sample[]): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const sample of samples) parts.push(this.encode([sample]).slice());
    return concat(parts);
  }
}

/** Where samples are read. */
interface Input extends AsyncDisposable {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes read so far. */
  readonly position: number;
  /** Bytes there are, if that is known. */
  readonly size?: number;
}

async function openInput({ stdin, signal }: Context, path: string): Promise<Input> {
  let position = 0;
  const counting = (bytes: number) => void (position += bytes);
  if (path === "-") {
    return {
      chunks: readChunks(stdin.readable, signal, counting),
      get position() {
        return position;
      },
      async [Symbol.asyncDispose]() {},
    };
  }
  let file: Deno.FsFile | undefined;
  try {
    file = await Deno.open(path);
    const { isDirectory, isFile, size } = await file.stat();
    if (isDirectory) throw new Error("it is a directory");
    const opened = file;
    return {
      chunks: chunksOf(opened, counting),
      get position() {
        return position;
      },
      size: isFile ? size : undefined,
      async [Symbol.asyncDispose]() {
        await null;
        opened.close();
      },
    };
  } catch (cause) {
    file?.close();
    throw new UsageError(`Cannot read "${path}": ${why(cause)}`, { cause });
  }
}

/** Where samples are written. */
interface Target extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>;
}

async function openOutput({ out }: Context, path: string, force: boolean): Promise<Target> {
  if (path === "-") {
    return {
      async write(bytes) {
        out.bytes(bytes);
        if (out.full) await out.ready();
      },
      async [Symbol.asyncDispose]() {},
    };
  }
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, {
      write: true,
      createNew: !force,
      create: force,
      truncate: force,
    });
  } catch (cause) {
    const taken = cause instanceof Deno.errors.AlreadyExists;
    const text = taken ? "it is there already; --force overwrites it" : why(cause);
    throw new UsageError(`Cannot write "${path}": ${text}`, { cause });
  }
  return {
    async write(bytes) {
      try {
        for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
      } catch (cause) {
        throw new Error(`Cannot write "${path}": ${why(cause)}`, { cause });
      }
    },
    async [Symbol.asyncDispose]() {
      await null;
      file.close();
    },
  };
}

function why(cause: unknown): string {
  return cause instanceof Deno.errors.NotFound ? "no such file or directory" : messageOf(cause);
}

/** How far it is. */
function progress(written: number, { position, size }: Input): string {
  const done = `${counted(written, "sample")}, ${(position / 1e6).toFixed(1)} MB`;
  if (!size) return done;
  return `${done} of ${(size / 1e6).toFixed(1)} MB, ${Math.floor(100 * position / size)} %`;
}

/** Why there was nothing in a capture. */
function noDatagram({ packets, ports }: CapturedSamples, port: number | undefined): string {
  const to = port === undefined ? "" : ` to port ${port}`;
  const seen = ports.slice(0, 5).map(([port, count]) => `${port} (${count})`).join(", ");
  return `There is no UDP datagram${to} among ${counted(packets, "packet")}` +
    (seen === "" ? "" : `; datagrams went to these ports: ${seen}`);
}
