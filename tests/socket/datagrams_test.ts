import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConnectError, UsageError } from "../../lib/errors.ts";
import { parseCidrList } from "../../lib/net/address/allow_list.ts";
import { connectDatagram } from "../../lib/socket/datagram_client.ts";
import { exchangeDatagram, receiveDatagrams } from "../../lib/socket/exchange_datagram.ts";
import {
  type DatagramServer,
  type DatagramServerProblem,
  listenDatagrams,
} from "../../lib/socket/listen_datagrams.ts";
import { bindDatagram } from "../../lib/net/datagram/datagram.ts";
import { CAN_FORGE, forge } from "../interop/forge.ts";
import { freePort } from "../net/free_port.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);

Deno.test("exchangeDatagram() gets back what listenDatagrams() echoes, up to the largest datagram", async () => {
  await using server = await listenDatagrams({ port: 0 });
  const { port } = server.addr;
  for (const size of [0, 1, 1024, 1025, 65_507]) {
    const message = new Uint8Array(size).map((_, i) => i);
    const answer = await exchangeDatagram(message, { port, timeout: 60 });
    assertEquals(answer, { bytes: message, from: { hostname: "127.0.0.1", port } });
  }
  assertEquals(server.stats, {
    received: 5,
    answered: 5,
    refusedByAllow: 0,
    ignored: 0,
    dropped: 0,
  });
});

Deno.test("exchangeDatagram() says that a message is too large", async () => {
  await assertRejects(
    () => exchangeDatagram(new Uint8Array(65_508), { port: 9, host: "127.0.0.1" }),
    ConnectError,
    'Cannot send 65508 bytes to "127.0.0.1:9"',
  );
});

Deno.test("exchangeDatagram() says that no answer came, and that there is no such host", async () => {
  await using server = await listenDatagrams({ port: 0, answer: () => null });
  const { port } = server.addr;
  await assertRejects(
    () => exchangeDatagram(bytes("x"), { port, timeout: 0.1 }),
    ConnectError,
    `No answer from "localhost:${port}" in 0.1 s`,
  );
  await assertRejects(
    () => exchangeDatagram(bytes("x"), { port, host: "nothing.invalid" }),
    ConnectError,
    "no such name",
  );
});

Deno.test("exchangeDatagram() says that nobody listens where the system reports it, else that no answer came", async () => {
  const port = freePort("udp");
  for (const host of ["127.0.0.1", "localhost"]) {
    const windows = Deno.build.os === "windows";
    await assertRejects(
      () => exchangeDatagram(bytes("x"), { port, host, timeout: windows ? 60 : 0.05 }),
      ConnectError,
      windows
        ? `Cannot reach "${host}:${port}": connection refused`
        : `No answer from "${host}:${port}" in 0.05 s`,
    );
  }
});

Deno.test("connectDatagram() leaves the port alone that it sends to, even where nobody listens", async () => {
  const port = freePort("udp");
  await using client = await connectDatagram({ host: "127.0.0.1", port });
  await client.send(bytes("x"));
  const waiting = client.receive(0.05).catch(() => undefined); // Windows says that nobody listens
  for (let i = 0; i < 50; i++) {
    await using server = await bindDatagram({ listen: { hostname: "127.0.0.1", port } });
    assertEquals((server.addr as Deno.NetAddr).port, port);
    await new Promise((resolve) => setTimeout(resolve));
  }
  await waiting;
});

Deno.test("listenDatagrams() serves localhost on both loopback addresses", async () => {
  await using server = await listenDatagrams({ port: 0 });
  for (const { hostname, port } of server.addrs) {
    const answer = await exchangeDatagram(bytes("x"), { host: hostname, port, timeout: 60 });
    assertEquals(answer.from, { hostname, port });
  }
});

Deno.test("DatagramClient.receive() gives the answer of a server that is gone by then", async () => {
  for (let i = 0; i < 20; i++) {
    const server = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const { port } = server.addr as Deno.NetAddr;
    await using client = await connectDatagram({ host: "127.0.0.1", port });
    await client.send(bytes("x"));
    const [message, from] = await server.receive();
    await server.send(message, from);
    server.close();
    assertEquals((await client.receive(60))?.bytes, bytes("x"));
    assertEquals(await client.receive(0.01), undefined);
  }
});

