import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Sample, startVillasEcho, villasFormat } from "../../mod.ts";
import { sameSample } from "../../lib/codecs/villas/sample.ts";
import { folder } from "./json_serve.ts";
import { labwire, programCommand } from "./run.ts";

/** An echo for whoever sends, and what it got when. */
async function echoFor() {
  const samples: Sample[] = [];
  const times: number[] = [];
  const echo = await startVillasEcho({
    listen: "127.0.0.1:0",
    anySource: true,
    replyTo: "sender",
    onMessage: (message) => {
      samples.push(...message.samples);
      times.push(performance.now());
    },
  });
  const address = `127.0.0.1:${(echo.addr as Deno.NetAddr).port}`;
  return {
    samples,
    times,
    replay: (file: string, ...args: string[]) =>
      labwire([
        "villas-replay",
        file,
        ...["--listen", "127.0.0.1:0", "--to", address, "--output", "none", ...args],
      ]),
    [Symbol.asyncDispose]: () => echo.close(),
  };
}

/** Samples of two values every so many ms. */
function samplesEvery(ms: number, count: number): Sample[] {
  return Array.from({ length: count }, (_, i) => ({
    type: "data" as const,
    sequence: BigInt(i),
    origin: { sec: 1_795_253_843 + Math.floor(i * ms / 1000), nsec: i * ms % 1000 * 1e6 + 5 },
    values: [i / 3, BigInt(i)],
  }));
}

function write(path: string, samples: Sample[], format = "villas.human") {
  Deno.writeFileSync(path, villasFormat(format).stream.encoder().encode(samples));
}

Deno.test("villas-replay sends a recording as it was, as fast as it is answered, and checks what comes back", async () => {
  await using files = await folder({});
  await using echo = await echoFor();
  const samples = samplesEvery(1, 1000);
  for (
    const [name, format] of [["a.dat", "villas.human"], ["a.csv", "csv"], ["a.json", "json"], [
      "a.pb",
      "protobuf",
    ]]
  ) {
    write(`${files.path}/${name}`, samples, format);
    echo.samples.length = 0;
    const { code, stderr } = await echo.replay(
      `${files.path}/${name}`,
      "--speed",
      "max",
      "--check",
      ...["--signals", "fi"],
    );
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "1000 sent, 1000 returned, 0 lost, 0 changed");
    assertEquals(echo.samples.length, 1000);
    for (const [i, sample] of echo.samples.entries()) {
      const expected: Sample = format === "protobuf"
        ? { ...samples[i]!, newFrame: sample.newFrame }
        : samples[i]!;
      assert(
        sameSample(sample, expected),
        `${Deno.inspect(sample)} is not ${Deno.inspect(expected)}`,
      );
    }
  }
});

Deno.test("villas-replay keeps the times between samples, or their part; --rate gives its own", async () => {
  await using files = await folder({});
  await using echo = await echoFor();
  const path = `${files.path}/a.dat`;
  write(path, samplesEvery(60, 6));
  for (
    const [args, seconds] of [[[], 0.3], [["--speed", "2"], 0.15], [
      ["--rate", "100"],
      0.05,
    ]] as const
  ) {
    echo.times.length = 0;
    const { code, stderr } = await echo.replay(path, ...args);
    assertEquals(code, 0, stderr);
    const took = (echo.times.at(-1)! - echo.times[0]!) / 1000;
    // Late it may be on a busy computer, but never early.
    assert(took > seconds - 0.02, `${args}: ${took} s`);
    assert(took < seconds + 2, `${args}: ${took} s`);
  }
});

