/** Handlers of `struct-line`, in Python and JavaScript, and programs: what they get, and what they send. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { needs } from "../interop/peer.ts";
import { NUMPY, PYTHON } from "../interop/python.ts";
import { folder } from "./json_serve.ts";
import { labwire } from "./run.ts";
import { bareServer, client, serve } from "./struct_serve.ts";

const { ignore, note } = needs(PYTHON);
const QUIET = ["--output", "none"];

/** What each record is answered with, whatever the language. */
const double = {
  "double.py": `
def handle(record, peer):
    n, volts = record
    if n == 0: raise ValueError("zero is not for me")
    if n == 1: return None
    if n == 2: return [(2, volts), (3, volts)]
    if n == 3: return ((k, volts) for k in range(2))
    if n == 4: peer.send(4, volts)
    elif n == 5: peer.send((5, volts))
    else: return (2 * n, 2 * volts)
`,
  "async.py": `
async def handle(record, peer):
    n, volts = record
    if n == 0: raise ValueError("zero is not for me")
    if n == 1: return None
    if n == 2: return (2, volts), (3, volts)
    if n == 3: return each(volts)
    if n in (4, 5): return peer.send(n, volts)
    return [2 * n, 2 * volts]

async def each(volts):
    for k in range(2): yield k, volts
`,
  "double.mjs": `
export default function ([n, volts], peer) {
  if (n === 0) throw new Error("zero is not for me");
  if (n === 1) return;
  if (n === 2) return [[2, volts], [3, volts]];
  if (n === 3) return each(volts);
  if (n === 4) peer.send([4, volts]);
  else if (n === 5) return peer.send([5, volts]);
  else return [2 * n, 2 * volts];
}
function* each(volts) { for (const k of [0, 1]) yield [k, volts]; }
`,
  "async.mjs": `
export async function handle([n, volts], peer) {
  if (n === 0) throw new Error("zero is not for me");
  if (n === 1) return null;
  if (n === 2) return [[2, volts], [3, volts]];
  if (n === 3) return each(volts);
  if (n === 4 || n === 5) return peer.send([n, volts]);
  return [2 * n, 2 * volts];
}
async function* each(volts) { for (const k of [0, 1]) yield [k, volts]; }
`,
};

for (const name of Object.keys(double)) {
  for (const concurrency of ["1", "4"]) {
    Deno.test({
      name: `struct-line server sends what ${name} returns, ${concurrency} at once${note}`,
      ignore,
      async fn() {
        await using files = await folder(double);
        const more = ["--concurrency", concurrency, ...QUIET];
        const format = ["--format", "<Hd"];
        await using server = await serve([
          ...format,
          "--handler",
          `${files.path}/${name}`,
          ...more,
        ]);
        const { stdout } = await server.client([...format, "--count", "9"], {
          input: [0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => `[${n},${n}.5]\n`).join(""),
        });
        const records = stdout.trim().split("\n").map((line) => JSON.parse(line));
        const expected = [[2, 2.5], [3, 2.5], [0, 3.5], [1, 3.5], [4, 4.5], [5, 5.5], [12, 13], [
          14,
          15,
        ], [16, 17]];
        // What is sent by the peer goes at once.
        const sorted = (list: number[][]) => concurrency === "1" ? list : list.map(String).sort();
        assertEquals(sorted(records), sorted(expected));
        const { code, stderr } = await server.stop();
        assertEquals(code, 0);
        assertMatch(
          stderr,
          /warning: Handling a record failed: zero is not for me \(.*(async|double)\.(py:\d+|mjs:\d+:\d+)\)/,
        );
        assertStringIncludes(stderr, "9 records received, 9 sent, 1 connection, 1 failed");
      },
    });
  }
}

