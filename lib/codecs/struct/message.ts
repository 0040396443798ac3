import { messageOf } from "../../errors.ts";
import type { StructItem, StructLayout } from "./format.ts";
import { counted, quoted, shorten } from "../../text/wording.ts";

/**
 * The message for a value that does not fit its field.
 *
 * @param layout The format's layout.
 * @param index The value's number, from 0.
 * @param value The value.
 * @param reason What is wrong, as the end of a sentence that starts with the value.
 * @param name The value's name, where it has one.
 * @returns The message.
 */
export function misfitMessage(
  layout: StructLayout,
  index: number,
  value: unknown,
  reason: string,
  name?: string,
): string {
  const { letter, text, form } = itemOf(layout, index)!;
  const code = form === "bytes" || form === "pascal" ? shorten(text, 30) : letter;
  return `Cannot pack ${placeOf(index, name)} ("${code}" in ${quoted(layout.format)}): ` +
    `${showValue(value)} ${reason}`;
}

/** Names a value of a record by its name, or by its number from 0. */
export function placeOf(index: number, name: string | undefined): string {
  return name === undefined ? `item ${index}` : `field ${quoted(name)}`;
}

/** Finds the item that a value belongs to. */
function itemOf(layout: StructLayout, index: number): StructItem | undefined {
  let first = 0;
  return layout.items.find((item) => (first += item.count) > index);
}

/** Shows a value in one short line. */
function showValue(value: unknown): string {
  if (typeof value === "string") return quoted(value, 40);
  if (value instanceof Uint8Array) {
    return `0x${value.subarray(0, 20).toHex()}${value.length > 20 ? "…" : ""}`;
  }
  if (typeof value !== "object" || value === null) return shorten(String(value), 60);
  return shorten(objectText(value), 60);
}

function objectText(value: object): string {
  try {
    return JSON.stringify(
      value,
      (_, part) => typeof part === "bigint" || typeof part === "number" ? String(part) : part,
    ) ?? "a value";
  } catch {
    return messageOf(value).replace(/\s+/g, " "); // e.g. a circular reference
  }
}

/**
 * The message for a struct that does not lie within some bytes.
 *
 * @param action What was to be done: `pack` or `unpack`.
 * @param layout The format's layout.
 * @param offset Where the struct was to start.
 * @param length How many bytes there are.
 * @returns The message.
 */
export function outsideMessage(
  action: string,
  { format, size }: StructLayout,
  offset: number,
  length: number,
): string {
  return `Cannot ${action} ${quoted(format)} at offset ${offset}: ` +
    `expected ${counted(size, "byte")} there, of ${length} in all`;
}
