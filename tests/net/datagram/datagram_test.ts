import { assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "../../../lib/errors.ts";
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
    "a unix socket that is closed while its peer has no room counts what waits as unsent (not on Windows, which has none)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const unsent: unknown[] = [];
      const onUnsent = ({ error }: { error: unknown }) => unsent.push(error);
      const a = await bindDatagram({ listen: { path: `${folder}/a` }, onUnsent });
      await using b = await bindDatagram({ listen: { path: `${folder}/b` } });
      let writes = 0;
      const room = async () => {
        for (; unsent.length === 0; writes++) await a.write(new Uint8Array(1000), b.addr);
      };
      const writing = room();
      // Nobody receives: the system keeps a few, and the next one waits.
      for (let seen = -1; seen !== a.counters.sent;) {
        seen = a.counters.sent;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await a.close();
      await writing;
      assertEquals([a.counters.sent, a.counters.unsent], [writes - 1, 1]);
      assertEquals(unsent[0] instanceof Deno.errors.BadResource, true);
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
