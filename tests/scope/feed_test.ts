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

/** How many of the samples are shown that come with these numbers, a tenth of a second apart, and their times if they have any. */
function shownOf(numbers: number[], { isTimed }: { isTimed: boolean }): number {
  const feed = new Feed({ lanes: [{ name: "received" }], now: () => 100 });
  numbers.forEach((number, i) => {
    const now = 100 + i / 10;
    const origin = isTimed ? { sec: Math.floor(now), nsec: i % 10 * 1e8 } : undefined;
    feed.add(0, [{ ...numbered(number), origin }], now);
  });
  return copyPoints(feed.lanes[0]!, [0], 0, 1e6).times.length;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

Deno.test("a source that begins again with 1 is shown at once", () => {
  const numbers = [...upTo(500), ...upTo(300)];
  for (const isTimed of [true, false]) assertEquals(shownOf(numbers, { isTimed }), 800);
});

Deno.test("samples are shown that have times of their own, and a number that never changes", () => {
  assertEquals(shownOf(Array<number>(50).fill(7), { isTimed: true }), 50);
});

Deno.test("two sources of one address are both shown", () => {
  const numbers = upTo(100).flatMap((i) => [i, i + 700]);
  assertEquals(shownOf(numbers, { isTimed: true }), 200);
});

Deno.test("a sample that comes late, or again, is not drawn where it does not belong", () => {
  for (const isTimed of [true, false]) {
    const feed = new Feed({ lanes: [{ name: "received" }], now: () => 100 });
    for (const [number, at] of [[1, 1], [2, 2], [4, 4], [3, 3], [5, 5], [5, 5], [6, 6]] as const) {
      const origin = isTimed ? { sec: 100, nsec: at * 1e8 } : undefined;
      feed.add(0, [{ ...numbered(number), origin }], 100 + at / 10);
    }
    assertEquals([...copyPoints(feed.lanes[0]!, [0], 0, 10).values[0]!], [1, 2, 4, 5, 6]);
    const [known] = feed.statistics();
    assertEquals([known!.reordered, known!.duplicates], [1, 1]);
  }
});
