const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const decoder = new TextDecoder("latin1");

/** The bytes that Python writes with a letter or a backslash. */
const escapes: Readonly<Record<number, string>> = {
  0x09: "\\t",
  0x0a: "\\n",
  0x0d: "\\r",
  0x27: "\\'",
  0x5c: "\\\\",
};

/** What each byte looks like between single quotes, as ASCII. */
const notations: readonly Uint8Array[] = Array.from({ length: 256 }, (_, byte) => {
  const text = escapes[byte] ??
    (byte >= 0x20 && byte < 0x7f
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, "0")}`);
  return new TextEncoder().encode(text);
});

/**
 * Writes bytes as Python's `repr()` does: `b'…'`, exact for every byte. Quotes are chosen as Python chooses them: double ones
 * where there are single and no double ones in the bytes.
 *
 * @param bytes Any bytes.
 * @returns A Python bytes literal.
 *
 * @example Text, control characters and quotes
 * ```ts
 * import { pythonBytes } from "@labwire/labwire/text";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pythonBytes(new TextEncoder().encode("5 µV\n")), String.raw`b'5 \xc2\xb5V\n'`);
 * assertEquals(pythonBytes(new TextEncoder().encode("it's")), `b"it's"`);
 * ```
 */
export function pythonBytes(bytes: Uint8Array): string {
  const double = bytes.includes(QUOTE) && !bytes.includes(DOUBLE_QUOTE);
  const quote = double ? DOUBLE_QUOTE : QUOTE;
  const text = new Uint8Array(4 * bytes.length + 3);
  text[0] = 0x62;
  text[1] = quote;
  let at = 2;
  for (const byte of bytes) {
    if (byte === QUOTE && double) {
      text[at++] = byte;
      continue;
    }
    const notation = notations[byte]!;
    for (let i = 0; i < notation.length; i++) text[at++] = notation[i]!;
  }
  text[at++] = quote;
  return decoder.decode(text.subarray(0, at));
}
