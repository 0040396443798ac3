/**
 * What every transport of datagrams does, over UDP: Deno's own calls, and those that take many datagrams.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { UsageError } from "../../../lib/errors.ts";
import type { Endpoint, HostPort } from "../../../lib/net/address/address.ts";
import {
  bindDatagram,
  type BindDatagramOptions,
  type DatagramSocket,
} from "../../../lib/net/datagram/datagram.ts";
import { batchObstacle } from "../../../lib/net/datagram/libc.ts";
import type { UnsentDatagram } from "../../../lib/net/datagram/transport.ts";
import { ipv6, LOOPBACKS } from "../ipv6.ts";

const loopback = { hostname: "127.0.0.1", port: 0 };
const isBatchPossible = batchObstacle() === undefined;

/** Says something of each transport. */
function testBoth(
  name: string,
  fn: (
    bind: (options?: Partial<BindDatagramOptions>) => Promise<DatagramSocket>,
    io: "deno" | "batch",
  ) => Promise<void>,
  needs: { ignore: boolean; note: string } = { ignore: false, note: "" },
): void {
  for (const io of ["deno", "batch"] as const) {
    Deno.test({
      name: `${io}: ${name}${needs.note}`,
      ignore: needs.ignore || io === "batch" && !isBatchPossible,
      fn: () => fn((options) => bindDatagram({ listen: loopback, io, ...options }), io),
    });
  }
}

/** Host and port alone: Deno's own addresses tell their transport too. */
function plain(address: Endpoint): Endpoint {
  const { hostname, port } = address as HostPort;
  return { hostname, port };
}

/** Writes datagrams in order, as many at a time as the transport likes. */
async function writeAll(
  socket: DatagramSocket,
  datagrams: Iterable<Uint8Array | number>,
  to: Endpoint,
): Promise<void> {
  for (const datagram of datagrams) {
    const bytes = typeof datagram === "number" ? new Uint8Array([datagram]) : datagram;
    const writing = socket.write(bytes, to);
    if (writing) await writing;
  }
  await socket.flush();
}

/** 0 to n − 1. */
const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Resolves when everything else in this process had its turn. */
const nextTurn = () => new Promise<void>((resolve) => setTimeout(resolve));

async function exchange(a: DatagramSocket, b: DatagramSocket, size: number) {
  const bytes = crypto.getRandomValues(new Uint8Array(Math.min(size, 65536)));
  await a.send(bytes, b.addr);
  const datagram = await b.receive();
  assertEquals(datagram!.bytes, bytes);
  assertEquals(datagram!.from, a.addr);
}

testBoth("datagrams of every size arrive whole over IPv4", async (bind) => {
  await using a = await bind();
  await using b = await bind();
  for (const size of [0, 1, 1024, 16_385, 65_507]) await exchange(a, b, size);
});

for (const { hostname, ...needs } of LOOPBACKS) {
  testBoth(`a burst of every size arrives whole and in order over ${hostname}`, async (bind) => {
    await using a = await bind({ listen: { hostname, port: 0 } });
    await using b = await bind({ listen: { hostname, port: 0 } });
    const largest = hostname === "::1" ? 65_487 : 65_507;
    const sizes = [0, largest, 1, 80, 80, 9000, 0, 1472, 65_000, 3];
    const sent = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
    await writeAll(a, sent, b.addr);
    const received: Uint8Array[] = [];
    await b.serve((bytes, from) => {
      assertEquals(from, a.addr);
      if (received.push(bytes.slice()) === sent.length) b.end();
    });
    assertEquals(received.map((bytes) => bytes.length), sizes);
    assertEquals(received, sent);
    assertEquals([a.counters.sent, b.counters.received], [sizes.length, sizes.length]);
  }, needs);
}

testBoth("datagrams arrive over IPv6", async (bind) => {
  await using a = await bind({ listen: { hostname: "::1", port: 0 } });
  await using b = await bind({ listen: { hostname: "::1", port: 0 } });
  await exchange(a, b, 60_000);
}, ipv6);

