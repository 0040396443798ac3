/**
 * The options that become taps on the path of a `villas-*` command, declared once, and what is made of them.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { file } from "../../cli/options.ts";
import type { SampleEncoder, VillasFormat } from "../../codecs/villas/format.ts";
import type { Sample } from "../../codecs/villas/sample.ts";
import type { Signal } from "../../codecs/villas/signals.ts";
import { shownSignals } from "../../codecs/villas/uniform.ts";
import { withSignals } from "../../codecs/villas/with_signals.ts";
import { CodecError } from "../../errors.ts";
import type { Tap } from "../../villas/path.ts";
import { beginSamples } from "../../villas/sample_stream.ts";
import type { LaneDescription } from "../../scope/feed.ts";
import type { Statistic } from "../../scope/viewer.ts";
import {
  isScopeWanted,
  openScope,
  type ScopeDescription,
  scopeOptions,
  type ScopeValues,
} from "../scope/scope_options.ts";
import {
  checkTwoFiles,
  openRecording,
  recordFile,
  type Recording,
  recordingOptions,
  type RecordingValues,
} from "../recording/record.ts";
import { formatOfFile } from "./format_of_file.ts";
import { formatOption } from "./format_option.ts";

/** The options of every `villas-*` command that become taps. */
export const tapOptions = {
  record: recordFile("Record the samples that arrive in this file"),
  recordSent: file({ help: "Record the samples that are sent in this file" }),
  recordFormat: formatOption(
    "Format of the recordings, by default that of the name (.csv, .tsv, .json, .pb, .bin; villas.human for any other)",
  ),
  ...recordingOptions,
  ...scopeOptions,
} as const;

/** The values of {@linkcode tapOptions}. */
export interface TapValues extends RecordingValues, ScopeValues {
  readonly record?: string;
  readonly recordSent?: string;
  readonly recordFormat?: VillasFormat;
}

/** What a scope knows about a path. */
export interface PathDescription extends Omit<ScopeDescription, "lanes" | "signals"> {
  /** The signals, where they were stated. */
  readonly signals?: readonly Signal[];
  /** Where its samples come from first: they arrive and are answered, or are sent and come back. */
  readonly begins: "received" | "sent";
  /** Whether there is no way back. */
  readonly isOneWay?: boolean;
}

/** The taps that the options ask for. */
export interface Taps extends AsyncDisposable {
  /** They see what arrives. */
  readonly taps: readonly Tap[];
  /** They see what is sent. */
  readonly sentTaps: readonly Tap[];
  /** Whether any of them needs the event loop, as files do. */
  readonly needsLoop: boolean;
  /** What a scope shows beside the traces. */
  tell(statistics: () => readonly Statistic[]): void;
  /** Ends them, and says what they have done; to be called when the path has ended. May be called again. */
  close(): Promise<void>;
}

/**
 * Opens what the options ask for.
 *
 * @param context The world around the command.
 * @param values The options' values.
 * @param path What is known of the path before the first sample is there.
 * @throws {UsageError} If a file is there already or cannot be made, or an address cannot be bound.
 */
export async function openTaps(
  context: Context,
  values: TapValues,
  path: PathDescription,
): Promise<Taps> {
  await checkTwoFiles(values);
  const opened: { close(): Promise<void> }[] = [];
  const record = async (file: string | undefined) => {
    if (file === undefined) return [];
    const { tap, recording } = await recordSamples(context, values, path.signals, file);
    opened.push(recording);
    return [tap];
  };
  const close = async () => {
    for (const each of opened) await each.close();
  };
  try {
    const taps = await record(values.record);
    const sentTaps = await record(values.recordSent);
    const scope = isScopeWanted(values)
      ? await openScope(context, values, { ...path, lanes: lanesOf(path) })
      : undefined;
    if (scope) {
      opened.push(scope);
      const [first, second] = scope.taps as [Tap, Tap?];
      const [arriving, leaving] = path.begins === "received" ? [first, second] : [second, first];
      if (arriving) taps.push(arriving);
      if (leaving) sentTaps.push(leaving);
    }
    return {
      taps,
      sentTaps,
      needsLoop: values.record !== undefined || values.recordSent !== undefined,
      tell: (statistics) => scope?.tell(statistics),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The ways that a scope shows. */
function lanesOf({ begins, isOneWay }: PathDescription): LaneDescription[] {
  const [first, second] = begins === "received" ? ["received", "sent"] : ["sent", "received"];
  return [{ name: first! }, ...isOneWay ? [] : [{ name: second!, isReply: true }]];
}

/** Makes the tap that records samples. */
async function recordSamples(
  context: Context,
  { recordFormat, ...values }: TapValues,
  signals: readonly Signal[] | undefined,
  path: string,
): Promise<{ tap: Tap; recording: Recording }> {
  const given = recordFormat ?? formatOfFile(path);
  const format = withSignals(given, signals);
  if (signals) format.check();
  let encoder: SampleEncoder | undefined;
  let head: Uint8Array | undefined;
  const recording = await openRecording(context, values, {
    path,
    noun: ["sample", "samples"],
    header: () => head,
  });
  const { recorder } = recording;
  const begin = (samples: readonly Sample[]): SampleEncoder => {
    const options = { signals: signals ?? shownSignals(samples), uniform: true };
    head = beginSamples(format, samples[0]!, options).head;
    return format.stream.encoder({ ...options, header: false });
  };
  /** Records samples, without those that the format cannot carry. */
  const write = (encoder: SampleEncoder, samples: readonly Sample[]): void => {
    try {
      recorder.write(encoder.encode(samples), samples.length);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      if (samples.length > 1) return samples.forEach((sample) => write(encoder, [sample]));
      recorder.skip(1);
      context.say.throttled("unrecorded", `Cannot record to "${path}": ${error.message}`);
    }
  };
  const tap: Tap = ({ samples, received }) => {
    if (samples.length === 0) return;
    encoder ??= begin(samples);
    // Where nobody knows when they were received, they were made here.
    write(
      encoder,
      received.sec === 0 ? samples : samples.map((sample) => ({ ...sample, received })),
    );
  };
  return { recording, tap };
}
