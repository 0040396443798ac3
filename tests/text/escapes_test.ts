import { assertEquals, assertThrows } from "@std/assert";
import { parseEscapedText } from "../../lib/text/escapes.ts";
import { UsageError } from "../../lib/errors.ts";

Deno.test("parseEscapedText() reads the escapes and leaves the rest", () => {
  assertEquals(parseEscapedText(""), new Uint8Array());
  assertEquals(
    parseEscapedText(String.raw`a\n\r\t\0\\\x00\xfF µ`),
    new Uint8Array([97, 10, 13, 9, 0, 92, 0, 255, 32, 0xc2, 0xb5]),
  );
});

Deno.test("parseEscapedText() points at an escape that there is not", () => {
  for (
    const [text, message] of [
      [String.raw`ab\q`, String.raw`Cannot read escape "\q" at character 3`],
      [String.raw`\x1`, String.raw`Cannot read escape "\x" at character 1`],
      ["end\\", 'Cannot read escape "\\" at character 4'],
    ] as const
  ) {
    assertThrows(() => parseEscapedText(text), UsageError, message);
  }
});