testBoth(
  "an IPv6 socket for all addresses tells an IPv4 sender as Deno does, and answers it",
  async (bind) => {
    await using all = await bind({ listen: { hostname: "::", port: 0 } });
    await using near = await bind();
    const { port } = all.addr as Deno.NetAddr;
    await writeAll(near, numbers(3), { hostname: "127.0.0.1", port });
    const froms: Endpoint[] = [];
    await all.serve(async (bytes, from) => {
      froms.push(from);
      await all.write(bytes, from);
      await all.flush();
      if (froms.length === 3) all.end();
    });
    const { port: nearPort } = near.addr as Deno.NetAddr;
    assertEquals(froms.map(plain), Array(3).fill({ hostname: "::ffff:127.0.0.1", port: nearPort }));
    for (let i = 0; i < 3; i++) assertEquals((await near.receive())!.bytes, new Uint8Array([i]));
  },
);

testBoth("a host name is resolved, in its turn", async (bind) => {
  await using a = await bind();
  await using b = await bind();
  const { port } = b.addr as Deno.NetAddr;
  const to = [b.addr, { hostname: "localhost", port }, b.addr];
  for (const [i, address] of to.entries()) {
    void a.write(new Uint8Array([i]), address);
    await a.flush();
  }
  for (let i = 0; i < 3; i++) assertEquals((await b.receive())!.bytes, new Uint8Array([i]));
});

testBoth("each sender is told, however many there are", async (bind) => {
  await using b = await bind();
  const senders = await Promise.all(Array.from({ length: 40 }, () => bind({ io: "deno" })));
  for (const round of [0, 1]) {
    for (const sender of senders) await sender.send(new Uint8Array([round]), b.addr);
  }
  const seen: Endpoint[] = [];
  await b.serve((_bytes, from) => {
    if (seen.push(from) === 80) b.end();
  });
  const all = senders.map(({ addr }) => plain(addr));
  assertEquals(seen.map(plain), [...all, ...all]);
  await Promise.all(senders.map((sender) => sender.close()));
});

testBoth("bindDatagram() says when an address is taken or not of this computer", async (bind) => {
  await using taken = await bind();
  await assertRejects(
    () => bind({ listen: taken.addr }),
    UsageError,
    "another program uses this address",
  );
  await assertRejects(
    () => bind({ listen: { hostname: "192.0.2.1", port: 0 } }),
    UsageError,
    "no such address",
  );
  for (const port of [-1, 65536, NaN]) {
    await assertRejects(
      () => bind({ listen: { hostname: "127.0.0.1", port } }),
      UsageError,
      `Cannot listen on "127.0.0.1:${port}": a port is a whole number from 0 to 65535`,
    );
  }
});

testBoth(
  "close() ends receive(), serve() and the iterator, and may be called again",
  async (bind) => {
    const socket = await bind();
    const waiting = [
      socket.receive(),
      (async () => {
        for await (const _ of socket);
      })(),
    ];
    await socket.close();
    await socket.close();
    assertEquals(await Promise.all(waiting), [null, undefined]);
    assertEquals(await socket.receive(), null);
    await socket.finished;
    const { sent } = socket.counters;
    await socket.flush();
    assertEquals(sent, 0);
  },
);

testBoth(
  "the socket is closed when its signal is aborted, also before it is bound",
  async (bind) => {
    const controller = new AbortController();
    const socket = await bind({ signal: controller.signal });
    const next = socket.receive();
    controller.abort();
    assertEquals(await next, null);
    await assertRejects(() => bind({ signal: controller.signal }), DOMException);
  },
);

