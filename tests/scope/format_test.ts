/** Numbers as the page and the terminal write them. */

import { assert, assertEquals } from "@std/assert";
import { band, beside, si, tick, ticksText, value } from "../../lib/scope/page/format.js";

Deno.test("numbers on an axis are told apart, however close they are, and have no zeros at their ends", () => {
  assertEquals(ticksText([-1, -0.5, 0, 0.5, 1]), ["−1", "−0.5", "0", "0.5", "1"]);
  assertEquals(ticksText([0, 2.5, 5]), ["0", "2.5", "5"]);
  assertEquals(ticksText([1e7, 2e7]), ["1e7", "2e7"]);
  assertEquals(ticksText([-1e-5, 1e-5]), ["−1e−5", "1e−5"]);
  assertEquals(ticksText([10.000012, 10.000014]), ["10.000012", "10.000014"]);
  assertEquals(tick(0.1 + 0.2, 0.1), "0.3");
  assertEquals(ticksText([0.1 * 3 - 0.3, 0.1]), ["0", "0.1"]);
  for (const middle of [0, 1, -50, 1013.25, 101_325, 1e6, 1.7e9, 1.7e18, 1e-6]) {
    for (const step of [1, 2, 2.5, 5]) {
      for (let power = -7; power < 12; power++) {
        const size = step * 10 ** power;
        if (size < 1e-14 * middle) continue;
        const first = Math.round(middle / size) * size;
        const ticks = Array.from({ length: 9 }, (_, i) => first + i * size);
        const texts = ticksText(ticks);
        assertEquals(new Set(texts).size, 9, `${texts}`);
        texts.forEach((text, i) => {
          const shown = Number(text.replaceAll("−", "-"));
          assert(Math.abs(shown - ticks[i]!) < size / 5, `${text} for ${ticks[i]}`);
        });
      }
    }
  }
});

Deno.test("values that are close together have the digits that tell them apart", () => {
  assertEquals(beside(10.000012, 10.00002, 1e-5), "10.00001200");
  assertEquals(beside(2e-6, 10.00002, 1e-5), "0.00000200");
  assertEquals(band([10.000012, 10.000014], 10.00002, 1e-5), "10.00001200 … 10.00001400");
  assertEquals(value("10.000012345", 10.00002, 1e-5), "10.00001235");
  // Where they are not, as many as ever; and one alone has no others.
  assertEquals(beside(2.5, 10, 20), "2.500");
  assertEquals(beside(2.5, 10, 0), "2.500");
  assertEquals(beside(3.0000000000000004, 3, 4e-16), "3.0000");
  assertEquals(value("1.23456789", 10, 20), "1.235");
});

Deno.test("a frequency between two cursors at one place is none", () => {
  assertEquals(si(1 / 0, "Hz"), "–");
});
