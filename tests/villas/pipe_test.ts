import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  bindDatagram,
  ColumnsDecoder,
  type Echo,
  type Sample,
  startVillasEcho,
  startVillasPipe,
  UsageError,
  villasFormat,
  type VillasPipeOptions,
  type VillasPipeProblem,
} from "../../mod.ts";
import { within } from "../../lib/time/deadline.ts";
import { freePort } from "../net/free_port.ts";

const human = villasFormat("villas.human");

/** A pipe between a text and an echo, and what came out of it. */
async function pipe(text: string | ReadableStream<Uint8Array>, options: VillasPipeOptions = {}) {
  const samples: Sample[] = [];
  const problems: VillasPipeProblem[] = [];
  const chunks = typeof text === "string"
    ? new Blob([text]).stream() as ReadableStream<Uint8Array>
    : text;
  const running = await startVillasPipe({
    listen: "127.0.0.1:0",
    input: { chunks, decoder: human.stream.decoder(), floats: true },
    onBatch: (batch) => void samples.push(...structuredClone(batch.samples) as Sample[]),
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  return {
    running,
    samples,
    problems,
    [Symbol.asyncDispose]: () => running.close(),
  };
}

function echo(): Promise<Echo> {
  return startVillasEcho({ listen: "127.0.0.1:0", anySource: true, replyTo: "sender" });
}

function lines(count: number): string {
  return Array.from({ length: count }, (_, n) => `${n + 1}.5(${n})\t${n}\t-1.5\n`).join("");
}

Deno.test("a pipe sends a long file, loses nothing, and ends when all of it has come back", async () => {
  await using other = await echo();
  await using it = await pipe(lines(20_000), { remote: other.addr });
  await it.running.finished;
  assertEquals(it.samples.map(({ sequence }) => Number(sequence)), [...Array(20_000).keys()]);
  assertEquals(it.samples[3]!.values, [3, -1.5]);
  const { sent, received, bad } = it.running.stats;
  assertEquals([sent, received, bad], [20_000, 20_000, 0]);
});

Deno.test("a pipe puts several samples in a datagram, and the rest in the last", async () => {
  await using other = await echo();
  await using it = await pipe(lines(10), { remote: other.addr, vectorize: 4 });
  await it.running.finished;
  assertEquals(it.samples.length, 10);
  assertEquals(other.stats.messages, 3);
});

Deno.test("samples without number and time get the next number and the present time", async () => {
  await using other = await echo();
  const now = () => ({ sec: 7, nsec: 8 });
  await using it = await pipe("0.0\t1\n5.0(41)\t2\n0.0\t3\n", { remote: other.addr, now });
  await it.running.finished;
  assertEquals(it.samples.map(({ sequence }) => sequence), [0n, 41n, 42n]);
  assertEquals(it.samples.map(({ origin }) => origin!.sec), [7, 5, 7]);
});

Deno.test("integers are floats to a VILLASnode that nobody described; those that would change are bad", async () => {
  await using other = await echo();
  const text = "1.0(1)\t1\n2.0(2)\t9007199254740993\n3.0(3)\t3\n";
  await using it = await pipe(text, { remote: other.addr });
  await it.running.finished;
  assertEquals(it.samples.map(({ values }) => values), [[1], [3]]);
  assertEquals(it.running.stats.bad, 1);
  assertStringIncludes(it.problems[0]!.message, "--signals");
});

Deno.test("a pipe whose input was empty goes on receiving, exactly as many as are wanted", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  await using it = await pipe("", { remote: node.addr, codec: human, limitReceived: 3 });
  const message = human.encode(
    [1n, 2n].map((sequence) => ({ type: "data", sequence, values: [1] })),
  );
  for (let n = 0; n < 2; n++) await node.send(message, it.running.addr);
  await it.running.finished;
  assertEquals(it.samples.map(({ sequence }) => sequence), [1n, 2n, 1n]);
});

Deno.test("a pipe with a limit on what is received waits for it after its input", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  await using it = await pipe(lines(1), {
    remote: node.addr,
    codec: human,
    limitReceived: 2,
    wait: 0,
  });
  const { bytes } = (await node.receive())!;
  await node.send(bytes, it.running.addr);
  await node.send(bytes, it.running.addr);
  await it.running.finished;
  assertEquals(it.samples.length, 2);
});

Deno.test("a pipe says when VILLASnode seems to have left a value out of json", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  await using it = await pipe("", {
    input: undefined,
    remote: node.addr,
    codec: villasFormat("json"),
    limitReceived: 3,
  });
  for (const data of ["1.5, 2.5", "2.5", "3.5, 4.5"]) {
    await node.send(new TextEncoder().encode(`[{"data": [${data}]}]`), it.running.addr);
  }
  await it.running.finished;
  assertEquals(it.samples.map(({ values }) => values), [[1.5, 2.5], [2.5], [3.5, 4.5]]);
  assertEquals(it.problems.map(({ kind }) => kind), ["leftOut"]);
  assertStringIncludes(it.problems[0]!.message, "it has 1 value, and 2 came before");
});

