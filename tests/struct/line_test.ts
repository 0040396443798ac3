import { CodecError, UsageError } from "../../lib/errors.ts";
import { Line } from "../../lib/struct/line.ts";
import type { LineProblem } from "../../lib/struct/line_options.ts";
import type { LinePeer } from "../../lib/struct/peer.ts";
import { bareServer, connectBare, take, writeAll } from "./line_peers.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";

type Record30 = [number, Uint8Array, number];
const FORMAT = "!I30sd";

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
    refusedAsHttp: 0,
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

Deno.test("Line: an action may close a peer that goes on sending, which is no fault", async () => {
  const problems: string[] = [];
  const over = Promise.withResolvers<LinePeer<"<I">>();
  await using server = Line.listen({
    format: "<I",
    port: 0,
    action: ([n], peer) => {
      if (n === 4) void peer.close();
    },
    onProblem: ({ message }) => problems.push(message),
    onDisconnect: (peer) => over.resolve(peer),
  });
  const conn = await connectBare(server);
  const sending = (async () => {
    for (let n = 0;; n++) await conn.write(new Uint8Array(Uint32Array.of(n).buffer));
  })().catch(() => {}); // disconnected
  const peer = await over.promise;
  assertEquals([peer.lost, peer.closeReason, problems], [false, "closed", []]);
  assertEquals([server.peers.length, server.stats.open], [0, 0]);
  await sending;
  conn.close();
});
