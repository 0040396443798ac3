import { CodecError, ConnectError, UsageError } from "../../lib/errors.ts";
import { Line } from "../../lib/struct/line.ts";
import { bareServer, readToEnd, take } from "./line_peers.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";

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
  const record: [number] = [0];
  const waiting = [2, 3].map((n) => {
    record[0] = n; // as somebody does who makes no array for each
    return client.send(record);
  });
  record[0] = -1;
  await using second = Line.listen({ format: "!I", port });
  assertEquals(await Promise.all(waiting), [true, true]);
  assertEquals(await take(second, 2), [[2], [3]]);
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

Deno.test("Line with reconnect sends what waits for a server before what is sent once that is there", async () => {
  const server = bareServer();
  const over = Promise.withResolvers<void>();
  const waiting: Promise<boolean>[] = [];
  let later: Promise<boolean> | undefined;
  await using client: Line<"!I"> = await Line.connect({
    format: "!I",
    port: server.port,
    reconnect: true,
    retryDelay: 0,
    onConnect(peer) {
      if (waiting.length === 0) return;
      later = client.send([3]);
      void peer.send([0]); // the first thing that it says
    },
    onDisconnect: () => over.resolve(),
  });
  (await server.accept()).close();
  await over.promise;
  for (const n of [1, 2]) waiting.push(client.send([n]));
  using conn = await server.accept();
  assertEquals(await Promise.all(waiting), [true, true]);
  assertEquals(await later, true);
  await client.closeWrite();
  assertEquals([...await readToEnd(conn)], [0, 1, 2, 3].flatMap((n) => [0, 0, 0, n]));
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

Deno.test("Line.connect() with reconnect waits for a server that is not there yet", async () => {
  const free = bareServer();
  const { port } = free;
  free.close();
  const failed = Promise.withResolvers<void>();
  const connecting = Line.connect({
    format: "!I",
    host: "127.0.0.1",
    port,
    reconnect: true,
    retryDelay: 0.01,
    onAttemptFailed: (attempt) => attempt > 5 && failed.resolve(),
  });
  await failed.promise;
  await using server = Line.listen({ format: "!I", host: "127.0.0.1", port });
  await using client = await connecting;
  await client.send([7]);
  assertEquals(await take(server, 1), [[7]]);
});

Deno.test("Line with reconnect ends when its attempts are used up", async () => {
  const server = bareServer();
  const over = Promise.withResolvers<void>();
  const client = await Line.connect({
    format: "!I",
    host: "127.0.0.1",
    port: server.port,
    reconnect: true,
    attempts: 3,
    retryDelay: 0.01,
    onDisconnect: () => over.resolve(),
  });
  const finished = assertRejects(() => client.finished, ConnectError, "refused");
  const iterated = assertRejects(() => take(client, 1), ConnectError, "refused");
  (await server.accept()).close();
  server.close();
  await over.promise;
  assertEquals(await client.send([1]), false);
  await Promise.all([finished, iterated]);
  assertEquals(await client.send([1]), false);
  await client.close();
});

Deno.test("Line names the fields in what it says about values", async () => {
  const fields = ["n", "arr*2"];
  await using server = Line.listen({ format: "!I2d", fields, port: 0 });
  assertThrows(
    () => server.send([1, 2, "x"] as never),
    CodecError,
    'Cannot pack field "arr[1]" ("d" in "!I2d"): "x" is not a number',
  );
  assertThrows(() => Line.listen({ format: "!I2d", fields: ["n", "arr"], port: 0 }), UsageError);
});