Deno.test("a pipe sends no more than its limit", async () => {
  await using other = await echo();
  await using it = await pipe(lines(50), { remote: other.addr, limitSent: 7, vectorize: 3 });
  await it.running.finished;
  assertEquals([it.running.stats.sent, it.samples.length], [7, 7]);
});

Deno.test("a pipe that only sends ends with its input, and one without answers a moment later", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  await using sending = await pipe(lines(3), { remote: node.addr, onBatch: undefined });
  await sending.running.finished;
  assertEquals(sending.running.stats.sent, 3);
  const start = performance.now();
  await using unanswered = await pipe(lines(3), { remote: node.addr, wait: 0.05 });
  await unanswered.running.finished;
  assertEquals(unanswered.running.stats.sent, 3);
  assert(performance.now() - start >= 45);
});

Deno.test("a pipe in real time keeps the distances of the samples' times", async () => {
  await using other = await echo();
  const times = ["100.000000000", "100.030000000", "100.010000000", "100.090000000"];
  const text = times.map((time, n) => `${time}(${n})\t1\n`).join("");
  const start = performance.now();
  await using it = await pipe(text, { remote: other.addr, realtime: true });
  await it.running.finished;
  const took = performance.now() - start;
  assert(took >= 89 && took < 2000, `${took} ms`);
  assertEquals(it.samples.map(({ sequence }) => sequence), [0n, 1n, 2n, 3n]);
  await using timeless = await pipe("0.0(1)\t1\n", { remote: other.addr, realtime: true });
  await assertRejects(() => timeless.running.finished, UsageError, "the samples have no times");
});

Deno.test("a pipe reads on after what is no sample, and tells where it was", async () => {
  await using other = await echo();
  await using it = await pipe("1.0(1)\t1\nnonsense\n2.0(2)\tx\n3.0(3)\t3\n", {
    remote: other.addr,
  });
  await it.running.finished;
  assertEquals(it.samples.map(({ sequence }) => sequence), [1n, 3n]);
  assertEquals([it.running.stats.bad, it.problems.length], [2, 2]);
  assertStringIncludes(it.problems[0]!.message, "line 2");
});

Deno.test("a pipe reads its input no faster than its output is taken", async () => {
  await using other = await echo();
  let given = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode(`1.0(${given++})\t1\n`));
    },
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  await using _it = await pipe(endless, {
    remote: other.addr,
    onBatch: () => {
      reached.resolve();
      return promise; // a reader that does not read
    },
  });
  await reached.promise;
  const before = given;
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setTimeout(resolve, 1));
  assert(given - before < 20_000, `${given - before} samples were read meanwhile`);
  resolve();
});

