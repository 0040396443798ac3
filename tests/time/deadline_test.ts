import { assertEquals, assertRejects } from "@std/assert";
import {
  after,
  delay,
  orAborted,
  timerDelay,
  whenOverdue,
  within,
} from "../../lib/time/deadline.ts";
import { CountingSignal } from "./counting_signal.ts";
import { ManualClock } from "./manual_clock.ts";

const DAY = 86_400;

Deno.test("after() waits a month, which is too long for one timer", () => {
  // A timer of more than 2^31 - 1 ms, which is 24.8 days, goes off at once.
  class Timers extends ManualClock {
    override wake(callback: () => void, ms: number): () => void {
      return super.wake(callback, ms > 2 ** 31 - 1 ? 1 : ms);
    }
  }
  const clock = new Timers();
  let calls = 0;
  using _ = after(30 * DAY, () => calls++, clock);
  clock.pass(30 * DAY - 0.001);
  assertEquals(calls, 0);
  clock.pass(0.001);
  assertEquals([calls, clock.isAwaited], [1, false]);
});

Deno.test("after() is called off by disposing of it, also after its first timer", () => {
  const clock = new ManualClock();
  const waiting = after(30 * DAY, () => assertEquals("called", "not called"), clock);
  clock.pass(26 * DAY);
  assertEquals(clock.isAwaited, true);
  waiting[Symbol.dispose]();
  assertEquals(clock.isAwaited, false);
});

Deno.test("timerDelay() is in ms, and no longer than a timer can be", () => {
  assertEquals([0.5, 30 * DAY, Infinity].map(timerDelay), [500, 2 ** 31 - 1, 2 ** 31 - 1]);
});

Deno.test("whenOverdue() leaves a moment to read what has come while the computer slept", () => {
  const clock = new ManualClock();
  let calls = 0;
  const waiting = whenOverdue(30, () => calls++, clock);
  clock.suspend(3600);
  assertEquals([calls, clock.isAwaited], [0, true]);
  waiting[Symbol.dispose]();
  assertEquals(clock.isAwaited, false);
  using _ = whenOverdue(30, () => calls++, clock);
  clock.pass(30.05);
  assertEquals(calls, 0);
  clock.pass(0.05);
  assertEquals([calls, clock.isAwaited], [1, false]);
});

Deno.test("delay() resolves when the time is over, and lets go of the signal", async () => {
  const clock = new ManualClock();
  const { signal, listeners } = new CountingSignal();
  let isOver = false;
  const waiting = delay(30, signal, clock).then(() => isOver = true);
  clock.pass(29.9);
  await Promise.resolve();
  assertEquals([isOver, listeners()], [false, 1]);
  clock.pass(0.1);
  await waiting;
  assertEquals([isOver, listeners()], [true, 0]);
});

Deno.test("delay() throws the signal's reason, and keeps no timer", async () => {
  const clock = new ManualClock();
  const controller = new AbortController();
  const waiting = delay(30, controller.signal, clock);
  assertEquals(clock.isAwaited, true);
  controller.abort(new Error("enough"));
  assertEquals(clock.isAwaited, false);
  await assertRejects(() => waiting, Error, "enough");
  await assertRejects(() => delay(30, controller.signal, clock), Error, "enough");
  assertEquals(clock.isAwaited, false);
});

Deno.test("within() gives what comes in time, and undefined afterwards; no timer stays", async () => {
  const clock = new ManualClock();
  const soon = Promise.withResolvers<string>();
  const given = within(soon.promise, 30, clock);
  clock.pass(29.9);
  soon.resolve("value");
  assertEquals([await given, clock.isAwaited], ["value", false]);
  const failed = within(Promise.reject(new Error("no")), 30, clock);
  await assertRejects(() => failed, Error, "no");
  assertEquals(clock.isAwaited, false);
  const never = within(new Promise(() => {}), 30, clock);
  clock.pass(30);
  assertEquals([await never, clock.isAwaited], [undefined, false]);
});

Deno.test("within() waits for ever where there is no limit", async () => {
  const clock = new ManualClock();
  const late = Promise.withResolvers<string>();
  const given = within(late.promise, Infinity, clock);
  assertEquals(clock.isAwaited, false);
  late.resolve("value");
  assertEquals(await given, "value");
});

Deno.test("orAborted() gives what comes before the signal is aborted, and lets go of it", async () => {
  const { signal, listeners, abort } = new CountingSignal();
  assertEquals(await orAborted(Promise.resolve(1), signal), 1);
  await assertRejects(() => orAborted(Promise.reject(new Error("no")), signal), Error, "no");
  assertEquals(listeners(), 0);
  const never = orAborted(new Promise(() => {}), signal);
  abort(new Error("enough"));
  await assertRejects(() => never, Error, "enough");
  await assertRejects(() => orAborted(new Promise(() => {}), signal), Error, "enough");
});
