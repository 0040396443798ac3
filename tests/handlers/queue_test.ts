import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Queue } from "../../lib/handlers/queue.ts";

Deno.test("Queue.run() runs tasks in their order, one at a time", async () => {
  const queue = new Queue(1);
  const log: string[] = [];
  const task = (name: string) => async () => {
    log.push(`+${name}`);
    await Promise.resolve();
    await Promise.resolve();
    log.push(`-${name}`);
  };
  await Promise.all(["a", "b", "c"].map((name) => queue.run(task(name))));
  assertEquals(log, ["+a", "-a", "+b", "-b", "+c", "-c"]);
  assertEquals([queue.running, queue.waiting], [0, 0]);
});

Deno.test("Queue.run() runs so many tasks at once", async () => {
  const queue = new Queue(3);
  let [now, most] = [0, 0];
  await Promise.all(Array.from({ length: 10 }, () =>
    queue.run(async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now--;
    })));
  assertEquals(most, 3);
});

Deno.test("Queue.run() does not let a quick task overtake those that wait", async () => {
  const queue = new Queue(1);
  const log: number[] = [];
  const gate = Promise.withResolvers<void>();
  const all = [
    queue.run(() => gate.promise.then(() => log.push(0))),
    queue.run(() => log.push(1)),
    queue.run(() => log.push(2)),
  ];
  gate.resolve();
  await Promise.all(all);
  assertEquals(log, [0, 1, 2]);
});

Deno.test("Queue.run() goes on after tasks that fail", async () => {
  const queue = new Queue(1);
  assertThrows(
    () =>
      queue.run(() => {
        throw new Error("now");
      }),
    Error,
    "now",
  );
  const later = queue.run(() => Promise.reject(new Error("later"))) as Promise<never>;
  const waiting = queue.run(() => {
    throw new Error("in turn");
  }) as Promise<never>;
  const last = queue.run(() => "last");
  await assertRejects(() => later, Error, "later");
  await assertRejects(() => waiting, Error, "in turn");
  assertEquals(await last, "last");
});

Deno.test("Queue.run() holds a hundred thousand waiting tasks", async () => {
  const queue = new Queue(1);
  const gate = Promise.withResolvers<void>();
  let count = 0;
  const all = [queue.run(() => gate.promise)];
  for (let i = 0; i < 100_000; i++) all.push(queue.run(() => void count++) as Promise<void>);
  gate.resolve();
  await Promise.all(all);
  assertEquals(count, 100_000);
});

Deno.test("Queue.run() lets tasks be called off that wait, wherever they stand", async () => {
  const queue = new Queue(1);
  const gate = Promise.withResolvers<string>();
  const log: string[] = [];
  const calls: ((result: string) => void)[] = [];
  const tasks = ["a", "b", "c", "d"].map((name) =>
    queue.run(() => {
      log.push(name);
      return name === "a" ? gate.promise : name;
    }, (callOff) => calls.push(callOff))
  );
  assertEquals([calls.length, queue.waiting], [3, 3]);
  calls[1]!("no c");
  calls[2]!("no d");
  const last = queue.run(() => "e");
  assertEquals(queue.waiting, 2);
  calls[0]!("no b");
  gate.resolve("a");
  assertEquals(await Promise.all([...tasks, last]), ["a", "no b", "no c", "no d", "e"]);
  assertEquals([log, queue.running, queue.waiting], [["a"], 0, 0]);
});
