/** A scope in a thread of its own, and the memory that leads to it. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { villasProtobuf } from "../../lib/codecs/villas/protobuf.ts";
import type { Sample } from "../../lib/codecs/villas/sample.ts";
import { UsageError } from "../../lib/errors.ts";
import { ringMemory, RingReader, RingWriter } from "../../lib/scope/thread/ring.ts";
import { type ScopeThread, startScopeThread } from "../../lib/scope/thread/thread.ts";
import { type Batch, batchOf } from "../../lib/villas/node.ts";

/** A ring, and everything that comes out of it, as text. */
function ring(size: number) {
  const memory = ringMemory(size);
  let woken = 0;
  const writer = new RingWriter(memory, () => woken++);
  const reader = new RingReader(memory);
  const seen: string[] = [];
  const handler = {
    message: (lane: number, time: number, bytes: Uint8Array) =>
      void seen.push(`${lane} ${time} ${bytes.join()}`),
    again: (lane: number, time: number) => void seen.push(`again ${lane} ${time}`),
    lost: (lane: number, count: number) => void seen.push(`lost ${lane} ${count}`),
  };
  return {
    ...{ writer, reader, handler, woken: () => woken },
    drain: (goesOn?: () => boolean) => {
      reader.drain(handler, goesOn);
      return seen.splice(0);
    },
  };
}

Deno.test("what goes into a ring comes out, in its order, round and round", () => {
  const { writer, drain } = ring(1024);
  let [next, taken] = [0, 0];
  for (let round = 0; round < 5000; round++) {
    const wanted: string[] = [];
    for (let i = 0; i < round % 5; i++) {
      const bytes = Uint8Array.from({ length: next * 7 % 100 }, (_, k) => next + k);
      assert(writer.put(next % 2, next / 8, bytes));
      wanted.push(`${next % 2} ${next / 8} ${bytes.join()}`);
      if (next % 3 === 0) {
        assert(writer.again(1, next));
        wanted.push(`again 1 ${next}`);
      }
      next++;
    }
    const seen = drain();
    taken += seen.length;
    assertEquals(seen, wanted);
  }
  assert(taken > 10_000);
});

Deno.test("what finds no room in a ring is counted, where it is missing", () => {
  const { writer, drain } = ring(256);
  const bytes = new Uint8Array(40);
  let count = 0;
  while (writer.put(0, count, bytes)) count++;
  assertEquals(count, 4);
  assertEquals(writer.put(1, 9, bytes), false);
  assertEquals(writer.put(0, 9, bytes), false);
  assertEquals(drain().slice(4), ["lost 0 1", "lost 1 1"]);
  assertEquals(writer.put(0, 10, bytes.subarray(0, 1)), true);
  assertEquals(drain(), ["lost 0 1", "0 10 0"]);
  assertEquals(writer.put(0, 11, new Uint8Array(300)), false);
  writer.put(0, 12, bytes.subarray(0, 1));
  assertEquals(drain(), ["lost 0 1", "0 12 0"]);
});

Deno.test("a reader may stop, and is woken once", () => {
  const { writer, reader, drain, woken } = ring(1024);
  for (let i = 0; i < 3; i++) writer.put(0, i, new Uint8Array());
  assertEquals(drain(() => false), ["0 0 "]);
  assertEquals(reader.sleep(), false);
  assertEquals(drain().length, 2);
  assertEquals(reader.sleep(), true);
  for (let i = 0; i < 3; i++) writer.put(0, i, new Uint8Array());
  assertEquals(woken(), 1);
});

/** A batch as a socket node hands it on: its bytes are overwritten by the next one. */
function arrived(buffer: Uint8Array, samples: Sample[]): Batch & { asked: number } {
  const bytes = villasProtobuf.encode(samples);
  buffer.set(bytes);
  const batch = {
    ...{ asked: 0, count: samples.length, sequences: [], plain: true },
    bytes: buffer.subarray(0, bytes.length),
    received: { sec: 0, nsec: 0 },
    get samples() {
      batch.asked++;
      return samples;
    },
  };
  return batch;
}

/** The state that a page is told, once it is as wanted. */
async function stateOf(
  scope: ScopeThread,
  isWanted: (lanes: { samples: number }[]) => boolean,
): Promise<{ lanes: Record<string, unknown>[]; statistics: unknown }> {
  const socket = new WebSocket(`${scope.url!.replace("http:", "ws:")}stream`);
  socket.binaryType = "arraybuffer";
  const found = Promise.withResolvers<{ lanes: Record<string, unknown>[]; statistics: unknown }>();
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") return socket.send('{"type":"ready"}');
    const message = JSON.parse(data);
    const view = { type: "view", id: 1, span: 10, columns: 100, end: null, channels: [[0], [0]] };
    if (message.type === "hello") socket.send(JSON.stringify(view));
    if (message.type !== "state") return;
    if (isWanted(message.lanes) && message.statistics.length > 0) found.resolve(message);
  };
  const closed = new Promise<void>((resolve) => socket.onclose = () => resolve());
  const state = await found.promise;
  socket.close();
  await closed;
  return state;
}

