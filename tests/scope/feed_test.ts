/** What becomes of samples on their way into a scope. */

import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { Sample } from "../../lib/codecs/villas/sample.ts";
import { Feed } from "../../lib/scope/feed.ts";
import { copyPoints, GAP } from "../../lib/scope/store/reduce.ts";
import { batchOf } from "../../lib/villas/node.ts";

const numbered = (i: number): Sample => ({ type: "data", sequence: BigInt(i), values: [i] });

Deno.test("a tap shows samples to its lane, and the delay is found from one to the other", () => {
  let now = 100;
  const feed = new Feed({
    lanes: [{ name: "received" }, { name: "sent", isReply: true }],
    now: () => now,
  });
  const [first, second] = [feed.tap(0), feed.tap(1)];
  for (let i = 0; i < 20; i++) {
    now = 100 + i / 10;
    first(batchOf([numbered(i)]));
    now += 0.001;
    if (i % 5 !== 0) second(batchOf([numbered(i)]));
  }
  const [received, sent] = feed.lanes.map((lane) => copyPoints(lane, [0], 0, 100));
  assertEquals(received!.values[0]!.length, 20);
  assertEquals(sent!.values[0]!.length, 16);
  const [, known] = feed.statistics();
  assertAlmostEquals(known!.delay, 0.001, 1e-6);
  assertEquals(known!.missed, 3);
});

Deno.test("what could not be shown is a gap, and counts as not shown and not as missed", () => {
  const feed = new Feed({ lanes: [{ name: "received" }], now: () => 100 });
  const add = (...numbers: number[]) => numbers.forEach((i) => feed.add(0, [numbered(i)], 100 + i));
  add(0, 1, 3);
  feed.lost(0, 4);
  add(8, 9);
  const [known] = feed.statistics();
  assertEquals([known!.missed, known!.unseen], [1, 4]);
  const { flags } = copyPoints(feed.lanes[0]!, [0], 0, 10);
  assertEquals([...flags], [0, 0, GAP, GAP, 0]);
});
