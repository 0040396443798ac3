import { assert, assertEquals } from "@std/assert";
import { ticks } from "../../lib/time/ticker.ts";

/** A clock that stands still but for sleeping, which takes `slack` ms longer than asked for. */
function fakeTime(slack: () => number) {
  let time = 1000;
  return {
    now: () => time,
    sleep: (seconds: number) => {
      time += seconds * 1000 + slack();
      return Promise.resolve();
    },
    work: (ms: number) => {
      time += ms;
    },
  };
}

interface Tick {
  step: number;
  late: number;
}

/** All steps; `runs` gets how many came together each time. */
async function run(
  options: Parameters<typeof ticks>[0],
  work: (tick: Tick) => void = () => {},
  runs: number[] = [],
) {
  const { now = () => performance.now() } = options;
  const steps: Tick[] = [];
  for await (const { first, last, dueAt } of ticks(options)) {
    const at = now();
    runs.push(last - first + 1);
    for (let step = first; step <= last && !options.signal.aborted; step++) {
      const tick = { step, late: at - dueAt(step) };
      steps.push(tick);
      work(tick);
    }
  }
  return steps;
}

const { signal } = new AbortController();

Deno.test("ticks() keeps absolute deadlines: late sleeps do not add up", async () => {
  for (const rate of [10, 1000, 10_000]) {
    const time = fakeTime(() => 0.7);
    const steps = await run({ rate, limit: 5000, signal, ...time });
    assertEquals(steps.map(({ step }) => step), Array.from({ length: 5000 }, (_, i) => i));
    const elapsed = time.now() - 1000;
    assert(Math.abs(elapsed - 4999 * 1000 / rate) < 2, `${rate} per second: ${elapsed} ms`);
    assert(steps.every(({ late }) => late >= 0 && late < 2));
  }
});

Deno.test("ticks() gives no step before it is due, and tells how late it is", async () => {
  for (const slack of [0.7, 0, -0.4]) {
    const time = fakeTime(() => slack); // timers may also be early
    await run({ rate: 100, limit: 50, signal, ...time }, ({ step, late }) => {
      assertEquals(late, time.now() - (1000 + step * 10));
    });
  }
});

Deno.test("ticks() ends where the last steps are too late", async () => {
  for (const limit of [310, 550]) {
    const time = fakeTime(() => 0);
    const runs: number[] = [];
    const steps = await run(
      { rate: 1000, limit, signal, ...time },
      ({ step }) => time.work(step === 300 ? 500 : 0), // 550 is the first that is made up for
      runs,
    );
    assertEquals(steps.at(-1)?.step, 300);
    assert(runs.every((steps) => steps > 0));
  }
});

Deno.test("ticks() makes up for a short delay and leaves out what is too late", async () => {
  const time = fakeTime(() => 0);
  const delays = new Map([[5, 150], [300, 500]]);
  const steps = await run(
    { rate: 1000, limit: 1000, signal, ...time },
    ({ step }) => time.work(delays.get(step) ?? 0),
  );
  const numbers = steps.map(({ step }) => step);
  assertEquals(numbers.slice(0, 301), Array.from({ length: 301 }, (_, i) => i));
  assertEquals(numbers[301], 550); // 800 is due, and a quarter of a second is made up for
  assertEquals(numbers.at(-1), 999);
});

Deno.test("ticks() gives few steps at a time, so that what receives them keeps up", async () => {
  for (const [rate, most] of [[1000, 200], [100_000, 500]] as const) {
    const time = fakeTime(() => 1.1);
    const runs: number[] = [];
    const steps = await run(
      { rate, limit: rate, signal, ...time },
      ({ step }) => time.work(step === 100 ? 240 : 0),
      runs,
    );
    assertEquals(steps.map(({ step }) => step), Array.from({ length: rate }, (_, i) => i));
    assertEquals(Math.max(...runs), most);
  }
});

Deno.test("ticks() does not sleep between runs of many steps per second, but lets others have their turn", async () => {
  for (const fails of [false, true]) {
    const time = fakeTime(() => 1.1);
    const runs: number[] = [];
    let turns = 0;
    const pass = () => {
      turns++;
      return fails ? Promise.reject(new Error("no socket")) : Promise.resolve();
    };
    // A millisecond of sleep here would be more than there is.
    const busy = () => time.work(0.0099);
    const rate = 100_000;
    const steps = await run({ rate, limit: 20_000, signal, ...time, pass }, (tick) => {
      if (!fails && turns > 0) busy();
      else if (tick.step === 0) time.work(5);
    }, runs);
    assertEquals(steps.map(({ step }) => step), Array.from({ length: 20_000 }, (_, i) => i));
    assertEquals(Math.max(...runs), 200);
    assert(turns > 0);
    if (!fails) assert(time.now() - 1000 < 205, `${time.now() - 1000} ms`);
  }
});

Deno.test("ticks() ends when aborted", async () => {
  const controller = new AbortController();
  const steps = await run({ rate: 1000, signal: controller.signal }, ({ step }) => {
    if (step === 3) controller.abort();
  });
  assertEquals(steps.map(({ step }) => step), [0, 1, 2, 3]);
});
