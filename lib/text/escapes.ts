import { UsageError } from "../errors.ts";

/** The bytes that an escape with one character after the backslash stands for. */
const escapes: Readonly<Record<string, number>> = {
  "n": 0x0a,
  "r": 0x0d,
  "t": 0x09,
  "0": 0x00,
  "\\": 0x5c,
};

/**
 * Reads text with escapes: `\n`, `\r`, `\t`, `\0`, `\xNN` for any byte, and `\\` for a backslash. The rest is UTF-8.
 *
 * @param text What a user wrote.
 * @returns The bytes it stands for.
 * @throws {UsageError} If there is another escape; the message points at it.
 *
 * @example A command with a line ending and a checksum byte
 * ```ts
 * import { parseEscapedText } from "@labwire/labwire/text";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseEscapedText(String.raw`V?\r\n\xff`), new Uint8Array([0x56, 0x3f, 13, 10, 255]));
 * ```
 */
export function parseEscapedText(text: string): Uint8Array {
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  for (let at = 0; at < text.length;) {
    if (text[at] !== "\\") {
      const next = text.indexOf("\\", at);
      const end = next < 0 ? text.length : next;
      for (const byte of encoder.encode(text.slice(at, end))) bytes.push(byte);
      at = end;
      continue;
    }
    const [, digits] = /^\\x([0-9a-f]{2})/i.exec(text.slice(at, at + 4)) ?? [];
    const byte = digits ? parseInt(digits, 16) : escapes[text[at + 1] ?? ""];
    if (byte === undefined) {
      throw new UsageError(
        `Cannot read escape "${text.slice(at, at + 2)}" at character ${at + 1}: ` +
          "expected \\n, \\r, \\t, \\0, \\xNN or \\\\",
      );
    }
    bytes.push(byte);
    at += digits ? 4 : 2;
  }
  return new Uint8Array(bytes);
}
