/** villas-echo with handlers in Python and programs. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type BatchHandler,
  bindDatagram,
  parseAddress,
  type Sample,
  startVillasEcho,
  villasProtobuf,
} from "../../mod.ts";
import { open } from "../handlers/python/open.ts";
import { NUMPY, PYTHON } from "../interop/python.ts";
import { folder, interrupt } from "./json_serve.ts";
import { start } from "./run.ts";

/** An echo with these options and a node that it answers. */
async function lab(args: string[], cwd: string) {
  const node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const { port } = node.addr as Deno.NetAddr;
  const program = start([
    ...["villas-echo", "--listen", "127.0.0.1:0", "--remote", `127.0.0.1:${port}`],
    ...["--output", "none", ...args],
  ], { cwd });
  const [, address] = await program.until("stderr", /Listening on ([^\s,]+),[^]*Ready/);
  const to = parseAddress(address!);
  return {
    node,
    program,
    send: (...samples: Sample[]) => node.send(villasProtobuf.encode(samples), to),
    receive: async () => villasProtobuf.decode((await node.receive())!.bytes),
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await node.close();
    },
  };
}

const origin = { sec: 1_700_000_000, nsec: 123_456_789 };
const sample = (sequence: bigint, ...values: Sample["values"]): Sample => ({
  type: "data",
  sequence,
  origin,
  values,
});

const HANDLE = `
def handle(sample):
    n = sample.sequence
    if n == 1: return None
    if n == 2: raise ValueError("no twos")
    if n == 3: return [sample, sample.replace(sequence=33)]
    if n == 4: return sample.values + [1.0]
    if n == 5: return {"values": [2, 2, True, 1], "sequence": 55}
    if n == 6: return [float(sample.origin_ts[1]), sample.origin_ts[0], sample.origin > 1.7e9, 0j]
    if n == 7: return "nonsense"
    x, i, b, c = sample.values
    assert [type(v) for v in sample.values] == [float, int, bool, complex]
    sample.values = [x * 2, i + 1, not b, c.conjugate()]
    return sample
`;

Deno.test("villas-echo --handler double.py: what handle() returns goes back, and nothing that could harm", async () => {
  await using files = await folder({ "double.py": HANDLE });
  await using it = await lab(["--handler", "double.py", "--python", PYTHON], files.path);
  const values = [1.5, 2n ** 62n, true, { real: 1, imag: 2 }];
  const ask = async (n: bigint) => {
    await it.send(sample(n, ...values));
    return await it.receive();
  };
  const changed = [3, 2n ** 62n + 1n, false, { real: 1, imag: -2 }];
  assertEquals(await ask(0n), [sample(0n, ...changed)]);
  for (const n of [1n, 2n, 4n, 7n]) await it.send(sample(n, ...values));
  assertEquals(await ask(3n), [sample(3n, ...values), sample(33n, ...values)]);
  assertEquals(await ask(5n), [sample(55n, 2, 2n, true, { real: 1, imag: 0 })]);
  assertEquals(await ask(6n), [
    sample(6n, 123_456_789, 1_700_000_000n, true, { real: 0, imag: 0 }),
  ]);
  await it.send(sample(1n, ...values), sample(8n, ...values), sample(9n, ...values));
  assertEquals(await it.receive(), [sample(8n, ...changed), sample(9n, ...changed)]);
  const { code, stderr } = await interrupt(it.program);
  assertEquals(code, 0);
  assertStringIncludes(stderr, "The handler threw: no twos (double.py:5)");
  assertStringIncludes(stderr, "Refused a reply of 5 values: expected at most 4");
  assertStringIncludes(stderr, "9 messages, 11 samples");
  assertStringIncludes(stderr, "5 replies, 0 invalid, 2 refused");
  assertStringIncludes(stderr, "1 failed");
});

Deno.test("villas-echo: a handler in Python is told when a sample was received, and the reply does not say it", async () => {
  const source = `
import time
def handle(sample):
    age = time.time() - sample.received
    assert -1 < age < 60 and sample.received_ts[0] == int(sample.received), sample.received
    if sample.sequence == 2: sample.received = 1.5
    return sample
`;
  await using files = await folder({ "when.py": source });
  await using it = await lab(["--handler", "when.py", "--python", PYTHON], files.path);
  await it.send(sample(1n, 1.5));
  assertEquals(await it.receive(), [sample(1n, 1.5)]);
  await it.send(sample(2n, 1.5));
  const received = { sec: 1, nsec: 500_000_000 };
  assertEquals(await it.receive(), [{ ...sample(2n, 1.5), received }]);
});

const WRONG = `
class Wrong:
    def __repr__(self): return "wrong"
def handle(sample):
    n = sample.sequence
    if n == 0: sample.values[0] = True
    if n == 1: sample.values[1] = 2.0
    if n == 2: sample.values[2] = 1
    if n == 3: sample.values[1] = 2j
    if n == 4: sample.sequence = -1
    if n == 5: sample.new_frame = Wrong()
    if n == 6: sample.origin_ts = (1.5, 2)
    if n == 7: sample.origin = "now"
    if n == 8: sample.values[0] = "high"
    return sample
`;

