import { assert, assertEquals, assertRejects } from "@std/assert";
import { connectStream } from "../../../lib/net/stream/connect.ts";
import {
  StreamConnection,
  type StreamConnectionOptions,
} from "../../../lib/net/stream/connection.ts";
import { listenStream } from "../../../lib/net/stream/listener.ts";
import { needs, startPython } from "../../interop/peer.ts";
import { PYTHON } from "../../interop/python.ts";
import { ManualClock } from "../../time/manual_clock.ts";

const python = needs(PYTHON);
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array | null) => chunk && new TextDecoder().decode(chunk);

/** A server's side of a connection and the bare other end. */
async function pair(options?: StreamConnectionOptions) {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = (listener.addr as Deno.NetAddr).port;
  const [conn, peer] = await Promise.all([
    listener.accept(),
    Deno.connect({ hostname: "127.0.0.1", port }),
  ]);
  return { connection: new StreamConnection(conn, options), peer, peerAddr: peer.localAddr };
}

async function readAll(conn: Deno.Conn): Promise<number> {
  const buffer = new Uint8Array(1 << 20);
  let total = 0;
  for (let n; (n = await conn.read(buffer)) !== null;) total += n;
  return total;
}

Deno.test("StreamConnection reads to the end of the peer's side, and can still write", async () => {
  const { connection, peer, peerAddr } = await pair();
  assertEquals(connection.remoteAddr.port, (peerAddr as Deno.NetAddr).port);
  await peer.write(bytes("hello"));
  assertEquals(text(await connection.read()), "hello");
  await peer.closeWrite();
  assertEquals(await connection.read(), null);
  assertEquals(await connection.read(), null);
  assertEquals(connection.readEnd, "ended");
  assertEquals(connection.closeReason, undefined);
  assert(await connection.write(bytes("answer")));
  await connection.close();
  await connection.close();
  assertEquals(await readAll(peer), 6);
  assertEquals(connection.closeReason, "ended");
  assertEquals([connection.bytesReceived, connection.bytesSent], [5, 6]);
  assertEquals(await connection.write(bytes("late")), false);
  peer.close();
});

Deno.test("StreamConnection.closeWrite() ends its side behind what was written", async () => {
  const { connection, peer } = await pair();
  void connection.write(new Uint8Array(100_000));
  const total = readAll(peer);
  await connection.closeWrite();
  assertEquals(await total, 100_000);
  await peer.write(bytes("still here"));
  assertEquals(text(await connection.read()), "still here");
  assertEquals(await connection.write(bytes("more")), false);
  peer.close();
  await connection.close();
});

Deno.test("StreamConnection refuses a second read beside the first", async () => {
  const { connection, peer } = await pair();
  const first = connection.read();
  await assertRejects(() => connection.read(), TypeError, "another read");
  await peer.write(bytes("a"));
  assertEquals(text(await first), "a");
  peer.close();
  await connection.close();
});

Deno.test("StreamConnection.close() ends a read that waits", async () => {
  const { connection, peer } = await pair();
  const read = connection.read();
  await connection.close();
  assertEquals(await read, null);
  assertEquals([connection.readEnd, connection.closeReason], ["stopped", "closed"]);
  peer.close();
});

Deno.test("StreamConnection.stopReading() ends reading, not writing", async () => {
  const { connection, peer } = await pair();
  const read = connection.read();
  connection.stopReading();
  assertEquals(await read, null);
  assertEquals(connection.readEnd, "stopped");
  assert(await connection.write(bytes("bye")));
  await connection.close();
  assertEquals(await readAll(peer), 3);
  peer.close();
});

Deno.test("StreamConnection writes in order what is written at once", async () => {
  const { connection, peer } = await pair();
  const chunks = Array.from({ length: 3000 }, (_, i) => new Uint8Array(50).fill(i));
  chunks.splice(1500, 0, new Uint8Array(200_000).fill(77));
  const results = Promise.all(chunks.map((chunk) => connection.write(chunk)));
  assertEquals(connection.bytesQueued, 350_000);
  const received = new Uint8Array(350_000);
  for (let at = 0; at < received.length;) at += (await peer.read(received.subarray(at)))!;
  assertEquals(received, Uint8Array.from(chunks.flatMap((chunk) => [...chunk])));
  assert((await results).every((taken) => taken));
  assertEquals(connection.bytesQueued, 0);
  peer.close();
  await connection.close();
});