Deno.test({
  name: `struct-line --handler in Python: names, arrays, kinds, any thread, the end${note}`,
  ignore,
  async fn() {
    const script = `
import threading

def setup(options):
    print("set up with", options)

def handle(record, peer):
    print(record)
    assert type(record.volts) is tuple and type(record.n) is int and type(record.on) is bool, record
    def later():
        peer.send(record._replace(n=7))
        peer.send({"n": 8, "volts": [1, 2.5], "text": "\\u00b5V", "on": 1})
    threading.Thread(target=later).start()

def close():
    print("closed")
`;
    await using files = await folder({ "named.py": script });
    const format = ["--format", "<H2d5s?", "--fields", "n,volts*2,text,on"];
    const handler = ["--handler", `${files.path}/named.py`, "--handler-arg", "port=COM3"];
    await using server = await serve([...format, ...handler, ...QUIET]);
    // Its input stays open, as the end of the input is the end of the line.
    await using asking = client(server.port, [...format, "--count", "2"], { stdin: "piped" });
    await asking.write('{"n":1,"volts":[1,0.5],"text":"hello","on":true}\n');
    const { stdout } = await asking.result();
    assertEquals(
      stdout,
      '{"n":7,"volts":[1,0.5],"text":"hello","on":true}\n{"n":8,"volts":[1,2.5],"text":"µV","on":true}\n',
    );
    const { stderr } = await server.stop();
    assertStringIncludes(stderr, "| set up with {'port': 'COM3'}\n");
    assertStringIncludes(stderr, "| Record(n=1, volts=(1.0, 0.5), text=b'hello', on=True)\n");
    assertMatch(stderr, /\| closed\n[^]*1 record received/);
  },
});

Deno.test({
  name: `struct-line client --handler answers the server, in Python${note}`,
  ignore,
  async fn() {
    await using files = await folder({ "add.py": "def handle(r, peer): return (r[0] + 1,)" });
    using server = bareServer();
    await using program = client(server.port, [
      "--format",
      "!B",
      "--handler",
      `${files.path}/add.py`,
    ], { stdin: "piped" });
    using conn = await server.accept();
    await conn.write(Uint8Array.of(1, 2, 3));
    const answers = new Uint8Array(3);
    for (let n = 0; n < 3;) n += (await conn.read(answers.subarray(n)))!;
    assertEquals([...answers], [2, 3, 4]);
    program.interrupt();
    assertEquals((await program.result()).stdout, "[1]\n[2]\n[3]\n");
  },
});

Deno.test({
  name: `struct-line --handler in Python: what does not fit is told, and it goes on${note}`,
  ignore,
  async fn() {
    const script = `
import os
def handle(record, peer):
    n, = record
    if n == 0: return (300,)
    if n == 1: return "text"
    if n == 2: return (1, 2)
    if n == 3: os._exit(3)
    return (n,)
`;
    await using files = await folder({ "bad.py": script });
    await using server = await serve([
      "--format",
      "B",
      "--handler",
      `${files.path}/bad.py`,
      ...QUIET,
    ]);
    const { stdout } = await server.client(["--format", "B", "--count", "1"], {
      input: "[0]\n[1]\n[2]\n[3]\n[4]\n",
    });
    assertEquals(stdout, "[4]\n");
    const { stderr } = await server.stop();
    assertMatch(stderr, /Handling a record failed: Cannot pack \(300,\) as <B: /);
    assertMatch(stderr, /Handler "[^"]*bad\.py" ended with exit code 3; starting it again/);
    assertStringIncludes(stderr, "4 failed, 1 restart of the handler");
  },
});

Deno.test({
  name: `struct-line: records of a peer that has gone are handled, several at once${note}`,
  ignore,
  async fn() {
    const script = `
import os, time
def handle(record, peer):
    print("record", record[0])
    if record[0] == 1: peer.send([(1,), (2,)])
    while not os.path.exists("go"): time.sleep(0.001)
`;
    await using files = await folder({ "slow.py": script });
    const handler = ["--handler", "slow.py", "--concurrency", "2"];
    await using server = await serve(["--format", "B", ...handler, ...QUIET], { cwd: files.path });
    {
      using conn = await server.connect();
      await conn.write(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9));
      await conn.read(new Uint8Array(1)); // what is left unread makes the end one that is noticed at once
    }
    await server.program.until("stderr", /record 2\n/);
    await Deno.writeTextFile(`${files.path}/go`, "");
    for (const n of [2, 3, 4, 5, 6, 7, 8, 9]) {
      await server.program.until("stderr", new RegExp(`record ${n}\\n`));
    }
  },
});

