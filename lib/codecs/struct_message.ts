import type { StructItem, StructLayout } from "./struct_format.ts";

/**
 * Says that a value does not fit its field.
 *
 * @param layout The format's layout.
 * @param index The value's number, from 0.
 * @param value The value.
 * @param reason What is wrong, as the end of a sentence that starts with the value.
 * @returns The message.
 */
export function misfitMessage(
  layout: StructLayout,
  index: number,
  value: unknown,
  reason: string,
): string {
  const { letter, text, form } = itemOf(layout, index)!;
  const name = form === "bytes" || form === "pascal" ? text : letter;
  return `Cannot pack item ${index} ("${name}" in ${JSON.stringify(layout.format)}): ` +
    `${showValue(value)} ${reason}`;
}

/** Finds the item that a value belongs to. */
function itemOf(layout: StructLayout, index: number): StructItem | undefined {
  let first = 0;
  return layout.items.find((item) => (first += item.count) > index);
}

/** Shows a value in one short line. */
function showValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shorten(value, 40));
  if (value instanceof Uint8Array) return `0x${shorten(value.toHex(), 40)}`;
  if (typeof value !== "object" || value === null) return shorten(String(value), 60);
  const text = JSON.stringify(
    value,
    (_, part) => typeof part === "bigint" || typeof part === "number" ? String(part) : part,
  );
  return shorten(text, 60);
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/**
 * Says that a struct does not lie within some bytes.
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
  return `Cannot ${action} ${JSON.stringify(format)} at offset ${offset}: ` +
    `expected ${size} bytes there, of ${length} in all`;
}
