import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { bindDatagram, type Sample, startVillasEcho, startVillasSignal } from "../../../mod.ts";
import { villasFormat } from "../../../lib/codecs/villas/formats.ts";
import type { Format } from "../../../lib/codecs/villas/format.ts";
import { CodecError } from "../../../lib/errors.ts";
import { batchOf } from "../../../lib/villas/node.ts";
import {
  openSocketNode,
  type SocketNodeOptions,
  type SocketNodeProblem,
} from "../../../lib/villas/nodes/socket.ts";

const anywhere = { hostname: "127.0.0.1", port: 0 };
const sample = (sequence: bigint, values: Sample["values"] = [1.5, 2n]): Sample => ({
  type: "data",
  sequence,
  origin: { sec: 5, nsec: 5 },
  values,
});

/** A node, the other end, and what went wrong. */
async function open(options: Partial<SocketNodeOptions> = {}) {
  const problems: SocketNodeProblem[] = [];
  const peer = await bindDatagram({ listen: anywhere });
  const node = await openSocketNode({
    listen: anywhere,
    remote: peer.addr,
    format: villasFormat("protobuf"),
    onProblem: (problem) => problems.push(problem),
    now: () => ({ sec: 1, nsec: 2 }),
    ...options,
  });
  return {
    node,
    peer,
    problems,
    async [Symbol.asyncDispose]() {
      await node.close();
      await peer.close();
    },
  };
}

Deno.test("SocketNode decodes a plain message only when its samples are asked for, and looks at the clock likewise", async () => {
  const { name, scanner, encode, decode } = villasFormat("protobuf");
  let decoded = 0;
  let looked = 0;
  const format: Format = { name, scanner, encode, decode: (bytes) => (decoded++, decode(bytes)) };
  await using it = await open({ format, now: () => ({ sec: ++looked, nsec: 0 }) });
  const samples = [sample(7n), sample(8n)];
  await it.peer.send(encode(samples), it.node.addr);
  await it.node.serve((batch) => {
    assertEquals([batch.plain, batch.count, batch.sequences], [true, 2, [7, 8]]);
    assertEquals([decoded, looked], [0, 0]);
    assertEquals([batch.samples, batch.samples], [samples, samples]);
    assertEquals([batch.received, batch.received], [{ sec: 1, nsec: 0 }, { sec: 1, nsec: 0 }]);
    assertEquals([decoded, looked], [1, 1]);
    it.node.end();
  });
});

Deno.test("SocketNode counts and reports what does not decode, and hands on the rest", async () => {
  await using it = await open();
  for (const text of ["5.5(3)\t1.5\n", "garbage"]) {
    await it.peer.send(new TextEncoder().encode(text), it.node.addr);
  }
  await it.peer.send(villasFormat("protobuf").encode([sample(1n, [null])]), it.node.addr);
  const seen: Sample[] = [];
  await it.node.serve((batch) => {
    assertEquals(batch.plain, false);
    seen.push(...batch.samples);
    it.node.end();
  });
  assertEquals(seen, [sample(1n, [null])]);
  assertEquals(it.node.counters.invalid, 2);
  assertEquals(it.problems.map(({ kind, from }) => [kind, from]), [
    ["invalid", it.peer.addr],
    ["invalid", it.peer.addr],
  ]);
  assertStringIncludes(it.problems[0]!.message, "it looks like VILLASnode's format villas.human");
});

Deno.test("SocketNode sends what it is given: bytes as they are, samples in its format", async () => {
  await using it = await open({ format: villasFormat("json") });
  await it.node.write(batchOf([], { bytes: new Uint8Array([1, 2, 3]) }));
  assertEquals((await it.peer.receive())!.bytes, new Uint8Array([1, 2, 3]));
  await it.node.write(batchOf([sample(1n)]));
  await it.node.flush();
  assertEquals(
    new TextDecoder().decode((await it.peer.receive())!.bytes),
    '[{"ts": {"origin": [5, 5]}, "sequence": 1, "data": [1.5, 2]}]',
  );
  await assertRejects(async () => await it.node.write(batchOf([sample(1n, [NaN])])), CodecError);
  assertEquals(it.node.counters.sent, 2);
});

Deno.test("SocketNode reports what the system does not take", async () => {
  await using it = await open();
  await it.node.write(batchOf([], { bytes: new Uint8Array(65_508) }));
  await it.node.flush();
  assertEquals(it.node.counters.unsent, 1);
  assertEquals(it.problems.map(({ kind, from }) => [kind, from]), [["send", it.peer.addr]]);
  assertStringIncludes(it.problems[0]!.message, "Cannot send 65508 bytes to 127.0.0.1:");
});

for (const name of ["protobuf", "villas.human", "json"]) {
  Deno.test(`startVillasSignal() and startVillasEcho() exchange samples as ${name}, unchanged`, async () => {
    const codec = villasFormat(name);
    await using echo = await startVillasEcho({
      listen: anywhere,
      anySource: true,
      replyTo: "sender",
      codec,
    });
    const returned: boolean[] = [];
    await using source = await startVillasSignal({
      listen: anywhere,
      to: echo.addr,
      codec,
      type: "counter",
      rate: 1000,
      limit: 20,
      vectorize: 2,
      values: 3,
      onReturn: ({ unchanged }) => void returned.push(unchanged),
    });
    await source.finished;
    assertEquals(source.stats.returned, 20);
    assert(returned.every((unchanged) => unchanged));
    assertEquals([echo.stats.messages, echo.stats.samples, echo.stats.replies], [10, 20, 10]);
    assertEquals(echo.stats.missed, 0);
  });

  Deno.test(`a handler and constants answer in ${name}`, async () => {
    const codec = villasFormat(name);
    const ways = [{ constant: [3, 4] }, { handler: () => ({ values: [3, 4n] }) }];
    for (const way of ways) {
      await using peer = await bindDatagram({ listen: anywhere });
      await using echo = await startVillasEcho({
        listen: anywhere,
        remote: peer.addr,
        codec,
        ...way,
      });
      await peer.send(codec.encode([sample(1n)]), echo.addr);
      assertEquals(codec.decode((await peer.receive())!.bytes), [sample(1n, [3, 4n])]);
    }
  });
}
