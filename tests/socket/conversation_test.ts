import { assertEquals, assertRejects } from "@std/assert";
import { ConnectError } from "../../lib/errors.ts";
import { connectStream } from "../../lib/net/stream/connect.ts";
import type { StreamConnection } from "../../lib/net/stream/connection.ts";
import { listenStream } from "../../lib/net/stream/listener.ts";
import { connectBytes } from "../../lib/socket/byte_client.ts";
import { converse, converseByDatagrams } from "../../lib/socket/conversation.ts";
import { connectDatagram } from "../../lib/socket/datagram_client.ts";
import { listenBytes } from "../../lib/socket/listen_bytes.ts";
import { listenDatagrams } from "../../lib/socket/listen_datagrams.ts";
import { pingBytes, pingDatagrams } from "../../lib/socket/ping.ts";
import { sendBytes, sendDatagram } from "../../lib/socket/send_bytes.ts";
import { stoppedConnection } from "./stopped.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);

/** Two messages, the second when the first has been answered. */
function twoMessages() {
  const answered = Promise.withResolvers<void>();
  async function* input() {
    yield bytes("first\n");
    await answered.promise;
    yield bytes("second\n");
  }
  return { input: input(), onAnswer: () => answered.resolve() };
}

Deno.test("converse() receives while its input goes on, and ends with the server after the input's end", async () => {
  await using server = listenBytes({ port: 0 });
  await using connection = await connectStream({ port: server.addr.port });
  const { input, onAnswer } = twoMessages();
  let received = "";
  for await (const piece of converse(connection, input, { timeout: 60 })) {
    received += text(piece);
    if (received.endsWith("first\n")) onAnswer();
  }
  assertEquals(received, "first\nsecond\n");
});

Deno.test("converse() takes what has come while the program was stopped", async () => {
  await using connection = stoppedConnection();
  let received = "";
  for await (const piece of converse(connection, ReadableStream.from([]), { timeout: 0.05 })) {
    received += text(piece);
  }
  assertEquals(received, "first second");
});

Deno.test("converse() ends after a count of bytes, though its input goes on", async () => {
  await using server = listenBytes({ port: 0 });
  await using connection = await connectStream({ port: server.addr.port });
  let received = "";
  for await (const piece of converse(connection, twoMessages().input, { count: 3 })) {
    received += text(piece);
  }
  assertEquals(received, "fir");
});

Deno.test("converse() throws what its input throws, after what has arrived", async () => {
  await using server = listenBytes({ port: 0 });
  await using connection = await connectStream({ port: server.addr.port });
  const answered = Promise.withResolvers<void>();
  async function* input() {
    yield bytes("first");
    await answered.promise;
    throw new Error("disk is gone");
  }
  let received = "";
  await assertRejects(
    async () => {
      for await (const piece of converse(connection, input(), { timeout: 60 })) {
        received += text(piece);
        answered.resolve();
      }
    },
    Error,
    "disk is gone",
  );
  assertEquals(received, "first");
});

/** A server that ends its half at once, and says at the end what has arrived. */
function halfClosedServer() {
  const { promise, resolve } = Promise.withResolvers<string>();
  const listener = listenStream({
    port: 0,
    async onConnection(connection) {
      await connection.closeWrite();
      let received = "";
      for await (const chunk of connection) received += text(chunk);
      resolve(received);
    },
  });
  return { listener, received: promise };
}

/** Resolves when the other side's end has been read. */
async function ended(connection: StreamConnection): Promise<void> {
  while (connection.readEnd === "open") await new Promise((resolve) => setTimeout(resolve));
}

Deno.test("converse() sends the rest of its input to a server that has ended its half", async () => {
  const { listener, received } = halfClosedServer();
  await using _server = listener;
  const connection = await connectStream({ port: listener.addr.port });
  async function* input() {
    await ended(connection);
    for (const piece of ["first\n", "second\n"]) yield bytes(piece);
  }
  const answers = converse(connection, input(), { inputSilence: Infinity, timeout: 60 });
  assertEquals(await Array.fromAsync(answers), []);
  await connection.close();
  assertEquals(await received, "first\nsecond\n");
});

Deno.test("converse() gives up an input that is silent when the server has ended, and says so", async () => {
  const { listener, received } = halfClosedServer();
  await using _server = listener;
  await using connection = await connectStream({ port: listener.addr.port });
  const never = Promise.withResolvers<void>();
  async function* input() {
    await ended(connection);
    yield bytes("first\n");
    await never.promise;
  }
  let unsent = 0;
  const answers = converse(connection, input(), { inputSilence: 0.05, onUnsent: () => unsent++ });
  assertEquals([await Array.fromAsync(answers), unsent], [[], 1]);
  await connection.close();
  assertEquals(await received, "first\n");
});