/** Handlers that send for as long as somebody is there. */
const streams = {
  "generator.py": `
def handle(record, peer):
    while True: yield record
def close(): print("closed")
`,
  "async.py": `
import asyncio
async def handle(record, peer): return each(record)
async def each(record):
    while True:
        yield record
        await asyncio.sleep(0)
def close(): print("closed")
`,
  "send.py": `
def handle(record, peer):
    while True: peer.send(record)
def close(): print("closed")
`,
  "generator.mjs": `
export function* handle(record) { for (;;) yield record; }
export const close = () => console.log("closed");
`,
};

for (const name of Object.keys(streams)) {
  Deno.test({
    name: `struct-line: ${name} streams to a peer until that has gone${note}`,
    ignore,
    async fn() {
      await using files = await folder(streams);
      const handler = ["--handler", `${files.path}/${name}`, "--grace", "1"];
      await using server = await serve(["--format", "B", ...handler, ...QUIET]);
      const buffer = new Uint8Array(1000);
      for (const n of [1, 2, 3]) {
        using conn = await server.connect();
        await conn.write(Uint8Array.of(n));
        for (let got = 0; got < 3000;) {
          const length = (await conn.read(buffer))!;
          assertEquals(buffer.subarray(0, length).every((byte) => byte === n), true);
          got += length;
        }
        if (n < 3) continue;
        // One that is in the midst of it at the end is ended.
        const { code, stderr } = await server.stop();
        assertEquals(code, 0);
        assertStringIncludes(stderr, "| closed\n");
        assertStringIncludes(stderr, "3 records received");
      }
    },
  });
}

Deno.test({
  name: `struct-line --exec-persistent answers each line with one, of any number of records${note}`,
  ignore,
  async fn() {
    const script = `
import json, sys
print("begun", file=sys.stderr, flush=True)
for line in sys.stdin:
    record = json.loads(line)
    n = record["n"]
    answer = [None, record, [record, record], [], {"status": "error", "error": "no four"}][n]
    print(json.dumps(answer), flush=True)
`;
    await using files = await folder({ "lines.py": script });
    const format = ["--format", "!B", "--fields", "n"];
    const exec = ["--exec-persistent", `${PYTHON} ${files.path}/lines.py`];
    await using server = await serve([...format, ...exec, ...QUIET]);
    const { stdout } = await server.client([...format, "--count", "3"], {
      input: "[0]\n[3]\n[4]\n[1]\n[2]\n",
    });
    assertEquals(stdout, '{"n":1}\n{"n":2}\n{"n":2}\n');
    const { stderr } = await server.stop();
    assertStringIncludes(stderr, "Handling a record failed: no four");
    assertEquals(stderr.match(/\| begun/g)?.length, 1);
  },
});

Deno.test({
  name: `struct-line says that a handler is slower than the records come${note}`,
  ignore,
  async fn() {
    const script = "import time\ndef handle(record, peer): time.sleep(0.4)";
    await using files = await folder({ "slow.py": script });
    await using server = await serve([
      "--format",
      "B",
      "--handler",
      `${files.path}/slow.py`,
      ...QUIET,
    ]);
    using conn = await server.connect();
    await conn.write(new Uint8Array(20));
    await server.program.until(
      "stderr",
      /warning: The handler is slower than 127\.0\.0\.1:\d+ sends records: the sender has to wait/,
    );
  },
});

