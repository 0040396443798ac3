/**
 * What every command has that can record: the options, and what is said of a recording.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { beside, file, flag, integer, value } from "../../cli/options.ts";
import { UsageError } from "../../errors.ts";
import { Recorder, type RecorderOptions } from "../../recording/recorder.ts";
import { isSameFile } from "../../recording/same_file.ts";
import { parseRotation, type Rotation } from "../../recording/rotation.ts";
import { strftime } from "../../text/strftime.ts";
import { counted } from "../../text/wording.ts";

const encoder = new TextEncoder();

/** What is recorded into. */
const RECORDS = ["record", "recordSent"];

/** The options of every command that records, beside `--record` itself. */
export const recordingOptions = {
  recordRotate: beside(
    RECORDS,
    value(
      {
        help:
          "Go on in another file at this size or time: 100MB, 1h, or 100MB,1h for whichever comes first",
      },
      "SIZE|TIME",
      parseRotation,
    ),
  ),
  recordKeep: beside(
    RECORDS,
    integer({ min: 1, help: "Keep only this many files of this recording, the newest" }),
  ),
  force: beside(RECORDS, flag({ help: "Overwrite an existing recording" })),
} as const;

/**
 * The options of a command that records one thing.
 *
 * @param help What is recorded; the time in the name is added.
 */
export function recordOptions(help: string) {
  return { record: recordFile(help), ...recordingOptions } as const;
}

/** An option that names the file of a recording. */
export function recordFile(help: string) {
  return file({
    help: `${help}; its name may hold the local time, as in run-%Y%m%d-%H%M%S.log`,
  });
}

/** The values of {@linkcode recordingOptions}. */
export interface RecordingValues {
  readonly recordRotate?: Rotation;
  readonly recordKeep?: number;
  readonly force: boolean;
  /** The file that is sent meanwhile. */
  readonly replay?: string;
}

/** The files of a command that records two things. */
export interface RecordedFiles {
  readonly record?: string;
  readonly recordSent?: string;
}

/**
 * Checks that what arrives and what is sent are recorded in two files, however their names are written.
 *
 * @param files The values of `--record` and `--record-sent`.
 * @throws {UsageError} If they are one file.
 */
export async function checkTwoFiles({ record, recordSent }: RecordedFiles): Promise<void> {
  if (record === undefined || recordSent === undefined) return;
  const now = new Date();
  if (!await isSameFile(strftime(record, now), strftime(recordSent, now))) return;
  throw new UsageError(
    `Cannot record to "${recordSent}" twice: expected another file for --record-sent than for --record`,
  );
}

/** What a command records, and where. */
export type RecordingSpec = Pick<RecorderOptions, "path" | "noun" | "header">;

/** A recording as a command has it. */
export interface Recording extends AsyncDisposable {
  /** Takes what is to be recorded. */
  readonly recorder: Recorder;
  /** Ends the recording, and says what there is in it. May be called again. */
  close(): Promise<void>;
}

/**
 * Begins a recording: says what goes wrong with it, and opens its file again at SIGHUP.
 *
 * @param context The world around the command.
 * @param values The options' values.
 * @param spec What is recorded.
 * @throws {UsageError} If the file is there already, or cannot be made.
 */
export async function openRecording(
  { say, onReopen }: Pick<Context, "say" | "onReopen">,
  { recordRotate: rotate, recordKeep: keep, force, replay }: RecordingValues,
  spec: RecordingSpec,
): Promise<Recording> {
  const { noun = ["entry", "entries"] } = spec;
  if (keep !== undefined && rotate === undefined) {
    throw new UsageError("Cannot use --record-keep without --record-rotate: there is one file");
  }
  const recorder = await Recorder.open({
    ...spec,
    ...{ rotate, keep, force },
    reads: [0, ...replay === undefined ? [] : [replay]],
    onProblem: ({ message }) => say.warn(message),
  });
  const reopening = onReopen(() => recorder.reopen());
  const end = async () => {
    reopening[Symbol.dispose]();
    await recorder.close();
    const { recorded, unrecorded, files } = recorder.stats;
    say.summary(
      `Recorded ${counted(recorded, ...noun)} in "${recorder.path}"` +
        (files > 1 ? ` and ${counted(files - 1, "file")} before it` : "") +
        (unrecorded > 0 ? `, ${unrecorded} not recorded` : ""),
    );
  };
  let ending: Promise<void> | undefined;
  const close = () => ending ??= end();
  return { recorder, close, [Symbol.asyncDispose]: close };
}

/** A recording of lines. */
export interface LinesRecording {
  /** Records a line; the newline is added. */
  write(line: string): void;
  /** Ends the recording, and says what there is in it. May be called again. */
  close(): Promise<void>;
}

/**
 * Begins a recording of lines, if one is wanted.
 *
 * @param context The world around the command.
 * @param values The options' values.
 * @param noun What a line is called.
 * @param header The line that each file begins with.
 * @returns The recording; undefined if none is wanted.
 * @throws {UsageError} If the file is there already, or cannot be made.
 */
export async function openLines(
  context: Context,
  values: RecordingValues & { readonly record?: string },
  noun: readonly [singular: string, plural: string],
  header?: string,
): Promise<LinesRecording | undefined> {
  const { record: path } = values;
  if (path === undefined) return undefined;
  const first = header === undefined ? undefined : encoder.encode(`${header}\n`);
  const { recorder, close } = await openRecording(context, values, {
    ...{ path, noun },
    header: () => first,
  });
  return { write: (line) => recorder.write(encoder.encode(`${line}\n`)), close };
}
