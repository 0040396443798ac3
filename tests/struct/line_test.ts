import { CodecError, ConnectError, UsageError } from "../../lib/errors.ts";
import { Line } from "../../lib/struct/line.ts";
import type { LineProblem } from "../../lib/struct/line_options.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";

type Record30 = [number, Uint8Array, number];
const FORMAT = "!I30sd";

/** A listening socket that is not a line, and the connection that comes first. */
function bareServer(): { port: number; accept(): Promise<Deno.TcpConn>; close(): void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return {
    port: (listener.addr as Deno.NetAddr).port,
    accept: () => listener.accept(),
    close: () => listener.close(),
  };
}

function connectBare(line: { addr: { port: number } }): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: line.addr.port });
}

async function readToEnd(conn: Deno.Conn): Promise<Uint8Array> {
  return new Uint8Array(await new Response(conn.readable).arrayBuffer());
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function take<T>(records: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const record of records) if (taken.push(record) === count) break;
  return taken;
}

Deno.test("Line has the format, host and port of the original program by default", async () => {
  // The port may be in use, which is told with its number.
  let line: Line<"!I2sd"> | undefined;
  try {
    line = Line.listen();
  } catch (error) {
    assertInstanceOf(error, UsageError);
    assert(error.message.includes(":10000"), error.message);
    return;
  }
  assertEquals([line.format, line.addr.port, line.struct.size], ["!I2sd", 10000, 14]);
  await line.close();
});

Deno.test("Line.listen() and Line.connect() are alike once connected", async () => {
  await using server = Line.listen({ format: "!Id", port: 0 });
  await using client = await Line.connect({ format: "!Id", port: server.addr.port });
  await server.connected;
  assert(await client.send([1, 0.5]));
  assert(await server.send([2, 1.5]));
  assertEquals(await take(server, 1), [[1, 0.5]]);
  assertEquals(await take(client, 1), [[2, 1.5]]);
  assertEquals(server.stats, {
    received: 1,
    sent: 1,
    connections: 1,
    open: 1,
    cut: 0,
    lost: 0,
    failed: 0,
    refused: 0,
  });
  await client.close();
  await server.close();
  assertEquals([client.stats.open, server.stats.open], [0, 0]);
});

Deno.test("Line puts records together again, however they were cut", async () => {
  const received: Record30[] = [];
  const all = Promise.withResolvers<void>();
  await using line = Line.listen({
    format: FORMAT,
    port: 0,
    action: (values) => {
      if (received.push(values) === 200) all.resolve();
    },
  });
  const sent = Array.from({ length: 200 }, (_, i) => [i, `text ${i}`, i / 8] as const);
  const bytes = Uint8Array.from(sent.flatMap((values) => [...line.struct.pack(values)]));
  using conn = await connectBare(line);
  conn.setNoDelay(true);
  for (let at = 0, step = 1; at < bytes.length; at += step, step = step * 7 % 101) {
    await writeAll(conn, bytes.subarray(at, at + step));
  }
  await all.promise;
  assertEquals(
    received.map((values) => line.struct.pack(values)),
    sent.map((values) => line.struct.pack(values)),
  );
});

Deno.test("Line tells a rest at the end of the stream and ends the iteration with it", async () => {
  const server = bareServer();
  const problems: LineProblem[] = [];
  await using line = await Line.connect({
    format: FORMAT,
    port: server.port,
    onProblem: (problem) => problems.push(problem),
  });
  const conn = await server.accept();
  await writeAll(conn, new Uint8Array(42 + 17));
  conn.close();
  const seen: unknown[] = [];
  const error = await assertRejects(async () => {
    for await (const values of line) seen.push(values);
  }, CodecError);
  assertEquals(error.message, "Cannot read record: stream ended 17 bytes into a 42-byte record");
  assertEquals(seen.length, 1);
  await line.finished;
  assertEquals([line.stats.cut, line.stats.received], [1, 1]);
  assertEquals(problems.map(({ kind }) => kind), ["cut"]);
  assertEquals(problems[0]!.message, `${error.message} (from 127.0.0.1:${server.port})`);
  server.close();
});

Deno.test("Line.listen() goes on after a stream that was cut, and counts it", async () => {
  const cut = Promise.withResolvers<LineProblem>();
  await using line = Line.listen({ format: FORMAT, port: 0, onProblem: cut.resolve });
  const conn = await connectBare(line);
  await writeAll(conn, new Uint8Array(41));
  conn.close();
  assertEquals((await cut.promise).kind, "cut");
  await using client = await Line.connect({ format: FORMAT, port: line.addr.port });
  await client.send([7, "after", 0]);
  assertEquals((await take(line, 1))[0]![0], 7);
  assertEquals(line.stats.cut, 1);
});

