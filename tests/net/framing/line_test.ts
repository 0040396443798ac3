import { assertEquals, assertThrows } from "@std/assert";
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

Deno.test("lineFraming() keeps the line endings with keepEnds", async () => {
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

Deno.test("lineFraming() ends the last line at the end of the stream", async () => {
  assertEquals(await lines(["a\nb"]), ["a", "b"]);
  assertEquals(await lines(["a\nb\r"]), ["a", "b"]);
  assertEquals(await lines(["a\n"]), ["a"]);
  assertEquals(await lines([]), []);
});

Deno.test("lineFraming() reports a line that is too long and continues after it", async () => {
  const tooLong = "! Cannot read line: it is longer than 4 bytes";
  const text = new TextEncoder().encode("1234\n12345\nabc\n1234567890\r\n\n1234\r\n12345");
  const expected = ["1234", tooLong, "abc", tooLong, "", "1234", tooLong];
  for (const size of [1, 2, 4, 6, 100]) {
    assertEquals(await lines(chunksOf(text, size), 4), expected, `in chunks of ${size}`);
  }
});

Deno.test("lineFraming() reports a line that is too long before its end has arrived", () => {
  const decoder = lineFraming({ maxBytes: 10 }).decoder();
  decoder.push(new Uint8Array(12));
  assertThrows(() => decoder.next(), CodecError, "longer than 10 bytes");
  assertEquals(decoder.next(), null);
  decoder.push(new TextEncoder().encode("rest\nnext\n"));
  assertEquals(new TextDecoder().decode(decoder.next()!), "next");
});

Deno.test("lineFraming() encodes what it decodes, bytes and text", () => {
  const { encode, decoder } = lineFraming();
  const lines = decoder();
  for (const message of ["", "ab", "µ three", "four\rfour"]) {
    const line = encode(message);
    assertEquals(line, new TextEncoder().encode(message + "\n"));
    assertEquals(encode(new TextEncoder().encode(message)), line);
    lines.push(line);
    assertEquals(new TextDecoder().decode(lines.next()!), message);
    assertEquals([lines.next(), lines.partial], [null, false]);
  }
});

Deno.test("lineFraming() refuses to encode a message with a newline in it", () => {
  const { encode } = lineFraming();
  assertThrows(() => encode("µ\nb"), CodecError, "character 1 is a newline");
  assertThrows(
    () => encode(new TextEncoder().encode("µ\nb")),
    CodecError,
    "byte 2 is a newline",
  );
});
