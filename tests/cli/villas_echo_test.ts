import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { within } from "../../lib/time/deadline.ts";
import { bindDatagram, type Sample, villasProtobuf } from "../../mod.ts";
import { fixtureText, hexLines } from "../fixtures/read.ts";
import { type Child, labwire, programCommand, type Running, start, startServer } from "./run.ts";
import { runHere } from "./run_here.ts";

const lab19 = await hexLines("lab19.hex");

/** A node on a free port and the real villas-echo for it, ready. */
async function lab(args: string[], begin: (args: string[]) => Running = startServer) {
  const own = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const { port } = own.addr as Deno.NetAddr;
  const program = begin([
    "villas-echo",
    "--listen",
    "127.0.0.1:0",
    "--remote",
    `127.0.0.1:${port}`,
    ...args,
  ]);
  const [, listening] = await program.until(
    "stderr",
    /Listening on 127\.0\.0\.1:(\d+)[^]*Ready\. Ctrl-C to quit\./,
  );
  const to = { hostname: "127.0.0.1", port: Number(listening) };
  return {
    node: own,
    program,
    to,
    ask: async (bytes: Uint8Array) => {
      await own.send(bytes, to);
      return (await own.receive())!.bytes.slice();
    },
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await own.close();
    },
  };
}

/** What one of something is called in the summary, and what several are. */
const plural: Readonly<Record<string, string>> = {
  message: "messages",
  sample: "samples",
  byte: "bytes",
  reply: "replies",
  duplicate: "duplicates",
  restart: "restarts",
};

/** The counters of the summary by name. */
function counters(stderr: string): Record<string, number> {
  const summary = stderr.split("\n").find((line) => /^\d+ messages?, /.test(line))!;
  return Object.fromEntries(
    summary.split(", ").map((part) => part.split(" ") as [string, string])
      .map(([count, name]) => {
        assertEquals(name in plural, count === "1" && name in plural, summary);
        return [plural[name] ?? name, Number(count)];
      }),
  );
}

async function stopped(program: Running) {
  program.interrupt();
  return await program.result();
}

Deno.test("villas-echo prints Lab 19 as JSON, sends it back, and sums up on Ctrl-C", async () => {
  await using it = await lab([]);
  for (const bytes of lab19) assertEquals(await it.ask(bytes), bytes);
  await it.program.until("stdout", /(.*\n){3}/);
  const { code, stdout, stderr } = await stopped(it.program);
  assertEquals(code, 0);
  const samples = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(samples.map(({ sequence }) => sequence), [0, 1, 2]);
  assertEquals(samples[0].ts.origin, [1795198434, 75892116]);
  assertEquals(samples[0].data, [
    0.2224543244941722,
    0.0015176776955846925,
    -1,
    0.9990338160000001,
    0.000241546,
  ]);
  assertStringIncludes(stdout, " -1.0, ");
  const bytes = lab19.reduce((sum, { length }) => sum + length, 0);
  const { messages, samples: n, replies, invalid, refused, ignored, missed } = counters(stderr);
  assertEquals([messages, n, replies, invalid, refused, ignored, missed], [3, 3, 3, 0, 0, 0, 0]);
  assertEquals(counters(stderr).bytes, bytes);
  assertMatch(stderr, /^Start client\.\.\.\n[^]*Bye\.\n$/);
});

Deno.test({
  name: "villas-echo ends in order on SIGTERM (not on Windows, which has no such signal)",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using it = await lab(["--output", "none"], start);
    await it.ask(lab19[0]!);
    (it.program as Child).process.kill("SIGTERM");
    const { code, stdout, stderr } = await it.program.result();
    assertEquals([code, stdout, counters(stderr).messages], [0, "", 1]);
  },
});

Deno.test("villas-echo --output text prints what the Python client printed, byte for byte", async () => {
  const printed = (await fixtureText("lab19.client.txt")).split("Ready. Ctrl-C to quit.\n")[1]!;
  const samples: Sample[] = [...printed.matchAll(/samples \{[^]*?\n\}/g)].map(([block]) => ({
    type: "data",
    sequence: BigInt(/sequence: (\d+)/.exec(block)![1]!),
    origin: {
      sec: Number(/sec: (\d+)/.exec(block)![1]),
      nsec: Number(/nsec: (\d+)/.exec(block)![1]),
    },
    values: [...block.matchAll(/f: (\S+)/g)].map(([, digits]) => Number(digits)),
  }));
  assertEquals(samples.length, 3);
  await using it = await lab(["--output", "text", "--count", "3"]);
  for (const sample of samples) await it.ask(villasProtobuf.encode([sample]));
  assertEquals((await it.program.result()).stdout, printed);
});

