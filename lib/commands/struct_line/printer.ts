import type { Output } from "../../cli/output.ts";
import { flag } from "../../cli/options.ts";
import { outputOption } from "../../cli/output_option.ts";
import { StructCsv } from "../../codecs/struct/csv.ts";
import { type StructBytes, StructJson } from "../../codecs/struct/json.ts";
import { isoTime } from "../../codecs/struct/time.ts";
import { UsageError } from "../../errors.ts";
import type { AnyStruct } from "../../codecs/struct/struct.ts";

/** The option that says in which form records are printed. */
export const printOption = {
  output: outputOption(["json", "csv", "hex", "raw", "none"], {
    default: "json",
    help: "How records are printed",
  }),
} as const;

/** The option that adds the time of arrival. */
export const timestampsOption = {
  timestamps: flag({
    help:
      'Begin each record with the time of its arrival, in UTC; in objects and headers it is called "time"',
  }),
} as const;

/** How records are printed. */
export interface PrinterOptions {
  /** In which form. */
  readonly output: "json" | "csv" | "hex" | "raw" | "none";
  /** The names of the fields. */
  readonly fields?: readonly string[];
  /** How byte strings are shown. */
  readonly bytes: StructBytes;
  /** Whether the time of arrival stands before each record. */
  readonly timestamps?: boolean;
}

/** The origin of a record; used only as far as it is printed. */
export interface RecordOrigin {
  /** Its bytes, valid until the next record. */
  readonly recordBytes: Uint8Array;
  /** When it arrived, in ms since 1970. */
  readonly recordTime: number;
}

/** Prints a record. */
export type Printer = (values: readonly unknown[], origin: RecordOrigin) => void;

/**
 * Makes a printer of records: one per line, except for raw bytes. CSV with names starts with a header.
 *
 * @param struct The format of the records.
 * @param options How to print.
 * @param out Where to.
 * @returns Prints a record.
 * @throws {UsageError} If the form has no place for the time of arrival, or the names do not fit the format.
 */
export function structPrinter(
  struct: AnyStruct,
  { output, fields, bytes: form, timestamps = false }: PrinterOptions,
  out: Output,
): Printer {
  if (timestamps && output !== "json" && output !== "csv") {
    throw new UsageError(
      `Cannot use --timestamps with --output ${output}: expected --output json or csv`,
    );
  }
  const timeOf = timestamps ? arrivalText() : () => undefined;
  switch (output) {
    case "json": {
      const json = new StructJson(struct, { fields, bytes: form });
      return (values, origin) => out.json(json.stringify(values, timeOf(origin)));
    }
    case "csv": {
      const csv = new StructCsv(struct, { fields, bytes: form });
      const header = csv.header(timestamps);
      if (header !== undefined) out.line(header);
      return (values, origin) => out.line(csv.stringify(values, timeOf(origin)));
    }
    case "hex":
      return (_, { recordBytes }) => out.line(recordBytes.toHex());
    case "raw":
      return rawPrinter(struct.size, out);
    case "none":
      return () => {};
  }
}

/** Writes the time of arrival, once for all records that arrived together. */
function arrivalText(): (origin: RecordOrigin) => string {
  let last = NaN;
  let text = "";
  return ({ recordTime }) => {
    if (recordTime !== last) {
      last = recordTime;
      text = isoTime(recordTime);
    }
    return text;
  };
}

/** Bytes of records that are collected before they are written. */
const RAW_BYTES = 1 << 16;

/** Prints the bytes themselves, with few writes for the records of one turn of the event loop. */
function rawPrinter(size: number, out: Output): Printer {
  const buffer = new Uint8Array(Math.max(1, Math.floor(RAW_BYTES / Math.max(1, size))) * size);
  let used = 0;
  const flush = () => {
    out.bytes(buffer.subarray(0, used));
    used = 0;
  };
  return (_, { recordBytes }) => {
    if (used === 0) queueMicrotask(() => used > 0 && flush());
    buffer.set(recordBytes, used);
    used += size;
    if (used === buffer.length) flush();
  };
}
