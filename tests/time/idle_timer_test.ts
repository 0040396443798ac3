import { assert, assertEquals } from "@std/assert";
import { connectStream } from "../../lib/net/stream/connect.ts";
import { IdleClock, IdleTimer } from "../../lib/time/idle_timer.ts";
import { listenStream } from "../../lib/net/stream/listener.ts";
import { ManualClock } from "./manual_clock.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array | null) => chunk && new TextDecoder().decode(chunk);

/** A timer of 30 s, and what it has found. */
function watch({ lasting = false, seconds = 30 } = {}) {
  const clock = new ManualClock();
  const idle = new IdleClock(seconds, { clock, lasting });
  const found: string[] = [];
  const timer = (name: string) => new IdleTimer(idle, () => found.push(name));
  return { clock, idle, timer, found };
}

Deno.test("IdleTimer finds who was waited for too long, and nobody before", () => {
  const { clock, timer, found } = watch();
  const [silent, speaking] = [timer("silent"), timer("speaking")];
  silent.begin();
  speaking.begin();
  clock.pass(29.9);
  speaking.end();
  speaking.begin();
  assertEquals(found, []);
  clock.pass(0.8);
  assertEquals(found, ["silent"]);
  silent.stop();
  clock.pass(28);
  assertEquals(found, ["silent"]);
  clock.pass(2);
  assertEquals(found, ["silent", "speaking"]);
  speaking.stop();
  assert(!clock.isAwaited);
});

Deno.test("IdleTimer does not count while it is held or nobody waits", () => {
  const { clock, timer, found } = watch();
  const held = timer("held");
  held.begin();
  held.hold();
  clock.pass(100);
  held.release();
  clock.pass(29);
  assertEquals(found, []);
  clock.pass(2);
  assertEquals(found, ["held"]);
  held.stop();
  const [busy] = [timer("busy")];
  busy.begin();
  busy.end();
  clock.pass(100);
  assertEquals(found, ["held"]);
  busy.stop();
});

Deno.test("IdleTimer starts over when one of several waits ends, and counts until all have", () => {
  const { clock, timer, found } = watch();
  const peer = timer("peer");
  assertEquals(peer.waiting, false);
  peer.begin();
  assertEquals(peer.waiting, true);
  peer.begin();
  clock.pass(29);
  peer.end();
  assertEquals(peer.waiting, true);
  clock.pass(29);
  assertEquals(found, []);
  clock.pass(2);
  assertEquals(found, ["peer"]);
  peer.end();
  assertEquals(peer.waiting, false);
  peer.stop();
});

Deno.test("IdleTimer that was stopped before its first wait finds nobody", () => {
  const { clock, timer, found } = watch();
  const peer = timer("peer");
  peer.stop();
  peer.begin();
  clock.pass(100);
  assertEquals([found, clock.isAwaited], [[], false]);
});

Deno.test("IdleTimer of no limit needs no timer", () => {
  const { clock, timer } = watch({ seconds: Infinity });
  const peer = timer("peer");
  peer.begin();
  assertEquals(clock.isAwaited, false);
  peer.end();
  peer.stop();
});

Deno.test("IdleClock needs no timer when the last has gone or was found idle, and begins anew with the next", () => {
  const clock = new ManualClock();
  const idle = new IdleClock(30, { clock });
  let found = 0;
  for (let round = 1; round <= 2; round++) {
    const gone = new IdleTimer(idle, () => found++);
    gone.begin();
    gone.stop();
    assertEquals(clock.isAwaited, false);
    const peer = new IdleTimer(idle, () => {
      found++;
      peer.stop();
    });
    peer.begin();
    clock.pass(31);
    assertEquals([found, clock.isAwaited], [round, false]);
  }
});

Deno.test("IdleClock that lasts keeps its timer for those who come next, until it is stopped", () => {
  const { clock, idle, timer, found } = watch({ lasting: true });
  timer("nobody").stop();
  assertEquals(clock.isAwaited, false);
  const first = timer("first");
  first.begin();
  first.stop();
  assertEquals(clock.isAwaited, true);
  clock.pass(20);
  const second = timer("second");
  second.begin();
  clock.pass(29);
  assertEquals(found, []);
  clock.pass(2);
  assertEquals(found, ["second"]);
  second.stop();
  clock.pass(100); // nobody is watched when it fires
  assertEquals(clock.isAwaited, false);
  const third = timer("third");
  third.begin();
  clock.pass(31);
  assertEquals(found, ["second", "third"]);
  third.stop();
  idle.stop();
  assertEquals(clock.isAwaited, false);
});

Deno.test("IdleTimer starts over when the computer has slept", () => {
  const { clock, timer, found } = watch();
  const peer = timer("peer");
  peer.begin();
  clock.pass(29);
  clock.suspend(3600);
  assertEquals(found, []);
  clock.pass(29);
  assertEquals(found, []);
  clock.pass(2);
  assertEquals(found, ["peer"]);
  peer.stop();
});

Deno.test("IdleTimer looks a little later when it was late by a little, and then finds who is idle", () => {
  const { clock, timer, found } = watch();
  const peer = timer("peer");
  peer.begin();
  clock.pass(29.9);
  clock.suspend(0.2);
  assertEquals(found, []);
  clock.pass(2);
  assertEquals(found, ["peer"]);
  peer.stop();
});

Deno.test("a connection whose bytes wait in the socket is not idle after the computer has slept", async () => {
  const clock = new ManualClock();
  const reasons: (string | undefined)[] = [];
  await using listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    idleTimeout: 30,
    clock,
    onConnection: async (connection) => {
      for await (const chunk of connection) await connection.write(chunk);
      reasons.push(connection.closeReason);
    },
  });
  const { port } = listener.addr;
  await using speaking = await connectStream({ port });
  await using silent = await connectStream({ port });
  for (const client of [speaking, silent]) {
    await client.write(bytes("a"));
    assertEquals(text(await client.read()), "a");
  }
  clock.pass(29);
  // The listener does not get to read this before its timer fires.
  const written = speaking.write(bytes("b"));
  clock.suspend(3600);
  await written;
  assertEquals(text(await speaking.read()), "b");
  assertEquals(reasons, []);
  clock.pass(31);
  assertEquals([await speaking.read(), await silent.read()], [null, null]);
});