Deno.test("DatagramServer.close() waits once for the datagrams that are being answered, however often it is called", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<null>();
  await using server = await listenDatagrams({
    port: 0,
    concurrency: 2,
    answer: () => (asked.resolve(), answer.promise),
  });
  await using client = await connectDatagram({ port: server.addr.port });
  await client.send(bytes("x"));
  await asked.promise;
  const closing = server.close({ grace: 0 });
  assertStrictEquals(server.close(), closing);
  await closing;
  answer.resolve(null);
});

Deno.test("listenDatagrams() says that a port is taken", async () => {
  await using server = await listenDatagrams({ port: 0 });
  await assertRejects(
    () => listenDatagrams({ port: server.addr.port }),
    UsageError,
    "another program uses this address",
  );
});

Deno.test("listenDatagrams() answers only who is allowed", async () => {
  const problems: DatagramServerProblem[] = [];
  await using server = await listenDatagrams({
    port: 0,
    host: "127.0.0.1",
    allow: parseCidrList("127.0.0.2"),
    onProblem: (problem) => void problems.push(problem),
  });
  const { port } = server.addr;
  await assertRejects(
    () => exchangeDatagram(bytes("x"), { host: "127.0.0.1", port, timeout: 0.2 }),
    ConnectError,
    "No answer",
  );
  assertEquals(server.stats, {
    received: 0,
    answered: 0,
    refusedByAllow: 1,
    ignored: 0,
    dropped: 0,
  });
  const [{ kind, message, from }] = problems as [DatagramServerProblem];
  assertEquals([kind, from.hostname], ["not-allowed", "127.0.0.1"]);
  assert(message.startsWith(`Refused 127.0.0.1:${from.port}:`));
});

Deno.test("listenDatagrams() answers several datagrams at once, and goes on after a failure", async () => {
  const all = Promise.withResolvers<void>();
  const problems: DatagramServerProblem[] = [];
  let handled = 0;
  await using server = await listenDatagrams({
    port: 0,
    concurrency: 3,
    answer: async (message) => {
      if (text(message) === "bad") throw new Error("broken");
      if (++handled === 3) all.resolve();
      await all.promise;
      return message;
    },
    onProblem: (problem) => void problems.push(problem),
  });
  const { port } = server.addr;
  await using client = await connectDatagram({ port });
  for (const message of ["bad", "1", "2", "3"]) await client.send(bytes(message));
  const answers: string[] = [];
  for await (const answer of receiveDatagrams(client, { count: 3, timeout: 60 })) {
    answers.push(text(answer.bytes));
  }
  assertEquals(answers.sort(), ["1", "2", "3"]);
  const [{ kind, message, from, error }] = problems as [DatagramServerProblem];
  assertEquals([kind, from.hostname], ["answer", "127.0.0.1"]);
  assert(message.endsWith("broken") && error instanceof Error);
});

Deno.test("DatagramServer.close() lets datagrams that have arrived be answered", async () => {
  const taken = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const server = await listenDatagrams({
    port: 0,
    answer: async (message) => {
      taken.resolve();
      await go.promise;
      return message;
    },
  });
  const answer = exchangeDatagram(bytes("last"), { port: server.addr.port, timeout: 60 });
  await taken.promise;
  const closed = server.close();
  go.resolve();
  assertEquals(text((await answer).bytes), "last");
  await closed;
  await server.finished;
});

/** Answers when it is told to, one datagram after another. */
function answeredLater() {
  const seen: string[] = [];
  const told: (() => void)[] = [];
  const answer = (message: Uint8Array) => {
    seen.push(text(message));
    return new Promise<null>((resolve) => told.push(() => resolve(null)));
  };
  return { seen, answer, answerOne: () => told.shift()!() };
}

/** Sends datagrams, each when the one before has arrived. */
async function sendInTurn(server: DatagramServer, messages: string[]): Promise<void> {
  await using client = await connectDatagram({ port: server.addr.port });
  for (const message of messages) {
    const { received } = server.stats;
    await client.send(bytes(message));
    while (server.stats.received === received) await new Promise((resolve) => setTimeout(resolve));
  }
}

Deno.test("listenDatagrams() begins answers in the order of arrival, also when more may be answered at once", async () => {
  const { seen, answer, answerOne } = answeredLater();
  let concurrency = 1;
  await using server = await listenDatagrams({
    port: 0,
    grace: 0,
    queue: 10,
    concurrency: () => concurrency,
    answer,
  });
  await sendInTurn(server, ["1", "2", "3", "4"]);
  assertEquals([seen, server.pending], [["1"], 4]);
  concurrency = 2;
  await sendInTurn(server, ["5"]);
  assertEquals(seen, ["1", "2"]);
  concurrency = 3;
  answerOne();
  while (seen.length < 4) await new Promise((resolve) => setTimeout(resolve));
  assertEquals(seen, ["1", "2", "3", "4"]);
});

