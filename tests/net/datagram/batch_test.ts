/**
 * What seldom happens to datagrams in batches: system calls that take a part, nothing, or fail.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { BatchDatagrams } from "../../../lib/net/datagram/batch.ts";
import { batchObstacle, Descriptor } from "../../../lib/net/datagram/libc.ts";
import type { UnsentDatagram } from "../../../lib/net/datagram/transport.ts";

const ignore = batchObstacle() !== undefined;

/** A transport whose calls a test can replace, and whoever receives what it sends. */
function open(replace: {
  linger?: number;
  onWait?: (ms: number) => boolean | void;
  send?: Descriptor["send"];
  receive?: (most?: number) => number | undefined;
  /** Whether Deno's socket sends; without it, none of its sends ever settles. */
  room?: boolean;
}) {
  const bind = () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const [socket, peer] = [bind(), bind()];
  if (replace.room === false) socket.send = () => new Promise(() => {});
  const descriptor = Descriptor.find(socket.addr as Deno.NetAddr)!;
  using room = Descriptor.find(peer.addr as Deno.NetAddr)!;
  room.raiseReceiveBuffer(4 << 20);
  const calls: string[] = [];
  const unsent: UnsentDatagram[] = [];
  const transport = new BatchDatagrams(socket, {
    send(messages, first, end) {
      calls.push(`${first}-${end}`);
      return (replace.send ?? descriptor.send).call(descriptor, messages, first, end);
    },
    wait(ms) {
      return replace.onWait?.(ms) || descriptor.wait(ms);
    },
    receive: (messages, most) => replace.receive?.(most) ?? descriptor.receive(messages, most),
    get dropped() {
      return descriptor.dropped;
    },
    lastTime: () => descriptor.lastTime(),
    now: () => descriptor.now(),
    times: false,
    [Symbol.dispose]: () => descriptor[Symbol.dispose](),
  }, {
    linger: replace.linger,
    onUnsent: (datagram) => unsent.push(datagram),
  });
  const { hostname, port } = peer.addr as Deno.NetAddr;
  return {
    ...{ transport, descriptor, calls, unsent, to: { hostname, port } },
    /** What arrived, by first bytes. */
    async received(count: number): Promise<number[]> {
      const bytes: number[] = [];
      while (bytes.length < count) bytes.push((await peer.receive())[0][0]!);
      return bytes;
    },
    async [Symbol.asyncDispose]() {
      await transport.close();
      peer.close();
    },
  };
}

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);

Deno.test({
  name: "BatchDatagrams sends the rest where the system takes a part only",
  ignore,
  async fn() {
    const { descriptor: { send } } = await closed();
    await using it = open({
      send(this: Descriptor, messages, first, end) {
        return send.call(this, messages, first, Math.min(end, first + 3));
      },
    });
    for (const i of numbers(10)) void it.transport.write(new Uint8Array([i]), it.to);
    await it.transport.flush();
    assertEquals(await it.received(10), numbers(10));
    assertEquals(it.calls, ["0-10", "3-10", "6-10", "9-10"]);
    assertEquals([it.transport.counters.sent, it.unsent.length], [10, 0]);
  },
});

/** A transport that was closed, for its methods. */
async function closed() {
  const it = open({});
  await it[Symbol.asyncDispose]();
  return it;
}

Deno.test({
  name:
    "BatchDatagrams has Deno send what the system does not take, in order, and those who write wait for it",
  ignore,
  async fn() {
    const { descriptor: { send } } = await closed();
    let refusals = 2;
    await using it = open({
      send(this: Descriptor, messages, first, end) {
        // As if there were no room (EAGAIN, ENOBUFS).
        return refusals-- > 0 ? -1 : send.call(this, messages, first, end);
      },
    });
    for (const i of numbers(4)) void it.transport.write(new Uint8Array([i]), it.to);
    const flushing = it.transport.flush();
    const late = it.transport.write(new Uint8Array([4]), it.to);
    assertEquals(late instanceof Promise, true);
    await late;
    await flushing;
    await it.transport.flush();
    assertEquals(await it.received(5), numbers(5));
    assertEquals(it.calls, ["0-4", "1-4", "2-4", "0-1"]);
    assertEquals([it.transport.counters.sent, it.unsent.length], [5, 0]);
  },
});