for (
  const [first, said] of [[1200, [[], [true], [true]]], [1201, [[true], [true], [true]]]] as const
) {
  for (const how of ["write", "writeThen"] as const) {
    Deno.test(`StreamConnection.${how}() lets no packet wait for another one, the first having ${first} bytes`, async () => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = listener.addr as Deno.NetAddr;
      using peer = await Deno.connect({ hostname: "127.0.0.1", port });
      const conn = await listener.accept();
      const calls: unknown[] = [];
      conn.setNoDelay = (noDelay) => void calls.push(noDelay);
      await using connection = new StreamConnection(conn);
      const write = (size: number) =>
        how === "write"
          ? connection.write(new Uint8Array(size))
          : new Promise((resolve) => connection.writeThen(new Uint8Array(size), resolve));
      const after: unknown[] = [];
      for (const size of [first, 1, 1]) {
        assertEquals(await write(size), true);
        after.push([...calls]);
      }
      assertEquals(after, said as unknown);
      await connection.close();
      assertEquals(await readAll(peer), first + 2);
    });
  }
}

Deno.test("StreamConnection.close() waits for what is still to be written", async () => {
  const { connection, peer } = await pair();
  const size = 8 << 20;
  void connection.write(new Uint8Array(size));
  const closed = connection.close({ grace: 60 });
  assertEquals(await readAll(peer), size);
  await closed;
  peer.close();
});

Deno.test("StreamConnection gives up a write that the peer does not take", async () => {
  const { connection, peer } = await pair();
  const write = connection.write(new Uint8Array(64 << 20));
  const closed = connection.close({ grace: 0.05 });
  await connection.finished;
  assert(connection.bytesSent < 64 << 20);
  peer.close();
  await closed;
  assertEquals(await write, false);
});

Deno.test(`a peer that breaks the connection is an end, not an error${python.note}`, {
  ignore: python.ignore,
}, async () => {
  await using listener = listenStream({ port: 0, host: "127.0.0.1" });
  await using peer = startPython(
    `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"half a mess")
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
sys.stdin.readline()
s.close()`,
    listener.addr.port,
  );
  for await (const connection of listener) {
    assertEquals(text(await connection.read()), "half a mess");
    await peer.write("\n");
    assertEquals(await connection.read(), null);
    assertEquals(connection.readEnd, "lost");
    assert(connection.error);
    assertEquals(await connection.write(bytes("x")), false);
    await connection.close();
    assertEquals(connection.closeReason, "reset");
    break;
  }
});

Deno.test(
  `StreamConnection.end() brings the last words to a peer that is still sending${python.note}`,
  {
    ignore: python.ignore,
  },
  async () => {
    await using listener = listenStream({
      port: 0,
      host: "127.0.0.1",
      onConnection: async (connection) => {
        await connection.read();
        void connection.write(bytes("too many"));
        await connection.end({ grace: 30 });
      },
    });
    await using peer = startPython(
      `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(bytes(3000000))
s.shutdown(socket.SHUT_WR)
print(s.recv(100))`,
      listener.addr.port,
    );
    assertEquals((await peer.result()).stdout, "b'too many'\n");
  },
);

Deno.test("StreamConnection closes when the peer is silent for too long", async () => {
  const clock = new ManualClock();
  const { connection, peer } = await pair({ idleTimeout: 30, clock });
  const read = connection.read();
  clock.pass(29);
  assertEquals(connection.closeReason, undefined);
  clock.pass(2);
  assertEquals(await read, null);
  await connection.finished;
  assertEquals([connection.readEnd, connection.closeReason], ["lost", "idle"]);
  assertEquals(await readAll(peer), 0);
  peer.close();
});

Deno.test("StreamConnection closes when the peer takes nothing for too long", async () => {
  const clock = new ManualClock();
  const { connection, peer } = await pair({ idleTimeout: 30, clock });
  const write = connection.write(new Uint8Array(64 << 20));
  clock.pass(31);
  await connection.finished;
  assertEquals(connection.closeReason, "idle");
  peer.close();
  assertEquals(await write, false);
});