Deno.test("a pipe over TCP waits for a server that comes late, and a server for its first client", async () => {
  const remote = { hostname: "127.0.0.1", port: freePort() };
  for (
    const [one, other] of [["tcp-client", "tcp-server"], ["tcp-server", "tcp-client"]] as const
  ) {
    await using it = await pipe(lines(5000), { layer: one, remote, listen: remote });
    if (one === "tcp-client") {
      while (!it.problems.some(({ kind }) => kind === "waiting")) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    await using echo = await startVillasEcho({ layer: other, listen: remote, remote });
    await it.running.finished;
    assertEquals([it.samples.length, echo.stats.samples, echo.stats.missed], [5000, 5000, 0]);
  }
});

Deno.test({
  name: "a pipe over unix sockets sends and receives (not on Windows)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "labwire-pipe-" });
    try {
      const [own, remote] = [{ path: `${folder}/pipe.sock` }, { path: `${folder}/node.sock` }];
      await using node = await bindDatagram({ listen: remote });
      await using it = await pipe(lines(2), { layer: "unix", listen: own, remote, codec: human });
      for (let n = 0; n < 2; n++) await node.send((await node.receive())!.bytes, own);
      await it.running.finished;
      assertEquals(it.samples.length, 2);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "a pipe over unix sockets may send only (not on Windows)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "labwire-pipe-" });
    try {
      const [own, remote] = [{ path: `${folder}/pipe.sock` }, { path: `${folder}/node.sock` }];
      await using node = await bindDatagram({ listen: remote });
      const options = { layer: "unix", listen: own, remote, codec: human } as const;
      await using it = await pipe(lines(2), { ...options, onBatch: undefined });
      await it.running.finished;
      assertEquals([it.running.stats.sent, it.problems], [2, []]);
      for (let n = 0; n < 2; n++) await node.receive();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("columns go through a pipe, and what a format cannot carry is refused", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const chunks = new Blob(["[1]\n[null]\n[3]\n"]).stream() as ReadableStream<Uint8Array>;
  await using it = await pipe("", {
    remote: node.addr,
    codec: villasFormat("json"),
    onBatch: undefined,
    input: { chunks, decoder: new ColumnsDecoder() },
  });
  await it.running.finished;
  const { sent, refused } = it.running.stats;
  assertEquals([sent, refused], [2, 1]);
  assertStringIncludes(it.problems[0]!.message, "Cannot send a sample (sequence 1): ");
});

Deno.test("a pipe waits for the answer to each of two samples of the same number", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const first = Promise.withResolvers<void>();
  await using it = await pipe("1.0(7)\t1\n1.0(7)\t2\n", {
    remote: node.addr,
    wait: 30,
    onBatch: () => first.resolve(),
  });
  const one = (await node.receive())!.bytes.slice();
  const other = (await node.receive())!.bytes.slice();
  await node.send(one, it.running.addr);
  await first.promise;
  const state = await within(it.running.finished.then(() => "ended"), 0.1);
  assertEquals(state, undefined);
  await node.send(other, it.running.addr);
  await it.running.finished;
  assertEquals(it.running.stats.received, 2);
});

/** A pipe of these samples in protobuf, without a way back, and what arrives of them. */
async function sentOf(samples: Sample[], options: VillasPipeOptions = {}) {
  const protobuf = villasFormat("protobuf");
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const bytes = protobuf.stream.encoder().encode(samples).slice();
  await using it = await pipe("", {
    ...{ remote: node.addr, onBatch: undefined },
    input: { chunks: ReadableStream.from([bytes]), decoder: protobuf.stream.decoder() },
    ...options,
  });
  await it.running.finished;
  const { sent, refused } = it.running.stats;
  const messages: Sample[][] = [];
  for (let count = 0; count < sent; count += messages.at(-1)!.length) {
    messages.push((options.codec ?? protobuf).decode((await node.receive())!.bytes.slice()));
  }
  const texts = it.problems.map(({ message }) => message);
  return { messages, refused, texts };
}

/** Samples of the numbers that they have. */
function numbered(...values: Sample["values"]): Sample[] {
  return values.map((value, i) => ({ type: "data", sequence: BigInt(i), values: [value] }));
}

Deno.test("a pipe sends nothing that VILLASnode aborts on", async () => {
  const stop: Sample = { type: "stop", sequence: 3n, values: [] };
  const { messages, refused, texts } = await sentOf(
    [...numbered(1.5, null, 2n), stop],
    { signals: "f" },
  );
  assertEquals(messages.map(([sample]) => sample!.values), [[1.5]]);
  assertEquals(refused, 3);
  assertEquals(texts, [
    "Cannot send a sample (sequence 1): value 0 is unset, and VILLASnode aborts on it",
    "Cannot send a sample (sequence 2): the kind of value 0 is integer, and that of its signal is float: VILLASnode aborts on it",
    "Cannot send a sample (sequence 3): its type is STOP, and VILLASnode aborts on it",
  ]);
  const others = await sentOf([...numbered(1.5, null), stop], { asNode: true });
  assertEquals([others.messages.length, others.refused], [3, 0]);
});

Deno.test("of several samples in a message those are sent that can be", async () => {
  const codec = villasFormat("json");
  for (const bad of [NaN, null]) {
    const { messages, refused, texts } = await sentOf(numbered(0.5, 1.5, 2.5, bad, 4.5), {
      ...{ codec, vectorize: 3 },
    });
    const values = messages.map((samples) => samples.flatMap(({ values }) => values));
    assertEquals(values, [[0.5, 1.5, 2.5], [4.5]]);
    assertEquals(refused, 1);
    assertStringIncludes(texts.join(), "Cannot send a sample (sequence 3): ");
  }
});

Deno.test("a pipe ends when it is closed, although its input never ends", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const never = new ReadableStream<Uint8Array>();
  await using it = await pipe(never, { remote: node.addr });
  await it.running.close();
  assertEquals(it.running.stats.sent, 0);
  await never.cancel().catch(() => {});
});

Deno.test("a pipe over TCP ends although its peer does not read", async () => {
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode("1.0(1)\t1\n".repeat(1000)));
      },
    });
  await using it = await pipe(endless(), {
    ...{ layer: "tcp-server", onBatch: undefined, codec: human },
  });
  await using deaf = await Deno.connect({ ...it.running.addr as Deno.NetAddr, transport: "tcp" })
    .then((conn) => ({ conn, [Symbol.asyncDispose]: () => Promise.resolve(conn.close()) }));
  let before = -1;
  while (it.running.stats.sent !== before || before === 0) {
    before = it.running.stats.sent;
    await new Promise((resolve) => setTimeout(resolve, 200)); // until nothing is taken any more
  }
  const start = performance.now();
  await it.running.close();
  assert(performance.now() - start < 5000);
  void deaf.conn;
});

for (
  const [options, message] of [
    [{ input: undefined, onBatch: undefined }, "neither sends nor receives"],
    [{ limitSent: 0 }, "Cannot use limit 0"],
    [{ vectorize: 1.5 }, "Cannot use limit 1.5"],
  ] as [VillasPipeOptions, string][]
) {
  Deno.test(`a pipe does not take ${message}`, async () => {
    await assertRejects(() => pipe("", options), UsageError, message);
  });
}
