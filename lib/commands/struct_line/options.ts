/**
 * The command-line options of both ends of a line.
 *
 * @module
 */

import { file, flag, host, integer, port, seconds, text } from "../../cli/options.ts";
import { StructJson } from "../../codecs/struct/json.ts";
import type { StructInput } from "../../codecs/struct/types.ts";
import { CodecError, UsageError } from "../../errors.ts";
import { DEFAULT_FORMAT, DEFAULT_PORT } from "../../struct/line_options.ts";
import {
  type AnyStruct,
  bytesOption,
  fieldsOption,
  platformOption,
  structOf,
  truncateOption,
} from "./struct_options.ts";
import { printOption, timestampsOption } from "./printer.ts";
import { recordInputOption, type RecordReaderOptions } from "./record_reader.ts";

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
  handler: file({
    help: "Module whose default export is called with each record: (values, line) => …",
  }),
  exec: text({
    placeholder: "COMMAND",
    help: "Program to start for each record; the JSON that it prints is sent back",
  }),
  execTimeout: seconds({ default: 30, help: "Seconds that the program may take" }),
  echo: flag({ help: "Send each record back" }),
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
    throw new UsageError(`Cannot read --send: ${error.message}`, { cause: error });
  }
}

/** How many records may be sent before the system must have accepted one of them: about 64 KiB. */
export function windowOf({ size }: AnyStruct): number {
  return Math.max(1, Math.floor(65536 / size));
}