Deno.test({
  name: "BatchDatagrams reports each datagram that Deno cannot send either, and sends the others",
  ignore,
  async fn() {
    await using it = open({});
    const large = new Uint8Array(65_510);
    for (const i of numbers(3)) {
      void it.transport.write(new Uint8Array([i]), it.to);
      void it.transport.write(large, it.to);
    }
    await it.transport.flush();
    assertEquals(await it.received(3), numbers(3));
    assertEquals(
      it.unsent.map(({ bytes, to }) => [bytes === large, to]),
      Array(3).fill([true, it.to]),
    );
    const { sent, unsent } = it.transport.counters;
    assertEquals([sent, unsent], [3, 3]);
  },
});

Deno.test({
  name:
    "BatchDatagrams sends more than 64 datagrams, and more bytes than it has room for, in several calls",
  ignore,
  async fn() {
    await using it = open({});
    for (const i of numbers(100)) void it.transport.write(new Uint8Array([i]), it.to);
    await it.transport.flush();
    assertEquals(await it.received(100), numbers(100));
    assertEquals(it.calls, ["0-64", "0-36"]);
    it.calls.length = 0;
    for (const i of numbers(6)) void it.transport.write(new Uint8Array(60_000).fill(i), it.to);
    const receiving = it.received(6);
    await it.transport.flush();
    assertEquals(await receiving, numbers(6));
    assertEquals(it.calls, ["0-4", "0-2"]);
  },
});

Deno.test({
  name:
    "BatchDatagrams receives with Deno's socket where the system's call fails, lingering or not",
  ignore,
  async fn() {
    for (const linger of [0, 2]) {
      await using it = open({ linger, receive: () => -1 });
      for (const i of numbers(3)) void it.transport.write(new Uint8Array([i]), it.transport.addr);
      await it.transport.flush();
      const seen: number[] = [];
      await it.transport.serve((bytes) => {
        if (seen.push(bytes[0]!) === 3) it.transport.end();
      });
      assertEquals(seen, numbers(3));
    }
  },
});

Deno.test({
  name: "BatchDatagrams that is closed while it waits for room counts what waits as unsent",
  ignore,
  async fn() {
    await using it = open({ send: () => -1, room: false });
    const writing = numbers(3).map((i) => it.transport.write(new Uint8Array([i]), it.to));
    const flushing = it.transport.flush();
    const late = it.transport.write(new Uint8Array([3]), it.to);
    assertEquals([...writing.map((one) => one !== undefined), late !== undefined], [
      ...[false, false, false],
      true,
    ]);
    await it.transport.close();
    assertEquals([it.transport.counters.sent, it.transport.counters.unsent], [0, 4]);
    assertEquals(it.unsent.map(({ bytes }) => bytes[0]).toSorted(), numbers(4));
    await flushing;
    await late;
  },
});

Deno.test({
  name:
    "BatchDatagrams that lingers lets timers and other sockets have their turn, and stops lingering for a handler that waits",
  ignore,
  async fn() {
    for (const isSync of [true, false]) {
      const waits: number[] = [];
      await using it = open({ linger: 2, onWait: (ms) => void waits.push(ms) });
      await using other = open({});
      let handled = 0;
      const serving = it.transport.serve((bytes, from) => {
        handled++;
        if (isSync) return it.transport.write(bytes, from);
        return Promise.resolve().then(() => it.transport.write(bytes, from));
      });
      // Asks again and again, from the same process: each answer arrives only if the one that lingers gives way.
      let answers = 0;
      const asking = other.transport.serve((bytes) => {
        if (++answers === 50) other.transport.end();
        else return other.transport.write(bytes, it.transport.addr);
      });
      let timers = 0;
      const timer = setInterval(() => timers++, 1);
      await other.transport.write(new Uint8Array([1]), it.transport.addr);
      await asking;
      clearInterval(timer);
      await it.transport.close();
      await serving;
      assertEquals([handled >= 49, answers, timers > 0], [true, 50, true]);
      assertEquals(isSync ? waits.length > 1 : waits.length <= 1, true, `${waits.length} waits`);
    }
  },
});

Deno.test({
  name:
    "BatchDatagrams that lingers answers a datagram that comes alone before it looks for another",
  ignore,
  async fn() {
    // What comes after each wait, by system calls.
    const groups = [[1], [1, 5], [1], [1]];
    let there: number[] = [];
    const log: unknown[] = [];
    await using it = open({
      linger: 2,
      onWait() {
        there = groups.shift() ?? [];
        log.push("wait");
        if (there.length === 0) void it.transport.close();
        return true;
      },
      receive(most) {
        if (there.length > 0) log.push(most);
        return there.shift() ?? -1;
      },
    });
    await it.transport.serve(() => {});
    assertEquals(log, ["wait", 1, "wait", 1, 64, "wait", 64, "wait", 1, "wait"]);
  },
});
