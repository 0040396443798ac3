import { assertEquals } from "@std/assert";
import { pythonRepr } from "../../lib/text/python_repr.ts";
import { PYTHON, pythonLines } from "../interop/python.ts";
import { bitsOf, edgeDoubles, randomDoubles } from "../codecs/struct/random_values.ts";

const SCRIPT = `
import struct, sys
for line in sys.stdin:
    print(repr(struct.unpack(">d", bytes.fromhex(line))[0]))
`;

Deno.test("pythonRepr() writes what Python's repr() writes", () => {
  const written: [number, string][] = [
    [0, "0.0"],
    [-0, "-0.0"],
    [1, "1.0"],
    [-1, "-1.0"],
    [0.1, "0.1"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1.5e-7, "1.5e-07"],
    [1e16, "1e+16"],
    [9999999999999998, "9999999999999998.0"],
    [1.2345e100, "1.2345e+100"],
    [5e-324, "5e-324"],
    [NaN, "nan"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
  ];
  for (const [value, text] of written) assertEquals(pythonRepr(value), text);
});

Deno.test(`pythonRepr() agrees with ${PYTHON} on edge values and random bits`, async () => {
  const values = [...edgeDoubles(), ...randomDoubles(40_000, 1)];
  const written = await pythonLines(["-c", SCRIPT], values.map(bitsOf));
  assertEquals(written.length, values.length);
  values.forEach((value, i) => assertEquals(pythonRepr(value), written[i], bitsOf(value)));
});
