import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { bindDatagram, type Sample, villasFormat, villasProtobuf } from "../../mod.ts";
import { folder } from "./json_serve.ts";
import { labwire, type Running, start, startServer } from "./run.ts";

const windows = Deno.build.os === "windows";

/** An echo for whoever sends, that records, and the address to send to. */
async function recordingEcho(
  args: string[],
  begin: typeof start | typeof startServer = startServer,
) {
  const program: Running = begin([
    "villas-echo",
    ...["--listen", "127.0.0.1:0", "--any-source", "--reply-to", "sender", "--output", "none"],
    ...args,
  ]);
  const [, port] = await program.until("stderr", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready\./);
  return {
    program,
    to: `127.0.0.1:${port}`,
    async stop() {
      program.interrupt();
      return await program.result();
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** Sends samples to an echo and checks that they come back. */
async function send(to: string, ...args: string[]) {
  const result = await labwire([
    "villas-signal",
    "mixed",
    ...["--listen", "127.0.0.1:0", "--to", to, "--rate", "1000", "--output", "none", "--check"],
    ...args,
  ]);
  assertEquals(result.code, 0, result.stderr);
  return result;
}

/** The samples in a file. */
function samplesIn(path: string, format: string, signals?: string): Sample[] {
  const decoder = villasFormat(format, { signals }).stream.decoder();
  decoder.push(Deno.readFileSync(path));
  const samples: Sample[] = [];
  for (let sample; (sample = decoder.next());) samples.push(sample);
  assertEquals(decoder.end(), null);
  return samples;
}

Deno.test("villas-echo records what arrives and what it sends, in the format that the name says", async () => {
  await using files = await folder({});
  for (
    const [name, format] of [["a.dat", "villas.human"], ["a.csv", "csv"], ["a.jsonl", "json"], [
      "a.pb",
      "protobuf",
    ]]
  ) {
    const [received, sent] = [`${files.path}/${name}`, `${files.path}/sent-${name}`];
    await using echo = await recordingEcho([
      "--record",
      received,
      "--record-sent",
      sent,
      "--constant",
      "1.5,2.5",
    ]);
    await labwire([
      "villas-signal",
      "counter",
      "--values",
      "2",
      "--limit",
      "5",
      "--rate",
      "1000",
      "--listen",
      "127.0.0.1:0",
      "--to",
      echo.to,
      "--output",
      "none",
    ]);
    const { stderr } = await echo.stop();
    assertStringIncludes(stderr, `Recorded 5 samples in "${received}"`);
    assertStringIncludes(stderr, `Recorded 5 samples in "${sent}"`);
    const samples = samplesIn(received, format!, "2f");
    assertEquals(samples.map(({ values }) => values), [0, 1, 2, 3, 4].map((n) => [n, n]));
    assertEquals(samples.map(({ sequence }) => sequence), [0n, 1n, 2n, 3n, 4n]);
    assertEquals(
      samplesIn(sent, format!, "2f").map(({ values }) => values),
      samples.map(() => [1.5, 2.5]),
    );
  }
});

Deno.test("--record-format says what a recording is, whatever it is called", async () => {
  await using files = await folder({});
  const path = `${files.path}/run.log`;
  await using echo = await recordingEcho(["--record", path, "--record-format", "csv,separator=;"]);
  await send(echo.to, "--values", "2", "--limit", "3");
  await echo.stop();
  assertMatch(
    Deno.readTextFileSync(path),
    /^# secs;nsecs;offset;sequence;signal0;signal1\n(\d+;\d{9};[\d.]+;\d;[^;]+;[^;]+\n){3}$/,
  );
});

Deno.test("villas-signal records what comes back, and what it sends where nothing comes back", async () => {
  await using files = await folder({});
  const path = (name: string) => `${files.path}/${name}.dat`;
  await using echo = await recordingEcho([]);
  await send(echo.to, "--limit", "3", "--record", path("back"), "--record-sent", path("sent"));
  const [back, sent] = [
    samplesIn(path("back"), "villas.human"),
    samplesIn(path("sent"), "villas.human"),
  ];
  assertEquals(back.map(({ values }) => values), sent.map(({ values }) => values));
  assert(back.every(({ received }) => received !== undefined));
  const { stderr } = await labwire([
    "villas-signal",
    "--no-return",
    "--rate",
    "1000",
    "--limit",
    "3",
    "--listen",
    "127.0.0.1:0",
    "--to",
    echo.to,
    "--record",
    path("only"),
  ]);
  assertStringIncludes(stderr, 'Recorded 3 samples in "');
  assertEquals(samplesIn(path("only"), "villas.human").length, 3);
});

Deno.test("a recording of integers, booleans and complex numbers says so, and is replayed as it was", async () => {
  await using files = await folder({});
  for (const name of ["a.dat", "a.csv", "a.tsv", "a.json", "a.pb"]) {
    const [first, second] = [`${files.path}/${name}`, `${files.path}/second-${name}`];
    const samples: Sample[] = [1, 2].map((n) => ({
      type: "data" as const,
      sequence: BigInt(n),
      origin: { sec: 1_795_253_843, nsec: n },
      values: [n, 2n ** 62n + BigInt(n), n === 1, { real: n, imag: -0.5 }],
    }));
    await using echo = await recordingEcho(["--record", first]);
    await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
    const [hostname, port] = echo.to.split(":");
    for (const sample of samples) {
      const bytes = villasProtobuf.encode([sample]);
      await node.send(bytes, { hostname: hostname!, port: Number(port) });
      await node.receive();
    }
    await echo.stop();
    await using again = await recordingEcho(["--record", second]);
    const { code, stderr } = await labwire([
      "villas-replay",
      first,
      ...["--listen", "127.0.0.1:0", "--to", again.to, "--output", "none", "--check"],
    ]);
    assertEquals(code, 0, stderr);
    await again.stop();
    const format = { dat: "villas.human", pb: "protobuf" }[name.slice(2)] ?? name.slice(2);
    const values = samplesIn(second, format, "fibc").map(({ values }) => values);
    assertEquals(values, samples.map(({ values }) => values), name);
  }
});

Deno.test("what does not have the kind of its signal is recorded as that kind, or counted", async () => {
  await using files = await folder({});
  const path = `${files.path}/a.csv`;
  await using echo = await recordingEcho(["--record", path]);
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const [hostname, port] = echo.to.split(":");
  for (const value of [1.5, 2n, true, 3.5]) {
    const bytes = villasProtobuf.encode([{ type: "data", sequence: 1n, values: [value] }]);
    await node.send(bytes, { hostname: hostname!, port: Number(port) });
    await node.receive();
  }
  const { stderr } = await echo.stop();
  assertEquals(samplesIn(path, "csv", "f").map(({ values }) => values), [[1.5], [2], [3.5]]);
  assertStringIncludes(
    stderr,
    `Cannot record to "${path}": value 0 is a boolean, and its signal a`,
  );
  assertStringIncludes(stderr, 'Recorded 3 samples in "');
  assertStringIncludes(stderr, ", 1 not recorded");
});

Deno.test("of the samples in a message those are recorded that can be", async () => {
  await using files = await folder({});
  const path = `${files.path}/a.json`;
  await using echo = await recordingEcho(["--record", path]);
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const [hostname, port] = echo.to.split(":");
  const samples = [0.5, NaN, 2.5].map((value, i): Sample => ({
    ...{ type: "data", sequence: BigInt(i), values: [value] },
  }));
  await node.send(villasProtobuf.encode(samples), { hostname: hostname!, port: Number(port) });
  await node.receive();
  const { stderr } = await echo.stop();
  assertEquals(samplesIn(path, "json").map(({ values }) => values), [[0.5], [2.5]]);
  assertStringIncludes(stderr, `Cannot record to "${path}": Cannot encode value 0 NaN as json`);
  assertStringIncludes(stderr, `Recorded 2 samples in "${path}", 1 not recorded`);
});

Deno.test("a recording that is there already is refused before anything is bound, and --force overwrites it", async () => {
  await using files = await folder({ "run.dat": "dear data\n" });
  const path = `${files.path}/run.dat`;
  const { code, stderr } = await labwire([
    "villas-echo",
    "--listen",
    "127.0.0.1:0",
    "--record",
    path,
  ]);
  assertEquals(code, 2);
  assertStringIncludes(
    stderr,
    `Cannot record to "${path}": it is there already; --force overwrites it`,
  );
  assertEquals(Deno.readTextFileSync(path), "dear data\n");
  await using echo = await recordingEcho(["--record", path, "--force"]);
  await send(echo.to, "--limit", "2");
  await echo.stop();
  assertEquals(samplesIn(path, "villas.human").length, 2);
});

Deno.test("--record-rotate and --record-keep: the newest files stay, and no sample is lost between them", async () => {
  await using files = await folder({});
  const path = `${files.path}/run.dat`;
  const rotation = ["--record-rotate", "1kB", "--record-keep", "3"];
  await using echo = await recordingEcho(["--record", path, ...rotation]);
  await send(echo.to, "--limit", "200");
  await echo.stop();
  const names = [...Deno.readDirSync(files.path)].map(({ name }) => name);
  const numbers = names.map((name) => Number(/^run\.(\d+)\.dat$/.exec(name)![1])).sort((a, b) =>
    a - b
  );
  assertEquals(numbers.length, 3);
  const sequences = numbers.flatMap((number) =>
    samplesIn(`${files.path}/run.${number}.dat`, "villas.human").map(({ sequence }) =>
      Number(sequence)
    )
  );
  assertEquals(sequences.at(-1), 199);
  sequences.forEach((sequence, i) => assertEquals(sequence, sequences[0]! + i));
  for (const name of names) assert(Deno.statSync(`${files.path}/${name}`).size <= 1000);
  const { code, stderr } = await labwire([
    "villas-echo",
    "--record",
    "x.dat",
    "--record-keep",
    "2",
  ]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "Cannot use --record-keep without --record-rotate");
});

Deno.test("the time stands in the name of a recording, in local time", async () => {
  await using files = await folder({});
  await using echo = await recordingEcho(["--record", `${files.path}/%Y-%j/run-%H.dat`]);
  await send(echo.to, "--limit", "1");
  await echo.stop();
  const [folderName] = [...Deno.readDirSync(files.path)].map(({ name }) => name);
  assertMatch(folderName!, /^20\d\d-[0-3]\d\d$/);
  const { code, stderr } = await labwire(["villas-echo", "--record", `${files.path}/%Q.dat`]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, 'Cannot use "%Q"');
});

Deno.test("a sample that the format cannot carry is told and counted, and the echo goes on", async () => {
  await using files = await folder({});
  const path = `${files.path}/run.json`;
  await using echo = await recordingEcho(["--record", path]);
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const [hostname, port] = echo.to.split(":");
  const to = { hostname: hostname!, port: Number(port) };
  for (const value of [1, NaN, 2]) {
    const sample: Sample = {
      type: "data",
      sequence: BigInt(Math.trunc(value) || 9),
      origin: { sec: 1, nsec: 0 },
      values: [value],
    };
    await node.send(villasProtobuf.encode([sample]), to);
    assertEquals(villasProtobuf.decode((await node.receive())!.bytes)[0]!.values, [value]);
  }
  const { code, stderr } = await echo.stop();
  assertEquals(code, 0);
  assertMatch(stderr, /Cannot record to ".*run\.json": /);
  assertMatch(stderr, /Recorded 2 samples in ".*run\.json", 1 not recorded/);
  assertEquals(samplesIn(path, "json").map(({ values }) => values), [[1], [2]]);
});

Deno.test({
  name: "a disk that is full from the start to the end is told and counted, and stops no echo",
  ignore: windows || Deno.env.has("LABWIRE_BIN"), // an executable may write no devices, says Deno
  fn: async () => {
    await using echo = await recordingEcho(["--record", "/dev/full"]);
    await send(echo.to, "--limit", "20");
    const { code, stderr } = await echo.stop();
    assertEquals(code, 0);
    assertMatch(stderr, /warning: Cannot record to "\/dev\/full": No space left on device/);
    assertStringIncludes(stderr, 'Recorded 0 samples in "/dev/full", 20 not recorded');
  },
});

Deno.test({
  name: "kill -9 leaves a file that has everything up to the last second",
  ignore: windows,
  fn: async () => {
    await using files = await folder({});
    const path = `${files.path}/run.dat`;
    await using echo = await recordingEcho(["--record", path], start);
    await send(echo.to, "--values", "4", "--limit", "500");
    const sent = performance.now();
    while (samplesIn(path, "villas.human").length < 500) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assertLess(performance.now() - sent, 5000); // a second is promised, on a computer with nothing else to do
    (echo.program as ReturnType<typeof start>).process.kill("SIGKILL");
    await echo.program.result();
    assertEquals(samplesIn(path, "villas.human").length, 500);
  },
});

Deno.test({
  name: "SIGHUP opens a recording again, and ends an echo that records nothing",
  ignore: windows,
  fn: async () => {
    await using files = await folder({});
    const path = `${files.path}/run.dat`;
    await using echo = await recordingEcho(["--record", path], start);
    const { process } = echo.program as ReturnType<typeof start>;
    await send(echo.to, "--limit", "3");
    Deno.renameSync(path, `${files.path}/old.dat`);
    process.kill("SIGHUP");
    for (let waited = 0; !exists(path); waited += 10) {
      assert(waited < 20_000, "there is no new file");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await send(echo.to, "--limit", "2");
    const { code } = await echo.stop();
    assertEquals(code, 0);
    const [old, now] = [`${files.path}/old.dat`, path].map((file) =>
      exists(file) && Deno.statSync(file).size > 0 ? samplesIn(file, "villas.human").length : 0
    );
    assertEquals(old! + now!, 5);
    assert(now! >= 2);
    await using plain = await recordingEcho([], start);
    (plain.program as ReturnType<typeof start>).process.kill("SIGHUP");
    assertEquals((await plain.program.result()).code, 0);
  },
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

Deno.test("two recordings in one file are refused, however its name is written", async () => {
  await using files = await folder({ "there.dat": "" });
  const { path } = files;
  if (!windows) {
    Deno.symlinkSync(`${path}/new.dat`, `${path}/link.dat`);
    Deno.symlinkSync(path, `${path}/folder`);
  }
  const year = new Date().getFullYear();
  for (
    const [one, other] of [
      ["new.dat", "new.dat"],
      ["new.dat", "./x/../new.dat"],
      ["%Y.dat", `${year}.dat`],
      ...windows ? [] : [["new.dat", "link.dat"], ["x/new.csv", "folder/x/new.csv"]],
    ]
  ) {
    for (
      const command of [["villas-echo", "--listen", "127.0.0.1:0"], [
        "struct-line",
        "server",
        "--format",
        "<d",
        "--port",
        "0",
      ]]
    ) {
      const { code, stderr } = await labwire(
        [...command, "--record", one!, "--record-sent", other!],
        { cwd: path },
      );
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, `Cannot record to "${other}" twice: expected another file`);
    }
  }
  assertEquals([...Deno.readDirSync(path)].some(({ name }) => name === "new.dat"), false);
});
