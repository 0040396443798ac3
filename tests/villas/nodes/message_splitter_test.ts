import { assertEquals, assertThrows } from "@std/assert";
import { messageSplitter } from "../../../lib/villas/nodes/message_splitter.ts";
import { CodecError, type Format, type Sample, villasFormat, villasFormats } from "../../../mod.ts";

const SAMPLES: Sample[] = [
  { type: "data", sequence: 1n, origin: { sec: 1795198430, nsec: 5 }, values: [0.5, -1] },
  { type: "data", sequence: 2n, origin: { sec: 1795198430, nsec: 6 }, values: [Math.PI, 1e300] },
  { type: "data", sequence: 3n, origin: { sec: 1795198431, nsec: 0 }, values: [] },
];

/** Cuts a stream that comes in chunks of some size. */
function cut(format: Format, stream: Uint8Array, size: number): Uint8Array[] {
  const splitter = messageSplitter(format, ["float", "float"]);
  const messages: Uint8Array[] = [];
  const chunk = new Uint8Array(size); // its memory is used again
  for (let at = 0; at < stream.length; at += size) {
    const part = stream.subarray(at, at + size);
    chunk.set(part);
    splitter.push(chunk.subarray(0, part.length));
    for (let message; (message = splitter.next()) !== null;) messages.push(message.slice());
    chunk.fill(0xff);
  }
  assertEquals(splitter.end(), null);
  return messages;
}

for (const format of Object.values(villasFormats)) {
  const encoded = SAMPLES.flatMap((sample) => {
    try {
      return [format.encode([sample])];
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      return [];
    }
  });
  const stream = new Uint8Array(encoded.flatMap((bytes) => [...bytes]));
  for (const size of [1, 2, 7, 64, 1 << 16]) {
    Deno.test(`messages of ${format.name} in a stream are found, in chunks of ${size} bytes`, () => {
      assertEquals(cut(format, stream, size), encoded);
    });
  }
}

Deno.test("a list of several samples in JSON is one message, and blanks between messages are none", () => {
  const format = villasFormat("json");
  const list = format.encode(SAMPLES);
  const text = new TextDecoder().decode(list);
  const stream = new TextEncoder().encode(`${text}\n\r\n ${text}`);
  const messages = cut(format, stream, 3).map((bytes) => format.decode(bytes));
  assertEquals(messages, [SAMPLES, SAMPLES]);
});

Deno.test("brackets and quotes in texts of JSON are no ends", () => {
  const message = String.raw`[{"name": "]}\"[", "data": []}]`;
  const messages = cut(villasFormat("json"), new TextEncoder().encode(message + message), 5);
  assertEquals(messages.map((bytes) => new TextDecoder().decode(bytes)), [message, message]);
});

Deno.test("a message of protobuf with several samples comes sample by sample", () => {
  const format = villasFormat("protobuf");
  const messages = cut(format, format.encode(SAMPLES), 10);
  assertEquals(messages.flatMap((bytes) => format.decode(bytes)), SAMPLES);
});

Deno.test("a stream of something else than protobuf is lost", () => {
  const splitter = messageSplitter(villasFormat("protobuf"), undefined);
  splitter.push(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  assertThrows(() => splitter.next(), CodecError, "Cannot find the next message of protobuf");
});

Deno.test("a stream that ends inside a message is told", () => {
  const splitter = messageSplitter(villasFormat("villas.human"), undefined);
  splitter.push(new TextEncoder().encode("1.5(1)\t2"));
  assertEquals(splitter.next(), null);
  assertThrows(() => splitter.end(), CodecError, "the last 8 bytes as villas.human");
});

Deno.test("a message without end is told before it fills the memory", () => {
  const splitter = messageSplitter(villasFormat("villas.human"), undefined);
  const chunk = new Uint8Array(1 << 16).fill(0x31);
  assertThrows(
    () => {
      for (let i = 0; i < 100; i++) {
        splitter.push(chunk);
        assertEquals(splitter.next(), null);
      }
    },
    CodecError,
    "it is longer than 1048576 bytes",
  );
});
