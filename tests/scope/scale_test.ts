/** Round numbers on the page's axes. */

import { assert, assertEquals } from "@std/assert";
import { fitted, multiples, TIME_STEPS, zoomed } from "../../lib/scope/page/scale.js";

Deno.test("the steps of a time axis are those of a clock, and each is a part of a longer one", () => {
  TIME_STEPS.forEach((step, i) => assert(i === 0 || step > TIME_STEPS[i - 1]!));
  for (const step of TIME_STEPS.filter((step) => step >= 1 && step < 86_400)) {
    assert(86_400 % step === 0, `${step} s`);
  }
});

Deno.test("lines are at multiples of the step, wherever the axis has its zero", () => {
  assertEquals(multiples([-10, 0], 5, 0), [-10, -5, 0]);
  assertEquals(multiples([0.3, 2.2], 1, 0), [1, 2]);
  // An axis whose zero is 13 s after a full minute.
  assertEquals(multiples([0, 120], 60, 13), [47, 107]);
  assertEquals(multiples([3, 4], 10, 0), []);
});

Deno.test("whatever the values, they find room in a range whose steps are numbers of their own", () => {
  const pairs = [
    [0, Number.MAX_VALUE],
    [-Number.MAX_VALUE, Number.MAX_VALUE],
    [0, 5e-324],
    [0, 1e-310],
    // A status word of 64 bits, and a time in ns, of which the lowest bit that a float has changes.
    [-(2 ** 63), -(2 ** 63) + 2048],
    [1.7e18, 1.7e18 + 256],
    [1e15, 1e15 + 0.125],
    [10.000012, 10.000018],
    [5, 5],
    [0, 0],
  ] as const;
  for (const [least, greatest] of pairs) {
    const [min, max] = fitted([-1, 1], [least, greatest]);
    const where = `${least} to ${greatest}: ${min} to ${max}`;
    assert(Number.isFinite(max - min), where);
    const most = 1e300;
    assert(min <= Math.max(least, -most) && max >= Math.min(greatest, most), where);
    const lines = Array.from({ length: 65 }, (_, i) => min + (max - min) * i / 64);
    assertEquals(new Set(lines).size, 65, where);
  }
});

Deno.test("what has no end, and what is no number, leaves a range as it was", () => {
  assertEquals(fitted([-1, 1], [Infinity, -Infinity]), [-1, 1]);
  assertEquals(fitted([-1, 1], [NaN, NaN]), [-1, 1]);
});

Deno.test("a range is zoomed around a value, until its steps would be no numbers of their own", () => {
  assertEquals(zoomed([0, 10], 0.5, 10), [5, 10]);
  for (const factor of [0.1, 10]) {
    let range: [number, number] = [9, 11];
    for (let i = 0; i < 1000; i++) range = zoomed(range, factor, 10);
    assert(Number.isFinite(range[1] - range[0]), String(range));
    assert(range[1] - range[0] > 1e-13, String(range));
  }
});
