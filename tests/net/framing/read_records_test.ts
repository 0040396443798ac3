import { assertEquals, assertRejects } from "@std/assert";
import { CodecError } from "../../../lib/errors.ts";
import { readRecords } from "../../../lib/net/framing/read_records.ts";
import { chunksOf, textSource } from "./byte_source.ts";

const stream = Uint8Array.from({ length: 42 }, (_, i) => i);

async function collect(messages: AsyncIterable<Uint8Array>): Promise<number[][]> {
  const found: number[][] = [];
  for await (const message of messages) found.push([...message]);
  return found;
}

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
});

Deno.test("a record that is cut because this side stopped reading is no error", async () => {
  const cut = () => ({
    ...textSource(chunksOf(new Uint8Array(59), 10)),
    readEnd: "stopped" as const,
  });
  assertEquals((await collect(readRecords(cut(), 42))).flat().length, 42);
});

Deno.test("readRecords() refuses a size below 1", async () => {
  await assertRejects(() => collect(readRecords(textSource([]), 0)), RangeError, "of 0 bytes");
  await assertRejects(() => collect(readRecords(textSource([]), 1.5)), RangeError, "of 1.5 bytes");
});
