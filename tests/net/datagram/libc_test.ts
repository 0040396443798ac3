import { assert, assertEquals, assertThrows } from "@std/assert";
import { batchObstacle, Descriptor, Messages } from "../../../lib/net/datagram/libc.ts";
import {
  ADDRESS_ROOM,
  decodeAddress,
  encodeAddress,
  Senders,
} from "../../../lib/net/datagram/socket_address.ts";
import { LOOPBACKS } from "../ipv6.ts";

const ignore = batchObstacle() !== undefined;

/** Random numbers that are the same each time. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

function bind(hostname = "127.0.0.1") {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const descriptor = Descriptor.find(socket.addr as Deno.NetAddr)!;
  return {
    socket,
    descriptor,
    addr: socket.addr as Deno.NetAddr,
    [Symbol.dispose]() {
      descriptor[Symbol.dispose]();
      socket.close();
    },
  };
}

Deno.test("encodeAddress() writes what decodeAddress() reads, as Deno writes it", () => {
  const view = new DataView(new ArrayBuffer(ADDRESS_ROOM));
  for (
    const [written, read] of [
      ["127.0.0.1"],
      ["255.255.255.255"],
      ["::"],
      ["::1"],
      ["fe80::1"],
      ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
      ["2001:DB8::A", "2001:db8::a"],
      ["::ffff:192.0.2.1"],
      ["::ffff:c000:201", "::ffff:192.0.2.1"],
      ["1:2:3:4:5:6:7:8"],
      ["ff02::1:2"],
    ]
  ) {
    const length = encodeAddress({ hostname: written!, port: 54321 }, view, 0);
    assertEquals(length, written!.includes(":") ? 28 : 16, written);
    assertEquals(decodeAddress(view, 0), { hostname: read ?? written, port: 54321 });
  }
  for (const hostname of ["localhost", "", "fe80::1%lo", "1.2.3", "256.1.1.1", "::1::"]) {
    assertEquals(encodeAddress({ hostname, port: 1 }, view, 0), 0, hostname);
  }
});

Deno.test("decodeAddress() takes any bytes, and the same ones come back", () => {
  const next = random(1);
  const view = new DataView(new ArrayBuffer(ADDRESS_ROOM));
  const again = new DataView(new ArrayBuffer(ADDRESS_ROOM));
  for (let round = 0; round < 5000; round++) {
    for (let i = 0; i < ADDRESS_ROOM; i++) view.setUint8(i, next(4) === 0 ? next(256) : 0);
    const family = [2, 10, next(65536)][round % 3]!;
    view.setUint16(0, family, true);
    const address = decodeAddress(view, 0);
    if (address === undefined) {
      assert(family !== 2 && family !== 10);
      continue;
    }
    const length = encodeAddress(address, again, 0);
    const [start, end] = length === 16 ? [4, 8] : [8, 24];
    for (let i = start!; i < end!; i++) assertEquals(again.getUint8(i), view.getUint8(i));
    assertEquals(again.getUint16(2), view.getUint16(2));
  }
});

Deno.test("Senders tells the same object for the same sender, and never another's", () => {
  const next = random(2);
  const senders = new Senders();
  const memory = new ArrayBuffer(4 * ADDRESS_ROOM);
  const [view, words] = [new DataView(memory), new Int32Array(memory)];
  let same = 0;
  for (let round = 0; round < 20_000; round++) {
    const at = next(4);
    const hostname = next(2) ? `10.0.0.${next(8)}` : `2001:db8::${next(8)}`;
    const port = 1000 + next(16);
    encodeAddress({ hostname, port }, view, at * ADDRESS_ROOM);
    const [first, second] = [0, 1].map(() => senders.at(words, view, at * ADDRESS_ROOM / 4));
    assertEquals(first, { hostname: hostname.replace("::0", "::"), port });
    if (first === second) same++;
    assertEquals(senders.addressOf(first!)!.length, hostname.includes(":") ? 28 : 16);
  }
  assertEquals(same, 20_000);
});

Deno.test({
  name: "Messages keeps every payload within its memory, whatever it is asked for",
  ignore,
  fn() {
    assertThrows(() => new Messages(0, 10), RangeError);
    assertThrows(() => new Messages(65, 10), RangeError);
    const messages = new Messages(4, 1000);
    for (const i of [-1, 4, NaN]) assertThrows(() => messages.place(i, 0, 1, 16), RangeError);
    for (const start of [-1, 1000, NaN, Infinity, 2 ** 32, 2 ** 53]) {
      assertThrows(() => messages.place(0, start, 1, 16), RangeError);
    }
    for (const length of [-1, 1001, NaN, Infinity, 2 ** 32, 2 ** 53]) {
      assertThrows(() => messages.place(0, 0, length, 16), RangeError);
    }
    for (const room of [-1, 33, NaN]) assertThrows(() => messages.place(0, 0, 1, room), RangeError);
    using it = bind();
    for (const end of [-1, 0, 5, NaN, Infinity, 2 ** 32]) {
      assertEquals(it.descriptor.send(messages, 0, end), 0);
      assertEquals(it.descriptor.send(messages, end, end), 0);
    }
  },
});

Deno.test("Messages has memory that cannot be transferred to somebody else", () => {
  const { payload, addresses } = new Messages(64, 100_000);
  assertEquals(payload.length, 100_000);
  for (const { buffer } of [payload, addresses]) {
    assertThrows(() => structuredClone(buffer, { transfer: [buffer] }), TypeError);
    assertThrows(() => buffer.transfer(), TypeError);
    assertEquals(buffer.detached, false);
  }
});

for (const { hostname, note, ...missing } of LOOPBACKS) {
  Deno.test({
    name:
      `Descriptor sends and receives any datagrams over ${hostname}, and leaves the memory around them alone${note}`,
    ignore: ignore || missing.ignore,
    fn() {
      const next = random(3);
      using from = bind(hostname);
      using to = bind(hostname);
      to.descriptor.raiseReceiveBuffer(4 << 20);
      for (let round = 0; round < 300; round++) {
        const count = 1 + next(64);
        // Rooms of any size, with gaps between them: what is too large for its room is cut.
        const outgoing = new Messages(count, 70_000);
        const arrived = new Messages(64, 64 * 1100);
        const rooms = Array.from({ length: 64 }, () => next(1000));
        arrived.payload.fill(0xa5);
        rooms.forEach((room, i) => arrived.place(i, i * 1100, room, ADDRESS_ROOM));
        const sizes = Array.from({ length: count }, () => next(1000));
        let start = 0;
        for (const [i, size] of sizes.entries()) {
          outgoing.payload.fill(i + 1, start, start + size);
          const length = encodeAddress(to.addr, outgoing.addresses, i * ADDRESS_ROOM);
          outgoing.place(i, start, size, length);
          start += size;
        }
        const first = next(count);
        assertEquals(from.descriptor.send(outgoing, first, count), count - first);
        assertEquals(to.descriptor.receive(arrived), count - first);
        sizes.slice(first).forEach((size, i) => {
          const kept = Math.min(size, rooms[i]!);
          assertEquals([arrived.lengthOf(i), arrived.isCut(i)], [kept, size > rooms[i]!]);
          const slot = arrived.payload.subarray(i * 1100, (i + 1) * 1100);
          assert(slot.subarray(0, kept).every((byte) => byte === first + i + 1));
          assert(slot.subarray(kept).every((byte) => byte === 0xa5));
          assertEquals(decodeAddress(arrived.addresses, i * ADDRESS_ROOM)!.port, from.addr.port);
        });
        assertEquals(to.descriptor.receive(arrived), -1);
      }
    },
  });
}

Deno.test({
  name:
    "Descriptor.find() takes no other socket with the same port, and is of no use once disposed of",
  ignore,
  fn() {
    using tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = tcp.addr as Deno.NetAddr;
    assertEquals(Descriptor.find({ hostname: "127.0.0.1", port }), undefined); // TCP alone
    const udp = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
    const descriptor = Descriptor.find(udp.addr as Deno.NetAddr)!;
    descriptor[Symbol.dispose]();
    descriptor[Symbol.dispose]();
    udp.close();
    const messages = new Messages(1, 10);
    assertEquals([descriptor.receive(messages), descriptor.send(messages, 0, 1)], [0, 0]);
    assertEquals([descriptor.dropped, descriptor.raiseReceiveBuffer(1)], [0, 0]);
    assertEquals([descriptor.lastTime(), descriptor.now()], [NaN, NaN]);
    assertEquals(Descriptor.find({ hostname: "localhost", port }), undefined);
  },
});

Deno.test({
  name: "Descriptor survives the collector: what only the system's structures point to is kept",
  ignore,
  async fn() {
    using from = bind();
    using to = bind();
    const pairs = Array.from(
      { length: 8 },
      () => [new Messages(64, 64 * 100), new Messages(64, 64 * 100)],
    );
    for (let round = 0; round < 60; round++) {
      for (const [outgoing, arrived] of pairs as [Messages, Messages][]) {
        for (let i = 0; i < 64; i++) {
          const length = encodeAddress(to.addr, outgoing.addresses, i * ADDRESS_ROOM);
          outgoing.payload.fill(i, i * 100, i * 100 + 80);
          outgoing.place(i, i * 100, 80, length);
          arrived.place(i, i * 100, 100, ADDRESS_ROOM);
        }
        assertEquals(from.descriptor.send(outgoing, 0, 64), 64);
        void Array.from({ length: 100 }, () => new Uint8Array(100_000)); // work for the collector
        assertEquals(to.descriptor.receive(arrived), 64);
        for (let i = 0; i < 64; i++) assertEquals(arrived.payload[i * 100], i);
      }
      await Promise.resolve();
    }
  },
});

Deno.test({
  name:
    "Descriptor tells what the system dropped, the buffer that it granted, and when datagrams arrived",
  ignore,
  fn() {
    using from = bind();
    using to = bind();
    const granted = to.descriptor.raiseReceiveBuffer(8192);
    assert(granted >= 8192, "a buffer that is larger already stays so");
    const outgoing = new Messages(64, 64_000);
    for (let i = 0; i < 64; i++) {
      const length = encodeAddress(to.addr, outgoing.addresses, i * ADDRESS_ROOM);
      outgoing.place(i, i * 1000, 1000, length);
    }
    let sent = 0;
    while (to.descriptor.dropped === 0 && sent < 100_000) {
      sent += from.descriptor.send(outgoing, 0, 64);
    }
    assert(to.descriptor.dropped > 0);
    const arrived = new Messages(64, 64_000, true);
    for (let i = 0; i < 64; i++) arrived.place(i, i * 1000, 1000, ADDRESS_ROOM);
    let received = 0;
    for (let count = 0; (count = to.descriptor.receive(arrived)) > 0;) {
      received += count;
      arrived.reset(count);
    }
    assertEquals(received + to.descriptor.dropped, sent);
    to.descriptor.lastTime();
    const before = to.descriptor.now();
    from.descriptor.send(outgoing, 0, 1);
    to.descriptor.times = true;
    assertEquals(to.descriptor.receive(arrived), 1);
    const [arrivedAt, after] = [arrived.timeOf(0), to.descriptor.now()];
    assert(before <= arrivedAt + 1 && arrivedAt <= after, `${before} ${arrivedAt} ${after}`);
    assert(Math.abs(after / 1000 - Date.now()) < 1000);
  },
});
