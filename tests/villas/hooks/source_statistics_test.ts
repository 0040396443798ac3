import { assertEquals } from "@std/assert";
import { SourceStatistics } from "../../../lib/villas/hooks/source_statistics.ts";

/** Numbers that make a tracker count as missed as many as it can. */
const FAR_APART = [1n, 2n, 2n ** 63n, 2n ** 63n + 1n, 2n ** 63n + 2n];

Deno.test("SourceStatistics adds up what it knows of many senders, and no more than a number holds exactly", () => {
  const statistics = new SourceStatistics();
  for (let port = 1; port <= 600; port++) {
    for (const sequence of [0, 1, 3]) {
      statistics.add({ hostname: "192.0.2.1", port }, sequence);
    }
  }
  assertEquals(statistics.counts, { missed: 600, reordered: 0, duplicates: 0, restarts: 0 });
  for (let port = 1; port <= 600; port++) {
    for (const sequence of FAR_APART) statistics.add({ hostname: "192.0.2.2", port }, sequence);
  }
  assertEquals(statistics.counts.missed, Number.MAX_SAFE_INTEGER);
});
