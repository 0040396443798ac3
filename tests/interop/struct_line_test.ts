import { assert, assertEquals, assertMatch } from "@std/assert";
import { labwire, startServer } from "../cli/run.ts";
import { type Peer, startPeer } from "./peer.ts";
import { PYTHON } from "./python.ts";
import { ConnectError } from "../../lib/errors.ts";
import { Line } from "../../lib/struct/line.ts";
import { assertRejects } from "@std/assert";
import { startPython } from "./peer.ts";

const here = (file: string) => new URL(file, import.meta.url).pathname;

function linePeer(role: "server" | "client", port: number, format: string): Peer {
  return startPeer(PYTHON, ["-u", here("line_peer.py"), role, String(port), format]);
}

function stream(role: "server" | "client", port: number, count: number): Peer {
  return startPeer(PYTHON, ["-u", here("struct_stream.py"), role, String(port), String(count)]);
}

async function serve(args: string[]) {
  const server = startServer(["struct-line", "server", "--port", "0", ...args], { stdin: "piped" });
  const [, port] = await server.until("stderr", /Listening on 127\.0\.0\.1:(\d+)/);
  return { server, port: Number(port) };
}

/** Records of each format as the peers write them, and as labwire does; the last of each is written alike by both. */
const RECORDS: Record<string, [peer: string, own: string][]> = {
  "!I2sd": [
    ['[3, {"hex": "6162"}, 0.5]', '[3,"ab",0.5]'],
    ['[4294967295, {"hex": "ff00"}, 1e300]', '[4294967295,{"hex":"ff00"},1e+300]'],
    ['[0, {"hex": "0000"}, -1.5]', '[0,"",-1.5]'],
  ],
  "!I30sd": [
    [`[3, {"hex": "${"68656c6c6f".padEnd(60, "0")}"}, 0.5]`, '[3,"hello",0.5]'],
    [`[7, {"hex": "${"c3a9".repeat(15)}"}, 0.1]`, `[7,"${"é".repeat(15)}",0.1]`],
  ],
};

for (const [format, records] of Object.entries(RECORDS)) {
  const exact = records.filter(([, own]) => !own.includes("e+"));

  Deno.test(`struct-line server exchanges ${format} with an ipcomm client`, async () => {
    const { server, port } = await serve(["--format", format]);
    await using _ = server;
    await using peer = linePeer("client", port, format);
    await peer.until("stdout", /Connected with server\./);
    await server.until("stderr", /Connected with/);
    for (const [theirs, own] of records) {
      await peer.write(theirs + "\n");
      await server.until("stdout", new RegExp(escape(own) + "\n"));
      await server.write(own + "\n");
    }
    for (const [theirs] of exact) await peer.until("stdout", new RegExp(escape(theirs) + "\n"));
    server.interrupt();
    const { code, stdout } = await server.result();
    assertEquals([code, stdout], [0, records.map(([, own]) => own + "\n").join("")]);
  });

  Deno.test(`struct-line client exchanges ${format} with an ipcomm server`, async () => {
    await using peer = linePeer("server", 0, format);
    const [, port] = await peer.until("stderr", /port (\d+)/);
    await using client = startServer(
      ["struct-line", "client", "--format", format, "--port", port!],
      {
        stdin: "piped",
      },
    );
    await client.until("stderr", /Connected with server\./);
    await peer.until("stderr", /connected/);
    for (const [theirs, own] of records) {
      await peer.write(theirs + "\n");
      await client.until("stdout", new RegExp(escape(own) + "\n"));
      await client.write(own + "\n");
    }
    for (const [theirs] of exact) await peer.until("stdout", new RegExp(escape(theirs) + "\n"));
    client.interrupt();
    assertEquals((await client.result()).code, 0);
  });
}

Deno.test("struct-line client waits for an ipcomm server that starts late", async () => {
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr as Deno.NetAddr;
  probe.close();
  await using client = startServer(
    ["struct-line", "client", "--port", String(port), "--retry-delay", "0.2", "--attempts", "100"],
    { stdin: "piped" },
  );
  await client.until("stderr", /Connection attempt 1 of 100 failed\./);
  await using peer = linePeer("server", port, "!I2sd");
  await client.until("stderr", /Connected with server\./);
  await peer.write('[1, {"hex": "6f6b"}, 0]\n');
  await client.until("stdout", /\[1,"ok",0\]/);
  client.interrupt();
  await client.result();
});

Deno.test("struct-line server --echo returns 100,000 records that were cut at random places", async () => {
  const { server, port } = await serve(["--format", "!I30sd", "--echo", "--output", "none"]);
  await using _ = server;
  await using peer = stream("client", port, 100_000);
  const { code, stdout, stderr } = await peer.result();
  assertEquals([code, stdout, stderr], [0, "100000 records came back unchanged\n", ""]);
  server.interrupt();
  assertMatch(
    (await server.result()).stderr,
    /100000 records received, 100000 sent, 1 connection\n/,
  );
});

Deno.test("struct-line client --echo returns 100,000 records that were cut at random places", async () => {
  await using peer = stream("server", 0, 100_000);
  const [, port] = await peer.until("stderr", /port (\d+)/);
  const client = await labwire(
    ["struct-line", "client", "--format", "!I30sd", "--port", port!, "--echo", "--output", "none"],
  );
  assertEquals((await peer.result()).stdout, "100000 records came back unchanged\n");
  assertEquals(client.code, 0, client.stderr);
});

Deno.test("Line receives a million records of a Python peer, complete and in order", async () => {
  const count = 1_000_000;
  let next = 0;
  await using line = Line.listen({
    format: "!I30sd",
    port: 0,
    action: ([i, , eighth]) => {
      if (i !== next || eighth !== i / 8) throw new Error(`record ${next} is ${i}, ${eighth}`);
      next++;
    },
    onDisconnect: () => void line.close(),
  });
  await using peer = startPython(
    `
pack = struct.Struct("!I30sd").pack
link = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
for start in range(0, int(sys.argv[2]), 10000):
    link.sendall(b"".join(pack(i, b"text", i / 8) for i in range(start, start + 10000)))
link.close()
`,
    line.addr.port,
    count,
  );
  await line.finished;
  assertEquals((await peer.result()).code, 0);
  assertEquals([next, line.stats.received, line.stats.cut], [count, count, 0]);
});

Deno.test("Line tells a connection that a peer broke off", async () => {
  await using peer = startPython(`
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1])
link, _ = listener.accept()
link.recv(4)
link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
link.close()
`);
  const [, port] = await peer.until("stdout", /(\d+)\n/);
  const problems: string[] = [];
  await using line = await Line.connect({
    format: "!I",
    host: "127.0.0.1",
    port: Number(port),
    onProblem: ({ kind }) => problems.push(kind),
  });
  await line.send([1]);
  await assertRejects(
    async () => {
      for await (const _ of line);
    },
    ConnectError,
    "Lost the connection with",
  );
  await line.finished;
  assertEquals([problems, line.stats.lost], [["lost"], 1]);
  assert((await peer.result()).code === 0);
});

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