Deno.test("villas-echo says in words of every language what a handler in Python may not return", async () => {
  await using opened = await open(WRONG, {}, { kind: "samples" });
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  let told = Promise.withResolvers<string>();
  await using echo = await startVillasEcho({
    listen: "127.0.0.1:0",
    remote: node.addr,
    batchHandler: opened.module.exports.handle_batch as BatchHandler,
    onProblem: ({ message }) => told.resolve(message),
  });
  const refused = "of what the handler returned: expected";
  const integer = "an integer (in JavaScript a bigint, such as 1n)";
  const expected = [
    `Refused value 0 ${refused} a float, got the boolean true`,
    `Refused value 1 ${refused} ${integer}, got the float 2.0`,
    `Refused value 2 ${refused} a boolean, got the integer 1`,
    `Refused value 1 ${refused} ${integer}, got the complex number (0, 2)`,
    `Refused sequence ${refused} an integer from 0 to 2^64 - 1, got -1`,
    `Refused new_frame ${refused} True or False, got wrong`,
    `Refused origin ${refused} s since 1970, or (s, ns) in integers, got (1.5, 2)`,
    "The handler threw: Cannot take 'now' for a time: expected s since 1970, or (s, ns)",
    "Refused a value of what the handler returned: expected a number, got a str",
  ];
  for (const [n, text] of expected.entries()) {
    told = Promise.withResolvers();
    await node.send(villasProtobuf.encode([sample(BigInt(n), 1.5, 2n, true)]), echo.addr);
    assertEquals(await told.promise, text);
  }
});

Deno.test("villas-echo says what is wrong in the order of the messages, those that are handled together too", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const sizes: number[] = [];
  const batchHandler: BatchHandler = async (samples, messages) => {
    sizes.push(samples.length);
    begun.resolve();
    await go.promise;
    const second = messages.indexOf(1);
    const wrong = { refused: true, text: "nonsense" };
    return {
      replies: samples.map((sample, index) => ({ index, sample: { ...sample, values: [1, 2] } })),
      faults: second < 0 ? [] : [{ message: 1, ...wrong }],
      seconds: 1e-6,
    };
  };
  const told: string[] = [];
  const both = Promise.withResolvers<void>();
  await using echo = await startVillasEcho({
    listen: "127.0.0.1:0",
    remote: node.addr,
    batchHandler,
    onProblem: ({ message }) => told.push(message) === 3 && both.resolve(),
  });
  const send = (n: bigint) => node.send(villasProtobuf.encode([sample(n, 1)]), echo.addr);
  await send(0n);
  await begun.promise;
  await send(1n);
  await send(2n);
  while (echo.stats.messages < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  go.resolve();
  await both.promise;
  const refused = "Refused a reply of 2 values: expected at most 1";
  assertEquals(sizes, [1, 2]);
  assertEquals(told.map((text) => text.startsWith(refused)), [true, true, false]);
  assertEquals(told[2], "nonsense");
});

Deno.test("villas-echo: handle_batch() gets samples together, as a table or one by one", async () => {
  await using files = await folder({
    "lists.py": `
def handle_batch(samples):
    print(len(samples), "of", [s.sequence for s in samples])
    for sample in samples:
        sample.values = [2 * v for v in sample.values]
    return samples
`,
    "rows.py":
      "def handle_batch(samples): return [[2 * v for v in row] for row in samples.values]\n",
    "some.py":
      "def handle_batch(samples): return [s.replace(values=[2 * v for v in s.values]) for s in samples if s.sequence % 2]\n",
    "none.py": "def handle_batch(samples): return None\n",
  });
  const all = [sample(1n, 1, 2), sample(2n, 3, 4), sample(3n, 5, 6)];
  const doubled = [sample(1n, 2, 4), sample(2n, 6, 8), sample(3n, 10, 12)];
  for (const file of ["lists.py", "rows.py"]) {
    await using it = await lab(["--handler", file], files.path);
    await it.send(...all);
    assertEquals(await it.receive(), doubled);
    await it.send(sample(1n, 1n, 2), sample(2n, 2n, 2n ** 60n));
    assertEquals(await it.receive(), [sample(1n, 2n, 4), sample(2n, 4n, 2n ** 61n)]);
  }
  await using some = await lab(["--handler", "some.py"], files.path);
  await some.send(...all);
  assertEquals(await some.receive(), [doubled[0]!, doubled[2]!]);
  await using none = await lab(["--handler", "none.py"], files.path);
  await none.send(...all);
  const { stderr } = await interrupt(none.program);
  assertStringIncludes(stderr, "0 replies");
});

