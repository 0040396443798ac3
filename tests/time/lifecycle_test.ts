import { assertEquals } from "@std/assert";
import { closeWhenAborted, notify, whenAborted } from "../../lib/time/lifecycle.ts";
import { CountingSignal } from "./counting_signal.ts";

Deno.test("notify: what an observer throws or rejects with is reported, and thrown nowhere", async () => {
  const thrown = new Error("thrown");
  const rejected = new Error("rejected");
  const seen: unknown[] = [];
  const both = Promise.withResolvers<void>();
  const listener = (event: ErrorEvent) => {
    event.preventDefault();
    if (seen.push(event.error) === 2) both.resolve();
  };
  addEventListener("error", listener);
  try {
    notify(() => {
      throw thrown;
    });
    notify(() => Promise.reject(rejected));
    await both.promise;
  } finally {
    removeEventListener("error", listener);
  }
  assertEquals(seen, [thrown, rejected]);
});

Deno.test("whenAborted: calls once, also where it is aborted already, and never when disposed of", () => {
  const { signal, abort, listeners } = new CountingSignal();
  let calls = 0;
  using _ = whenAborted(signal, () => calls++);
  whenAborted(signal, () => calls++)[Symbol.dispose]();
  assertEquals(listeners(), 1);
  abort("enough");
  assertEquals(calls, 1);
  signal.dispatchEvent(new Event("abort"));
  assertEquals(calls, 1);
  using _already = whenAborted(signal, () => calls++);
  assertEquals(calls, 2);
  using _without = whenAborted(undefined, () => calls++);
  assertEquals(calls, 2);
});

Deno.test("closeWhenAborted: closes, and keeps no object alive that has finished", async () => {
  for (const fails of [false, true]) {
    const { signal, abort, listeners } = new CountingSignal();
    const finished = Promise.withResolvers<void>();
    let closed = 0;
    closeWhenAborted(signal, finished.promise, () => closed++);
    closeWhenAborted(signal, new Promise(() => {}), () => closed += 10);
    assertEquals(listeners(), 2);
    if (fails) finished.reject(new Error("no"));
    else finished.resolve();
    await finished.promise.catch(() => {});
    await Promise.resolve();
    assertEquals(listeners(), 1);
    abort("enough");
    assertEquals(closed, 10);
    closeWhenAborted(signal, finished.promise, () => closed++);
    assertEquals(closed, 11);
    closeWhenAborted(undefined, finished.promise.catch(() => {}), () => closed++);
    assertEquals(closed, 11);
  }
});
