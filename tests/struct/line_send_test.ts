import { CodecError } from "../../lib/errors.ts";
import { Line } from "../../lib/struct/line.ts";
import type { LineProblem } from "../../lib/struct/line_options.ts";
import { ManualClock } from "../time/manual_clock.ts";
import { bareServer, connectBare, readToEnd, standstill, take } from "./line_peers.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

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
  const clock = new ManualClock();
  await using server = Line.listen({
    format: "1000s",
    port: 0,
    stallTimeout: 10,
    clock,
    action: () => {},
    onProblem: (problem) => problems.push(problem),
  });
  const [idle, reader] = [await connectBare(server), await connectBare(server)];
  const { port } = idle.localAddr as Deno.NetAddr;
  while (server.peers.length < 2) await new Promise((resolve) => setTimeout(resolve));
  const reading = readToEnd(reader);
  const sending = (async () => {
    for (let i = 0; i < 20_000; i++) await server.send(["x"]);
  })();
  const idlePeer = server.peers.find(({ remoteAddr }) => remoteAddr.port === port)!;
  const readingPeer = server.peers.find((peer) => peer !== idlePeer)!;
  while (idlePeer.bytesQueued === 0 || readingPeer.bytesQueued > 0) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  clock.pass(13);
  await sending;
  assertEquals(problems.map(({ kind, message }) => [kind, message]), [
    ["lost", `Disconnected 127.0.0.1:${port}: it read nothing of what was waiting for it`],
  ]);
  assertEquals([server.stats.lost, server.peers.length], [1, 1]);
  idle.close();
  await server.close();
  assertEquals((await reading).length, 20_000_000);
});

Deno.test("send() never gives up a single peer, however long it takes nothing", async () => {
  const clock = new ManualClock();
  await using server = Line.listen({
    format: "1000s",
    port: 0,
    stallTimeout: 10,
    clock,
    grace: 0.1,
  });
  using conn = await connectBare(server);
  await server.connected;
  let taken = 0;
  const sending = (async () => {
    while (taken < 100_000 && await server.send(["x"])) taken++;
  })();
  while (server.peers[0]!.bytesQueued === 0) await new Promise((resolve) => setTimeout(resolve));
  clock.pass(1000);
  assertEquals([server.stats.lost, server.peers.length], [0, 1]);
  conn.close();
  await sending;
});

for (const ending of ["ends its half", "is closed"]) {
  Deno.test(`Line gives up a peer that ${ending} and then takes nothing, so that its place is free`, async () => {
    const problems: LineProblem[] = [];
    const clock = new ManualClock();
    const closed = Promise.withResolvers<void>();
    let over = false;
    await using server = Line.listen({
      format: "1000s",
      port: 0,
      maxConnections: 1,
      stallTimeout: 10,
      clock,
      action: (values, peer) => {
        for (let i = 0; i < 20_000; i++) void peer.send(values);
        if (ending === "is closed") void peer.close().then(closed.resolve);
        else closed.resolve();
      },
      onProblem: (problem) => problems.push(problem),
      onDisconnect: () => over = true,
    });
    using idle = await connectBare(server);
    const { port } = idle.localAddr as Deno.NetAddr;
    await idle.write(new Uint8Array(1000).fill(1));
    if (ending === "ends its half") await idle.closeWrite();
    while (!over) {
      await new Promise((resolve) => setTimeout(resolve));
      clock.pass(10);
    }
    await closed.promise;
    assertEquals(problems.map(({ kind, message }) => [kind, message]), [
      ["lost", `Disconnected 127.0.0.1:${port}: it read nothing of what was waiting for it`],
    ]);
    const { open, lost, sent } = server.stats;
    assertEquals([open, lost, sent < 20_000], [0, 1, true]);
    await using client = await Line.connect({ format: "1000s", port: server.addr.port });
    assert(await client.send(["x"]));
    assertEquals((await take(client, 1)).length, 1);
    await client.close({ grace: 0 });
  });
}

Deno.test("Line sends everything to a peer that has ended its half and reads slowly", async () => {
  const clock = new ManualClock();
  await using server = Line.listen({
    format: "1000s",
    port: 0,
    stallTimeout: 10,
    clock,
    action: (values, peer) => {
      for (let i = 0; i < 20_000; i++) void peer.send(values);
    },
  });
  using conn = await connectBare(server);
  await server.connected;
  const [peer] = server.peers;
  await conn.write(new Uint8Array(1000).fill(1));
  await conn.closeWrite();
  const buffer = new Uint8Array(1 << 20);
  let [read, before, idle] = [0, 0, 0];
  for (let length; (length = await conn.read(buffer)) !== null; read += length) {
    // The peer takes some within 10 s, again and again.
    if (peer!.bytesSent > before) clock.pass(idle = 6);
    before = peer!.bytesSent;
  }
  assertEquals([read, idle, server.stats.lost], [20_000_000, 6, 0]);
});
