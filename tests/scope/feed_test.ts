/** What becomes of messages on their way into a scope. */

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { villasProtobuf } from "../../lib/codecs/villas/protobuf.ts";
import type { Sample } from "../../lib/codecs/villas/sample.ts";
import { Feed } from "../../lib/scope/feed.ts";
import { copyPoints } from "../../lib/scope/store/reduce.ts";
import { type Batch, batchOf } from "../../lib/villas/node.ts";

/** A batch as a socket node hands it on: its bytes are overwritten by the next one. */
function arrived(buffer: Uint8Array, samples: Sample[]): Batch & { asked: number } {
  const bytes = villasProtobuf.encode(samples);
  buffer.set(bytes);
  const batch = {
    ...{
      asked: 0,
      count: samples.length,
      sequences: [],
      plain: true,
      bytes: buffer.subarray(0, bytes.length),
    },
    received: { sec: 0, nsec: 0 },
    get samples() {
      batch.asked++;
      return samples;
    },
  };
  return batch;
}

Deno.test("whole messages are read later, and what goes back as it came is read once", () => {
  let now = 100;
  const feed = new Feed({
    lanes: [{ name: "received" }, { name: "sent", isReply: true }],
    format: villasProtobuf,
    now: () => now,
  });
  const buffer = new Uint8Array(100);
  const [first, second] = [feed.tap(0), feed.tap(1)];
  const batches = Array.from({ length: 20 }, (_, i) => {
    now = 100 + i / 10;
    const sample: Sample = { type: "data", sequence: BigInt(i), values: [i, BigInt(-i)] };
    const batch = arrived(buffer, [sample]);
    first(batch);
    now += 0.001;
    // Every third one is answered with something else, every fifth not at all.
    if (i % 3 === 0) second(batchOf([{ ...sample, values: [7] }]));
    else if (i % 5 !== 0) second(batch);
    return batch;
  });
  assertEquals(batches.map(({ asked }) => asked).reduce((a, b) => a + b), 0);
  const [received, sent] = feed.lanes.map((lane) => copyPoints(lane, [0], 0, 100));
  assertEquals([...received!.values[0]!], Array.from({ length: 20 }, (_, i) => i));
  assertEquals([...received!.times].map((time) => Math.round(time * 10)), [
    ...received!.values[0]!,
  ]);
  const wanted = Array.from({ length: 20 }, (_, i) => i % 3 === 0 ? [7] : i % 5 !== 0 ? [i] : []);
  assertEquals([...sent!.values[0]!], wanted.flat());
  assertEquals(feed.lanes[0]!.latest, [19, -19n]);
  const [, known] = feed.statistics();
  assertAlmostEquals(known!.delay, 0.001, 1e-6);
  assertEquals(known!.missed, 2);
});

Deno.test("a message that nobody asks for is read all the same, soon", async () => {
  const feed = new Feed({ lanes: [{ name: "received" }], format: villasProtobuf });
  feed.tap(0)(arrived(new Uint8Array(100), [{ type: "data", values: [1.5] }]));
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals(feed.lanes[0]!.latest, [1.5]);
});

Deno.test("more messages than find room are not lost", () => {
  const feed = new Feed({ lanes: [{ name: "received" }], format: villasProtobuf });
  const buffer = new Uint8Array(40_000);
  const values = Array.from({ length: 3000 }, (_, i) => i);
  for (let i = 0; i < 200; i++) {
    feed.tap(0)(arrived(buffer, [{ type: "data", sequence: BigInt(i), values }]));
  }
  assertEquals(feed.lanes[0]!.samples, 200);
  assertEquals(feed.statistics()[0]!.missed, 0);
});
