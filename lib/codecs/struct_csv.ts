import type { Struct } from "./struct.ts";
import { fieldLetters, type StructBytes } from "./struct_json.ts";
import type { StructValue } from "./struct_types.ts";
import { fieldText } from "./struct_value.ts";

/**
 * Makes what writes records as CSV (RFC 4180): numbers as JavaScript writes them, complex ones as Python does (`1-2j`), byte
 * strings as text where they are UTF-8 and else as `0x…`.
 *
 * @param struct The format of the records.
 * @param bytes How byte strings are written.
 * @returns Writes a record, without a newline at its end.
 *
 * @example A record
 * ```ts
 * import { compileStruct, structCsv } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * const struct = compileStruct("!I30sd");
 * const csv = structCsv(struct);
 * assertEquals(csv(struct.unpack(struct.pack([3, "hello, world", 0.5]))), '3,"hello, world",0.5');
 * ```
 */
export function structCsv(
  struct: Pick<Struct, "layout">,
  bytes: StructBytes = "auto",
): (values: readonly unknown[]) => string {
  const letters = fieldLetters(struct);
  return (values) =>
    values.map((value, i) => csvCell(cellText(value as StructValue, letters[i]!, bytes))).join(",");
}

/**
 * Quotes a cell where that is needed.
 *
 * @param text What the cell says.
 * @returns The cell.
 */
export function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function cellText(value: StructValue, letter: string, form: StructBytes): string {
  if (typeof value !== "object") return Object.is(value, -0) ? "-0" : String(value);
  if (!(value instanceof Uint8Array)) {
    const { re, im } = value;
    return `${re}${im < 0 || Object.is(im, -0) ? "-" : "+"}${Math.abs(im)}j`;
  }
  if (form === "hex") return value.toHex();
  if (form === "base64") return value.toBase64();
  return fieldText(value, letter, form === "text") ?? `0x${value.toHex()}`;
}
