import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../lib/errors.ts";
import { parseCidrList } from "../../../lib/net/address/allow_list.ts";
import { connectStream } from "../../../lib/net/stream/connect.ts";
import type { StreamConnection } from "../../../lib/net/stream/connection.ts";
import {
  listenStream,
  type ListenStreamOptions,
  type StreamProblem,
} from "../../../lib/net/stream/listener.ts";
import { needs, startPeer, startPython } from "../../interop/peer.ts";
import { PYTHON } from "../../interop/python.ts";
import { ipv6 } from "../ipv6.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array | null) => chunk && new TextDecoder().decode(chunk);

/** The counters of a listener that has done nothing. */
const nothing = {
  accepted: 0,
  refusedByAllow: 0,
  refusedByLimit: 0,
  refusedAsHttp: 0,
  refusedAsTls: 0,
  refusedAsStun: 0,
  open: 0,
  hanging: 0,
};

async function echo(connection: StreamConnection): Promise<void> {
  for await (const chunk of connection) await connection.write(chunk);
}

async function ask(port: number, host = "127.0.0.1"): Promise<string | null> {
  await using connection = await connectStream({ host, port });
  await connection.write(bytes("ping"));
  return text(await connection.read());
}

Deno.test({
  name: `listenStream() serves localhost on both loopback addresses, on one port${ipv6.note}`,
  ignore: ipv6.ignore,
  async fn() {
    await using listener = listenStream({ port: 0, onConnection: echo });
    const { port } = listener.addr;
    assertEquals(listener.addrs, [{ hostname: "127.0.0.1", port }, { hostname: "::1", port }]);
    assertEquals(await ask(port, "127.0.0.1"), "ping");
    assertEquals(await ask(port, "::1"), "ping");
    assertEquals(await ask(port, "localhost"), "ping");
    assertEquals(listener.stats.accepted, 3);
  },
});

Deno.test("listenStream() gives clients to an iterator where there is no onConnection", async () => {
  await using listener = listenStream({ port: 0 });
  const client = await connectStream({ port: listener.addr.port });
  let served = 0;
  for await (const connection of listener) {
    served++;
    await connection.write(bytes("hello"));
    await connection.close();
    assertEquals(text(await client.read()), "hello");
    await client.close();
    void listener.close();
  }
  assertEquals(served, 1);
  await listener.finished;
});

Deno.test("listenStream() says why it cannot listen", () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const cases: [ListenStreamOptions, string][] = [
    [{ port }, `Cannot listen on "localhost:${port}": another program uses this address`],
    [{ host: "203.0.113.7", port: 0 }, "this computer has no such address"],
    [{ host: "nothing.invalid", port: 0 }, "no such host name"],
    [{ host: "bad host", port: 0 }, "no such host name"],
    ...[-1, 65536, 1.5, NaN].map((port): [ListenStreamOptions, string] => [
      { host: "127.0.0.1", port },
      `Cannot listen on "127.0.0.1:${port}": a port is a whole number from 0 to 65535`,
    ]),
    [{ port: 0, tls: { cert: "x", key: "y" } }, "the TLS certificate or its key is invalid"],
  ];
  for (const [options, message] of cases) {
    assertThrows(() => listenStream(options), UsageError, message);
  }
});

Deno.test("StreamListener.close() lets open connections finish, and ends who waits", async () => {
  const handling = Promise.withResolvers<void>();
  const listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    onConnection: async (connection) => {
      for await (const _ of connection) {
        await handling.promise;
        await connection.write(bytes("done"));
      }
    },
  });
  const [busy, waiting] = [
    await connectStream({ port: listener.addr.port }),
    await connectStream({ port: listener.addr.port }),
  ];
  await busy.write(bytes("work"));
  while (![...listener.connections].some(({ bytesReceived }) => bytesReceived > 0)) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const closed = listener.close({ grace: 60 });
  assertEquals(listener.close(), closed);
  assertEquals(await waiting.read(), null);
  handling.resolve();
  assertEquals(text(await busy.read()), "done");
  await closed;
  await listener.finished;
  assertEquals(listener.stats, { ...nothing, accepted: 2 });
  await busy.close();
  await waiting.close();
});