Deno.test("whole messages are read by the other thread, and what goes back as it came is read once", async () => {
  await using scope = await startScopeThread({
    lanes: [{ name: "received" }, { name: "sent", isReply: true }],
    ...{ listen: { hostname: "127.0.0.1", port: 0 }, format: villasProtobuf },
    statistics: () => [{ name: "Invalid", value: 7 }],
  });
  const buffer = new Uint8Array(100);
  const [first, second] = [scope.tap(0), scope.tap(1)];
  const batches = Array.from({ length: 20 }, (_, i) => {
    const sample: Sample = { type: "data", sequence: BigInt(i), values: [i, BigInt(-i)] };
    const batch = arrived(buffer, [sample]);
    first(batch);
    // Every third one is answered with something else, every fifth not at all.
    if (i % 3 === 0) second(batchOf([{ ...sample, values: [7] }]));
    else if (i % 5 !== 0) second(batch);
    return batch;
  });
  assertEquals(batches.map(({ asked }) => asked).reduce((a, b) => a + b), 0);
  const { lanes: [received, sent], statistics } = await stateOf(
    scope,
    ([one, two]) => one?.samples === 20 && two?.samples === 18,
  );
  assertEquals(received!.values, ["19", "-19"]);
  assertEquals([received!.missed, received!.unseen, sent!.missed], [0, 0, 2]);
  assert((sent!.delay as number) < 0.1);
  assertEquals(statistics, [{ name: "Invalid", value: 7 }]);
});

Deno.test("samples of every kind go to the other thread, which draws them in the terminal too", async () => {
  await using scope = await startScopeThread({ lanes: [{ name: "received" }] });
  const values = [1.5, -3n, true, { real: 3, imag: 4 }, null];
  // More than there is room for at once, and so with breaks.
  for (let i = 0; i < 100; i++) scope.add(0, [{ type: "data", sequence: BigInt(i), values }]);
  const lines = await scope.draw({ columns: 100, rows: 20, colours: false });
  for (const text of ["signal0        1.5", "signal1        −3", "signal2        true"]) {
    assert(lines.some((line) => line.includes(text)), `${text} in\n${lines.join("\n")}`);
  }
  scope.press(" ");
  const [head] = await scope.draw({ columns: 100, rows: 20, colours: false });
  assert(head!.startsWith("paused"), head);
});

Deno.test("a sample that protobuf cannot carry is not shown, and counted, and does no harm", async () => {
  await using scope = await startScopeThread({
    lanes: [{ name: "received" }],
    listen: { hostname: "127.0.0.1", port: 0 },
    statistics: () => [{ name: "Invalid", value: 0 }],
  });
  scope.add(0, [{ type: "data", values: [1], origin: { sec: -1, nsec: 0 } }]);
  scope.add(0, [{ type: "data", values: [2n ** 63n] }]);
  scope.add(0, [{ type: "data", values: [1] }]);
  const { lanes: [lane] } = await stateOf(scope, ([lane]) => lane!.samples === 1);
  assertEquals([lane!.unseen, lane!.values], [2, ["1"]]);
});

Deno.test("what is no message is not shown, and counted, and the next one is shown", async () => {
  await using scope = await startScopeThread({
    lanes: [{ name: "received" }],
    ...{ listen: { hostname: "127.0.0.1", port: 0 }, format: villasProtobuf },
    statistics: () => [{ name: "Invalid", value: 0 }],
  });
  const tap = scope.tap(0);
  const batch = arrived(new Uint8Array(100), [{ type: "data", values: [1] }]);
  tap({ ...batch, bytes: new Uint8Array([10, 200, 1]) });
  tap(batch);
  const { lanes: [lane] } = await stateOf(scope, ([lane]) => lane!.samples === 1);
  assertEquals([lane!.unseen, lane!.values], [1, ["1"]]);
});

Deno.test("an address that is taken is refused as without a thread", async () => {
  using busy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = busy.addr;
  const listen = { hostname: "127.0.0.1", port };
  await assertRejects(
    () => startScopeThread({ lanes: [{ name: "received" }], listen }),
    UsageError,
    `Cannot listen on "127.0.0.1:${port}"`,
  );
});

Deno.test("samples that come too fast are not shown, and nobody waits for them", async () => {
  await using scope = await startScopeThread({
    lanes: [{ name: "received" }],
    ...{ listen: { hostname: "127.0.0.1", port: 0 }, format: villasProtobuf },
    statistics: () => [{ name: "Invalid", value: 0 }],
  });
  const buffer = new Uint8Array(40_000);
  const values = Array.from({ length: 3000 }, (_, i) => i);
  const batch = arrived(buffer, [{ type: "data", values }]);
  const tap = scope.tap(0);
  const count = 2000; // 54 MB
  for (let i = 0; i < count; i++) tap(batch);
  tap(arrived(buffer, [{ type: "data", values: [1] }]));
  await stateOf(scope, ([lane]) => lane!.samples >= 200);
  tap(arrived(buffer, [{ type: "data", values: [1] }]));
  const { lanes: [lane] } = await stateOf(
    scope,
    ([lane]) => lane!.samples + (lane as unknown as { unseen: number }).unseen === count + 2,
  );
  assertAlmostEquals(lane!.unseen as number, count - 2 ** 24 / batch.bytes!.length, count / 2);
});