testBoth("close() resolves when the port is free again", async (bind) => {
  let port = 0;
  for (let i = 0; i < 30; i++) {
    const socket = await bind({ listen: { hostname: "127.0.0.1", port } });
    port = (socket.addr as HostPort).port;
    const receiving = socket.receive();
    if (i % 2 === 1) await socket.send(new Uint8Array([1]), socket.addr);
    await socket.close();
    await receiving;
  }
});

testBoth(
  "close() within the handler ends serve() at once: the rest of a burst is not handed on",
  async (bind) => {
    await using a = await bind();
    const b = await bind();
    await writeAll(a, numbers(20), b.addr);
    const seen: number[] = [];
    await b.serve((bytes) => {
      seen.push(bytes[0]!);
      if (seen.length === 5) void b.close();
    });
    await nextTurn();
    assertEquals(seen, [0, 1, 2, 3, 4]);
  },
);

testBoth(
  "end() sends the reply to the datagram being handled, and hands on no other",
  async (bind) => {
    await using a = await bind();
    const b = await bind();
    await writeAll(a, numbers(20), b.addr);
    const seen: number[] = [];
    await b.serve((bytes, from) => {
      seen.push(bytes[0]!);
      if (seen.length === 5) b.end();
      return b.write(bytes, from);
    });
    await b.finished;
    assertEquals(seen, [0, 1, 2, 3, 4]);
    for (const i of seen) assertEquals((await a.receive())!.bytes, new Uint8Array([i]));
    assertEquals(b.counters.sent, 5);
  },
);

testBoth(
  "write() passes what the system does not take to onUnsent, and counts it",
  async (bind) => {
    const unsent: UnsentDatagram[] = [];
    await using socket = await bind({ onUnsent: (datagram) => unsent.push(datagram) });
    const tooLarge = new Uint8Array(65_508);
    await writeAll(socket, [1, tooLarge, 2], socket.addr);
    assertEquals(unsent.map(({ bytes, to }) => [bytes === tooLarge, to]), [[true, socket.addr]]);
    assert(unsent[0]!.error instanceof Error);
    assertEquals((unsent[0]!.error as { code?: string }).code, "EMSGSIZE");
    await assertRejects(() => socket.send(tooLarge, socket.addr));
    for (const byte of [1, 2]) {
      assertEquals(
        (await socket.receive())!.bytes,
        new Uint8Array([byte]),
      );
    }
    const { received, sent, unsent: counted, bounced } = socket.counters;
    assertEquals([received, sent, counted, bounced], [2, 2, 2, 0]);
  },
);

testBoth("what is written after close() is not taken, and counted", async (bind) => {
  const unsent: UnsentDatagram[] = [];
  const socket = await bind({ onUnsent: (datagram) => unsent.push(datagram) });
  await socket.close();
  const bytes = new Uint8Array([1]);
  await socket.write(bytes, socket.addr);
  await socket.flush();
  assertEquals(unsent.map((it) => [it.bytes === bytes, it.to]), [[true, socket.addr]]);
  assert(unsent[0]!.error instanceof Deno.errors.BadResource);
  await assertRejects(() => socket.send(bytes, socket.addr), Deno.errors.BadResource);
  assertEquals([socket.counters.sent, socket.counters.unsent, unsent.length], [0, 2, 2]);
});

testBoth("close() counts everything that was written as sent or unsent", async (bind) => {
  const unsent: unknown[] = [];
  await using other = await bind();
  const { port } = other.addr as HostPort;
  const socket = await bind({ onUnsent: (datagram) => unsent.push(datagram) });
  const sending = [socket.send(new Uint8Array([0]), { hostname: "localhost", port })];
  for (const i of numbers(200)) sending.push(socket.send(new Uint8Array([i]), other.addr));
  const results = Promise.allSettled(sending);
  await socket.close();
  const { sent, unsent: counted } = socket.counters;
  assertEquals([sent + counted, unsent.length], [201, counted]);
  assertEquals((await results).filter(({ status }) => status === "fulfilled").length, sent);
});

