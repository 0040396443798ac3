import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type BatchHandler,
  type Echo,
  type Sample,
  startVillasEcho,
  startVillasSignal,
  UsageError,
  type VillasEchoOptions,
  type VillasEchoProblem,
  villasFormat,
} from "../../../mod.ts";
import { freePort } from "../../net/free_port.ts";
import { startPython } from "../../interop/peer.ts";
import { delay } from "../../../lib/time/deadline.ts";
import { batchOf } from "../../../lib/villas/node.ts";
import { openTcpNode } from "../../../lib/villas/nodes/tcp.ts";
import { ManualClock } from "../../time/manual_clock.ts";

const human = villasFormat("villas.human");

/** An echo on a TCP port of localhost, and what it told. */
async function server(options: VillasEchoOptions = {}) {
  const problems: VillasEchoProblem[] = [];
  const echo = await startVillasEcho({
    layer: "tcp-server",
    listen: "127.0.0.1:0",
    codec: human,
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  return { echo, problems, [Symbol.asyncDispose]: () => echo.close() };
}

function portOf(echo: Echo): number {
  return (echo.addr as Deno.NetAddr).port;
}

/** What VILLASnode does as `tcp-client`: writes messages, one after another, and reads as much as comes. */
const CLIENT = `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
lines = ["%d.000000005(%d)\\t%.17f\\t-1.00000000000000000\\n" % (1795198430 + n, n, n / 7) for n in range(int(sys.argv[2]))]
expected = "".join(lines).encode()
s.sendall(expected)
got = b""
while len(got) < len(expected):
    chunk = s.recv(65536)
    if not chunk: break
    got += chunk
print(got == expected, len(got))
`;

Deno.test("an echo at tcp-server sends back each line that Python sends, byte for byte", async () => {
  await using it = await server();
  await using python = startPython(CLIENT, portOf(it.echo), 2000);
  const { stdout, stderr } = await python.result();
  assertStringIncludes(stdout, "True", stderr);
  assertEquals(it.echo.stats.samples, 2000);
  assertEquals(it.echo.stats.replies, 2000);
});

Deno.test("several clients at a time get each their own answers", async () => {
  await using it = await server({ handler: (sample) => sample });
  const clients = [500, 600, 700].map((count) => startPython(CLIENT, portOf(it.echo), count));
  for (const client of clients) {
    assertStringIncludes((await client.result()).stdout, "True");
    await client[Symbol.asyncDispose]();
  }
  assertEquals(it.echo.stats.samples, 1800);
});

Deno.test("an echo at tcp-client answers a server that goes and comes again", async () => {
  const port = freePort();
  const problems: VillasEchoProblem[] = [];
  await using echo = await startVillasEcho({
    layer: "tcp-client",
    remote: `127.0.0.1:${port}`,
    codec: human,
    onProblem: (problem) => problems.push(problem),
  });
  assertEquals(echo.addr, { hostname: "127.0.0.1", port });
  await using python = startPython(
    `
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for n in range(2):
    s, _ = listener.accept()
    line = b"1795198430.000000005(%d)\\t1.50000000000000000\\n" % n
    s.sendall(line)
    print(s.recv(65536) == line)
    s.close()
`,
    port,
  );
  assertEquals((await python.result()).stdout, "True\nTrue\n");
  assertEquals(echo.stats.replies, 2);
  const connected = problems.filter(({ message }) => message.startsWith("Connected"));
  assertEquals(connected.length, 2);
});

Deno.test("an echo at tcp-client that ends sends the replies to all that it has handled", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using echo = await startVillasEcho({
    layer: "tcp-client",
    remote: listener.addr as Deno.NetAddr,
    codec: human,
    count: 500,
  });
  using peer = await listener.accept();
  const lines = Array.from({ length: 2000 }, (_, n) => `1795198430.000000005(${n})\t0.5\n`);
  const sending = peer.write(new TextEncoder().encode(lines.join("")));
  const replies = [];
  for await (const chunk of peer.readable.pipeThrough(new TextDecoderStream())) {
    replies.push(chunk);
  }
  await sending;
  await echo.finished;
  assertEquals(replies.join(""), lines.slice(0, 500).join(""));
  assertEquals([echo.stats.replies, echo.stats.unsent], [500, 0]);
});

Deno.test("a client says once that there is no server, and how it goes on", async () => {
  const told = Promise.withResolvers<VillasEchoProblem>();
  await using _echo = await startVillasEcho({
    layer: "tcp-client",
    remote: `127.0.0.1:${freePort()}`,
    onProblem: (problem) => told.resolve(problem),
  });
  const { kind, message } = await told.promise;
  assertEquals(kind, "waiting");
  assert(/^Cannot connect to "127.0.0.1:\d+": connection refused; trying again/.test(message));
});

Deno.test("a bad line costs that line, and in protobuf the connection", async () => {
  await using lines = await server();
  await using first = startPython(
    `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"garbage\\n# comment\\n\\n1.5(1)\\t2.00000000000000000\\n")
print(s.recv(999))
`,
    portOf(lines.echo),
  );
  assertStringIncludes((await first.result()).stdout, "(1)");
  assertEquals([lines.echo.stats.invalid, lines.echo.stats.samples], [1, 1]);

  await using binary = await server({ codec: villasFormat("protobuf") });
  await using second = startPython(
    `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"no protobuf at all\\n")
print(s.recv(999))
`,
    portOf(binary.echo),
  );
  assertEquals((await second.result()).stdout, "b''\n");
  assertEquals(binary.echo.stats.invalid, 1);
  const invalid = binary.problems.find(({ kind }) => kind === "invalid")!;
  assertStringIncludes(invalid.message, "; closed the connection");
});

/** A handler in another process answers in another turn. */
const batchHandler: BatchHandler = async (samples) => {
  await delay(0);
  return { replies: samples.map((sample, index) => ({ index, sample })), faults: [] };
};

for (
  const [what, options] of Object.entries({
    "at once": { handler: (sample: Sample) => sample },
    later: { batchHandler },
  })
) {
  Deno.test(`a peer that has ended its half is answered, too: ${what}`, async () => {
    await using it = await server(options);
    await using python = startPython(
      `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"1.000000005(1)\\t1.50000000000000000\\n")
s.shutdown(socket.SHUT_WR)
print(s.recv(999))
`,
      portOf(it.echo),
    );
    assertStringIncludes((await python.result()).stdout, "1.000000005(1)");
    assertEquals(it.echo.stats.samples, 1);
  });
}

Deno.test("a last line without its newline may be cut off: it is invalid", async () => {
  await using it = await server({ handler: (sample) => sample });
  await using python = startPython(
    `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"1.000000005(1)\\t1.50000000000000000")
s.shutdown(socket.SHUT_WR)
print(s.recv(999))
`,
    portOf(it.echo),
  );
  assertEquals((await python.result()).stdout, "b''\n");
  assertEquals([it.echo.stats.samples, it.echo.stats.invalid], [0, 1]);
  const invalid = it.problems.find(({ kind }) => kind === "invalid")!;
  assertStringIncludes(invalid.message, "the stream ends inside a line, of which 34 bytes came");
});

Deno.test("a stream in another format is told from its first bytes", async () => {
  await using it = await server({ codec: villasFormat("protobuf") });
  await using python = startPython(
    `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"1795198430.000000005(1)\\t1.50000000000000000\\n")
print(s.recv(999))
`,
    portOf(it.echo),
  );
  assertEquals((await python.result()).stdout, "b''\n");
  const invalid = it.problems.find(({ kind }) => kind === "invalid")!;
  assertStringIncludes(invalid.message, "--format villas.human");
});

Deno.test("an HTTP request is refused, as a web page may have sent it", async () => {
  await using it = await server();
  const response = await fetch(`http://127.0.0.1:${portOf(it.echo)}/`, {
    method: "POST",
    body: "1.5(1)\t2\n",
  }).catch((error) => error);
  assert(response instanceof TypeError);
  assertEquals([it.echo.stats.samples, it.echo.stats.ignored], [0, 1]);
});

/** Writes until nothing is taken any more, and never reads. */
const DEAF = `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.settimeout(1)
line = b"1.5(1)\\t2.00000000000000000\\n" * 1000
total = 0
try:
    while total < 50e6: total += s.send(line)
except TimeoutError: pass
print("stuck", total, flush=True)
sys.stdin.read()
`;

for (
  const [what, options] of Object.entries(
    {
      "what goes back unchanged": {},
      "replies that come later": { batchHandler },
    } satisfies Record<string, VillasEchoOptions>,
  )
) {
  Deno.test(`a peer that does not read does not keep others waiting, nor grow the memory: ${what}`, async () => {
    await using it = await server(options);
    await using deaf = startPython(DEAF, portOf(it.echo));
    const [, total] = await deaf.until("stdout", /stuck (\d+)/);
    await using other = startPython(CLIENT, portOf(it.echo), 100);
    assertStringIncludes((await other.result()).stdout, "True");
    assert(Number(total) < 50e6, `${total} bytes were taken`);
  });
}

Deno.test("what goes to all is not held up for ever by a peer that does not read", async () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const connected = Promise.withResolvers<void>();
  await using node = openTcpNode({
    side: "server",
    address: { hostname: "127.0.0.1", port: 0 },
    format: human,
    now: () => ({ sec: 0, nsec: 0 }),
    onProblem: ({ message }) => {
      if (told.push(message) === 2) connected.resolve();
    },
    clock,
  });
  using deaf = await Deno.connect(node.addr);
  using reader = await Deno.connect(node.addr);
  await connected.promise;
  const bytes = new Uint8Array(32 << 20); // more than the system keeps for a peer
  const buffer = new Uint8Array(1 << 16);
  void node.write(batchOf([], { bytes }));
  const flushed = node.flush();
  for (let left = bytes.length; left > 0;) left -= (await reader.read(buffer))!;
  for (let isFlushed = false; !isFlushed;) {
    const waits = clock.nextWake();
    clock.pass(10);
    isFlushed = await Promise.race([flushed.then(() => true), waits.then(() => false)]);
  }
  const { port } = deaf.localAddr as Deno.NetAddr;
  assertEquals(told[2], `Disconnected 127.0.0.1:${port}: it has read nothing for 10 s`);
  assertEquals(told[3], `Cannot send to 127.0.0.1:${port}: the connection is closed`);
  const { sent, unsent } = node.counters;
  assertEquals([sent, unsent], [1, 0], "the other one has the message");
});

