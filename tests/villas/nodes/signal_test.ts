import { assertEquals } from "@std/assert";
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
