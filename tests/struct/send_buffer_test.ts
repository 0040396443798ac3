import { compileStruct } from "../../lib/codecs/struct/struct.ts";
import { SendBuffer } from "../../lib/struct/send_buffer.ts";
import { CodecError } from "../../lib/errors.ts";
import { assertEquals, assertThrows } from "@std/assert";

/** Writes that end when the test says so. */
function slowWrites() {
  const writes: { hex: string; done: (taken: boolean) => void }[] = [];
  const write = (bytes: Uint8Array) => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    writes.push({ hex: bytes.toHex(), done: resolve });
    return promise;
  };
  return { writes, write };
}

Deno.test("SendBuffer writes the records of one turn together", async () => {
  const { writes, write } = slowWrites();
  const buffer = new SendBuffer(compileStruct("!H"), write);
  const sent = [1, 2, 3].map((n) => buffer.send([n]));
  await null;
  assertEquals(writes.map(({ hex }) => hex), ["000100020003"]);
  writes[0]!.done(true);
  assertEquals(await Promise.all(sent), [true, true, true]);
  assertEquals(buffer.sent, 3);
});

Deno.test("SendBuffer gathers the records of many turns while a write is under way", async () => {
  const { writes, write } = slowWrites();
  const buffer = new SendBuffer(compileStruct("!H"), write);
  const first = buffer.send([1]);
  const later: Promise<boolean>[] = [];
  for (const n of [2, 3, 4]) {
    await new Promise((resolve) => setTimeout(resolve));
    later.push(buffer.send([n]));
  }
  assertEquals(writes.map(({ hex }) => hex), ["0001"]);
  writes[0]!.done(true);
  assertEquals(await first, true);
  assertEquals(writes.map(({ hex }) => hex), ["0001", "000200030004"]);
  writes[1]!.done(false);
  assertEquals(await Promise.all(later), [false, false, false]);
  assertEquals(buffer.sent, 1);
});

Deno.test("SendBuffer writes a full buffer though another write is under way, and flush() the rest", async () => {
  const { writes, write } = slowWrites();
  const buffer = new SendBuffer(compileStruct("30000s"), write);
  void buffer.send(["a"]);
  await null;
  for (const text of ["b", "c", "d"]) void buffer.send([text]);
  assertEquals(writes.map(({ hex }) => hex.length / 60000), [1, 2]);
  const flushed = buffer.flush();
  assertEquals(writes.map(({ hex }) => hex.length / 60000), [1, 2, 1]);
  for (const { done } of writes) done(true);
  assertEquals([await flushed, buffer.sent], [true, 4]);
});

Deno.test("SendBuffer takes records that are bytes already, however many, between others", async () => {
  const { writes, write } = slowWrites();
  const buffer = new SendBuffer(compileStruct("30000s"), write);
  const records = new Uint8Array(150_000).map((_, i) => i / 30_000 + 1);
  assertThrows(() => buffer.sendBytes(records.subarray(1)), CodecError, "Cannot send 149999 bytes");
  void buffer.send(["a"]);
  const sent = buffer.sendBytes(records);
  records.fill(0);
  const flushed = buffer.flush();
  assertEquals(writes.map(({ hex }) => hex.length / 60000), [2, 2, 2]);
  const firsts = writes.flatMap(({ hex }) => [hex.slice(0, 2), hex.slice(60000, 60002)]);
  assertEquals(firsts, ["61", "01", "02", "03", "04", "05"]);
  for (const { done } of writes) done(true);
  assertEquals([await flushed, await sent, buffer.sent], [true, true, 6]);
});