testBoth("an onUnsent that throws is reported, and confuses nothing", async (bind) => {
  const thrown = new Error("of the observer");
  const reported = Promise.withResolvers<unknown>();
  const listener = (event: ErrorEvent) => {
    event.preventDefault();
    reported.resolve(event.error);
  };
  addEventListener("error", listener);
  try {
    await using socket = await bind({
      onUnsent() {
        throw thrown;
      },
    });
    await writeAll(socket, [new Uint8Array(65_508), 1], socket.addr);
    assertEquals((await socket.receive())!.bytes, new Uint8Array([1]));
    assertEquals(await reported.promise, thrown);
  } finally {
    removeEventListener("error", listener);
  }
});

testBoth(
  "send() of the same bytes to several addresses rejects for the bad ones only",
  async (bind) => {
    await using socket = await bind();
    const bytes = new Uint8Array([1]);
    const to = [
      { hostname: "::1", port: 9 },
      socket.addr,
      { hostname: "::1", port: 9 },
      socket.addr,
    ];
    const results = await Promise.allSettled(to.map((address) => socket.send(bytes, address)));
    assertEquals(results.map(({ status }) => status), [
      ...["rejected", "fulfilled"],
      ...["rejected", "fulfilled"],
    ]);
  },
);

testBoth("what is far too large for any buffer is not taken, and what follows is", async (bind) => {
  const unsent: number[] = [];
  await using socket = await bind({ onUnsent: ({ bytes }) => unsent.push(bytes.length) });
  await writeAll(socket, [new Uint8Array(1_000_000), 1], socket.addr);
  assertEquals((await socket.receive())!.bytes, new Uint8Array([1]));
  assertEquals(unsent, [1_000_000]);
});

testBoth(
  "write() to an address of another kind is not taken, and what follows is",
  async (bind) => {
    const unsent: unknown[] = [];
    await using socket = await bind({ onUnsent: ({ to }) => unsent.push(to) });
    const other = { hostname: "::1", port: 9 };
    void socket.write(new Uint8Array([0]), other);
    void socket.write(new Uint8Array([1]), socket.addr);
    await socket.flush();
    assertEquals((await socket.receive())!.bytes, new Uint8Array([1]));
    assertEquals(unsent, [other]);
  },
);

testBoth(
  "serve() waits for the handler's promise, and end() for the datagram being handled",
  async (bind) => {
    const socket = await bind();
    const handled: number[] = [];
    for (const byte of [1, 2]) await socket.send(new Uint8Array([byte]), socket.addr);
    await socket.serve(async (bytes) => {
      const [byte] = bytes;
      socket.end();
      await nextTurn();
      handled.push(byte!, bytes[0]!);
    });
    assertEquals(handled, [1, 1]);
    await socket.finished;
  },
);

testBoth("serve() rejects with what the handler throws", async (bind) => {
  for (const isLater of [false, true]) {
    await using socket = await bind();
    for (const byte of [1, 2]) await socket.send(new Uint8Array([byte]), socket.addr);
    const failing = socket.serve(() => {
      if (isLater) return Promise.reject(new Error("of the handler"));
      throw new Error("of the handler");
    });
    await assertRejects(() => failing, Error, "of the handler");
  }
});