Deno.test("villas-replay takes the part between --from and --until, in seconds and as times", async () => {
  await using files = await folder({});
  await using echo = await echoFor();
  const path = `${files.path}/a.dat`;
  write(path, samplesEvery(100, 30));
  const sent = async (...args: string[]) => {
    echo.samples.length = 0;
    const { code, stderr } = await echo.replay(path, "--speed", "max", ...args);
    assertEquals(code, 0, stderr);
    return echo.samples.map(({ sequence }) => Number(sequence));
  };
  assertEquals(await sent("--from", "1", "--until", "1.3"), [10, 11, 12]);
  const at = (seconds: number) => new Date((1_795_253_843 + seconds) * 1000).toISOString();
  // The first sample is 5 ns behind the full second.
  assertEquals(await sent("--from", at(2), "--until", at(2.2)), [20, 21]);
  assertEquals(await sent("--limit", "2"), [0, 1]);
  const some = samplesEvery(1000, 5);
  write(path, [0, 1, 3, 2, 4].map((i) => some[i]!));
  assertEquals(await sent("--from", "1", "--until", "3"), [1, 2]); // also those that come out of order
  for (const time of ["yesterday", "2026-02-31", "2026-02-29 10:00"]) {
    const { code, stderr } = await echo.replay(path, "--from", time);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "expected seconds from the first sample, or a time such as");
  }
});

Deno.test("villas-replay --loop goes on with sequence numbers and times where the file ends", async () => {
  await using files = await folder({});
  await using echo = await echoFor();
  const path = `${files.path}/a.dat`;
  write(path, samplesEvery(10, 3));
  const { code, stderr } = await echo.replay(
    path,
    "--loop",
    "--limit",
    "7",
    "--check",
    "--signals",
    "fi",
  );
  assertEquals(code, 0, stderr);
  assertEquals(echo.samples.map(({ sequence }) => Number(sequence)), [0, 1, 2, 3, 4, 5, 6]);
  const nanoseconds = echo.samples.map(({ origin }) => origin!.nsec);
  nanoseconds.forEach((nsec, i) => assert(Math.abs(nsec - i * 1e7 - 5) < 1000, `${i}: ${nsec}`));
  assertEquals(echo.samples.map(({ values }) => values[1]), [0n, 1n, 2n, 0n, 1n, 2n, 0n]);
});

for (
  const [what, recorded, wanted] of [
    ["whose source began again", [5, 6, 7, 0, 1], [5, 6, 7, 0, 1, 5, 6, 7, 0, 1, 5, 6]],
    ["that began again from 0", [0, 1, 2, 0, 1], [0, 1, 2, 0, 1, 2, 3, 4, 0, 1, 2, 3]],
    ["of two sources", [0, 0, 1, 1], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]],
    ["in another order", [4, 6, 5], [4, 6, 5, 7, 9, 8, 10, 12, 11]],
    ["where some have no number", [4, -1, -1, 8], [4, 5, 6, 8, 9, 10, 11, 13, 14]],
    ["up to the last number", [2n ** 64n - 1n], [-1, 0, 1]],
  ] as [string, (number | bigint)[], number[]][]
) {
  Deno.test(`villas-replay --loop of a recording ${what} has no old numbers`, async () => {
    await using files = await folder({});
    await using echo = await echoFor();
    const path = `${files.path}/a.json`;
    const samples = recorded.map((sequence): Sample => ({
      type: "data",
      ...(sequence < 0 ? {} : { sequence: BigInt(sequence) }),
      values: [1.5],
    }));
    write(path, samples, "json");
    const { stderr } = await echo.replay(
      path,
      ...["--loop", "--limit", String(wanted.length), "--rate", "10000"],
    );
    assertStringIncludes(stderr, `${wanted.length} sent`);
    const sequences = echo.samples.map(({ sequence }) => Number(BigInt.asIntN(64, sequence!)));
    assertEquals(sequences, wanted);
  });
}

Deno.test("villas-replay --check finds nothing wrong with a recording of two sources", async () => {
  await using files = await folder({});
  await using echo = await echoFor();
  const path = `${files.path}/a.dat`;
  const sources = [1, 2].map((source) =>
    samplesEvery(1, 100).map((sample) => ({ ...sample, values: [source] }))
  );
  write(path, sources[0]!.flatMap((sample, i) => [sample, sources[1]![i]!]));
  const { code, stderr } = await echo.replay(path, "--speed", "max", "--check");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "200 sent, 200 returned, 0 lost, 0 changed");
});

