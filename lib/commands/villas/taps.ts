/**
 * The options that become taps on the path of a `villas-*` command, declared once, and what is made of them.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { file, text } from "../../cli/options.ts";
import type { Sample } from "../../codecs/villas/sample.ts";
import type { Format } from "../../codecs/villas/format.ts";
import { villasFormat, villasFormats } from "../../codecs/villas/formats.ts";
import { CodecError, UsageError } from "../../errors.ts";
import type { Tap } from "../../villas/path.ts";
import {
  openRecording,
  type Recording,
  recordingOptions,
  type RecordingValues,
} from "../recording/record.ts";

/** The options of every `villas-*` command that become taps. */
export const tapOptions = {
  record: file({
    help:
      "Record the samples that arrive in this file; its name may hold the local time, as in run-%Y%m%d-%H%M%S.dat",
  }),
  recordSent: file({ help: "Record the samples that are sent in this file" }),
  recordFormat: text({
    placeholder: "FORMAT",
    help:
      "Format of the recordings (default by the name: .csv, .tsv, .json, .pb, .bin; villas.human for any other)",
  }),
  ...recordingOptions,
} as const;

/** The values of {@linkcode tapOptions}. */
export interface TapValues extends RecordingValues {
  readonly record?: string;
  readonly recordSent?: string;
  readonly recordFormat?: string;
}

/** The taps that the options ask for. */
export interface Taps extends AsyncDisposable {
  /** They see what arrives. */
  readonly taps: readonly Tap[];
  /** They see what is sent. */
  readonly sentTaps: readonly Tap[];
  /** Ends them, and says what they have done; to be called when the path has ended. May be called again. */
  close(): Promise<void>;
}

/**
 * Opens what the options ask for.
 *
 * @param context The world around the command.
 * @param values The options' values.
 * @throws {UsageError} If a file is there already, or cannot be made.
 */
export async function openTaps(context: Context, values: TapValues): Promise<Taps> {
  const opened: Recording[] = [];
  const record = async (path: string | undefined) => {
    if (path === undefined) return [];
    const { tap, recording } = await recordSamples(context, values, path);
    opened.push(recording);
    return [tap];
  };
  const close = async () => {
    for (const each of opened) await each.close();
  };
  try {
    return {
      taps: await record(values.record),
      sentTaps: await record(values.recordSent),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Extensions of file names that are not a format's own name. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  jsonl: "json",
  ndjson: "json",
  pb: "protobuf",
  bin: "villas.binary",
};

/**
 * The format of a file, by its name: that of its extension, else `villas.human`, as VILLASnode's file node has it.
 *
 * @param path The file's path.
 */
export function formatOfFile(path: string): string {
  const extension = /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  const name = EXTENSIONS[extension] ?? extension;
  return Object.hasOwn(villasFormats, name) ? name : "villas.human";
}

/** Makes the tap that records samples. */
async function recordSamples(
  context: Context,
  values: TapValues,
  path: string,
): Promise<{ tap: Tap; recording: Recording }> {
  const format = villasFormat(values.recordFormat ?? formatOfFile(path));
  const recording = await openRecording(context, values, {
    path,
    noun: ["sample", "samples"],
  });
  const { recorder } = recording;
  const encode = (format: Format, samples: Sample[]) => {
    try {
      recorder.write(format.encode(samples), samples.length);
    } catch (error) {
      if (!(error instanceof CodecError || error instanceof UsageError)) throw error;
      recorder.skip(samples.length);
      context.say.throttled("unrecorded", `Cannot record a sample: ${error.message}`);
    }
  };
  return {
    recording,
    tap: ({ samples, received }) => {
      encode(format, samples.map((sample) => ({ ...sample, received })));
    },
  };
}
