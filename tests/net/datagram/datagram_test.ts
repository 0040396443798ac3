import { assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "../../../lib/errors.ts";
import type { HostPort } from "../../../lib/net/address/address.ts";
import type { UnsentDatagram } from "../../../lib/net/datagram/transport.ts";
import { bindDatagram, type DatagramSocket } from "../../../lib/net/datagram/datagram.ts";
import { isOwnAddress, sameEndpoint } from "../../../lib/net/address/same.ts";

const loopback = { hostname: "127.0.0.1", port: 0 };

async function exchange(a: DatagramSocket, b: DatagramSocket, size: number) {
  const bytes = crypto.getRandomValues(new Uint8Array(Math.min(size, 65536)));
  await a.send(bytes, b.addr);
  const datagram = await b.receive();
  assertEquals(datagram!.bytes, bytes);
  assertEquals(datagram!.from, a.addr);
}

Deno.test("bindDatagram() carries datagrams of every size over IPv4", async () => {
  await using a = await bindDatagram({ listen: loopback });
  await using b = await bindDatagram({ listen: loopback });
  for (const size of [0, 1, 1024, 16_385, 65_507]) await exchange(a, b, size);
});

Deno.test("bindDatagram() carries datagrams over IPv6", async () => {
  await using a = await bindDatagram({ listen: { hostname: "::1", port: 0 } });
  await using b = await bindDatagram({ listen: { hostname: "::1", port: 0 } });
  await exchange(a, b, 60_000);
});

Deno.test({
  name: "bindDatagram() carries datagrams over unix sockets (not on Windows, which has none)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await using a = await bindDatagram({ listen: { path: `${folder}/a` } });
      await using b = await bindDatagram({ listen: { path: `${folder}/b` } });
      await exchange(a, b, 60_000);
      await a.close();
      assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["b"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name:
    "bindDatagram() removes a stale socket file, and nothing else (not on Windows, which has none)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const stale = Deno.listenDatagram({ transport: "unixpacket", path: `${folder}/stale` });
      stale.close(); // leaves its file behind
      await using _socket = await bindDatagram({ listen: { path: `${folder}/stale` } });
      await Deno.writeTextFile(`${folder}/notes.txt`, "mine");
      await assertRejects(
        () => bindDatagram({ listen: { path: `${folder}/notes.txt` } }),
        UsageError,
        "a file of another kind",
      );
      assertEquals(await Deno.readTextFile(`${folder}/notes.txt`), "mine");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name:
    "bindDatagram() leaves a unix socket alone that somebody listens on (not on Windows, which has none)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/socket`;
      const first = await bindDatagram({ listen: { path } });
      await assertRejects(
        () => bindDatagram({ listen: { path } }),
        UsageError,
        "another program uses this address",
      );
      assertEquals((await first.receive())!.bytes.length, 0); // the question whether somebody listens
      await Deno.remove(path);
      await using second = await bindDatagram({ listen: { path } });
      await first.close(); // must not take away what is not its own any more
      assertEquals((await Deno.lstat(path)).isSocket, true);
      await second.close();
      const long = `${folder}/${"x".repeat(120)}`;
      await assertRejects(
        () => bindDatagram({ listen: { path: long } }),
        UsageError,
        "expected at most",
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("bindDatagram() says when an address is taken or not of this computer", async () => {
  await using taken = await bindDatagram({ listen: loopback });
  await assertRejects(
    () => bindDatagram({ listen: taken.addr }),
    UsageError,
    "another program uses this address",
  );
  await assertRejects(
    () => bindDatagram({ listen: { hostname: "192.0.2.1", port: 0 } }),
    UsageError,
    "no such address",
  );
});

Deno.test("DatagramSocket.close() ends receive(), serve() and the iterator, and may be called again", async () => {
  const socket = await bindDatagram({ listen: loopback });
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
});

Deno.test("bindDatagram() closes the socket when its signal is aborted", async () => {
  const controller = new AbortController();
  const socket = await bindDatagram({ listen: loopback, signal: controller.signal });
  const next = socket.receive();
  controller.abort();
  assertEquals(await next, null);
});

Deno.test("sameEndpoint() takes a mapped IPv4 address for that address", () => {
  const port = 1;
  assertEquals(
    sameEndpoint({ hostname: "::ffff:127.0.0.1", port }, { hostname: "127.0.0.1", port }),
    true,
  );
  assertEquals(
    sameEndpoint({ hostname: "127.0.0.2", port }, { hostname: "127.0.0.1", port }),
    false,
  );
  assertEquals(
    sameEndpoint({ hostname: "127.0.0.1", port }, { hostname: "127.0.0.1", port: 2 }),
    false,
  );
  assertEquals(sameEndpoint({ path: "/a" }, { path: "/a" }), true);
  assertEquals(sameEndpoint({ path: "/a" }, { hostname: "/a", port }), false);
});

Deno.test("isOwnAddress() knows the socket's own address, and no other host's on the same port", async () => {
  await using one = await bindDatagram({ listen: loopback });
  const { port } = one.addr as Deno.NetAddr;
  assertEquals(isOwnAddress(one.addr, one.addr), true);
  assertEquals(isOwnAddress(one.addr, { hostname: "::ffff:127.0.0.1", port }), true);
  assertEquals(isOwnAddress(one.addr, { hostname: "127.0.0.1", port: port - 1 }), false);
  assertEquals(isOwnAddress(one.addr, { hostname: "127.0.0.2", port }), false);
  assertEquals(isOwnAddress(one.addr, { path: "/x" }), false);
  await one.send(new Uint8Array([1]), one.addr);
  assertEquals(isOwnAddress(one.addr, (await one.receive())!.from), true);
});

for (const all of ["0.0.0.0", "::"]) {
  Deno.test(`isOwnAddress() knows every address of this computer where ${all} is bound`, async () => {
    await using socket = await bindDatagram({ listen: { hostname: all, port: 0 } });
    const { port } = socket.addr as Deno.NetAddr;
    const own = Deno.networkInterfaces().map(({ address }) => address);
    for (const hostname of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", all, ...own]) {
      assertEquals(isOwnAddress(socket.addr, { hostname, port }), true, hostname);
      assertEquals(isOwnAddress(socket.addr, { hostname, port: port - 1 }), false, hostname);
    }
    for (const hostname of ["198.51.100.7", "::ffff:198.51.100.7", "2001:db8::7"]) {
      assertEquals(isOwnAddress(socket.addr, { hostname, port }), false, hostname);
    }
  });
}

Deno.test({
  name: "isOwnAddress() knows a unix socket's own path (not on Windows, which has none)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    {
      await using socket = await bindDatagram({ listen: { path: `${folder}/a` } });
      assertEquals(isOwnAddress(socket.addr, { path: `${folder}/a` }), true);
      assertEquals(isOwnAddress(socket.addr, { path: "" }), false);
    }
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("DatagramTransport.write() passes what the system does not take to onUnsent, and counts it", async () => {
  const unsent: UnsentDatagram[] = [];
  await using socket = await bindDatagram({
    listen: loopback,
    onUnsent: (datagram) => unsent.push(datagram),
  });
  const tooLarge = new Uint8Array(65_508);
  await socket.write(tooLarge, socket.addr);
  void socket.write(new Uint8Array([1]), socket.addr);
  await socket.flush();
  assertEquals(unsent.map(({ bytes, to }) => [bytes.length, to]), [[65_508, socket.addr]]);
  await assertRejects(() => socket.send(tooLarge, socket.addr));
  assertEquals((await socket.receive())!.bytes, new Uint8Array([1]));
  assertEquals(socket.counters, { received: 1, sent: 1, unsent: 2, bounced: 0 });
});

Deno.test("DatagramTransport.serve() waits for the handler's promise, and end() for the datagram being handled", async () => {
  const socket = await bindDatagram({ listen: loopback });
  const handled: number[] = [];
  for (const byte of [1, 2]) await socket.send(new Uint8Array([byte]), socket.addr);
  await socket.serve(async (bytes) => {
    const [byte] = bytes;
    socket.end();
    await new Promise((resolve) => setTimeout(resolve));
    handled.push(byte!, bytes[0]!);
  });
  assertEquals(handled, [1, 1]);
  await socket.finished;
});

Deno.test("DatagramSocket.receive() hands on a burst one datagram after another, each unchanged until the next call", async () => {
  await using socket = await bindDatagram({ listen: loopback });
  for (let i = 0; i < 10; i++) await socket.send(new Uint8Array([i]), socket.addr);
  const both = [socket.receive(), socket.receive()];
  const received = await Promise.all(both.map((next) => next.then((it) => it!.bytes[0])));
  for (let i = 2; i < 10; i++) {
    const { bytes } = (await socket.receive())!;
    await new Promise((resolve) => setTimeout(resolve));
    received.push(bytes[0]);
  }
  assertEquals(received, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("DatagramSocket.close() resolves when the port is free again", async () => {
  let port = 0;
  for (let i = 0; i < 30; i++) {
    const socket = await bindDatagram({ listen: { hostname: "127.0.0.1", port } });
    port = (socket.addr as HostPort).port;
    const receiving = socket.receive();
    if (i % 2 === 1) await socket.send(new Uint8Array([1]), socket.addr);
    await socket.close();
    await receiving;
  }
});