Deno.test("villas-replay --origin now gives the samples new times", async () => {
  await using files = await folder({});
  await using echo = await echoFor();
  const path = `${files.path}/a.dat`;
  write(path, samplesEvery(1, 2));
  const before = Math.floor(Date.now() / 1000);
  const { code } = await echo.replay(path, "--origin", "now", "--check");
  assertEquals(code, 0);
  for (const { origin } of echo.samples) assert(Math.abs(origin!.sec - before) < 60);
});

Deno.test("a sample that was cut off is left out with a word about it; what else is none is counted, and the exit code is 5", async () => {
  await using files = await folder({});
  await using echo = await echoFor();
  const path = `${files.path}/a.dat`;
  write(path, samplesEvery(1, 3));
  const text = Deno.readTextFileSync(path);
  Deno.writeTextFileSync(path, text.slice(0, -3));
  const cut = await echo.replay(path, "--check");
  assertEquals(cut.code, 0, cut.stderr);
  assertStringIncludes(cut.stderr, "2 sent, 2 returned");
  assertMatch(cut.stderr, /warning: The last line has no newline/);
  Deno.writeTextFileSync(path, text.replace(/^(17.*\n)/m, "$1rubbish\n"));
  const bad = await echo.replay(path, "--check");
  assertEquals(bad.code, 5);
  assertStringIncludes(bad.stderr, "3 sent, 3 returned");
  assertMatch(bad.stderr, /in line 3/);
});

Deno.test("samples without times need a rate; files that are not there and nobody who answers are told", async () => {
  await using files = await folder({ "a.dat": "0.0(1)\t1.5\n0.0(2)\t2.5\n" });
  await using echo = await echoFor();
  const path = `${files.path}/a.dat`;
  const timeless = await echo.replay(path);
  assertEquals(timeless.code, 2);
  assertStringIncludes(timeless.stderr, "they have none; --rate says how many per second");
  const paced = await echo.replay(path, "--rate", "100", "--check");
  assertEquals(paced.code, 0, paced.stderr);
  assertEquals(echo.samples.slice(-2).map(({ values }) => values), [[1.5], [2.5]]);
  for (const option of ["--from", "--until"]) {
    const part = await echo.replay(path, "--rate", "100", option, "1");
    assertEquals(part.code, 2);
    assertStringIncludes(part.stderr, "between two times: its samples have none; --limit says");
    assertStringIncludes(part.stderr, "0 sent");
  }
  const missing = await echo.replay(`${files.path}/no.dat`);
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.stderr, `no.dat": no such file`);
  await echo[Symbol.asyncDispose]();
  assertEquals((await echo.replay(path, "--rate", "100", "--wait", "0.1")).code, 4);
});

Deno.test("captures are not replayed, nor recorded, but for villas-convert", async () => {
  for (const args of [["villas-replay", "a.pcap"], ["villas-echo", "--record", "a.pcapng"]]) {
    const { code, stderr } = await labwire([...args, "--listen", "127.0.0.1:0"]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `Cannot use "${args.at(-1)}": captures are only read`);
  }
});

Deno.test({
  name: "villas-replay --loop does not take what can be read only once",
  ignore: Deno.build.os === "windows",
  async fn() {
    const { code, stderr } = await labwire(["villas-replay", "/dev/null", "--loop"]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `"/dev/null": it is no file that can be read again`);
  },
});

Deno.test("what is replayed is not recorded over, whatever command does it", async () => {
  const text = "1.5(1)\t2.0\n";
  await using files = await folder({ "run.dat": text });
  const path = `${files.path}/run.dat`;
  for (
    const args of [
      ["villas-replay", path, "--listen", "127.0.0.1:0", "--record"],
      ["villas-replay", path, "--listen", "127.0.0.1:0", "--record-sent"],
      ["struct-line", "client", "--replay", path, "--record"],
      ["struct-line", "client", "--replay", path, "--record-sent"],
      ["socket-client", "--replay", path, "--record"],
      ["socket-client", "--file", path, "--record"],
    ]
  ) {
    const { code, stderr } = await labwire([...args, path, "--force"]);
    assertEquals([code, Deno.readTextFileSync(path)], [2, text], args.join(" "));
    assertStringIncludes(stderr, `run.dat": it is the file that is read`);
  }
});