Deno.test("villas-echo --output villas.human prints as VILLASnode's print hook does", async () => {
  await using it = await lab(["--output", "villas.human", "--count", "1"]);
  await it.ask(villasProtobuf.encode([{
    type: "data",
    sequence: 4n,
    origin: { sec: 1, nsec: 2 },
    newFrame: true,
    values: [0.5, -3n, true, { real: 1, imag: -2 }],
  }]));
  const { stdout, stderr } = await it.program.result();
  assertMatch(
    stderr,
    /^1 message, 1 sample, \d+ bytes, \d+\.\d messages\/s, 1 reply, 0 invalid, .*, 0 restarts$/m,
  );
  assertMatch(
    stdout,
    /^1\.000000002\+\d\.\d{6}e\+09\(4\)F\t0\.50000000000000000\t-3\t1\t1\.0{17}-2\.0{17}i\n$/,
  );
});

Deno.test("villas-echo --constant keeps sequence, timestamps and kinds", async () => {
  await using it = await lab(["--constant", "-1,2,1,9007199254740993,inf", "--output", "none"]);
  const sample: Sample = {
    type: "data",
    sequence: 9n,
    origin: { sec: 1, nsec: 2 },
    values: [0, 0n, false, 0n, 0.5],
  };
  const [reply] = villasProtobuf.decode(await it.ask(villasProtobuf.encode([sample])));
  assertEquals(reply, { ...sample, values: [-1, 2n, true, 9007199254740993n, Infinity] });
});

