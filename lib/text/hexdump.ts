/** Bytes per line. */
const WIDTH = 16;

/**
 * Writes bytes in columns as `hexdump -C -v` does: offset, 16 bytes in hex, and the same as ASCII with a point for what is no
 * printable character. The last line is the offset of the end.
 *
 * @param bytes Any bytes.
 * @returns The lines, without a newline at the end; `""` for no bytes.
 *
 * @example A short message
 * ```ts
 * import { hexdump } from "@labwire/labwire/text";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(hexdump(new TextEncoder().encode("Hello, world\n")).split("\n"), [
 *   "00000000  48 65 6c 6c 6f 2c 20 77  6f 72 6c 64 0a           |Hello, world.|",
 *   "0000000d",
 * ]);
 * ```
 */
export function hexdump(bytes: Uint8Array): string {
  if (bytes.length === 0) return "";
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += WIDTH) {
    lines.push(dumpLine(at, bytes.subarray(at, at + WIDTH)));
  }
  lines.push(hex(bytes.length, 8));
  return lines.join("\n");
}

function dumpLine(offset: number, bytes: Uint8Array): string {
  let columns = "";
  let ascii = "";
  for (const [i, byte] of bytes.entries()) {
    columns += (i === WIDTH / 2 ? "  " : " ") + hex(byte, 2);
    ascii += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
  }
  return `${hex(offset, 8)} ${columns.padEnd(3 * WIDTH + 1)}  |${ascii}|`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