Deno.test("a recording that goes on in other files goes past the one that is replayed, or is standard input", async () => {
  const text = "1.5(1)\t2.0\n";
  const rotation = ["--record-rotate", "80B", "--force"];
  {
    await using files = await folder({ "run.1.dat": text.repeat(9) });
    const path = `${files.path}/run.1.dat`;
    await using echo = await echoFor();
    const record = ["--record", `${files.path}/run.dat`, ...rotation, "--rate", "1000"];
    assertEquals((await echo.replay(path, ...record)).code, 0);
    assertEquals(Deno.readTextFileSync(path), text.repeat(9));
    assert(Deno.statSync(`${files.path}/run.2.dat`).size > 0);
  }
  if (Deno.build.os === "windows") return;
  await using files = await folder({ "run.dat": text });
  const [program, args] = programCommand();
  const command = ["villas-pipe", "--listen", "127.0.0.1:0", "--record", "run.dat", "--force"];
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", '"$0" "$@" < run.dat', program, ...args, ...command],
    cwd: files.path,
  }).output();
  assertStringIncludes(new TextDecoder().decode(stderr), "it is the file that is read");
  assertEquals([code, Deno.readTextFileSync(`${files.path}/run.dat`)], [2, text]);
});

Deno.test("villas-replay --check is an error where there is nothing to check", async () => {
  await using files = await folder({ "empty.dat": "", "one.dat": "1.0(0)\t0.5\n" });
  for (const args of [["empty.dat"], ["one.dat", "--from", "1e9"]]) {
    const { code, stderr } = await labwire(
      ["villas-replay", ...args, "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", "--check"],
      { cwd: files.path },
    );
    assertEquals(code, 5, stderr);
    assertStringIncludes(stderr, `Cannot check anything: "${args[0]}" gave no sample to send`);
  }
});

Deno.test("villas-replay --vectorize sends what the format can carry of a message", async () => {
  await using files = await folder({});
  const path = `${files.path}/a.dat`;
  const samples = samplesEvery(1, 7);
  write(
    path,
    samples.map((sample, i) => i === 2 || i === 6 ? { ...sample, values: [NaN] } : sample),
  );
  for (const layer of ["udp", "tcp"]) {
    const sent = `${files.path}/sent-${layer}.dat`;
    const received: Sample[] = [];
    await using echo = await startVillasEcho({
      listen: "127.0.0.1:0",
      ...layer === "tcp" && { layer: "tcp-server" },
      anySource: true,
      replyTo: "sender",
      codec: villasFormat("json"),
      onMessage: (message) => void received.push(...message.samples),
    });
    const { port } = echo.addr as Deno.NetAddr;
    const start = performance.now();
    const { code, stderr } = await labwire([
      "villas-replay",
      path,
      ...layer === "udp" ? ["--listen", "127.0.0.1:0"] : ["--layer", "tcp-client"],
      ...["--to", `127.0.0.1:${port}`, "--output", "none", "--format", "json", "--signals", "fi"],
      ...["--vectorize", "4", "--speed", "max", "--record-sent", sent, "--wait", "20"],
    ]);
    assert(performance.now() - start < 15_000); // for what was not sent, nothing is waited
    assertEquals(code, 0);
    assertEquals(received.map(({ sequence }) => Number(sequence)), [0, 1, 3, 4, 5]);
    assertStringIncludes(stderr, "Cannot encode value 0 NaN as json");
    assertStringIncludes(stderr, "5 sent, 2 unsent, 5 returned, 0 lost, 0 changed");
    const lines = Deno.readTextFileSync(sent).trimEnd().split("\n");
    assertEquals(lines.filter((line) => !line.startsWith("#")).length, 5);
  }
});