Deno.test("Line reports an action that throws and goes on with the next record", async () => {
  const problems: LineProblem[] = [];
  const third = Promise.withResolvers<void>();
  await using server = Line.listen({
    format: "!I",
    port: 0,
    action: async ([n]) => {
      if (n === 1) throw new Error("one");
      await Promise.resolve();
      if (n === 2) throw new Error("two");
      third.resolve();
    },
    onProblem: (problem) => problems.push(problem),
  });
  await using client = await Line.connect({ format: "!I", port: server.addr.port });
  for (const n of [1, 2, 3]) await client.send([n]);
  await third.promise;
  assertEquals(problems.map(({ kind, message }) => [kind, message]), [["action", "one"], [
    "action",
    "two",
  ]]);
  assertEquals([server.stats.received, server.stats.failed], [3, 2]);
});

Deno.test("Line ends with what its action throws, where nobody is told of problems", async () => {
  const server = Line.listen({
    format: "!I",
    port: 0,
    action: () => {
      throw new TypeError("a mistake");
    },
  });
  const end = assertRejects(() => server.finished, TypeError, "a mistake");
  await using client = await Line.connect({ format: "!I", port: server.addr.port });
  await client.send([1]);
  await end;
  await server.close();
});

Deno.test("Line calls the action in the order of the records, each after the one before", async () => {
  const log: string[] = [];
  const done = Promise.withResolvers<void>();
  await using server = Line.listen({
    format: "!I",
    port: 0,
    action: async ([n]) => {
      log.push(`begin ${n}`);
      await new Promise((resolve) => queueMicrotask(() => resolve(null)));
      log.push(`end ${n}`);
      if (n === 3) done.resolve();
    },
  });
  await using client = await Line.connect({ format: "!I", port: server.addr.port });
  for (const n of [1, 2, 3]) client.send([n]);
  await done.promise;
  assertEquals(log, [1, 2, 3].flatMap((n) => [`begin ${n}`, `end ${n}`]));
});

Deno.test("Line.listen() serves several peers, sends to all of them and answers one", async () => {
  const all = Promise.withResolvers<void>();
  let connections = 0;
  await using server = Line.listen({
    format: "!I",
    port: 0,
    onConnect: () => ++connections === 3 && all.resolve(),
    action: ([n], peer) => peer.send([n * 10]),
  });
  const { port } = server.addr;
  assertEquals(await server.send([0]), false);
  await using a = await Line.connect({ format: "!I", port });
  await using b = await Line.connect({ format: "!I", port });
  await using c = await Line.connect({ format: "!I", port });
  await all.promise;
  assertEquals(server.peers.length, 3);
  await b.send([4]);
  assertEquals(await take(b, 1), [[40]]);
  assert(await server.send([5]));
  assertEquals(await Promise.all([a, b, c].map((line) => take(line, 1))), [[[5]], [[5]], [[5]]]);
  assertEquals(server.stats.sent, 4);
});

Deno.test("Line.listen() turns away those who are too many or not allowed", async () => {
  const problems: string[] = [];
  const told = Promise.withResolvers<void>();
  await using server = Line.listen({
    format: "!I",
    port: 0,
    maxConnections: 1,
    onProblem: ({ kind }) => {
      problems.push(kind);
      told.resolve();
    },
  });
  await using _first = await Line.connect({ format: "!I", port: server.addr.port });
  await server.connected;
  using second = await connectBare(server);
  assertEquals(await second.read(new Uint8Array(1)), null);
  await told.promise;
  assertEquals([problems, server.stats.refused], [["too-many"], 1]);

  await using strict = Line.listen({
    format: "!I",
    port: 0,
    host: "127.0.0.1",
    allow: ["192.0.2.0/24"],
  });
  using third = await connectBare(strict);
  assertEquals(await third.read(new Uint8Array(1)).catch(() => null), null);
  assertEquals([strict.stats.refused, strict.stats.connections], [1, 0]);
});

Deno.test("send() rejects values at once and sends nothing of them", async () => {
  await using server = Line.listen({ format: "!I2s", port: 0 });
  assertThrows(() => server.send([-1, ""]), CodecError, 'Cannot pack item 0 ("I" in "!I2s"): -1');
  await using client = await Line.connect({ format: "!I2s", port: server.addr.port });
  client.send([1, "ok"]);
  assertThrows(
    () => client.send([2, "too long"]),
    CodecError,
    "is 8 bytes long, expected at most 2",
  );
  await client.send([3, "ok"]);
  assertEquals((await take(server, 2)).map(([n]) => n), [1, 3]);
  await using cutting = await Line.connect({
    format: "!I2s",
    port: server.addr.port,
    truncate: true,
  });
  await cutting.send([4, "too long"]);
  assertEquals(await take(server, 1), [[4, new TextEncoder().encode("to")]]);
});

