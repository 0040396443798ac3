/** Handlers of `socket-server`, in Python and JavaScript, and a program that is kept running. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connectBytes, connectDatagram } from "../../mod.ts";
import { needs } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { folder } from "./json_serve.ts";
import { labwire, startServer } from "./run.ts";

const { ignore, note } = needs(PYTHON);
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);

/** Starts the server on a free port; handlers need a process of their own. */
async function serve(...args: string[]) {
  const server = startServer(["socket-server", "--port", "0", "--output", "none", ...args]);
  const [, port] = await server.until("stderr", /Listening on \S+:(\d+)[^]*Ready\./);
  return {
    server,
    port: Number(port),
    async stop() {
      server.interrupt();
      const { code, stderr } = await server.result();
      assertEquals(code, 0, stderr);
      return stderr;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A connection that sends text, and reads as much as is expected. */
async function connect(port: number) {
  const conn = await Deno.connect({ port });
  return {
    send: (message: string) => conn.write(bytes(message)),
    async read(expected: string) {
      let found = "";
      const buffer = new Uint8Array(1000);
      while (found.length < expected.length) {
        const length = await conn.read(buffer.subarray(0, expected.length - found.length));
        if (length === null) break;
        found += text(buffer.subarray(0, length));
      }
      assertEquals(found, expected);
    },
    [Symbol.dispose]: () => conn.close(),
  };
}

const instruments = {
  "meter.py": `
import threading
volts = 0.0
def handle(data: bytes, peer):
    global volts
    if data == b"*IDN?": return b"ACME,1"
    if data == b"VOLT?": return "%g" % volts
    if data.startswith(b"VOLT "): volts = float(data[5:])
    if data == b"LATER": threading.Thread(target=peer.send, args=(b"later",)).start()
    if data == b"FAIL": raise RuntimeError("overload")
def close(): print("switched off")
`,
  "meter.mjs": `
let volts = 0;
const decoder = new TextDecoder();
export async function handle(data, peer) {
  const line = decoder.decode(data);
  if (line === "*IDN?") return new TextEncoder().encode("ACME,1");
  if (line === "VOLT?") return String(volts);
  if (line.startsWith("VOLT ")) volts = Number(line.slice(5));
  if (line === "LATER") setTimeout(() => peer.send("later"));
  if (line === "FAIL") throw new Error("overload");
}
export const close = () => console.log("switched off");
`,
};

for (const name of Object.keys(instruments)) {
  Deno.test({
    name: `socket-server --line --handler ${name} is an instrument${note}`,
    ignore,
    async fn() {
      await using files = await folder(instruments);
      await using it = await serve("--line", "--handler", `${files.path}/${name}`);
      {
        using client = await connect(it.port);
        await client.send("*IDN?\nVOLT 2.5\nVOLT?\r\n");
        await client.read("ACME,1\n2.5\r\n");
        await client.send("LATER\n");
        await client.read("later\n");
        await client.send("FAIL\nVOLT?\n");
        await client.read("2.5\n");
      }
      const stderr = await it.stop();
      assertMatch(
        stderr,
        /Cannot answer 127\.0\.0\.1:\d+: overload \(.*meter\.(py:10|mjs:10:\d+)\)\n/,
      );
      assertMatch(stderr, /\| switched off\n[^]*6 messages, \d+ bytes, 1 connection, 1 failed\n/);
    },
  });
}

Deno.test({
  name: `socket-server --handler: bytes as they come, and the peer's address${note}`,
  ignore,
  async fn() {
    const script = `
def handle(data, peer):
    peer.send(peer.address.rsplit(":")[0].encode() + b" ")
    return bytes(reversed(data))
`;
    await using files = await folder({ "back.py": script });
    await using it = await serve("--handler", `${files.path}/back.py`);
    await using client = await connectBytes({ port: it.port });
    const answer = await client.exchange(Uint8Array.of(1, 0, 255, 10), { timeout: 60 });
    assertEquals([...answer], [...bytes("127.0.0.1 "), 10, 255, 0, 1]);
  },
});

Deno.test({
  name: `socket-server --handler: one that sends for ever ends when its peer has gone${note}`,
  ignore,
  async fn() {
    const script = `
def handle(data, peer):
    if data == b"once": return data
    while True: peer.send(data)
`;
    await using files = await folder({ "stream.py": script });
    await using it = await serve("--handler", `${files.path}/stream.py`, "--grace", "1");
    for (let n = 0; n < 2; n++) {
      using stream = await connect(it.port);
      await stream.send("xxxx");
      await stream.read("xxxx");
    }
    await using client = await connectBytes({ port: it.port });
    assertEquals(text(await client.exchange(bytes("once"), { timeout: 60 })), "once");
    const stderr = await it.stop();
    assertMatch(stderr, /Cannot send to 127\.0\.0\.1:\d+: it has disconnected \(.*stream\.py:4\)/);
  },
});

Deno.test({
  name: `socket-server --udp --handler answers datagrams, and later too${note}`,
  ignore,
  async fn() {
    const script = `
import threading
def handle(data, peer):
    if data == b"later\\n": threading.Thread(target=peer.send, args=(b"now",)).start()
    elif data == b"fail": 1 / 0
    else: return data.upper()
`;
    await using files = await folder({ "up.py": script });
    await using it = await serve("--udp", "--handler", `${files.path}/up.py`);
    await using client = await connectDatagram({ port: it.port });
    for (const [sent, expected] of [["hello", "HELLO"], ["later\n", "now"], ["a\n", "A\n"]]) {
      await client.send(bytes("fail"));
      await client.send(bytes(sent!));
      assertEquals(text((await client.receive(60))!.bytes), expected);
    }
    assertMatch(
      await it.stop(),
      /Cannot answer .*: (integer )?division .*\(.*up\.py:5\)[^]*6 datagrams, \d+ bytes, 2 answered, 3 failed\n/,
    );
  },
});

Deno.test({
  name: `socket-server --udp counts the datagrams that a slow handler cannot take${note}`,
  ignore,
  async fn() {
    const script = `
import threading
go = threading.Event()
def handle(data, peer):
    if data == b"first":
        print("begun")
        go.wait(60)
    return data
def setup():
    threading.Thread(target=wait, daemon=True).start()
def wait():
    import socket
    global port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        print("gate", s.getsockname()[1])
        s.recv(10)
    go.set()
`;
    await using files = await folder({ "slow.py": script });
    await using it = await serve("--udp", "--handler", `${files.path}/slow.py`);
    const [, gate] = await it.server.until("stderr", /gate (\d+)/);
    await using client = await connectDatagram({ port: it.port });
    await client.send(bytes("first"));
    await it.server.until("stderr", /begun/);
    // One is being handled, 1000 wait. Sent until that is full, as the system may drop some too.
    let n = 0;
    const full = it.server.until(
      "stderr",
      /Dropped a datagram from 127\.0\.0\.1:\d+: 1000 are waiting; the handler is too slow/,
    ).then(() => true);
    while (!await Promise.race([full, Promise.resolve(false)])) {
      for (let i = 0; i < 100; i++) await client.send(bytes(`${n++}`));
      await new Promise((resolve) => setTimeout(resolve, 0));
      assert(n < 1e6);
    }
    await using opener = await connectDatagram({ port: Number(gate) });
    await opener.send(bytes("go"));
    for (let i = 0; i <= 1000; i++) assert(await client.receive(60));
    assertMatch(await it.stop(), /, 1\d\d\d answered, \d+ dropped\n/);
  },
});

Deno.test({
  name: `socket-server --exec-persistent answers a line with a line${note}`,
  ignore,
  async fn() {
    const script = `
import sys
for line in sys.stdin:
    line = line.rstrip("\\n")
    print("" if line == "quiet" else line.upper(), flush=True)
`;
    await using files = await folder({ "up.py": script });
    const exec = ["--exec-persistent", `${PYTHON} ${files.path}/up.py`];
    await using it = await serve("--line", ...exec);
    {
      using client = await connect(it.port);
      await client.send("a\nquiet\nb\r\n");
      await client.read("A\nB\r\n");
    }
    await it.stop();
    await using udp = await serve("--udp", ...exec);
    await using client = await connectDatagram({ port: udp.port });
    await client.send(bytes("quiet"));
    await client.send(bytes("c"));
    assertEquals(text((await client.receive(60))!.bytes), "C");
  },
});

Deno.test({
  name: `socket-server says that a handler is slower than lines come${note}`,
  ignore,
  async fn() {
    await using files = await folder({
      "slow.py": "import time\ndef handle(data, peer): time.sleep(0.4)",
    });
    await using it = await serve("--line", "--handler", `${files.path}/slow.py`);
    using client = await connect(it.port);
    await client.send("x\n".repeat(20));
    await it.server.until(
      "stderr",
      /The handler is slower than 127\.0\.0\.1:\d+ sends: the sender has to wait/,
    );
  },
});

Deno.test("socket-server refuses handlers that do not go together with other options", async () => {
  for (
    const [args, why] of [
      [["--handler", "a.py", "--exec", "b"], "Cannot use several of --handler, --exec and"],
      [["--handler", "a.py", "--discard"], "Cannot use --discard with --handler"],
      [["--exec-persistent", "b", "--reply", "a=b"], "Cannot use --exec-persistent with --reply"],
      [["--exec-persistent", "b"], "Cannot use --exec-persistent without --line or --udp"],
      [["--exec", "b", "--exec-timeout", "3"], "Cannot use --exec-timeout with --exec over TCP"],
    ] as const
  ) {
    const { code, stderr } = await labwire(["socket-server", "--port", "0", ...args]);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, why);
  }
});
