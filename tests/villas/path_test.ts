import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type Batch, batchOf, type Hook, Path, type Sample, type Tap } from "../../mod.ts";

const sample = (sequence: bigint): Sample => ({ type: "data", sequence, values: [1] });

/** A destination that remembers what it was given. */
function sink() {
  const taken: Batch[] = [];
  return { taken, write: (batch: Batch) => void taken.push(batch) };
}

const nothingRefused = (error: unknown) => {
  throw error;
};

Deno.test("Path leads a batch through preparation, taps and hooks to every destination, in this order", async () => {
  const steps: string[] = [];
  const hook = (name: string): Hook => ({
    prepare: () => void steps.push(`prepare ${name}`),
    process: (batch) => (steps.push(`process ${name}`), batch),
  });
  const tap = (name: string): Tap => () => void steps.push(`tap ${name}`);
  const [one, two] = [sink(), sink()];
  const batch = batchOf([sample(1n)]);
  const path = new Path({
    hooks: [hook("a"), hook("b")],
    taps: [tap("x"), tap("y")],
    destinations: [one, two],
    onRefused: nothingRefused,
  });
  assertEquals(path.lead(batch), undefined, "nothing has to be waited for");
  const order = ["prepare a", "prepare b", "tap x", "tap y", "process a", "process b"];
  assertEquals(steps, order);
  assertStrictEquals(one.taken[0], batch);
  assertStrictEquals(two.taken[0], batch);
  const slow = new Path({
    hooks: [hook("a"), { process: (batch) => Promise.resolve(batch) }, hook("b")],
    taps: [async () => await tap("x")(batch), tap("y")],
    destinations: [one],
    onRefused: nothingRefused,
  });
  steps.length = 0;
  await slow.lead(batch);
  assertEquals(steps, order);
  assertEquals(one.taken.length, 2);
});

Deno.test("Path sends what a hook puts in place of a batch, and nothing where it gives null", async () => {
  const end = sink();
  const other = batchOf([sample(2n)]);
  for (const process of [() => other, () => Promise.resolve(other), () => null]) {
    const path = new Path({ hooks: [{ process }], destinations: [end], onRefused: nothingRefused });
    await path.lead(batchOf([sample(1n)]));
  }
  assertEquals(end.taken, [other, other]);
});

Deno.test("Path reports what a hook or a destination throws, and goes on; what a tap throws ends it", async () => {
  const refused: unknown[] = [];
  const thrown = new Error("no");
  const fail = () => {
    throw thrown;
  };
  const onRefused = (error: unknown) => void refused.push(error);
  const batch = batchOf([sample(1n)]);
  for (const hook of [{ process: fail }, { process: () => Promise.reject(thrown) }]) {
    await new Path({ hooks: [hook], onRefused }).lead(batch);
  }
  await new Path({ destinations: [{ write: fail }], onRefused }).lead(batch);
  assertEquals(refused, [thrown, thrown, thrown]);
  const path = new Path({ taps: [() => Promise.reject(thrown)], onRefused });
  await assertRejects(async () => await path.lead(batch), Error, "no");
});
