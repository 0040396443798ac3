import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CodecError } from "../../../lib/errors.ts";
import { fixedFraming } from "../../../lib/net/framing/fixed.ts";
import { readMessages, readRecords } from "../../../lib/net/framing/read_messages.ts";
import { chunksOf, textSource } from "./byte_source.ts";

const stream = Uint8Array.from({ length: 42 }, (_, i) => i);

async function collect(messages: AsyncIterable<Uint8Array>): Promise<number[][]> {
  const found: number[][] = [];
  for await (const message of messages) found.push([...message]);
  return found;
}

Deno.test("fixedFraming() gives the same records however the stream is cut", async () => {
  const expected = [...chunksOf(stream, 6)].map((record) => [...record]);
  for (let size = 1; size <= 42; size++) {
    const source = textSource(chunksOf(stream, size));
    assertEquals(await collect(readMessages(source, fixedFraming(6))), expected, `in ${size}s`);
  }
});

Deno.test("readRecords() gives whole records however the stream is cut", async () => {
  for (const blockBytes of [1, 6, 13, 1000]) {
    for (let size = 1; size <= 42; size++) {
      const source = textSource(chunksOf(stream, size));
      const blocks = await collect(readRecords(source, 6, { blockBytes }));
      assertEquals(blocks.flat(), [...stream]);
      assertEquals(blocks.filter((block) => block.length % 6 !== 0), []);
    }
  }
});

Deno.test("readRecords() gives all records of a chunk at once", async () => {
  assertEquals((await collect(readRecords(textSource([stream]), 6))).length, 1);
});

Deno.test("a stream that ends inside a record is an error that says where", async () => {
  const cut = () => textSource(chunksOf(new Uint8Array(42 + 17), 10));
  const message = "Cannot read record: stream ended 17 bytes into a 42-byte record";
  await assertRejects(() => collect(readRecords(cut(), 42)), CodecError, message);
  await assertRejects(() => collect(readMessages(cut(), fixedFraming(42))), CodecError, message);
});

Deno.test("a record that is cut because this side stopped reading is no error", async () => {
  const cut = () => ({
    ...textSource(chunksOf(new Uint8Array(59), 10)),
    readEnd: "stopped" as const,
  });
  assertEquals((await collect(readRecords(cut(), 42))).flat().length, 42);
  assertEquals((await collect(readMessages(cut(), fixedFraming(42)))).flat().length, 42);
});

Deno.test("fixedFraming() refuses a size below 1 and a message of another size", () => {
  assertThrows(() => fixedFraming(0), RangeError, "records of 0 bytes");
  assertThrows(() => fixedFraming(1.5), RangeError, "records of 1.5 bytes");
  assertThrows(() => fixedFraming(4).wrap(new Uint8Array(3)), CodecError, "expected 4 bytes");
  assertEquals(fixedFraming(3).wrap(new Uint8Array(3)), new Uint8Array(3));
});
