import { assertEquals } from "@std/assert";
import { after } from "../../lib/time/deadline.ts";
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
  clock.pass(29.9 * DAY);
  assertEquals(calls, 0);
  clock.pass(0.2 * DAY);
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