testBoth(
  "receive() hands on a burst one datagram after another, each unchanged until the next call",
  async (bind) => {
    await using socket = await bind();
    for (let i = 0; i < 10; i++) await socket.send(new Uint8Array([i]), socket.addr);
    const both = [socket.receive(), socket.receive()];
    const received = await Promise.all(both.map((next) => next.then((it) => it!.bytes[0])));
    for (let i = 2; i < 10; i++) {
      const { bytes } = (await socket.receive())!;
      await nextTurn();
      received.push(bytes[0]);
    }
    assertEquals(received, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  },
);

testBoth(
  "whoever handles a datagram cannot transfer its memory, and the next ones arrive as before",
  async (bind) => {
    await using a = await bind();
    await using b = await bind();
    await writeAll(a, numbers(20), b.addr);
    const seen: number[] = [];
    await b.serve((bytes) => {
      assertThrows(() => structuredClone(bytes, { transfer: [bytes.buffer] }), TypeError);
      assertThrows(() => (bytes.buffer as ArrayBuffer).transfer(), TypeError);
      if (seen.push(bytes[0]!) === 20) b.end();
    });
    assertEquals(seen, numbers(20));
  },
);

testBoth("what a handler writes leaves before its promise resolves", async (bind) => {
  await using a = await bind();
  await using b = await bind();
  const done = Promise.withResolvers<void>();
  const serving = b.serve(async (bytes, from) => {
    void b.write(bytes, from);
    await nextTurn();
    void b.write(new Uint8Array([2]), from);
    await done.promise;
  });
  await a.send(new Uint8Array([1]), b.addr);
  for (const byte of [1, 2]) assertEquals((await a.receive())!.bytes, new Uint8Array([byte]));
  done.resolve();
  await b.close();
  await serving;
});

testBoth("a handler whose promise never settles does not outlast close()", async (bind) => {
  const socket = await bind();
  await socket.send(new Uint8Array([1]), socket.addr);
  const handling = Promise.withResolvers<void>();
  const serving = socket.serve(() => {
    handling.resolve();
    return new Promise(() => {});
  });
  await handling.promise;
  await socket.close();
  await serving;
});

testBoth("a busy socket leaves timers and another socket their turn", async (bind, io) => {
  await using busy = await bind();
  await using other = await bind();
  // Each datagram sends the next ones: without an end this socket always has something to do.
  let count = 0;
  let atTimer = 0;
  const otherAt: number[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const serving = busy.serve((bytes) => {
    if (++count === 1) timer = setTimeout(() => atTimer = count, 1);
    if (count % 50 === 0) void busy.write(new Uint8Array([1]), other.addr);
    return busy.write(bytes, busy.addr);
  });
  const serving2 = other.serve(() => {
    if (otherAt.push(count) === 100) other.end();
  });
  for (let i = 0; i < 100; i++) void busy.write(new Uint8Array([i]), busy.addr);
  await busy.flush();
  await serving2;
  await busy.close();
  await serving;
  clearTimeout(timer);
  assert(atTimer > 0, `the timer had no turn in ${count} datagrams`);
  // It was given something after every 50 datagrams. Deno itself looks after others at every 61st round at least.
  const most = io === "batch" ? 1100 : 4000;
  const gaps = otherAt.map((at, i) => at - (otherAt[i - 1] ?? 0));
  assert(Math.max(...gaps) <= most, `another socket waited for ${Math.max(...gaps)} datagrams`);
});

testBoth("two busy sockets share the process evenly", async (bind) => {
  await using a = await bind();
  await using b = await bind();
  const counts = [0, 0];
  const serving = [a, b].map((socket, i) => {
    for (let k = 0; k < 80; k++) void socket.write(new Uint8Array([k]), socket.addr);
    return socket.serve((bytes) => {
      if (++counts[i]! >= 20_000) void Promise.all([a.close(), b.close()]);
      return socket.write(bytes, socket.addr);
    });
  });
  await Promise.all(serving);
  const [less, more] = counts.toSorted((x, y) => x - y) as [number, number];
  assert(less > more / 3, `one socket handled ${less} datagrams, the other ${more}`);
});

Deno.test("bindDatagram() says why datagrams cannot be taken in batches", async () => {
  for (
    const [options, message] of [
      [
        { io: "batch", listen: { path: "/tmp/x" } },
        "Cannot receive datagrams in batches: it is for UDP",
      ],
      [
        { io: "deno", receiveBuffer: 1 },
        "Cannot set the receive buffer, which needs datagrams in batches",
      ],
    ] as const
  ) {
    await assertRejects(() => bindDatagram({ listen: loopback, ...options }), UsageError, message);
  }
});
