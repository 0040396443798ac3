import { assertEquals } from "@std/assert";
import { printExponent, printFixed } from "../../lib/text/printf.ts";
import { PYTHON, pythonLines } from "../interop/python.ts";
import { bitsOf, edgeDoubles, randomDoubles } from "../codecs/struct/random_values.ts";

/** Prints each double in each format, separated by tabs. Python passes these formats on to C's rules. */
const SCRIPT = `
import struct, sys
for line in sys.stdin:
    value = struct.unpack(">d", bytes.fromhex(line))[0]
    print("\\t".join(form % value for form in sys.argv[1:]))
`;
const FORMATS = ["%.17f", "%+.17f", "%.0f", "%.1f", "%.6f", "%+e", "%.0e", "%.1e", "%.16e"];

function printed(value: number): string {
  return [
    printFixed(value, 17),
    printFixed(value, 17, { plus: true }),
    printFixed(value, 0),
    printFixed(value, 1),
    printFixed(value, 6),
    printExponent(value, 6, { plus: true }),
    printExponent(value, 0),
    printExponent(value, 1),
    printExponent(value, 16),
  ].join("\t");
}

Deno.test("printFixed() rounds ties to even", () => {
  assertEquals([0.5, 1.5, 2.5, 3.5].map((x) => printFixed(x, 0)), ["0", "2", "2", "4"]);
  assertEquals([0.25, 0.75, -0.25].map((x) => printFixed(x, 1)), ["0.2", "0.8", "-0.2"]);
  assertEquals(printFixed(2 ** -18, 17), "0.00000381469726562");
  assertEquals(printFixed(3 * 2 ** -18, 17), "0.00001144409179688");
});

Deno.test("printFixed() never uses an exponent", () => {
  assertEquals(printFixed(1e21, 2), "1000000000000000000000.00");
  assertEquals(printFixed(-1e23, 0), "-99999999999999991611392");
  assertEquals(printFixed(5e-324, 17), "0.00000000000000000");
});

Deno.test("printFixed() keeps the sign of zero", () => {
  assertEquals(printFixed(-0, 2), "-0.00");
  assertEquals(printFixed(-1e-30, 2), "-0.00");
  assertEquals(printFixed(0, 2, { plus: true }), "+0.00");
});

Deno.test("printFixed() names what is no number", () => {
  assertEquals([NaN, Infinity, -Infinity].map((x) => printFixed(x, 17)), ["nan", "inf", "-inf"]);
  assertEquals([NaN, Infinity, -Infinity].map((x) => printFixed(x, 17, { plus: true })), [
    "+nan",
    "+inf",
    "-inf",
  ]);
});

Deno.test("printExponent() rounds ties to even", () => {
  assertEquals(printExponent(10000005, 6), "1.000000e+07");
  assertEquals(printExponent(10000015, 6), "1.000002e+07");
  assertEquals([0.25, 2.5, 3.5].map((x) => printExponent(x, 0)), ["2e-01", "2e+00", "4e+00"]);
});

Deno.test("printExponent() writes two digits of exponent at least", () => {
  assertEquals(printExponent(0, 6, { plus: true }), "+0.000000e+00");
  assertEquals(printExponent(-1.5e-7, 1), "-1.5e-07");
  assertEquals(printExponent(1e300, 1), "1.0e+300");
});

Deno.test(`printFixed() and printExponent() agree with ${PYTHON} on edge values and random bits`, async () => {
  const values = [...edgeDoubles(), ...randomDoubles(30_000, 2)];
  const wanted = await pythonLines(["-c", SCRIPT, ...FORMATS], values.map(bitsOf));
  assertEquals(wanted.length, values.length);
  values.forEach((value, i) => assertEquals(printed(value), wanted[i], bitsOf(value)));
});
