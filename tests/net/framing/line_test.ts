import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CodecError } from "../../../lib/errors.ts";
import { lineFraming } from "../../../lib/net/framing/line.ts";
import { readMessages } from "../../../lib/net/framing/read_messages.ts";
import { chunksOf, textSource } from "./byte_source.ts";

async function lines(chunks: Iterable<string | Uint8Array>, maxBytes?: number): Promise<string[]> {
  const found: string[] = [];
  const onBad = (error: CodecError) => void found.push(`! ${error.message}`);
  for await (const line of readMessages(textSource(chunks), lineFraming({ maxBytes }), { onBad })) {
    found.push(new TextDecoder().decode(line));
  }
  return found;
}

Deno.test("lineFraming() gives the same lines however the stream is cut", async () => {
  const text = "one\ntwo\r\n\nµ three\r\nfour\rfour\n\r\nlast";
  const expected = ["one", "two", "", "µ three", "four\rfour", "", "last"];
  for (const size of [1, 2, 3, 5, 7, 100]) {
    assertEquals(await lines(chunksOf(new TextEncoder().encode(text), size)), expected);
  }
});

Deno.test("lineFraming() leaves lines their endings where that is wanted", async () => {
  const expected = ["one\n", "two\r\n", "\n", "µ three\r\n", "four\rfour\n", "\r\n", "last\r"];
  const framing = lineFraming({ maxBytes: 9, keepEnds: true });
  for (const size of [1, 2, 3, 5, 7, 100]) {
    const source = textSource(chunksOf(new TextEncoder().encode(expected.join("")), size));
    const found: string[] = [];
    for await (const line of readMessages(source, framing)) {
      found.push(new TextDecoder().decode(line));
    }
    assertEquals(found, expected);
  }
});

Deno.test("lineFraming() takes the end of the stream for the end of the last line", async () => {
  assertEquals(await lines(["a\nb"]), ["a", "b"]);
  assertEquals(await lines(["a\nb\r"]), ["a", "b"]);
  assertEquals(await lines(["a\n"]), ["a"]);
  assertEquals(await lines([]), []);
});

Deno.test("lineFraming() reports a line that is too long and goes on behind it", async () => {
  const tooLong = "! Cannot read line: it is longer than 4 bytes";
  const text = new TextEncoder().encode("1234\n12345\nabc\n1234567890\r\n\n1234\r\n12345");
  const expected = ["1234", tooLong, "abc", tooLong, "", "1234", tooLong];
  for (const size of [1, 2, 4, 6, 100]) {
    assertEquals(await lines(chunksOf(text, size), 4), expected, `in chunks of ${size}`);
  }
});

Deno.test("lineFraming() reports a line that is too long before its end has come", () => {
  const splitter = lineFraming({ maxBytes: 10 }).splitter();
  splitter.push(new Uint8Array(12));
  assertThrows(() => splitter.next(), CodecError, "longer than 10 bytes");
  assertEquals(splitter.next(), null);
  splitter.push(new TextEncoder().encode("rest\nnext\n"));
  assertEquals(new TextDecoder().decode(splitter.next()!), "next");
});

Deno.test("lineFraming() wraps a message and refuses one with a newline in it", () => {
  const { wrap } = lineFraming();
  assertEquals(wrap(new TextEncoder().encode("ab")), new Uint8Array([97, 98, 10]));
  const error = assertThrows(
    () => wrap(new TextEncoder().encode("a\nb")),
    CodecError,
  ) as CodecError;
  assertStringIncludes(error.message, "byte 1 is a newline");
});