Deno.test("send() delivers everything in order before close()", async () => {
  const bytes = Promise.withResolvers<Uint8Array>();
  const server = bareServer();
  const line = await Line.connect({ format: "<H", port: server.port });
  server.accept().then(readToEnd).then(bytes.resolve);
  for (let i = 0; i < 60_000; i++) line.send([i]);
  await line.close();
  const view = new DataView((await bytes.promise).buffer);
  assertEquals(view.byteLength, 120_000);
  for (let i = 0; i < 60_000; i++) if (view.getUint16(2 * i, true) !== i) throw new Error(`${i}`);
  assertEquals(line.stats.sent, 60_000);
  assertEquals(await line.send([1]), false);
  server.close();
});

/** Resolves when a number has not changed for a while. */
async function standstill(count: () => number): Promise<number> {
  for (let last = -1; last !== count();) {
    last = count();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return count();
}

Deno.test("send() waits for a peer that does not read", async () => {
  const server = bareServer();
  await using line = await Line.connect({ format: "1000s", port: server.port, grace: 0.1 });
  using conn = await server.accept();
  let taken = 0;
  const sending = (async () => {
    while (taken < 100_000 && await line.send(["x"] as never)) taken++;
  })();
  // The system's buffers are finite: from some record on the promise stays open.
  const before = await standstill(() => taken);
  assert(before > 0 && before < 50_000, `${before}`);
  for (let read = 0; read < 20_000_000;) read += await conn.read(new Uint8Array(1 << 20)) ?? 0;
  assert(taken > before);
  await line.close();
  await sending;
  server.close();
});

Deno.test("Line holds a peer back while nobody takes its records", async () => {
  await using server = Line.listen({ format: "1000s", port: 0, grace: 0.1 });
  await using client = await Line.connect({ format: "1000s", port: server.addr.port, grace: 0.1 });
  let sent = 0;
  const sending = (async () => {
    for (let i = 0; i < 100_000; i++) {
      if (!await client.send(["x"] as never)) return;
      sent++;
    }
  })();
  await standstill(() => sent);
  assert(sent > 0 && sent < 50_000, `${sent}`);
  assertEquals((await take(server, 60_000)).length, 60_000);
  await client.close();
  await sending;
});

Deno.test("send() gives up one of several peers that takes nothing, so that the others go on", async () => {
  const problems: LineProblem[] = [];
  await using server = Line.listen({
    format: "1000s",
    port: 0,
    stallTimeout: 0.5,
    action: () => {},
    onProblem: (problem) => problems.push(problem),
  });
  const [idle, reader] = [await connectBare(server), await connectBare(server)];
  const { port } = idle.localAddr as Deno.NetAddr;
  while (server.peers.length < 2) await new Promise((resolve) => setTimeout(resolve));
  const reading = readToEnd(reader);
  for (let i = 0; i < 20_000; i++) await server.send(["x"]);
  assertEquals(problems.map(({ kind, message }) => [kind, message]), [
    ["lost", `Gave up 127.0.0.1:${port}: it took nothing, which kept the others waiting`],
  ]);
  assertEquals([server.stats.lost, server.peers.length], [1, 1]);
  idle.close();
  await server.close();
  assertEquals((await reading).length, 20_000_000);
});

Deno.test("send() never gives up a single peer, however long it takes nothing", async () => {
  await using server = Line.listen({ format: "1000s", port: 0, stallTimeout: 0.05, grace: 0.1 });
  using conn = await connectBare(server);
  await server.connected;
  let taken = 0;
  const sending = (async () => {
    while (taken < 100_000 && await server.send(["x"])) taken++;
  })();
  await standstill(() => taken);
  assertEquals([server.stats.lost, server.peers.length], [0, 1]);
  conn.close();
  await sending;
});

Deno.test("closeWrite() ends one half only", async () => {
  await using server = Line.listen({
    format: "!I",
    port: 0,
    action: ([n], peer) => peer.send([n + 1]),
  });
  await using client = await Line.connect({ format: "!I", port: server.addr.port });
  for (let n = 0; n < 1000; n++) client.send([n]);
  await client.closeWrite();
  const back: number[] = [];
  for await (const [n] of client) back.push(n);
  assertEquals(back, Array.from({ length: 1000 }, (_, n) => n + 1));
  await client.finished;
});

Deno.test("Line with halfOpen sends on after the other end has ended its half", async () => {
  const server = bareServer();
  await using line = await Line.connect({ format: "!I", port: server.port, halfOpen: true });
  const conn = await server.accept();
  await conn.closeWrite();
  const reading = readToEnd(conn);
  for (let n = 0; n < 10; n++) {
    assert(await line.send([n]));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await line.closeWrite();
  assertEquals((await reading).length, 40);
  await line.finished;
  server.close();
});

Deno.test("Line with halfOpen can be closed while the other end says nothing more", async () => {
  const server = bareServer();
  const line = await Line.connect({ format: "!I", port: server.port, halfOpen: true });
  const conn = await server.accept();
  await conn.closeWrite();
  const reading = readToEnd(conn);
  await line.close();
  await reading;
  server.close();
});

Deno.test("Line.connect() tries again and tells each attempt", async () => {
  const free = bareServer();
  const { port } = free;
  free.close();
  const failed: string[] = [];
  const error = await assertRejects(() =>
    Line.connect({
      port,
      host: "127.0.0.1",
      attempts: 3,
      retryDelay: 0.01,
      onAttemptFailed: (attempt, attempts) => failed.push(`${attempt} of ${attempts}`),
    }), ConnectError);
  assert(error.message.includes("refused"), error.message);
  assertEquals(failed, ["1 of 3", "2 of 3", "3 of 3"]);
});

Deno.test("Line.connect() gives up when it is aborted", async () => {
  const free = bareServer();
  const { port } = free;
  free.close();
  const controller = new AbortController();
  await assertRejects(() =>
    Line.connect({
      port,
      attempts: 100,
      retryDelay: 60,
      signal: controller.signal,
      onAttemptFailed: () => controller.abort(),
    })
  );
});

Deno.test("Line with reconnect goes on with the next server, and sends wait for it", async () => {
  const first = Line.listen({ format: "!I", port: 0 });
  const { port } = first.addr;
  const over = Promise.withResolvers<void>();
  await using client = await Line.connect({
    format: "!I",
    port,
    reconnect: true,
    retryDelay: 0.05,
    onDisconnect: () => over.resolve(),
  });
  await client.send([1]);
  assertEquals(await take(first, 1), [[1]]);
  await first.close();
  await over.promise;
  const waiting = client.send([2]);
  await using second = Line.listen({ format: "!I", port });
  assert(await waiting);
  assertEquals(await take(second, 1), [[2]]);
  assertEquals(client.stats.connections, 2);
});

Deno.test("Line with reconnect keeps what is sent while the last connection closes", async () => {
  const server = bareServer();
  const ended = Promise.withResolvers<void>();
  await using client = await Line.connect({
    format: "!I",
    port: server.port,
    reconnect: true,
    retryDelay: 0.05,
    action: () => {},
    onEnd: () => ended.resolve(),
  });
  using first = await server.accept();
  await first.closeWrite(); // and does not read, which keeps the client waiting for a while
  await ended.promise;
  await null;
  const waiting = client.send([2]);
  using second = await server.accept();
  const buffer = new Uint8Array(8);
  assertEquals(await second.read(buffer), 4);
  assertEquals([await waiting, buffer[3]], [true, 2]);
  server.close();
});

Deno.test("Line with reconnect can be closed while it tries", async () => {
  const server = Line.listen({ format: "!I", port: 0 });
  const again = Promise.withResolvers<void>();
  const client = await Line.connect({
    format: "!I",
    port: server.addr.port,
    reconnect: true,
    retryDelay: 0.01,
    onAttemptFailed: () => again.resolve(),
  });
  await server.connected;
  await server.close();
  await again.promise;
  const waiting = client.send([1]);
  await client.close();
  assertEquals(await waiting, false);
});

Deno.test("Line closes when its signal is aborted", async () => {
  const controller = new AbortController();
  const server = Line.listen({ format: "!I", port: 0, signal: controller.signal });
  const client = await Line.connect({
    format: "!I",
    port: server.addr.port,
    signal: controller.signal,
  });
  controller.abort();
  await Promise.all([server.finished, client.finished]);
  await using late = Line.listen({ format: "!I", port: 0, signal: controller.signal });
  await late.finished;
});

Deno.test("close() may be called in the action, which then gets no further record", async () => {
  let calls = 0;
  const server = Line.listen({
    format: "!I",
    port: 0,
    action: () => {
      calls++;
      void server.close();
    },
  });
  await using client = await Line.connect({ format: "!I", port: server.addr.port });
  for (let n = 0; n < 100; n++) client.send([n]);
  await server.finished;
  assertEquals([calls, server.stats.received], [1, 1]);
});

Deno.test("Line refuses a format without bytes, and to iterate beside an action", async () => {
  assertThrows(() => Line.listen({ format: "!", port: 0 }), UsageError, "it has no bytes");
  const large = "999999999999s";
  assertThrows(() => Line.listen({ format: large, port: 0 }), UsageError, "more than 1073741824");
  assertThrows(() => Line.listen({ format: "!y", port: 0 }), CodecError, "at character 2");
  await using line = Line.listen({ format: "!I", port: 0, action: () => {} });
  assertThrows(() => line[Symbol.asyncIterator](), TypeError);
});