Deno.test("StreamListener.close() breaks off what takes too long", async () => {
  const stuck = Promise.withResolvers<void>();
  const listener = listenStream({ port: 0, onConnection: () => stuck.promise });
  const client = await connectStream({ port: listener.addr.port });
  while (listener.stats.open === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await listener.close({ grace: 0.05 });
  assertEquals(await client.read(), null);
  await client.close();
  stuck.resolve();
});

Deno.test("listenStream() closes when its signal is aborted", async () => {
  const controller = new AbortController();
  const listener = listenStream({ port: 0, onConnection: echo, signal: controller.signal });
  const client = await connectStream({ port: listener.addr.port });
  controller.abort();
  await listener.finished;
  assertEquals(await client.read(), null);
  await client.close();
  const closed = listenStream({ port: 0, signal: controller.signal });
  await closed.finished;
});

Deno.test("listenStream() keeps out who is not allowed", async () => {
  const problems: StreamProblem[] = [];
  await using listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    allow: parseCidrList("127.0.0.2/32"),
    onConnection: echo,
    onProblem: (problem) => void problems.push(problem),
  });
  await using client = await connectStream({ port: listener.addr.port, host: "127.0.0.1" });
  assertEquals(await client.read(), null);
  assertEquals(listener.stats, { ...nothing, refusedByAllow: 1 });
  assertEquals(problems[0]?.kind, "not-allowed");
  assertEquals(
    problems[0]?.message,
    `Refused 127.0.0.1:${client.localAddr.port}: not in the allow list`,
  );
});

Deno.test("listenStream() tells those who are too many, and serves again when there is room", async () => {
  await using listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    maxConnections: 2,
    onConnection: echo,
    onTooMany: async (connection) => void await connection.write(bytes("busy")),
  });
  const { port } = listener.addr;
  const clients = [await connectStream({ port }), await connectStream({ port })];
  for (const client of clients) {
    await client.write(bytes("a"));
    assertEquals(text(await client.read()), "a");
  }
  await using third = await connectStream({ port });
  await third.write(bytes("never read"));
  assertEquals(text(await third.read()), "busy");
  assertEquals(await third.read(), null);
  assertEquals(listener.stats.refusedByLimit, 1);
  assertEquals(listener.stats.open, 2);
  await clients[0]!.close();
  while (listener.stats.open > 1) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(await ask(port), "ping");
  await clients[1]!.close();
});

Deno.test("listenStream() tells 64 at once that they are too many, and gives up all others", async () => {
  const told = Promise.withResolvers<void>();
  let telling = 0;
  await using listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    maxConnections: 0,
    onTooMany: async (connection) => {
      telling++;
      await told.promise;
      await connection.write(bytes("busy"));
    },
  });
  const { port } = listener.addr;
  const clients = await Promise.all(Array.from({ length: 64 }, () => connectStream({ port })));
  while (telling < 64) await new Promise((resolve) => setTimeout(resolve, 1));
  await using given = await connectStream({ port });
  assertEquals(await given.read(), null);
  told.resolve();
  for (const client of clients) {
    assertEquals(text(await client.read()), "busy");
    await client.close();
  }
  while ([...listener.connections].length > 0) await new Promise((done) => setTimeout(done, 1));
  await using later = await connectStream({ port });
  assertEquals(text(await later.read()), "busy");
  assertEquals([telling, listener.stats.refusedByLimit], [65, 66]);
});

Deno.test("StreamListener.connections are those that are open, whichever ends first", async () => {
  await using listener = listenStream({ port: 0, host: "127.0.0.1", onConnection: echo });
  const clients = new Map<number, StreamConnection>();
  for (let i = 0; i < 4; i++) {
    const client = await connectStream({ port: listener.addr.port });
    await client.write(bytes("a"));
    assertEquals(text(await client.read()), "a");
    clients.set(client.localAddr.port, client);
  }
  for (const at of [1, 0, 1, 0]) {
    const [port, client] = [...clients][at]!;
    clients.delete(port);
    await client.close();
    while (listener.stats.open > clients.size) await new Promise((done) => setTimeout(done, 1));
    const open = [...listener.connections].map(({ remoteAddr }) => remoteAddr.port);
    assertEquals(open.sort(), [...clients.keys()].sort());
  }
});

Deno.test("listenStream() does its work whatever onProblem throws, which is reported as uncaught", async () => {
  const thrown: string[] = [];
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    thrown.push(event.error.message);
  };
  addEventListener("error", onError);
  try {
    await using listener = listenStream({
      port: 0,
      host: "127.0.0.1",
      maxConnections: 1,
      onConnection: async (connection) => {
        await echo(connection);
        throw new Error("broken handler");
      },
      onProblem: ({ kind }) => {
        throw new Error(`cannot note ${kind}`);
      },
    });
    const { port } = listener.addr;
    {
      await using first = await connectStream({ port });
      await first.write(bytes("a"));
      assertEquals(text(await first.read()), "a");
      await using second = await connectStream({ port });
      assertEquals(await second.read(), null);
    }
    while (listener.stats.open > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(await ask(port), "ping");
  } finally {
    removeEventListener("error", onError);
  }
  assertEquals(thrown.slice(0, 2), ["cannot note too-many", "cannot note handler"]);
});

