import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { wallClock } from "../../lib/time/wall_clock.ts";

/** Both clocks of a computer on which a look at one takes 2 µs; `offset` is between them, in ms. */
class FakeClocks implements Disposable {
  readonly #real = [Date.now, performance.now] as const;
  /** What the monotonic clock says. */
  time = 5000;
  /** How often a clock was looked at. */
  looks = 0;
  /** Called at each look. */
  onLook = () => {};

  constructor(public offset: number) {
    Date.now = () => Math.floor(this.#look() + this.offset);
    performance.now = () => this.#look();
  }

  #look(): number {
    this.looks++;
    this.onLook();
    return this.time += 0.002;
  }

  [Symbol.dispose](): void {
    [Date.now, performance.now] = this.#real;
  }
}

const OFFSETS = [1_795_253_843_000, 1_795_253_843_000.25, 1_795_253_843_999.75];

Deno.test("wallClock() finds the offset of two clocks, and looks for it once", () => {
  for (const offset of OFFSETS) {
    using clocks = new FakeClocks(offset);
    const now = wallClock();
    assertAlmostEquals(now(), clocks.time + offset, 0.012);
    clocks.looks = 0;
    for (let i = 0; i < 10; i++) {
      clocks.time += 0.3;
      assertAlmostEquals(now(), clocks.time + offset, 0.012);
    }
    assertEquals(clocks.looks, 20);
  }
});

Deno.test("wallClock() follows when the clock of the computer is set", () => {
  for (const step of [6.5, -6.5, 3_600_000, -3_600_000]) {
    using clocks = new FakeClocks(OFFSETS[1]!);
    const now = wallClock();
    now();
    clocks.offset += step;
    for (let i = 0; i < 3; i++) assertAlmostEquals(now(), clocks.time + clocks.offset, 0.012);
  }
});

Deno.test("wallClock() is right where the clock is set while it is looked at", () => {
  for (const step of [-3_600_000, -3, 3, 3_600_000]) {
    using clocks = new FakeClocks(OFFSETS[1]!);
    const now = wallClock();
    clocks.onLook = () => {
      if (clocks.looks === 20) clocks.offset += step;
    };
    for (let i = 0; i < 2; i++) assertAlmostEquals(now(), clocks.time + clocks.offset, 0.012);
  }
});

Deno.test("wallClock() gives up in time where every look is interrupted", () => {
  using clocks = new FakeClocks(OFFSETS[1]!);
  const now = wallClock();
  clocks.onLook = () => clocks.time += 3;
  const start = clocks.time;
  assertAlmostEquals(now(), clocks.time + clocks.offset, 7);
  assert(clocks.time - start < 40, `${clocks.time - start} ms`);
});
