import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../lib/errors.ts";
import { SIGNAL_TYPES, SignalGenerator, type SignalGeneratorOptions } from "../../../mod.ts";
import { fixtureLines } from "../../fixtures/read.ts";

/** The values of a decoded capture, as text: `f:0.5`, `i:7`, `b:True`, `z:(0.5,0.0)`. */
async function captured(name: string): Promise<string[][]> {
  return (await fixtureLines(name)).map((line) => line.match(/\b[fibz]:\S+/g)!);
}

function numberAfterColon(text: string): number {
  return Number(text.slice(2));
}

/** What the generator makes of the time that the ramp of a sample tells. */
function regenerated(options: SignalGeneratorOptions, ramp: string): number[] {
  return new SignalGenerator({ values: 5, ...options }).next(numberAfterColon(ramp), 0);
}

for (const name of ["lab19", "vectorize3", "newframe", "noseq"]) {
  Deno.test(`SignalGenerator generates what VILLASnode sent in ${name}`, async () => {
    const samples = await captured(`${name}.decoded.txt`);
    assert(samples.length > 0);
    for (const sample of samples) {
      const [, sine, square, triangle, ramp] = sample.map(numberAfterColon);
      const values = regenerated({}, sample[4]!);
      assertAlmostEquals(values[1]!, sine!, 2e-16 * 2);
      // Nothing but the sine depends on a library: the others agree to the last bit.
      assertEquals(values.slice(2), [square, triangle, ramp]);
    }
  });
}

Deno.test("SignalGenerator generates what VILLASnode sent in types-cast, lists included", async () => {
  const options = {
    amplitude: [1, 1000, 1, 1, 1],
    offset: [0, 0, 1, 0, 0],
    frequency: [1, 5, 5, 5, 1],
  };
  const samples = await captured("types-cast.decoded.txt");
  assertEquals(samples.length, 20);
  for (const sample of samples) {
    const [, sine, square, triangle] = regenerated(options, sample[4]!);
    assertEquals(`i:${Math.trunc(sine!)}`, sample[1]);
    assertEquals(`b:${square === 0 ? "False" : "True"}`, sample[2]);
    assertEquals(`z:(${Math.fround(triangle!)},0.0)`, sample[3]);
  }
});

/** The values of one signal at each of some times, the counter counting them. */
function series(options: SignalGeneratorOptions, times: number[]): number[] {
  const generator = new SignalGenerator(options);
  return times.map((t, counter) => generator.next(t, counter)[0]!);
}

Deno.test("SignalGenerator generates each type from its formula", () => {
  const shared = { amplitude: 2, offset: 10 };
  const times = [0, 0.25, 0.5, 0.75, 1, 1.25];
  assertEquals(series({ ...shared, type: "constant" }, times), [12, 12, 12, 12, 12, 12]);
  assertEquals(series({ ...shared, type: "counter" }, times), [10, 12, 14, 16, 18, 20]);
  assertEquals(series({ ...shared, type: "square" }, times), [8, 8, 12, 12, 8, 8]);
  assertEquals(series({ ...shared, type: "triangle" }, times), [12, 10, 8, 10, 12, 10]);
  assertEquals(series({ ...shared, type: "ramp" }, times), [10, 10.5, 11, 11.5, 10, 10.5]);
  series({ ...shared, type: "sine" }, times).forEach((value, i) =>
    assertAlmostEquals(value, [10, 12, 10, 8, 10, 12][i]!, 1e-14)
  );
});

Deno.test("SignalGenerator shifts the phase", () => {
  const phase = Math.PI;
  assertEquals(series({ type: "square", phase }, [0, 0.5]), [1, -1]);
  assertEquals(series({ type: "triangle", phase }, [0, 0.5]), [-1, 1]);
  assertAlmostEquals(series({ type: "sine", phase: Math.PI / 2 }, [0])[0]!, 1, 1e-15);
});

Deno.test("SignalGenerator takes the frequency of a ramp for its period", () => {
  assertEquals(series({ type: "ramp", frequency: 4 }, [3, 4, 5]), [3, 0, 1]);
});