const TABLES = `
import numpy as np
def handle_batch(samples):
    first = samples[0].sequence
    table = samples.values
    assert isinstance(table, np.ndarray) and table.shape == (len(samples), 3), table
    if first == 1: return table * 2
    if first == 2:
        samples.values = table * 2
        return samples
    if first == 3:
        samples.values *= 2
        return samples
    if first == 4:
        for sample in samples: sample.values = np.asarray(sample.values) * 2
        return samples
    if first == 5: return table[:, :2] * 2
    return table.astype(int) + 1
`;

Deno.test("villas-echo: handle_batch() takes and gives arrays of numpy", {
  ignore: NUMPY === undefined,
}, async () => {
  await using files = await folder({ "table.py": TABLES });
  const args = ["--handler", "table.py", "--python", NUMPY!];
  await using it = await lab(args, files.path);
  for (const n of [1n, 2n, 3n, 4n]) {
    await it.send(sample(n, 1, 2.5, -3), sample(10n, 4, 5, 6));
    assertEquals(await it.receive(), [sample(n, 2, 5, -6), sample(10n, 8, 10, 12)]);
  }
  await it.send(sample(5n, 1, 2.5, -3));
  assertEquals(await it.receive(), [sample(5n, 2, 5)]);
  await it.send(sample(6n, 1, 2.5, -3));
  assertEquals(await it.receive(), [sample(6n, 2, 3, -2)]);
  await it.send(sample(7n, 1n, 2n, -3n));
  assertEquals(await it.receive(), [sample(7n, 2n, 3n, -2n)]);
});

Deno.test("villas-echo: a program answers with lines of JSON", async () => {
  await using files = await folder({
    "once.py": `
import json, sys
sample = json.load(sys.stdin)
sample["data"] = [2 * v for v in sample["data"]]
if sample["sequence"] != 2: print(json.dumps(sample))
`,
    "kept.py": `
import json, sys
for line in sys.stdin:
    sample = json.loads(line)
    print(json.dumps({"data": [int(v) for v in sample["data"]]}), flush=True)
`,
  });
  await using once = await lab(["--exec", `${PYTHON} once.py`], files.path);
  await once.send(sample(2n, 1.5));
  await once.send(sample(3n, 1.5, 2n));
  assertEquals(await once.receive(), [sample(3n, 3, 4n)]);
  await using kept = await lab(["--exec-persistent", `${PYTHON} kept.py`], files.path);
  await kept.send(sample(3n, 1.5, 2n));
  assertEquals(await kept.receive(), [sample(3n, 1, 2n)]);
});

Deno.test("villas-echo --exec: the program for a message may finish its work after Ctrl-C, within the grace", async () => {
  await using files = await folder({
    "slow.py": `
import json, os, socket, sys, time
sample = sys.stdin.readline()
node = ("127.0.0.1", int(json.loads(sample)["data"][0]))
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"begun", node)
while not os.path.exists("go"): time.sleep(0.001)
print(sample)
`,
  });
  await using it = await lab(["--exec", `${PYTHON} slow.py`], files.path);
  const { port } = it.node.addr as Deno.NetAddr;
  await it.send(sample(7n, port));
  await it.node.receive(); // from the program
  it.program.interrupt();
  await it.program.until("stderr", /Waiting up to 5 s for 1 message/);
  await Deno.writeTextFile(`${files.path}/go`, "");
  assertEquals(await it.receive(), [sample(7n, port)]);
  const { code, stderr } = await it.program.result();
  assertEquals(code, 0);
  assertStringIncludes(stderr, "1 reply");
});

for (const option of ["--exec", "--exec-persistent"]) {
  Deno.test(`villas-echo ${option}: what goes wrong is told as a program's`, async () => {
    await using files = await folder({
      "bad.py": 'import sys\nsys.stdin.readline()\nsys.exit("not today")\n',
    });
    await using it = await lab([option, `${PYTHON} -u bad.py`], files.path);
    await it.send(sample(0n, 1));
    await it.program.until("stderr", /warning: The program failed: .*\n/);
  });
}

Deno.test("villas-echo drops, counts and tells what a handler is too slow for", async () => {
  await using files = await folder({
    "slow.py": `
import os, time
def handle(sample):
    while not os.path.exists("go"): time.sleep(0.001)
    return sample
`,
  });
  await using it = await lab(["--handler", "slow.py"], files.path);
  const sent = 3000;
  for (let n = 0; n < sent; n++) {
    await it.send(sample(BigInt(n), 1));
    if (n % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await it.program.until("stderr", /Dropped a message: the handler is too slow/);
  await Deno.writeTextFile(`${files.path}/go`, "");
  const [first] = await it.receive();
  assertEquals(first!.sequence, 0n);
  const { stderr } = await interrupt(it.program);
  const [, messages, replies, dropped] = /(\d+) messages,.* (\d+) replies,.* (\d+) dropped/.exec(
    stderr,
  )!.map(Number);
  assert(dropped! > 0);
  assertEquals(replies, messages! - dropped!);
});
