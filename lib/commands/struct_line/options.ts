/**
 * The options of the commands with structs, and what their values mean.
 *
 * @module
 */

import { choice, file, flag, host, integer, list, port, text } from "../../cli/options.ts";
import { StructJson } from "../../codecs/struct/json.ts";
import { type AnyStruct, compileStruct, type StructOptions } from "../../codecs/struct/struct.ts";
import type { StructInput } from "../../codecs/struct/types.ts";
import { CodecError, UsageError } from "../../errors.ts";
import { DEFAULT_FORMAT, DEFAULT_PORT } from "../../struct/line_options.ts";
import type { RecordReaderOptions } from "../../struct/record_reader.ts";
import { recordOptions } from "../recording/record.ts";
import { scopeOptions } from "../scope/scope_options.ts";
import { handlerOptions } from "../serving/handler_options.ts";
import { printOption, timestampsOption } from "./printer.ts";

/** The options for the meaning of a format. */
export const platformOption = {
  platform: choice(["linux", "darwin", "windows"], {
    help: "The platform whose native sizes the mode @ means; this computer's unless given",
  }),
} as const;

/** The option that truncates byte strings. */
export const truncateOption = {
  truncate: flag({
    help: "Cut texts that are longer than their field, as Python does, instead of refusing them",
  }),
} as const;

/** The option that names fields. */
export const fieldsOption = {
  fields: list({
    help:
      "Names of the fields: records are objects then, not arrays; NAME*4 is an array of 4 values, NAME* of as many as " +
      "the format repeats",
  }),
} as const;

/** The option for byte strings. */
export const bytesOption = {
  bytes: choice(["auto", "text", "hex", "base64"], {
    default: "auto",
    help: "How byte strings are shown; auto is as text where they are UTF-8, else in hex",
  }),
} as const;

/**
 * Compiles a format of the command line.
 *
 * @param format The format.
 * @param options Whose native sizes, whether to truncate byte strings, and the names of the fields.
 * @returns Packs and unpacks the records.
 * @throws {UsageError} If the format is wrong, or the names do not fit it.
 */
export function structOf(
  format: string,
  options: Pick<StructOptions, "platform" | "truncate" | "fields"> = {},
): AnyStruct {
  try {
    return compileStruct(format, options);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

/** The option that says what the lines of standard input are. */
export const recordInputOption = {
  input: choice(["auto", "json", "csv"], {
    default: "auto",
    placeholder: "FORM",
    help:
      "Form of the lines of stdin: json, csv, or auto, where a line that begins with [ or { is JSON and any other a row of CSV",
  }),
} as const;

/** What there is to know of a user's code that handles records. */
export const handlerDetails: readonly string[] = [
  "--handler FILE is a module in Python with `def handle(record, peer): …`, or in JavaScript with `export default function (values, " +
  "peer) { … }`. The record is a tuple, a named one with --fields (in JavaScript an array). What is returned is sent back: nothing, a " +
  "record, several, or what a generator yields; peer.send(record) sends at any time. `labwire guide python` has an example.",
  "--exec 'PROGRAM ARG…' starts the program for each record, without a shell; it reads the record as a line of JSON from stdin, and " +
  "each line of JSON that it prints is sent back. --exec-persistent keeps the program running: it must answer each line with one " +
  "line and flush it: a record, a list of records, or null.",
];

/** The options of `struct-line server` and `struct-line client`. */
export const lineOptions = {
  format: text({
    default: DEFAULT_FORMAT,
    placeholder: "FORMAT",
    help: "Format of the records, as of Python's struct module",
  }),
  host: host({ default: "localhost", help: "Host name or IP address" }),
  port: port({ default: DEFAULT_PORT, help: "TCP port" }),
  ...printOption,
  ...timestampsOption,
  ...fieldsOption,
  ...bytesOption,
  ...recordInputOption,
  send: text({ placeholder: "RECORD", help: "Send this record, in JSON, when connected" }),
  once: flag({ help: "End after sending" }),
  count: integer({ min: 1, help: "End after N records received" }),
  ...handlerOptions,
  echo: flag({ help: "Send each record back" }),
  ...recordOptions(
    "Record what arrives in this file: as CSV if it is called .csv, as bytes if .bin or .raw, else as JSON",
  ),
  recordSent: file({ help: "Record what is sent in this file, likewise" }),
  ...scopeOptions,
  ...truncateOption,
  ...platformOption,
} as const;

/** What the records of a line are, on the wire and as text. */
export interface RecordText {
  /** The format. */
  readonly struct: AnyStruct;
  /** Records as JSON. */
  readonly json: StructJson;
  /** How standard input is read. */
  readonly reading: RecordReaderOptions;
  /** The record of `--send`. */
  readonly first: StructInput[] | undefined;
}

/**
 * Checks the options that say what records are.
 *
 * @param options Their values.
 * @returns What writes and reads records.
 * @throws {UsageError} If the format is wrong, the names do not fit it, or the record to send does not.
 */
export function recordText(
  options: Parameters<typeof structOf>[1] & RecordReaderOptions & {
    readonly format: string;
    readonly bytes: "auto" | "text" | "hex" | "base64";
    readonly send?: string;
  },
): RecordText {
  const { format, fields, bytes, send } = options;
  const struct = structOf(format, options);
  const json = new StructJson(struct, { fields, bytes });
  if (send === undefined) return { struct, json, reading: options, first: undefined };
  try {
    const first = json.parse(send);
    struct.pack(first);
    return { struct, json, reading: options, first };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const wanted = /^[[{]/.test(send.trimStart()) ? "" : "expected JSON, such as [1,0.5]: ";
    throw new UsageError(`Cannot read --send: ${wanted}${error.message}`, { cause: error });
  }
}
