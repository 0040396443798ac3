import { assert, assertEquals } from "@std/assert";
import type { Sample } from "../../../lib/codecs/villas/sample.ts";
import { Returns } from "../../../lib/villas/hooks/returns.ts";
import { batchOf } from "../../../lib/villas/node.ts";

const sample = (sequence: bigint): Sample => ({ type: "data", sequence, values: [1] });

/** The system's clock as a test sets it, in µs. */
function manualClock() {
  let [now, arrived] = [1e15, NaN];
  return {
    clock: { now: () => now, arrived: () => arrived },
    pass: (micros: number) => void (now += micros),
    arrive: (at: number) => void (arrived = at),
    now: () => now,
  };
}

function send(returns: Returns, ...sequences: bigint[]): void {
  for (const sequence of sequences) returns.sent.prepare!(batchOf([sample(sequence)]));
}

function comeBack(returns: Returns, sequence: bigint): void {
  const batch = batchOf([sample(sequence)]);
  returns.arrived.prepare!(batch);
  void returns.back(batch);
}

/** Lets the clock that runs evenly go on, so that there was time for the way there and back. */
function waitAWhile(): void {
  for (const end = performance.now() + 3; performance.now() < end;);
}

Deno.test("Returns takes the time of arrival from the system, from when the samples were given to it", () => {
  const time = manualClock();
  const returns = new Returns({ clock: time.clock });
  send(returns, 0n, 1n);
  time.pass(500); // the samples wait for one another
  returns.leave();
  waitAWhile();
  time.arrive(time.now() + 40);
  time.pass(2000); // the program was busy when they came back
  comeBack(returns, 0n);
  comeBack(returns, 1n);
  assertEquals(returns.counts.returned, 2);
  assertEquals([returns.counts.roundTrip.min, returns.counts.roundTrip.max], [40, 40]);
});

Deno.test("Returns does without the system's clock where it was set, or tells nothing", () => {
  for (const arrived of [-1e6, 1e9, NaN]) {
    const time = manualClock();
    const returns = new Returns({ clock: time.clock });
    send(returns, 0n);
    returns.leave();
    waitAWhile();
    time.arrive(time.now() + arrived);
    comeBack(returns, 0n);
    const { min } = returns.counts.roundTrip;
    assert(min >= 3000 && min < 1e6, `${min} µs`);
  }
});

Deno.test("Returns measures without a clock of the system", () => {
  const returns = new Returns({});
  send(returns, 0n);
  waitAWhile();
  comeBack(returns, 0n);
  const { min } = returns.counts.roundTrip;
  assert(min >= 3000, `${min} µs`);
});

Deno.test("Returns forgets the oldest of too many samples on the way", () => {
  const returns = new Returns({});
  const most = 65_536;
  for (let i = 0; i < most; i++) send(returns, BigInt(i));
  comeBack(returns, 1n); // leaves room, but the oldest goes all the same
  for (let i = 0; i < 2; i++) send(returns, BigInt(most + i));
  assertEquals(returns.outstanding, most);
  comeBack(returns, 0n);
  assertEquals([returns.counts.returned, returns.counts.unexpected], [1, 1]);
  send(returns, 5n, 5n, 2n ** 64n - 1n, 2n ** 64n - 2n);
  for (const sequence of [5n, 5n, 2n ** 64n - 1n, 2n ** 64n - 2n]) comeBack(returns, sequence);
  assertEquals([returns.counts.returned, returns.counts.unexpected], [5, 1]);
  returns.forget();
  send(returns, 7n);
  comeBack(returns, 7n);
  assertEquals([returns.outstanding, returns.counts.returned], [0, 6]);
});

/** Sends samples of number 7 with these values, and has some come back. */
function ofOneNumber(returns: Returns, sent: number[], back: number[]): void {
  const batches = (values: number[]) =>
    values.map((value) => batchOf([{ ...sample(7n), values: [value] }]));
  for (const batch of batches(sent)) returns.sent.prepare!(batch);
  for (const batch of batches(back)) void returns.back(batch);
}

for (
  const [what, back, expected] of [
    ["in their order", [1, 2, 3], [3, 0, 0]],
    ["in another order", [3, 1, 2], [3, 0, 0]],
    ["without one that was lost", [2, 3], [2, 0, 0]],
    ["once more", [2, 2], [2, 1, 0]],
    ["as something else", [4, 4, 4, 4], [3, 3, 1]],
  ] as [string, number[], number[]][]
) {
  Deno.test(`Returns tells samples of the same number apart that come back ${what}`, () => {
    const returns = new Returns({});
    ofOneNumber(returns, [1, 2, 3], back);
    const { returned, changed, unexpected } = returns.counts;
    assertEquals([returned, changed, unexpected], expected);
    assertEquals(returns.outstanding, 3 - returned);
  });
}

Deno.test("Returns remembers no end of samples of the same number", () => {
  const returns = new Returns({});
  ofOneNumber(returns, Array.from({ length: 1000 }, (_, i) => i), [0, 999, 998]);
  const { returned, changed } = returns.counts;
  assertEquals([returned, changed, returns.outstanding], [3, 1, 254]);
});