Deno.test({
  name:
    `struct-line server sends what a handler in Python sends and returns in the order in which it does${note}`,
  ignore,
  async fn() {
    const handler = `
def handle(record, peer):
    n, what = record
    if n % 2: return (n, 1), (n, 2)
    peer.send(n, 1)
    return n, 2
`;
    await using files = await folder({ "both.py": handler });
    const format = ["--format", "<IB"];
    const args = [...format, "--handler", `${files.path}/both.py`, ...QUIET];
    await using server = await serve(args);
    const all = Array.from({ length: 2000 }, (_, n) => n);
    const { stdout } = await server.client([...format, "--output", "csv", "--count", "4000"], {
      input: all.map((n) => `${n},0\n`).join(""),
    });
    assertEquals(stdout, all.map((n) => `${n},1\n${n},2\n`).join(""));
  },
});

Deno.test("struct-line --count counts no more records than that, also where several are handled at once", async () => {
  await using files = await folder({ "slow.mjs": "export default async () => {};" });
  const args = ["--handler", `${files.path}/slow.mjs`, "--concurrency", "2", "--count", "1"];
  await using server = await serve(["--format", "!H", ...args]);
  using conn = await server.connect();
  await conn.write(Uint8Array.of(0, 1, 0, 2)); // together
  const { stdout, stderr } = await server.program.result();
  assertEquals(stdout, "[1]\n");
  assertStringIncludes(stderr, "\n1 record received, 0 sent, 1 connection\n");
});

Deno.test("struct-line server sends the records in arrays of numpy", {
  ignore: NUMPY === undefined,
}, async () => {
  await using files = await folder({
    "arrays.py": `
import numpy as np
def handle(record, peer):
    records = np.array([(1, 0.5), (2, 1.5)], dtype="<u4,<f8")
    if record[0] == 1: return records
    if record[0] == 2: return records[1]
    return np.array([[3, 4], [5, 6]])
`,
  });
  const format = ["--format", "<Id"];
  const handler = ["--handler", `${files.path}/arrays.py`, "--python", NUMPY!];
  await using server = await serve([...format, ...handler, ...QUIET]);
  const { stdout } = await server.client([...format, "--count", "5"], {
    input: "[1,0]\n[2,0]\n[3,0]\n",
  });
  assertEquals(stdout, "[1,0.5]\n[2,1.5]\n[2,1.5]\n[3,4]\n[5,6]\n");
});

Deno.test({
  name: `struct-line says that a handler in Python needs 3.14 for complex numbers${note}`,
  ignore,
  async fn() {
    // As an earlier Python does, whichever this is.
    const handler = `
import struct
def Struct(format): raise struct.error("bad char in struct format")
struct.Struct = Struct
def handle(record, peer): pass
`;
    await using files = await folder({ "complex.py": handler });
    const args = ["struct-line", "server", "--port", "0", "--handler", `${files.path}/complex.py`];
    const { code, stderr } = await labwire([...args, "--format", "<IF"]);
    assertMatch(
      stderr,
      /^error: Cannot load handler ".*": this is Python 3\.\d+; complex numbers \(F, D\) in records need 3\.14\n$/,
    );
    assertEquals(code, 2);
  },
});

Deno.test("struct-line refuses what is no handler, and several", async () => {
  await using files = await folder({
    "none.py": "x = 1",
    "a.rb": "",
    "bad.mjs": "export const x = 1;",
  });
  const says = async (...args: string[]) => {
    const { code, stderr } = await labwire(["struct-line", "server", "--port", "0", ...args]);
    assertEquals(code, 2);
    return stderr;
  };
  assertStringIncludes(await says("--handler", `${files.path}/a.rb`), "ends in .py, .js");
  assertStringIncludes(
    await says("--handler", `${files.path}/bad.mjs`),
    'expected "export default function (values, line) { … }"',
  );
  assertStringIncludes(
    await says("--handler", `${files.path}/none.py`),
    'expected "def handle(record, peer): …"',
  );
});