Deno.test("listenStream(): each connection goes to one of several loops, and all of them end", async () => {
  const listener = listenStream({ port: 0, host: "127.0.0.1" });
  let served = 0;
  const loop = async () => {
    for await (const connection of listener) {
      served++;
      await connection.end();
    }
  };
  const loops = [loop(), loop()];
  for (let n = 0; n < 4; n++) {
    await using client = await connectStream({ port: listener.addr.port });
    assertEquals(await client.read(), null);
  }
  await listener.close();
  await Promise.all(loops);
  assertEquals(served, 4);
});

Deno.test("listenStream() goes on when onConnection throws", async () => {
  const problems: string[] = [];
  await using listener = listenStream({
    port: 0,
    onConnection: async (connection) => {
      if (text(await connection.read()) === "bad") throw new Error("broken handler");
      await connection.write(bytes("fine"));
    },
    onProblem: ({ kind, message }) => void problems.push(`${kind}: ${message}`),
  });
  await using bad = await connectStream({ port: listener.addr.port });
  await bad.write(bytes("bad"));
  assertEquals(await bad.read(), null);
  assertEquals(await ask(listener.addr.port), "fine");
  assertEquals(problems.length, 1);
  assert(/^handler: Serving 127\.0\.0\.1:\d+ failed: broken handler$/.test(problems[0]!));
});

Deno.test("a client that never reads holds up nobody else", async () => {
  await using listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    grace: 0,
    onConnection: async (connection) => {
      const answer = new Uint8Array(text(await connection.read()) === "flood" ? 64 << 20 : 4);
      await connection.write(answer);
    },
  });
  const { port } = listener.addr;
  const lazy = await connectStream({ port });
  await lazy.write(bytes("flood"));
  await lazy.read();
  for (let i = 0; i < 5; i++) assertEquals(await ask(port), "\0\0\0\0");
  assertEquals(listener.stats.open, 1);
  await lazy.close();
});

Deno.test("listenStream() serves 1,000 clients at once", async () => {
  await using listener = listenStream({ port: 0, host: "127.0.0.1", onConnection: echo });
  const { port } = listener.addr;
  const clients = await Promise.all(
    Array.from({ length: 1000 }, () => connectStream({ port, host: "127.0.0.1", timeout: 60 })),
  );
  const answers = await Promise.all(clients.map(async (client, i) => {
    await client.write(bytes(`client ${i}`));
    return text(await client.read());
  }));
  assertEquals(answers, clients.map((_, i) => `client ${i}`));
  assertEquals(listener.stats.open, 1000);
  await Promise.all(clients.map((client) => client.close()));
  await listener.close();
  assertEquals(listener.stats.open, 0);
});

const python = needs(PYTHON);
Deno.test(`clients that vanish leave nothing open${python.note}`, {
  ignore: python.ignore,
}, async () => {
  await using listener = listenStream({ port: 0, host: "127.0.0.1", onConnection: echo });
  await using peer = startPython(
    `
linger = struct.pack("ii", 1, 0)
for i in range(200):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    if i % 4: s.sendall(b"x" * 10)
    if i % 2: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    if i % 3 == 0: s.shutdown(socket.SHUT_WR)
    s.close()
print("gone")`,
    listener.addr.port,
  );
  await peer.until("stdout", /gone/);
  assertEquals(await ask(listener.addr.port), "ping");
  while (listener.stats.open > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals([...listener.connections], []);
});

Deno.test("listenStream() goes on accepting when the system has run out of files", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const program = new URL("./few_files_server.ts", import.meta.url).pathname;
  const script = `ulimit -n 60 && exec "${Deno.execPath()}" run -A "${program}"`;
  await using server = startPeer("sh", ["-c", script]);
  const [, port] = await server.until("stdout", /^(\d+)\n/);
  const clients = [];
  for (let i = 0; i < 80; i++) {
    clients.push(await Deno.connect({ hostname: "127.0.0.1", port: Number(port) }));
  }
  await server.until("stdout", /accept: Cannot accept a connection: .*open files/);
  for (const client of clients) client.close();
  assertEquals(await ask(Number(port)), "ping");
});

for (const isOver of [true, false]) {
  Deno.test(`onGraceOver() is ${isOver ? "" : "not "}called where a handler goes on`, async () => {
    const told: string[] = [];
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const listener = listenStream({
      port: 0,
      async onConnection(connection) {
        void connection.finished.then(() => told.push("closed"));
        begun.resolve();
        await gate.promise;
      },
      onGraceOver: () => void told.push("over"),
    });
    await using _client = await connectStream({ port: listener.addr.port });
    await begun.promise;
    if (!isOver) gate.resolve();
    await listener.close({ grace: isOver ? 0.05 : 60 });
    assertEquals(told, isOver ? ["over", "closed"] : ["closed"]);
    gate.resolve();
  });
}
