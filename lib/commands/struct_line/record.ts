import type { Context } from "../../cli/context.ts";
import { StructCsv } from "../../codecs/struct/csv.ts";
import { StructJson } from "../../codecs/struct/json.ts";
import type { AnyStruct } from "../../codecs/struct/struct.ts";
import { isoTime } from "../../codecs/struct/time.ts";
import { openLines, openRecording, type RecordingValues } from "../recording/record.ts";
import type { Printer, PrinterOptions } from "./printer.ts";

/** The values of the options that say how records are recorded. */
export interface RecordValues extends RecordingValues, Pick<PrinterOptions, "fields" | "bytes"> {
  readonly record?: string;
  readonly recordSent?: string;
}

/** A recording of records. */
export interface RecordsRecording {
  /** Records a record. */
  readonly write: Printer;
  /** Ends the recording, and says what there is in it. */
  close(): Promise<void>;
}

const NOUN = ["record", "records"] as const;

/**
 * Begins the recording of what arrives, if one is wanted: by the name of the file as CSV, as the bytes themselves, or as JSON; with the
 * time of arrival where there is a place for it.
 *
 * @param context The world around the command.
 * @param struct The format of the records.
 * @param values The options' values.
 * @returns The recording; undefined if none is wanted.
 * @throws {UsageError} If the file is there already, or cannot be made.
 */
export async function openRecords(
  context: Context,
  struct: AnyStruct,
  values: RecordValues,
): Promise<RecordsRecording | undefined> {
  const { record: path, fields, bytes } = values;
  if (path === undefined) return undefined;
  if (/\.csv$/i.test(path)) {
    const csv = new StructCsv(struct, { fields, bytes });
    const lines = (await openLines(context, values, NOUN, csv.header(true)))!;
    const write: Printer = (record, { recordTime }) =>
      lines.write(csv.stringify(record, isoTime(recordTime)));
    return { write, close: lines.close };
  }
  if (/\.(raw|bin)$/i.test(path)) {
    const { recorder, close } = await openRecording(context, values, { path, noun: NOUN });
    return { write: (_, { recordBytes }) => recorder.write(recordBytes), close };
  }
  const json = new StructJson(struct, { fields, bytes });
  const lines = (await openLines(context, values, NOUN))!;
  const write: Printer = (record, { recordTime }) =>
    lines.write(json.stringify(record, isoTime(recordTime)));
  return { write, close: lines.close };
}

/** A recording of records that are sent. */
export interface SentRecording {
  /** Records what the system has taken: the bytes of records. */
  readonly write: (bytes: Uint8Array) => void;
  /** Ends the recording, and says what there is in it. */
  close(): Promise<void>;
}

/**
 * Begins the recording of what is sent, if one is wanted, in the same forms. What is sent to several peers is there once for each.
 *
 * @param context The world around the command.
 * @param struct The format of the records.
 * @param values The options' values.
 * @returns The recording; undefined if none is wanted.
 * @throws {UsageError} If the file is there already, or cannot be made.
 */
export async function openSentRecords(
  context: Context,
  struct: AnyStruct,
  values: RecordValues,
): Promise<SentRecording | undefined> {
  const recording = await openRecords(context, struct, { ...values, record: values.recordSent });
  if (!recording) return undefined;
  const { size } = struct;
  return {
    write(bytes) {
      const recordTime = Date.now();
      for (let at = 0; at < bytes.length; at += size) {
        const recordBytes = bytes.subarray(at, at + size);
        recording.write(struct.unpack(recordBytes), { recordBytes, recordTime });
      }
    },
    close: recording.close,
  };
}