Deno.test("villas-echo --handler works out the reply, and survives its exceptions", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/factor.js`, "export const factor = 2;\n");
    await Deno.writeTextFile(
      `${folder}/double.js`,
      `import { factor } from "./factor.js";
       export default async (sample) => {
         if (sample.sequence === 0n) throw new Error("not this one");
         if (sample.sequence === 1n) return null;
         if (sample.sequence === 4n) throw Object.create(null);
         if (sample.sequence === 5n) {
           throw new Proxy(new Error(), { getPrototypeOf: () => { throw new Error(); } });
         }
         if (sample.sequence === 2n) return { ...sample, values: [1n] };
         return { ...sample, values: sample.values.map((value) => value * factor) };
       };`,
    );
    await using it = await lab(["--handler", `${folder}/double.js`, "--output", "none", "--debug"]);
    const message = (n: bigint) =>
      villasProtobuf.encode([{ type: "data", sequence: n, values: [1.5] }]);
    for (const n of [0n, 1n, 4n, 5n, 2n]) await it.node.send(message(n), it.to);
    const [reply] = villasProtobuf.decode(await it.ask(message(3n)));
    assertEquals([reply!.sequence, reply!.values], [3n, [3]]);
    const { code, stderr } = await stopped(it.program);
    assertEquals(code, 0);
    assertStringIncludes(stderr, "The handler threw: not this one");
    assertMatch(stderr, /Error: not this one\n +at .*double\.js/);
    assertStringIncludes(stderr, "Refused value 0 of what the handler returned: expected a float");
    const { messages, replies, refused, failed } = counters(stderr);
    assertEquals([messages, replies, refused, failed], [6, 1, 1, 3]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("villas-echo says what is wrong with a handler before it starts", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const run = async (name: string, text?: string) => {
      if (text !== undefined) await Deno.writeTextFile(`${folder}/${name}`, text);
      const { code, stderr } = await labwire([
        "villas-echo",
        "--listen",
        "127.0.0.1:0",
        "--handler",
        `${folder}/${name}`,
      ]);
      assertEquals(code, 2);
      assert(!stderr.includes("    at "), "no stack trace");
      return stderr;
    };
    assertStringIncludes(await run("missing.js"), "no such file");
    assertStringIncludes(
      await run("none.js", "export const a = 1;"),
      'expected "export default (sample) => sample"',
    );
    assertStringIncludes(await run("broken.js", "export default ("), "Cannot load handler");
    if (Deno.env.get("LABWIRE_BIN")) {
      assertStringIncludes(
        await run("typed.ts", "export default (s: unknown) => s;"),
        "rename it to .js",
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("villas-echo reports garbage between good datagrams, answers none of it, and counts exactly", async () => {
  await using it = await lab(["--output", "none"]);
  for (let i = 0; i < 50; i++) {
    await it.node.send(new Uint8Array([255, i]), it.to);
    await it.node.send(lab19[0]!.subarray(0, 20), it.to);
    const good = villasProtobuf.encode([{ type: "data", sequence: BigInt(i), values: [i] }]);
    assertEquals(await it.ask(good), good);
  }
  await it.node.send(villasProtobuf.encode([{ type: "stop", values: [] }]), it.to);
  await it.ask(new Uint8Array());
  const { code, stderr } = await stopped(it.program);
  assertEquals(code, 0);
  const { messages, replies, invalid, refused } = counters(stderr);
  assertEquals([messages, replies, invalid, refused], [52, 51, 100, 1]);
  assertMatch(stderr, /warning: Cannot decode VILLAS message of 2 bytes at byte \d/);
  assert(stderr.split("Cannot decode").length - 1 < 50, "said at most once a second");
});

Deno.test("villas-echo ignores strangers, names each, and --any-source --reply-to sender answers them", async () => {
  await using stranger = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  {
    await using it = await lab(["--output", "none"]);
    await stranger.send(lab19[0]!, it.to);
    await stranger.send(lab19[1]!, it.to);
    await it.ask(lab19[2]!);
    const { stderr } = await stopped(it.program);
    assertEquals([counters(stderr).ignored, counters(stderr).messages], [2, 1]);
    const named = stderr.split("\n").filter((line) => line.includes("--any-source"));
    assertEquals(named.length, 1);
    assertStringIncludes(named[0]!, `127.0.0.1:${(stranger.addr as Deno.NetAddr).port}`);
  }
  await using it = await lab(["--any-source", "--reply-to", "sender", "--output", "none"]);
  await stranger.send(lab19[0]!, it.to);
  assertEquals((await stranger.receive())!.bytes, lab19[0]!);
});

Deno.test("villas-echo --count and --duration end it with 0", async () => {
  await using counted = await lab(["--count", "2"]);
  await counted.ask(lab19[0]!);
  await counted.ask(lab19[1]!);
  assertEquals((await counted.program.result()).code, 0);
  const { code, stderr } = await labwire([
    "villas-echo",
    "--listen",
    "127.0.0.1:0",
    "--duration",
    "0.05",
  ]);
  assertEquals([code, counters(stderr).messages], [0, 0]);
});

Deno.test("villas-echo answers a flood and counts it exactly", async () => {
  await using it = await lab(["--output", "none"]);
  const total = 20_000, window = 32;
  const message = (i: number) =>
    villasProtobuf.encode([{ type: "data", sequence: BigInt(i), values: [i] }]);
  for (let i = 0; i < window; i++) await it.node.send(message(i), it.to);
  for (let i = 0; i < total; i++) {
    const [sample] = villasProtobuf.decode((await it.node.receive())!.bytes);
    assertEquals(sample!.sequence, BigInt(i));
    if (i + window < total) await it.node.send(message(i + window), it.to);
  }
  const { stderr } = await stopped(it.program);
  const { messages, samples, replies, missed, reordered, duplicates, restarts } = counters(stderr);
  assertEquals([messages, samples, replies], [total, total, total]);
  assertEquals([missed, reordered, duplicates, restarts], [0, 0, 0, 0]);
});

Deno.test("villas-echo ends on Ctrl-C although its handler hangs, and survives a rejection that it lost", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/hang.js`,
      `export default () => { Promise.reject(new Error("lost")); return new Promise(() => {}); };`,
    );
    await using it = await lab(["--handler", `${folder}/hang.js`, "--grace", "0.3"]);
    await it.node.send(lab19[0]!, it.to);
    await it.program.until("stderr", /Unhandled rejection: lost/);
    const { code, stderr } = await stopped(it.program);
    assertEquals([code, counters(stderr).messages], [0, 1]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("villas-echo ends quietly when nobody reads its output any more", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const remote = `127.0.0.1:${(node.addr as Deno.NetAddr).port}`;
  const [program, before] = programCommand();
  await using process = new Deno.Command(program, {
    args: [...before, "villas-echo", "--listen", "127.0.0.1:0", "--remote", remote],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await process.stdout.cancel();
  let said = "";
  let sent = false;
  for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    const port = /Listening on 127\.0\.0\.1:(\d+)[^]*Ready/.exec(said)?.[1];
    if (port === undefined || sent) continue;
    sent = true;
    await node.send(lab19[0]!, { hostname: "127.0.0.1", port: Number(port) });
  }
  assertEquals([(await process.status).code, said.includes("error:")], [0, false]);
  assertEquals(counters(said).messages, 1);
});

Deno.test("villas-echo says what is wrong with its options", async () => {
  await using taken = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const { port } = taken.addr as Deno.NetAddr;
  const wrong: [string[], string][] = [
    [["--listen", "12001x"], 'Cannot parse address "12001x": expected "HOST:PORT"'],
    [
      ["--listen", `127.0.0.1:${port}`],
      `Cannot listen on "127.0.0.1:${port}": another program uses this address; --listen takes another one`,
    ],
    [["--remote", "localhost:70000"], "expected a port from 0 to 65535"],
    [["--count", "0"], 'Cannot read --count "0": expected a whole number of at least 1'],
    [["--output", "xml"], "expected one of json, text, villas.human, none"],
    [
      ["--signals", "5x"],
      'Cannot read signals "5x": expected VILLASnode\'s notation, such as 5f1i',
    ],
    [["--constant", "1,x"], "expected numbers with commas between them"],
    [["--constant", "1", "--handler", "x.js"], "--constant and --handler together"],
    [["--lisen", ":1"], 'did you mean "--listen"?'],
    [["--layer", "unix", "--listen", "127.0.0.1:1"], "expected a path"],
    [["--listen", "/tmp/x"], 'expected "HOST:PORT"'],
    [["extra"], 'Unexpected argument "extra" of villas-echo: expected options only'],
    [["double.py"], "expected --handler double.py"],
    [["--count"], "expected --count N"],
  ];
  for (const [args, message] of wrong) {
    const { code, stdout, stderr } = await labwire(["villas-echo", ...args]);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertStringIncludes(stderr, `error: `);
    assertStringIncludes(stderr, message);
  }
  assertEquals((await labwire(["villas-echo", "--remote", "nobody.invalid:1"])).code, 4);
});

Deno.test({
  name:
    "villas-echo --layer unix waits for the other socket and removes its own (not on Windows, which has none)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const [client, server] = [`${folder}/client.sock`, `${folder}/server.sock`];
      const stale = Deno.listenDatagram({ transport: "unixpacket", path: client });
      stale.close();
      await using program = start([
        "villas-echo",
        "--layer",
        "unix",
        "--listen",
        client,
        "--remote",
        server,
      ]);
      await program.until("stderr", /Not connected\. Retrying in 1 s/);
      await using node = await bindDatagram({ listen: { path: server } });
      await node.send(lab19[0]!, { path: client });
      assertEquals((await node.receive())!.bytes, lab19[0]!);
      const { code } = await stopped(program);
      assertEquals([code, [...Deno.readDirSync(folder)].map(({ name }) => name)], [0, [
        "server.sock",
      ]]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "villas-echo --layer unix ends although the other end does not read (not on Windows)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const [client, server] = [`${folder}/client.sock`, `${folder}/server.sock`];
      await using node = await bindDatagram({ listen: { path: server } });
      const addresses = ["--layer", "unix", "--listen", client, "--remote", server];
      const options = ["--output", "none", "--grace", "0.3"];
      await using program = start(["villas-echo", ...addresses, ...options]);
      await program.until("stderr", /Ready/);
      // Until both queues are full: the echo waits to send, and reads no more.
      let sending: Promise<unknown>;
      do sending = node.send(lab19[0]!, { path: client }).catch(() => "refused"); while (
        await within(sending, 0.3) !== undefined
      );
      program.process.kill("SIGTERM");
      const { code, stderr } = await program.result();
      assertEquals(code, 0);
      assertMatch(stderr, /messages, [^]*Bye\.\n$/);
      await sending;
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("villas-echo --quiet says nothing but errors", async () => {
  const { stderr } = await labwire([
    "villas-echo",
    "--quiet",
    "--listen",
    "127.0.0.1:0",
    "--duration",
    "0.01",
  ]);
  assertEquals(stderr, "");
});

Deno.test("villas-echo names --signals where a reply is refused for want of them, and obeys it", async () => {
  const sample = (...values: Sample["values"]) =>
    villasProtobuf.encode([{ type: "data", sequence: 1n, values }]);
  const constant = ["--constant", "1,2,3,4,5,6", "--output", "none"];
  {
    await using it = await lab(constant);
    await it.node.send(sample(0, 0, 0, 0, 0), it.to);
    await it.ask(new Uint8Array());
    const { stderr } = await stopped(it.program);
    assertEquals(counters(stderr).refused, 1);
    assertStringIncludes(
      stderr,
      "warning: Refused a reply of 6 values: expected at most 5, as many as were received; " +
        "--signals says what VILLASnode expects, as in --signals 5f1i",
    );
  }
  await using it = await lab([...constant, "--signals", "5f1i"]);
  const [reply] = villasProtobuf.decode(await it.ask(sample(0, 0, 0, 0, 0)));
  assertEquals(reply!.values, [1, 2, 3, 4, 5, 6n]);
  await it.node.send(villasProtobuf.encode([{ type: "start", values: [] }]), it.to);
  await it.ask(new Uint8Array());
  const { stderr } = await stopped(it.program);
  assertStringIncludes(stderr, "VILLASnode aborts on it\n"); // --signals would not help
});

Deno.test("villas-echo says which format a VILLASnode speaks that is set up otherwise", async () => {
  await using it = await lab(["--output", "none"]);
  const [human] = await hexLines("wire-human.hex");
  await it.node.send(human!, it.to);
  await it.ask(new Uint8Array());
  const { stderr } = await stopped(it.program);
  assertMatch(
    stderr,
    /it looks like VILLASnode's format villas\.human: set format = "protobuf" in that node of VILLASnode's configuration, or use --format villas\.human here \(from 127\.0\.0\.1:\d+\)/,
  );
  assertEquals(counters(stderr).invalid, 1);
});

Deno.test("villas-echo counts a damaged sequence number as one sample, and as many as there are", async () => {
  await using it = await lab(["--output", "none"]);
  const ask = (sequence: bigint) =>
    it.ask(villasProtobuf.encode([{ type: "data", sequence, values: [] }]));
  for (let i = 1n; i <= 40n; i++) {
    await ask(i === 20n ? i ^ 1n << 41n : i === 30n ? i ^ 1n << 15n : i);
  }
  for (const jump of [1n, 2n, 3n]) await ask(2n ** 63n + jump);
  const { stderr } = await stopped(it.program);
  const { missed, reordered, duplicates } = counters(stderr);
  assertEquals([missed, reordered, duplicates], [Number.MAX_SAFE_INTEGER, 2, 0]);
  assertStringIncludes(stderr, "9007199254740991 missed");
});

Deno.test("villas-echo --format csv answers with the column that VILLASnode reads", async () => {
  await using it = await lab(["--format", "csv", "--output", "none"]);
  const [csv] = await hexLines("wire-csv.hex");
  const reply = new TextDecoder().decode(await it.ask(csv!));
  assertMatch(reply, /^1795198509,681596698,0,0,0\.22245432449417221,0\.00269601730151600,/);
  await stopped(it.program);
});

Deno.test("villas-echo says before it starts what a format cannot carry", async () => {
  for (
    const [args, says] of [
      [["--format", "raw,bits=16"], "values are floats unless --signals says otherwise"],
      [["--format", "json", "--constant", "nan"], "expected a finite number"],
      [["--format", "iotagent_ul"], "does not read it"],
      [["--format", "cvs"], "did you mean"],
    ] as const
  ) {
    const { code, stderr } = await runHere(["villas-echo", "--listen", "127.0.0.1:0", ...args]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, says);
  }
});
