import type { Output } from "../cli/output.ts";
import { csvCell, structCsv } from "../codecs/struct_csv.ts";
import { type StructBytes, StructJson } from "../codecs/struct_json.ts";
import type { AnyStruct } from "./struct_options.ts";

/** How records are printed. */
export interface PrinterOptions {
  /** In which form. */
  readonly output: "json" | "hex" | "csv" | "none";
  /** The names of the fields. */
  readonly fields?: readonly string[];
  /** How byte strings are shown. */
  readonly bytes: StructBytes;
}

/** Prints a record, of which the bytes are made only where they are printed. */
export type Printer = (values: readonly unknown[], bytes: () => Uint8Array) => void;

/**
 * Makes what prints records, one per line; CSV with names starts with a line of them.
 *
 * @param struct The format of the records.
 * @param options How to print.
 * @param out Where to.
 * @returns What prints a record.
 */
export function structPrinter(
  struct: AnyStruct,
  { output, fields, bytes: form }: PrinterOptions,
  out: Output,
): Printer {
  switch (output) {
    case "json": {
      const json = new StructJson(struct, { fields, bytes: form });
      return (values) => out.json(json.stringify(values));
    }
    case "csv": {
      const csv = structCsv(struct, form);
      if (fields) out.line(fields.map(csvCell).join(","));
      return (values) => out.line(csv(values));
    }
    case "hex":
      return (_, bytes) => out.line(bytes().toHex());
    case "none":
      return () => {};
  }
}