Deno.test("DatagramServer.close() counts and reports what has not had its turn when the grace is over", async () => {
  const { seen, answer } = answeredLater();
  const problems: DatagramServerProblem[] = [];
  await using server = await listenDatagrams({
    port: 0,
    queue: 10,
    answer,
    onProblem: (problem) => void problems.push(problem),
  });
  await sendInTurn(server, ["1", "2", "3"]);
  await server.close({ grace: 0 });
  assertEquals([seen, server.stats.dropped], [["1"], 2]);
  assertEquals(problems.map(({ kind }) => kind), ["dropped", "dropped"]);
});

for (const queue of [undefined, 10]) {
  const where = queue === undefined ? "" : ", which might have waited";
  Deno.test(`DatagramServer.close() lets the datagram be answered that has closed it${where}`, async () => {
    const closing = new AbortController();
    const closed = Promise.withResolvers<void>();
    await using server = await listenDatagrams({
      port: 0,
      queue,
      signal: closing.signal,
      async answer(message) {
        closing.abort();
        await closed.promise;
        return message;
      },
    });
    await using client = await connectDatagram({ port: server.addr.port });
    await client.send(bytes("last"));
    while (!closing.signal.aborted) await new Promise((resolve) => setTimeout(resolve));
    closed.resolve();
    assertEquals(text((await client.receive(1))?.bytes ?? bytes("none")), "last");
  });
}

Deno.test("DatagramServer.close() counts what arrives while it waits for answers", async () => {
  const { seen, answer, answerOne } = answeredLater();
  await using server = await listenDatagrams({ port: 0, queue: 10, answer });
  await sendInTurn(server, ["1"]);
  const closed = server.close({ grace: 60 });
  await using client = await connectDatagram({ port: server.addr.port });
  await client.send(bytes("2"));
  while (server.stats.dropped === 0) await new Promise((resolve) => setTimeout(resolve));
  answerOne();
  await closed;
  assertEquals([seen, server.stats.dropped], [["1"], 1]);
});

Deno.test("receiveDatagrams() says how many are missing", async () => {
  await using server = await listenDatagrams({ port: 0 });
  await using client = await connectDatagram({ port: server.addr.port });
  await client.send(bytes("x"));
  const receive = async () => {
    for await (const _ of receiveDatagrams(client, { count: 2, timeout: 0.1 }));
  };
  await assertRejects(receive, ConnectError, "Only 1 of 2 datagrams");
});

Deno.test("a signal ends listenDatagrams() and connectDatagram()", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const server = await listenDatagrams({ port: 0, signal });
  const client = await connectDatagram({ port: server.addr.port, signal });
  const received = client.receive(Infinity);
  controller.abort();
  assertEquals(await received, undefined);
  await server.finished;
  await client.finished;
});

Deno.test({
  name: "listenDatagrams() ignores a datagram that seems to come from itself" +
    (CAN_FORGE ? "" : " (ignored: forging needs a raw socket)"),
  ignore: !CAN_FORGE,
  async fn() {
    for (const host of ["127.0.0.1", "0.0.0.0"]) {
      const problems: string[] = [];
      const onProblem = (problem: DatagramServerProblem) => void problems.push(problem.message);
      await using server = await listenDatagrams({ host, port: 0, onProblem });
      const { port } = server.addr;
      assert(forge("127.0.0.1", "127.0.0.1", port, bytes("round and round")));
      await exchangeDatagram(bytes("x"), { host: "127.0.0.1", port });
      assertEquals(server.stats, {
        received: 1,
        answered: 1,
        refusedByAllow: 0,
        ignored: 1,
        dropped: 0,
      });
      assertEquals(problems, [
        `Ignored a datagram from 127.0.0.1:${port}: that is the server's own address`,
      ]);
    }
  },
});

Deno.test({
  name: "listenDatagrams() answers another address on the same port",
  ignore: Deno.build.os === "darwin", // which has 127.0.0.1 only
  async fn() {
    await using server = await listenDatagrams({ host: "127.0.0.1", port: 0 });
    await using other = await bindDatagram({
      listen: { hostname: "127.0.0.2", port: server.addr.port },
    });
    await other.send(bytes("x"), server.addr);
    assertEquals(text((await other.receive())!.bytes), "x");
    assertEquals(server.stats.ignored, 0);
  },
});
