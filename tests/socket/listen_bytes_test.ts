import { assertEquals } from "@std/assert";
import { connectBytes } from "../../lib/socket/byte_client.ts";
import { listenBytes } from "../../lib/socket/listen_bytes.ts";
import { lineFraming } from "../../lib/net/framing/line.ts";
import { ReportedErrors } from "../time/reported_errors.ts";
import { needs, startPython } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);

Deno.test("listenBytes() echoes, and reports each connection", async () => {
  const ports: number[] = [];
  await using server = listenBytes({
    port: 0,
    onConnection: ({ remoteAddr }) => void ports.push(remoteAddr.port),
  });
  await using client = await connectBytes({ port: server.addr.port });
  assertEquals(text(await client.exchange(bytes("one"))), "one");
  assertEquals(text(await client.exchange(bytes("two"))), "two");
  assertEquals(ports, [client.localAddr.port]);
});

Deno.test("listenBytes() sends what answer() returns, and nothing for null", async () => {
  const seen: string[] = [];
  await using server = listenBytes({
    port: 0,
    answer: async (message, { hostname }) => {
      seen.push(`${hostname} ${text(message)}`);
      await Promise.resolve();
      return text(message) === "quiet" ? null : bytes("loud");
    },
  });
  await using client = await connectBytes({ port: server.addr.port });
  await client.send(bytes("quiet"));
  while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(text(await client.exchange(bytes("x"))), "loud");
  assertEquals(seen, ["127.0.0.1 quiet", "127.0.0.1 x"]);
});

/** Counts what comes up to the end. */
async function countAll(readable: ReadableStream<Uint8Array>): Promise<number> {
  let count = 0;
  for await (const chunk of readable) count += chunk.length;
  return count;
}

Deno.test("listenBytes() closes such that its last answer arrives, whatever else the client has sent", async () => {
  const begun = Promise.withResolvers<void>();
  const sent = Promise.withResolvers<void>();
  const answer = new Uint8Array(200_000);
  await using server = listenBytes({
    port: 0,
    answer: async () => {
      begun.resolve();
      await sent.promise;
      return answer;
    },
  });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await client.write(bytes("first"));
  await begun.promise;
  await client.write(bytes("second"));
  const closed = server.close();
  sent.resolve();
  await closed;
  assertEquals(await countAll(client.readable), answer.length);
});

Deno.test("listenBytes() answers nothing more once the connection is closed", async () => {
  const begun = Promise.withResolvers<void>();
  const over = Promise.withResolvers<null>();
  const seen: string[] = [];
  await using server = listenBytes({
    port: 0,
    grace: 0,
    framing: lineFraming(),
    answer: (message) => {
      seen.push(text(message));
      begun.resolve();
      return over.promise;
    },
  });
  await using client = await connectBytes({ port: server.addr.port });
  await client.send(bytes("first\nsecond\nthird\n"));
  await begun.promise;
  await server.close();
  over.resolve(null);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(seen, ["first"]);
});

for (const how of ["throws", "rejects"]) {
  Deno.test(`listenBytes() goes on though a function that watches it ${how}`, async () => {
    using reported = new ReportedErrors();
    const fail = (name: string) => () => {
      if (how === "throws") throw new Error(name);
      return Promise.reject(new Error(name));
    };
    await using server = listenBytes({
      port: 0,
      framing: lineFraming({ maxBytes: 4, keepEnds: true }),
      onConnection: fail("onConnection"),
      onDisconnect: fail("onDisconnect"),
      onProblem: fail("onProblem"),
    });
    const client = await connectBytes({ port: server.addr.port });
    assertEquals(text(await client.exchange(bytes("too long\nshort\none\n"))), "one\n");
    await client.close();
    await reported.reach(4);
    assertEquals(reported.messages, ["onConnection", "onProblem", "onProblem", "onDisconnect"]);
  });
}

const { ignore, note } = needs(PYTHON);
Deno.test(`listenBytes() echoes to 1,000 clients at once, one of which never reads${note}`, {
  ignore,
}, async () => {
  await using server = listenBytes({ port: 0, host: "127.0.0.1", grace: 0 });
  await using lazy = startPython(
    `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.settimeout(0.5)
try:
    while True: s.sendall(bytes(65536))
except socket.timeout: print("stuck")
sys.stdin.readline()`,
    server.addr.port,
  );
  await lazy.until("stdout", /stuck/);
  await using python = startPython(
    `
clients = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for i in range(1000)]
for i, s in enumerate(clients): s.sendall(b"client %d" % i)
print(all(s.recv(100) == b"client %d" % i for i, s in enumerate(clients)))
for s in clients: s.close()`,
    server.addr.port,
  );
  const { stdout, stderr } = await python.result();
  assertEquals([stdout, stderr], ["True\n", ""]);
  while (server.stats.open > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(server.stats.accepted, 1001);
});
