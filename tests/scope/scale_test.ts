/** Round numbers on the page's axes. */

import { assert, assertEquals } from "@std/assert";
import { multiples, TIME_STEPS } from "../../lib/scope/page/scale.js";

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