Deno.test("converse() throws where the server has gone before the input was sent", async () => {
  await using server = listenStream({ port: 0, onConnection: (connection) => connection.close() });
  await using connection = await connectStream({ port: server.addr.port });
  async function* input() {
    await ended(connection);
    for (;;) yield bytes("more\n");
  }
  await assertRejects(
    () => Array.fromAsync(converse(connection, input(), { inputSilence: Infinity })),
    ConnectError,
    "before all of the input was sent",
  );
});

Deno.test("converseByDatagrams() sends a datagram for each piece, and ends when all are answered", async () => {
  await using server = await listenDatagrams({ port: 0 });
  await using client = await connectDatagram({ port: server.addr.port });
  const { input, onAnswer } = twoMessages();
  const received: string[] = [];
  for await (const answer of converseByDatagrams(client, input, { timeout: 60 })) {
    received.push(text(answer.bytes));
    onAnswer();
  }
  assertEquals(received, ["first\n", "second\n"]);
});

Deno.test("ByteClient.ask() reports that the answer was complete before the message was sent", async () => {
  await using server = listenStream({
    port: 0,
    onConnection: async (connection) => void await connection.write(bytes("full")),
  });
  await using client = await connectBytes({ port: server.addr.port });
  let unsent = 0;
  async function* message() {
    yield bytes("x");
    for (;;) yield new Uint8Array(1 << 20);
  }
  let received = "";
  for await (const piece of client.ask(message(), { count: 4, onUnsent: () => unsent++ })) {
    received += text(piece);
  }
  assertEquals([received, unsent], ["full", 1]);
});

Deno.test("ByteClient.ask() reports that the server closed before the message was at its end", async () => {
  await using server = listenStream({
    port: 0,
    onConnection: async (connection) => void await connection.write((await connection.read())!),
  });
  await using client = await connectBytes({ port: server.addr.port });
  const rest = Promise.withResolvers<void>();
  async function* message() {
    yield bytes("x");
    await rest.promise;
    yield bytes("y");
  }
  let unsent = 0;
  const pieces = await Array.fromAsync(client.ask(message(), { onUnsent: () => unsent++ }), text);
  assertEquals([pieces, unsent], [["x"], 1]);
  rest.resolve();
});

Deno.test("ByteClient.ask() throws what reading the message throws", async () => {
  await using server = listenBytes({ port: 0 });
  await using client = await connectBytes({ port: server.addr.port });
  async function* message() {
    yield await Promise.resolve(bytes("x"));
    throw new Error("disk is gone");
  }
  await assertRejects(() => Array.fromAsync(client.ask(message())), Error, "disk is gone");
});

Deno.test("sendBytes() and sendDatagram() deliver a message and wait for no answer", async () => {
  const received: string[] = [];
  const both = Promise.withResolvers<void>();
  const answer = (message: Uint8Array) => {
    if (received.push(text(message)) === 2) both.resolve();
    return null;
  };
  await using stream = listenBytes({ port: 0, answer });
  await using datagrams = await listenDatagrams({ port: 0, answer });
  await sendBytes([bytes("VOLT 3\n")], { port: stream.addr.port });
  await sendDatagram(bytes("VOLT 4"), { port: datagrams.addr.port });
  await both.promise;
  assertEquals(received, ["VOLT 3\n", "VOLT 4"]);
});

Deno.test("pingBytes() and pingDatagrams() count answers and altered ones", async () => {
  const answer = (message: Uint8Array) => text(message) === "x" ? message : bytes("other");
  await using stream = listenBytes({ port: 0, answer });
  await using datagrams = await listenDatagrams({ port: 0, answer });
  const ways = [
    (message: string, count?: number) =>
      pingBytes(bytes(message), { port: stream.addr.port, repeat: 3, count }),
    (message: string) => pingDatagrams(bytes(message), { port: datagrams.addr.port, repeat: 3 }),
  ];
  for (const ping of ways) {
    const { latency, ...counts } = await ping("x");
    assertEquals(counts, { sent: 3, answered: 3, altered: 0, lost: 0 });
    assertEquals(latency.count, 3);
    assertEquals((await ping("y", 5)).altered, 3);
  }
});

Deno.test("pingBytes() says that no server is there", async () => {
  const server = listenBytes({ port: 0 });
  const { port } = server.addr;
  await server.close();
  await assertRejects(() => pingBytes(bytes("x"), { port, repeat: 1 }), ConnectError);
});
