import { assertAlmostEquals, assertEquals } from "@std/assert";
import { timestampOf } from "../../../lib/time/timestamp.ts";
import { SignalNode } from "../../../lib/villas/nodes/signal.ts";

Deno.test("a signal node that was ended hands on nothing more, not even the rest of a batch", async () => {
  const sizes: number[] = [];
  const node: SignalNode = new SignalNode({
    realtime: false,
    vectorize: 3,
    onStep: (step) => step === 4 ? node.end() : undefined,
    now: () => ({ sec: 0, nsec: 0 }),
  });
  await node.serve(({ count }) => void sizes.push(count));
  assertEquals(sizes, [3]);
});

Deno.test("times of origin keep their distance, however long a look at the clock takes", async () => {
  const origins: number[] = [];
  const node: SignalNode = new SignalNode({
    rate: 100,
    limit: 3,
    now: () => {
      const end = performance.now() + (origins.length === 0 ? 30 : 0);
      while (performance.now() < end);
      return timestampOf(performance.now());
    },
  });
  await node.serve(({ samples }) => {
    for (const { origin } of samples) origins.push(origin!.sec * 1000 + origin!.nsec / 1e6);
  });
  const [first, ...others] = origins;
  others.forEach((origin, i) => assertAlmostEquals(origin - first!, 10 * (i + 1), 5));
});
