import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  type Batch,
  batchOf,
  type Hook,
  Path,
  type Sample,
  type SampleNode,
  type Tap,
} from "../../mod.ts";

const sample = (sequence: bigint): Sample => ({ type: "data", sequence, values: [1] });

/** A destination that remembers what it was given. */
function sink() {
  const taken: Batch[] = [];
  const write = (batch: Batch) => void taken.push(batch);
  return { taken, write, flush: () => Promise.resolve() };
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
  await new Path({ destinations: [{ ...sink(), write: fail }], onRefused }).lead(batch);
  assertEquals(refused, [thrown, thrown, thrown]);
  const path = new Path({ taps: [() => Promise.reject(thrown)], onRefused });
  await assertRejects(async () => await path.lead(batch), Error, "no");
});

Deno.test("Path.run() flushes after each batch the destinations that are not the source itself", async () => {
  const steps: string[] = [];
  const node: SampleNode = {
    finished: Promise.resolve(),
    async serve(handle) {
      for (const sequence of [1n, 2n]) await handle(batchOf([sample(sequence)]));
    },
    write: ({ sequences }) => void steps.push(`write ${sequences}`),
    flush: () => Promise.resolve(void steps.push("flush")),
    end() {},
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  await new Path({ destinations: [{ ...node }], onRefused: nothingRefused }).run(node);
  assertEquals(steps.splice(0), ["write 1", "flush", "write 2", "flush"]);
  await new Path({ destinations: [node], onRefused: nothingRefused }).run(node);
  assertEquals(steps, ["write 1", "write 2"]);
});

Deno.test("Path shows its sent taps what goes out, and nothing that is refused", async () => {
  const [thrown, shown] = [new Error("no"), [] as Batch[]];
  const refused: unknown[] = [];
  const options = {
    sentTaps: [(batch: Batch) => void shown.push(batch)],
    onRefused: (error: unknown) => void refused.push(error),
  };
  const [first, changed] = [batchOf([sample(1n)]), batchOf([sample(2n)])];
  const later = { ...sink(), write: () => Promise.resolve() };
  for (const destination of [sink(), later]) {
    const hooks = [{ process: () => changed }];
    await new Path({ ...options, hooks, destinations: [destination] }).lead(first);
  }
  await new Path({ ...options, hooks: [{ process: () => null }], destinations: [later] }).lead(
    first,
  );
  const failing = { ...sink(), write: () => Promise.reject(thrown) };
  await new Path({ ...options, destinations: [failing] }).lead(first);
  assertEquals([shown, refused], [[changed, changed], [thrown]]);
  const fail = () => Promise.reject(thrown);
  const path = new Path({ ...options, sentTaps: [fail], destinations: [sink()] });
  await assertRejects(async () => await path.lead(first), Error, "no");
});
