import { assert, assertEquals } from "@std/assert";
import { labwire, start } from "../cli/run.ts";
import { folder } from "../cli/json_serve.ts";
import type { Sample } from "../../mod.ts";
import { sameSample } from "../../lib/codecs/villas/sample.ts";
import { formatOfFile } from "../../lib/commands/villas/format_of_file.ts";
import { chunksOf, readSamples } from "../../lib/villas/sample_stream.ts";

/** How many samples are sent; `SAMPLES=1000000` takes five minutes. */
const SAMPLES = Number(Deno.env.get("SAMPLES") ?? 40_000);
const RATE = 10_000;

/** The samples of a recording, one after another. */
async function* samplesOf(path: string): AsyncGenerator<Sample, void, void> {
  using file = await Deno.open(path);
  for await (const samples of readSamples(chunksOf(file), formatOfFile(path))) yield* samples;
}

/** Checks that two recordings hold the same, and how much. */
async function assertSame(path: string, other: string, count: number) {
  const others = samplesOf(other);
  let seen = 0;
  for await (const sample of samplesOf(path)) {
    const { value } = await others.next();
    // What VILLASnode has no place for in text is not there: whether the sender said that no frame begins.
    const [a, b] = [sample, value!].map((each) => ({
      ...each,
      newFrame: each.newFrame || undefined,
    }));
    assert(
      value && sameSample(a as Sample, b as Sample),
      `sample ${seen} of ${other}: ${Deno.inspect(value)}`,
    );
    seen++;
  }
  assertEquals([seen, (await others.next()).done], [count, true]);
}

async function echo(path: string) {
  const program = start([
    "villas-echo",
    ...["--listen", "127.0.0.1:0", "--any-source", "--reply-to", "sender", "--output", "none"],
    ...["--record", path],
  ]);
  const [, port] = await program.until("stderr", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready\./);
  return {
    to: ["--listen", "127.0.0.1:0", "--to", `127.0.0.1:${port}`, "--output", "none"],
    /** What was received and recorded. */
    async stop() {
      program.interrupt();
      const { stderr } = await program.result();
      const [, recorded] = /Recorded (\d+) samples? in "[^"]*"$/m.exec(stderr) ?? [];
      const [, received] = /(\d+) samples?, \d+ bytes/.exec(stderr) ?? [];
      return { recorded: Number(recorded), received: Number(received), stderr };
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

Deno.test(`${SAMPLES} samples of 16 values at 10,000/s are all recorded, replayed and converted`, async () => {
  await using files = await folder({});
  const first = `${files.path}/first.dat`;
  let count: number;
  {
    await using it = await echo(first);
    await using source = start([
      "villas-signal",
      "mixed",
      ...it.to,
      ...["--values", "16", "--rate", `${RATE}`, "--limit", `${SAMPLES}`, "--vectorize", "10"],
    ]);
    const { stderr } = await source.result();
    console.log(stderr.split("\n").find((line) => line.includes("sent")));
    const { recorded, received, stderr: said } = await it.stop();
    assertEquals(recorded, received, said);
    assert(received > SAMPLES / 10, said); // how many a busy computer sends, and UDP loses, is no business of the recording
    count = recorded;
  }
  {
    const second = `${files.path}/second.dat`;
    await using it = await echo(second);
    const { code, stderr } = await labwire([
      "villas-replay",
      first,
      ...it.to,
      "--speed",
      "max",
      "--check",
    ], { ownProcess: true });
    assertEquals(code, 0, stderr);
    assertEquals((await it.stop()).recorded, count);
    await assertSame(first, second, count);
    await Deno.remove(second);
  }
  const signals = ["--signals", "16f"];
  for (const format of ["csv", "tsv", "json", "protobuf", "raw,bits=64,fake=true"]) {
    const [there, back] = [`${files.path}/there`, `${files.path}/back.dat`];
    for (const args of [["--to", format, first, there], ["--from", format, there, back]]) {
      const from = performance.now();
      const { code, stderr } = await labwire(["villas-convert", ...args, ...signals], {
        ownProcess: true,
      });
      assertEquals(code, 0, stderr);
      console.log(
        `${args.slice(0, 2).join(" ")}: ${
          Math.round(count / (performance.now() - from) * 1000)
        } samples/s`,
      );
    }
    await assertSame(first, back, count);
    await Deno.remove(there);
    await Deno.remove(back);
  }
});