Deno.test("SignalGenerator makes a pulse as wide as a part of a period", () => {
  const options: SignalGeneratorOptions = {
    type: "pulse",
    rate: 8,
    pulseWidth: 2,
    pulseLow: -1,
    pulseHigh: 3,
    offset: 10,
    amplitude: 100,
  };
  assertEquals(series(options, [0, 0.25, 0.375, 0.875, 1, 1.5]), [13, 13, 9, 9, 13, 9]);
});

Deno.test("SignalGenerator mixes seven types in turn", () => {
  const [random, sine, square, triangle, ramp, counter, constant, again] = new SignalGenerator({
    values: 8,
    stddev: [0, 0, 0, 0, 0, 0, 0, 0],
    offset: [100, 0, 0, 0, 0, 0, 0, 200],
  }).next(0.25, 3);
  assertEquals([random, sine, square, triangle, ramp], [100, 1, -1, 0, 0.25]);
  assertEquals([counter, constant, again], [3, 1, 200]);
});

Deno.test("SignalGenerator fills an array that is given", () => {
  const generator = new SignalGenerator({ type: "counter", values: 2 });
  const out = [9, 9, 9];
  assert(generator.next(0, 5, out) === out);
  assertEquals(out, [5, 5]);
});

Deno.test("SignalGenerator walks the same way for the same seed", () => {
  const times = Array.from({ length: 50 }, () => 0);
  const walk = (seed?: number) => series({ type: "random", seed }, times);
  assertEquals(walk(1), walk(1));
  const walks = [walk(0), walk(1), walk(2 ** 32), walk(2 ** 53 - 1), walk(), walk()];
  assertEquals(new Set(walks.map(String)).size, walks.length);
});

Deno.test("SignalGenerator walks in steps that are normally distributed", () => {
  const count = 200_000;
  const walk = series(
    { type: "random", seed: 42, stddev: 3, offset: 5 },
    Array.from({ length: count }, () => 0),
  );
  const steps = walk.map((value, i) => (value - (i === 0 ? 5 : walk[i - 1]!)) / 3);
  const mean = steps.reduce((sum, step) => sum + step) / count;
  const variance = steps.reduce((sum, step) => sum + step * step) / count;
  const neighbours = steps.reduce((sum, step, i) => sum + step * (steps[i + 1] ?? 0)) / count;
  assertAlmostEquals(mean, 0, 0.01);
  assertAlmostEquals(variance, 1, 0.015);
  assertAlmostEquals(neighbours, 0, 0.01);
  // How much of the standard normal distribution lies below.
  for (
    const [limit, part] of [[-2, 0.02275], [-1, 0.15866], [0, 0.5], [1, 0.84134], [2, 0.97725]]
  ) {
    assertAlmostEquals(steps.filter((step) => step < limit!).length / count, part!, 0.005);
  }
});

Deno.test("SignalGenerator rejects options that fit no signal", () => {
  const rejected: [SignalGeneratorOptions, string][] = [
    [{ type: "sinus" as "sine" }, 'Cannot generate signal "sinus": expected mixed, random, sine'],
    [{ values: 0 }, "Cannot generate 0 values: expected a whole number from 1"],
    [{ values: 1.5 }, "Cannot generate 1.5 values"],
    [{ rate: 0 }, "Cannot use rate 0: expected a number greater than 0"],
    [{ rate: Infinity }, "Cannot use rate Infinity"],
    [{ values: 3, phase: [1, 2] }, "Cannot use 2 numbers for phase: expected 1, or 3 for as many"],
    [{ amplitude: [1, 2] }, "Cannot use 2 numbers for amplitude: expected 1"],
    [{ offset: [] }, "Cannot use 0 numbers for offset"],
    [{ frequency: NaN }, "Cannot use NaN for frequency: expected a finite number"],
    [{ stddev: -1 }, "Cannot use -1 for stddev: expected a number from 0"],
    [{ seed: -1 }, "Cannot use seed -1: expected a whole number from 0"],
    [{ seed: 0.5 }, "Cannot use seed 0.5"],
  ];
  for (const [options, message] of rejected) {
    assertThrows(() => new SignalGenerator(options), UsageError, message);
  }
});

Deno.test("SignalGenerator takes lists of one and lists of all, for every type", () => {
  for (const type of SIGNAL_TYPES) {
    const options = { type, values: 3, frequency: [2], phase: [0, 1, 2], seed: 1 };
    assert(new SignalGenerator(options).next(0.1, 1).every(Number.isFinite), type);
  }
});
