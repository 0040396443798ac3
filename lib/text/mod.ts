/**
 * Bytes as text and back: escapes such as `\x1b`, hexdumps, and bytes as Python prints them.
 *
 * @example Bytes in Python's notation
 * ```ts
 * import { parseEscapedText, pythonBytes } from "@labwire/labwire/text";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pythonBytes(parseEscapedText("V?\\n")), "b'V?\\n'");
 * ```
 *
 * @module
 */

export { parseEscapedText } from "./escapes.ts";
export { hexdump } from "./hexdump.ts";
export { pythonBytes } from "./python_bytes.ts";