Deno.test("signals go from a tcp-client to a tcp-server and back, in each direction of connecting", async () => {
  for (
    const [one, other] of [["tcp-server", "tcp-client"], ["tcp-client", "tcp-server"]] as const
  ) {
    const port = freePort();
    const addr = `127.0.0.1:${port}`;
    await using echo = await startVillasEcho({ layer: one, listen: addr, remote: addr });
    await using source = await startVillasSignal({
      ...{ layer: other, listen: addr, to: addr },
      ...{ rate: 1000, limit: 50, values: 5, wait: 5 },
    });
    await source.finished;
    const { sent, returned, changed } = source.stats;
    assertEquals([sent, returned, changed], [50, 50, 0]);
    assertEquals(echo.stats.missed, 0);
  }
});

for (
  const [options, message] of [
    [{ layer: "tcp-client", remote: "/tmp/x.sock" }, 'expected "HOST:PORT"'],
    [{ layer: "tcp-client", remote: "127.0.0.1:0" }, "expected a port from 1 to 65535"],
    [{ layer: "tcp-server", multicast: { group: "239.1.2.3" } }, "expected udp"],
  ] satisfies [VillasEchoOptions, string][]
) {
  Deno.test(`an echo does not take ${JSON.stringify(options)}`, async () => {
    await assertRejects(() => startVillasEcho(options), UsageError, message);
  });
}
