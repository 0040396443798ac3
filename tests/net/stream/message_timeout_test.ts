import { assertEquals, assertRejects } from "@std/assert";
import { CodecError } from "../../../lib/errors.ts";
import { connectStream } from "../../../lib/net/stream/connect.ts";
import { lineFraming } from "../../../lib/net/framing/line.ts";
import { readMessages } from "../../../lib/net/framing/read_messages.ts";
import { readRecords } from "../../../lib/net/framing/read_records.ts";
import type { StreamConnection } from "../../../lib/net/stream/connection.ts";
import { listenStream } from "../../../lib/net/stream/listener.ts";
import { ManualClock } from "../../time/manual_clock.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array | null) => chunk && new TextDecoder().decode(chunk);

/** A listener that answers each message, a client of it, and a clock that both wait for. */
async function serve(read: (connection: StreamConnection) => AsyncIterable<Uint8Array>) {
  const clock = new ManualClock();
  const ended = Promise.withResolvers<{ connection: StreamConnection; error: unknown }>();
  const listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    messageTimeout: 30,
    clock,
    onConnection: async (connection) => {
      let error: unknown;
      try {
        for await (const message of read(connection)) await connection.write(message.slice());
      } catch (thrown) {
        error = thrown;
      }
      ended.resolve({ connection, error });
    },
  });
  const client = await connectStream({ port: listener.addr.port });
  return {
    clock,
    client,
    ended: ended.promise,
    /** Sends a piece, and resolves when it has been read. */
    async drip(piece: string): Promise<void> {
      const before = client.bytesSent;
      await client.write(bytes(piece));
      const received = () => [...listener.connections][0]?.bytesReceived ?? 0;
      while (received() < before + piece.length) await new Promise((done) => setTimeout(done, 1));
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await listener.close();
    },
  };
}

const LATE = "Cannot read message: it was not complete within 30 s";
const WAYS: [string, (connection: StreamConnection) => AsyncIterable<Uint8Array>, string][] = [
  ["readMessages()", (connection) => readMessages(connection, lineFraming()), "abcdefg\n"],
  ["readRecords()", (connection) => readRecords(connection, 7), "abcdefg"],
];

for (const [name, read, message] of WAYS) {
  Deno.test(`${name} gives up a message that is not complete in time, however its bytes drip`, async () => {
    await using it = await serve(read);
    for (const char of message.slice(0, 4)) {
      await it.drip(char);
      it.clock.pass(7.3);
    }
    await it.drip(message.slice(4, 5));
    it.clock.pass(1.5);
    const { connection, error } = await it.ended;
    assertEquals((error as Error)?.message, LATE);
    assertEquals(error instanceof CodecError, true);
    assertEquals([connection.readEnd, connection.bytesReceived], ["late", 5]);
    assertEquals(await it.client.read(), null);
    await connection.finished;
    assertEquals(connection.closeReason, "late");
  });

  Deno.test(`${name} gives each message the whole time, and time between them does not count`, async () => {
    await using it = await serve(read);
    for (let i = 0; i < 3; i++) {
      await it.drip(message.slice(0, 3));
      it.clock.pass(29);
      // The end of one and the beginning of the next come together.
      await it.drip(message.slice(3) + message.slice(0, 2));
      assertEquals(text(await it.client.read()), "abcdefg");
      it.clock.pass(29);
      await it.drip(message.slice(2));
      assertEquals(text(await it.client.read()), "abcdefg");
      it.clock.pass(1000);
    }
    await it.client.closeWrite();
    const { error, connection } = await it.ended;
    assertEquals([error, connection.readEnd], [undefined, "ended"]);
  });
}

Deno.test("readMessages() tells onBad of a message that was late", async () => {
  const told: string[] = [];
  await using it = await serve((connection) =>
    readMessages(connection, lineFraming(), { onBad: ({ message }) => void told.push(message) })
  );
  await it.drip("abc");
  it.clock.pass(31);
  const { error } = await it.ended;
  assertEquals([error, told], [undefined, [LATE]]);
});

Deno.test("a line that is too long does not hold its place for ever either", async () => {
  const told: string[] = [];
  await using it = await serve((connection) =>
    readMessages(connection, lineFraming({ maxBytes: 4 }), {
      onBad: ({ message }) => void told.push(message),
    })
  );
  await it.drip("abcdefghij");
  it.clock.pass(20);
  await it.drip("klm");
  it.clock.pass(11);
  await it.ended;
  assertEquals(told, ["Cannot read line: it is longer than 4 bytes", LATE]);
});

Deno.test("time after a line that is too long does not count, nor what is left of it for the next one", async () => {
  const told: string[] = [];
  await using it = await serve((connection) =>
    readMessages(connection, lineFraming({ maxBytes: 4 }), {
      onBad: ({ message }) => void told.push(message),
    })
  );
  await it.drip("abcdefghij");
  it.clock.pass(20);
  await it.drip("klm\n");
  it.clock.pass(1000);
  await it.drip("abcdefghij");
  it.clock.pass(20);
  // The end of one and the beginning of the next come together.
  await it.drip("klm\nno");
  it.clock.pass(20);
  await it.drip("p\n");
  assertEquals(text(await it.client.read()), "nop");
  assertEquals(told, Array(2).fill("Cannot read line: it is longer than 4 bytes"));
});

Deno.test("readRecords() of a source that knows no more than that it was late", async () => {
  const source = {
    readEnd: "late" as const,
    sent: false,
    readInto(buffer: Uint8Array) {
      if (this.sent) return Promise.resolve(null);
      buffer[0] = 1;
      this.sent = true;
      return Promise.resolve(1);
    },
  };
  await assertRejects(
    async () => {
      for await (const _ of readRecords(source, 4));
    },
    CodecError,
    "Cannot read message: it was not complete in time",
  );
});
