/** How samples are printed: as they arrived, in their order, and without holding up the replies. */

import { assert, assertEquals } from "@std/assert";
import { Output } from "../../lib/cli/output.ts";
import { formatVillasJson } from "../../lib/codecs/villas/json.ts";
import { SamplePrinter } from "../../lib/commands/villas/print_samples.ts";
import { batchOf } from "../../lib/villas/node.ts";
import { bindDatagram, type Sample, villasProtobuf } from "../../mod.ts";
import { programCommand, startServer } from "./run.ts";

const received = { sec: 5, nsec: 6 };
const sample = (sequence: number): Sample => ({
  type: "data",
  sequence: BigInt(sequence),
  values: [0.5, 1n, true, { real: 1, imag: 2 }],
});
const line = (sequence: number) => formatVillasJson({ ...sample(sequence), received });
const batch = (sequence: number) => {
  const samples = [sample(sequence)];
  return batchOf(samples, { bytes: villasProtobuf.encode(samples), received });
};
const emptyBatch = () => batchOf([], { bytes: new Uint8Array(), received });

/** An Output whose sink takes nothing until it is opened. */
function heldOutput() {
  const { promise, resolve: open } = Promise.withResolvers<void>();
  const chunks: Uint8Array[] = [];
  const out = new Output({
    async write(bytes) {
      await promise;
      chunks.push(bytes.slice());
      return bytes.length;
    },
  });
  return {
    out,
    open,
    lines: async () => (await new Blob(chunks as BlobPart[]).text()).split("\n"),
  };
}

Deno.test("SamplePrinter prints what arrived, although it is printed later and a hook changes the samples", async () => {
  const { out, open, lines } = heldOutput();
  const later = new SamplePrinter("json", out, { format: villasProtobuf });
  const now = new SamplePrinter("json", out);
  for (let i = 0; i < 10; i++) {
    // What is printed at once, and other lines, keep their place among what is put off.
    const arrived = batch(i);
    (i % 3 === 2 ? now : later).print(arrived);
    if (i % 4 === 3) out.line("between");
    arrived.samples[0]!.values.fill(99);
    arrived.bytes!.fill(0);
  }
  open();
  await out.flush();
  const wanted = Array.from({ length: 10 }, (_, i) => i % 4 === 3 ? [line(i), "between"] : line(i));
  assertEquals(await lines(), [...wanted.flat(), ""]);
});

for (const [what, made] of [["messages", batch], ["empty messages", emptyBatch]] as const) {
  Deno.test(`SamplePrinter makes lines of ${what} only when they are about to be written, or there is no room for more`, async () => {
    const { out, open } = heldOutput();
    let decoded = 0;
    const printer = new SamplePrinter("json", out, {
      format: {
        ...villasProtobuf,
        decode(bytes) {
          decoded++;
          return villasProtobuf.decode(bytes);
        },
      },
    });
    for (let i = 0; i < 64; i++) printer.print(made(i));
    assertEquals(decoded, 0);
    open();
    await out.flush();
    assertEquals(decoded, 64);

    let waiting: Promise<void> | void = undefined;
    for (let i = 0; i < 200_000 && !waiting; i++) waiting = printer.print(made(i));
    assert(waiting, "it never waited");
    await waiting;
  });
}

for (const format of [undefined, villasProtobuf]) {
  const when = format ? "later" : "at once";
  Deno.test(`SamplePrinter waits for an output that does not keep up, or leaves samples out and counts them (${when})`, async () => {
    const patient = heldOutput();
    const waits = new SamplePrinter("json", patient.out, { format });
    let [count, waiting]: [number, Promise<void> | void] = [0, undefined];
    while (!waiting && count < 100_000) waiting = waits.print(batch(count++));
    assert(waiting, "it never waited");
    patient.open();
    await waiting;
    await patient.out.flush();
    assertEquals(await patient.lines(), [...Array.from({ length: count }, (_, i) => line(i)), ""]);
    assertEquals(waits.notPrinted, 0);

    const hasty = heldOutput();
    const drops = new SamplePrinter("json", hasty.out, { format, drop: true });
    for (let i = 0; i < 20_000; i++) assertEquals(drops.print(batch(i)), undefined);
    hasty.open();
    await hasty.out.flush();
    drops.print(batch(20_000));
    await hasty.out.flush();
    const printed = await hasty.lines();
    assert(drops.notPrinted > 1000, `${drops.notPrinted} not printed`);
    assertEquals(printed.length - 1, 20_001 - drops.notPrinted);
    assertEquals(printed.slice(-2), [line(20_000), ""]);
    assertEquals(printed.slice(0, 1000), Array.from({ length: 1000 }, (_, i) => line(i)));
  });
}

Deno.test("villas-echo prints samples as they arrived, whatever its handler does to them", async () => {
  const handler = await Deno.makeTempFile({ suffix: ".js" });
  await Deno.writeTextFile(
    handler,
    "export default (s) => { s.values[0] *= 2; s.sequence += 100n; s.origin = undefined; return s; };\n",
  );
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  await using echo = startServer([
    ...["villas-echo", "--listen", "127.0.0.1:0", "--handler", handler, "--count", "20"],
    ...["--remote", `127.0.0.1:${(node.addr as Deno.NetAddr).port}`],
  ]);
  const [, port] = await echo.until("stderr", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready/);
  const to = { hostname: "127.0.0.1", port: Number(port) };
  for (let i = 0; i < 20; i++) {
    await node.send(villasProtobuf.encode([sample(i), sample(i)]), to);
    const [reply] = villasProtobuf.decode((await node.receive())!.bytes);
    assertEquals(reply, { ...sample(i + 100), values: [1, ...sample(i).values.slice(1)] });
  }
  const { stdout } = await echo.result();
  const records = stdout.trimEnd().split("\n").map((text) => JSON.parse(text));
  assertEquals(
    records.map(({ sequence, data }) => [sequence, data[0]]),
    Array.from({ length: 40 }, (_, i) => [Math.floor(i / 2), 0.5]),
  );
  await Deno.remove(handler);
});

Deno.test("villas-echo --output-drop answers everything although nobody reads what it prints", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const remote = `127.0.0.1:${(node.addr as Deno.NetAddr).port}`;
  const [program, before] = programCommand();
  const args = ["villas-echo", "--listen", "127.0.0.1:0", "--remote", remote, "--output-drop"];
  await using process = new Deno.Command(program, {
    args: [...before, ...args, "--count", "9000"],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!/Ready/.test(said)) said += (await stderr.read()).value ?? "";
  const to = {
    hostname: "127.0.0.1",
    port: Number(/Listening on 127\.0\.0\.1:(\d+)/.exec(said)![1]),
  };
  for (let i = 0; i < 9000; i++) {
    await node.send(villasProtobuf.encode([sample(i)]), to);
    assertEquals(villasProtobuf.decode((await node.receive())!.bytes), [sample(i)]);
  }
  const printed = (await new Response(process.stdout).text()).trimEnd().split("\n").length;
  for (let part = await stderr.read(); !part.done; part = await stderr.read()) said += part.value;
  const notPrinted = Number(/, (\d+) not printed\n/.exec(said)?.[1]);
  assert(notPrinted > 1000, said);
  assertEquals(printed + notPrinted, 9000);
  assertEquals((await process.status).code, 0);
});