Deno.test("StreamConnection is not idle while nobody waits for the peer, or it is held", async () => {
  const clock = new ManualClock();
  const { connection, peer } = await pair({ idleTimeout: 30, clock });
  await peer.write(bytes("a"));
  await connection.read();
  clock.pass(100);
  assertEquals(connection.closeReason, undefined);
  const read = connection.read();
  {
    using _ = connection.hold();
    const other = connection.hold();
    other[Symbol.dispose]();
    other[Symbol.dispose]();
    clock.pass(100);
    assertEquals(connection.closeReason, undefined);
  }
  clock.pass(31);
  assertEquals(await read, null);
  await connection.finished;
  assertEquals(connection.closeReason, "idle");
  peer.close();
});

Deno.test("StreamConnection closes at once when its signal is aborted", async () => {
  const controller = new AbortController();
  const { connection, peer } = await pair({ signal: controller.signal });
  const read = connection.read();
  controller.abort();
  assertEquals(await read, null);
  await connection.finished;
  assertEquals(connection.closeReason, "aborted");
  peer.close();
});

Deno.test("StreamConnection.readInto() fills the caller's buffer", async () => {
  const { connection, peer } = await pair();
  await peer.write(bytes("abc"));
  const buffer = new Uint8Array(8);
  assertEquals(await connection.readInto(buffer.subarray(2)), 3);
  assertEquals([...buffer], [0, 0, 97, 98, 99, 0, 0, 0]);
  peer.close();
  await connection.close();
});

Deno.test("connectStream() talks to listenStream()", async () => {
  await using listener = listenStream({
    port: 0,
    onConnection: async (connection) => {
      for await (const chunk of connection) await connection.write(chunk);
    },
  });
  await using connection = await connectStream({ port: listener.addr.port });
  await connection.write(bytes("ping"));
  assertEquals(text(await connection.read()), "ping");
});

Deno.test("StreamConnection.read(): a chunk stays as it is when a readInto() meets the end", async () => {
  const { connection, peer } = await pair();
  await peer.write(bytes("volts 1"));
  const chunk = await connection.read();
  await peer.closeWrite();
  assertEquals(await connection.readInto(new Uint8Array(10)), null);
  const other = await pair();
  await other.peer.write(bytes("VOLTS 9"));
  assertEquals(text(await other.connection.read()), "VOLTS 9");
  assertEquals(text(chunk), "volts 1");
  for (const it of [{ connection, peer }, other]) {
    await it.connection.close();
    it.peer.close();
  }
});

Deno.test("StreamConnection.end() ends a loop that reads, and drops what the peer goes on sending", async () => {
  const { connection, peer } = await pair();
  const sent = (async () => {
    for (;;) await peer.write(new Uint8Array(1000));
  })().catch(() => "broken");
  let chunks = 0;
  let ending: Promise<void> | undefined;
  for await (const _ of connection) if (++chunks === 3) ending = connection.end({ grace: 0.2 });
  await ending;
  assertEquals(await connection.read(), null);
  assertEquals([connection.closeReason, connection.error], ["closed", undefined]);
  assertEquals(await sent, "broken");
  peer.close();
});

Deno.test("StreamConnection: closing is not losing, whatever end() was waiting for", async () => {
  for (const stop of [false, true]) {
    const { connection, peer } = await pair();
    const read = connection.read();
    if (stop) connection.stopReading();
    const ended = connection.end({ grace: 60 });
    assertEquals(await read, null);
    await connection.abort();
    await ended;
    assertEquals(connection.error, undefined);
    assertEquals([connection.readEnd, connection.closeReason], ["stopped", "aborted"]);
    peer.close();
  }
});

Deno.test("StreamConnection.end() called twice drains once", async () => {
  const { connection, peer } = await pair();
  const ended = [connection.end(), connection.end()];
  await peer.write(bytes("late"));
  await peer.closeWrite();
  await Promise.all(ended);
  assertEquals([connection.readEnd, connection.closeReason], ["ended", "ended"]);
  peer.close();
});

Deno.test("StreamConnection.beginMessage() starts no time on a connection that is closed", async () => {
  const clock = new ManualClock();
  const { connection, peer } = await pair({ messageTimeout: 30, clock });
  await connection.close();
  connection.beginMessage();
  assertEquals(clock.isAwaited, false);
  peer.close();
});
