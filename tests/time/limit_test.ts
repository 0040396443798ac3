import { assertEquals, assertRejects } from "@std/assert";
import { Limit } from "../../lib/time/limit.ts";
import { CountingSignal } from "./counting_signal.ts";
import { ManualClock } from "./manual_clock.ts";

const late = new Error("late");

Deno.test("Limit ends what waits when the time is over", async () => {
  const clock = new ManualClock();
  using limit = new Limit(30, late, undefined, clock);
  const waiting = limit.wait(new Promise(() => {}));
  clock.pass(29.9);
  assertEquals(limit.signal.aborted, false);
  clock.pass(0.1);
  assertEquals(limit.signal.reason, late);
  await assertRejects(() => waiting, Error, "late");
});

Deno.test("Limit ends what waits when the caller's signal is aborted, before or after", async () => {
  const clock = new ManualClock();
  const outer = new CountingSignal();
  using limit = new Limit(Infinity, late, outer.signal, clock);
  assertEquals(clock.isAwaited, false);
  assertEquals(await limit.wait(Promise.resolve(1)), 1);
  const waiting = limit.wait(new Promise(() => {}));
  outer.abort(new Error("enough"));
  await assertRejects(() => waiting, Error, "enough");
  using another = new Limit(30, late, outer.signal, clock);
  assertEquals(another.signal.reason, limit.signal.reason);
});

Deno.test("Limit lets go of the timer and the caller's signal", () => {
  const clock = new ManualClock();
  const outer = new CountingSignal();
  {
    using _ = new Limit(30, late, outer.signal, clock);
    assertEquals([clock.isAwaited, outer.listeners()], [true, 1]);
  }
  assertEquals([clock.isAwaited, outer.listeners()], [false, 0]);
});
