/** What a lane remembers, and how it is reduced, with known signals. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Lane } from "../../lib/scope/store/lane.ts";
import { measure } from "../../lib/scope/store/measure.ts";
import { copyPoints, EMPTY, GAP, reduceToColumns } from "../../lib/scope/store/reduce.ts";
import { laneSpectrum, spectrumOf, transform } from "../../lib/scope/store/spectrum.ts";
import { Timeline } from "../../lib/scope/store/timeline.ts";
import { Trigger, type TriggerSettings } from "../../lib/scope/store/trigger.ts";

/** A lane with a function of time in it. */
function laneOf(
  seconds: number,
  rate: number,
  of: (time: number) => number,
  options: { history?: number; bytes?: number; gapAt?: number } = {},
): Lane {
  const lane = new Lane(options);
  for (let i = 0; i < seconds * rate; i++) {
    lane.add(i / rate, i === options.gapAt, [of(i / rate)]);
  }
  return lane;
}

const sine = (frequency: number, amplitude = 1, offset = 0) => (time: number) =>
  offset + amplitude * Math.sin(2 * Math.PI * frequency * time);

Deno.test("columns hold exactly the least and the greatest value", () => {
  let seed = 1;
  const noise = () => (seed = seed * 16807 % 2147483647) / 2147483647;
  const lane = new Lane();
  const values: number[] = [];
  for (let i = 0; i < 40_000; i++) {
    values.push(noise());
    lane.add((i + 0.5) / 1000, false, [values[i]!]);
  }
  // Exact where the samples themselves are read, whatever the width.
  const grid = { origin: 0, width: 0.05 };
  const { mins, maxs, flags } = reduceToColumns(lane, [0], grid, 10, 700);
  for (let k = 0; k < 700; k++) {
    const part = values.slice((k + 10) * 50, (k + 11) * 50);
    assertEquals(mins[0]![k], Math.min(...part), `column ${k}`);
    assertEquals(maxs[0]![k], Math.max(...part), `column ${k}`);
  }
  assert(flags.every((flag) => flag === 0));
});

Deno.test("wide columns are read from the pyramid and miss no peak", () => {
  const lane = laneOf(3000, 100, (time) => time === 1234.5 ? 7 : 0);
  const { mins, maxs } = reduceToColumns(lane, [0], { origin: 0, width: 3 }, 0, 1000);
  const peaks = [...maxs[0]!.keys()].filter((k) => maxs[0]![k] === 7);
  assertEquals(peaks.length, 1);
  assert(Math.abs(peaks[0]! - 411) <= 1);
  assert(mins[0]!.every((value) => value === 0));
});

Deno.test("nothing is lost between the levels", () => {
  // Every sample has a value of its own, so that the union of all columns shows any that is missing.
  const lane = new Lane({ history: 5 });
  for (let i = 0; i < 100_000; i++) lane.add((i + 0.5) / 1000, false, [i]);
  for (const width of [0.01, 0.1, 0.5, 1, 10]) {
    const { mins, maxs } = reduceToColumns(lane, [0], { origin: 0, width }, 0, 100 / width);
    assertEquals(mins[0]![0], 0);
    assertEquals(maxs[0]!.at(-1), 99_999);
    for (let k = 1; k < mins[0]!.length; k++) {
      assert(mins[0]![k]! <= maxs[0]![k - 1]! + 1, `column ${k} of ${width} s`);
    }
  }
});

Deno.test("what is too old for the samples is still there as buckets", () => {
  const lane = laneOf(400, 1000, sine(1), { history: 10 });
  const raw = lane.levels[0]!;
  assert(raw.next - raw.oldest < 70_000);
  const { mins, maxs, flags } = reduceToColumns(lane, [0], { origin: 0, width: 4 }, 0, 100);
  assert(flags.every((flag) => flag === 0));
  assert(mins[0]!.every((value) => Math.abs(value + 1) < 1e-3));
  assert(maxs[0]!.every((value) => Math.abs(value - 1) < 1e-3));
});

Deno.test("memory is bounded, and the rings are used again", () => {
  const lane = new Lane({ history: 1e9, bytes: 4 * 2 ** 20 });
  const values = Array.from({ length: 64 }, () => 1);
  let most = 0;
  for (let i = 0; i < 100_000; i++) {
    lane.add(i / 1e4, false, values);
    if (i === 50_000) most = lane.bytes;
  }
  assert(lane.levels[0]!.bytes <= 4 * 2 ** 20);
  assert(lane.bytes < most * 1.2, `${lane.bytes} after ${most}`);
});

Deno.test("a gap is in the points, in the columns, and in every level", () => {
  const lane = new Lane();
  const step = 1 / 1000;
  for (let i = 0; i < 200_000; i++) {
    if (i < 100_500 || i >= 130_500) lane.add(i * step, i === 130_500, [1]);
    if (i !== 130_510) continue;
    const { flags } = copyPoints(lane, [0], 100_490, 100_510);
    assertEquals([...flags].indexOf(GAP), 10);
  }
  for (const width of [0.05, 0.5, 2, 5]) {
    const columns = reduceToColumns(lane, [0], { origin: 0, width }, 0, 200 / width);
    const empty = [...columns.flags].filter((flag) => flag & EMPTY).length;
    assert(Math.abs(empty - 30 / width) <= 1, `${empty} columns of ${width} s`);
    const marks = [...columns.flags.keys()].filter((k) => columns.flags[k]! & GAP);
    assertEquals(marks, [Math.floor(130.5 / width)], `of ${width} s`);
  }
});

Deno.test("values of every kind, and signals that come later", () => {
  const lane = new Lane();
  lane.add(0, false, [1n, true, { real: 3, imag: 4 }, null]);
  lane.add(1, false, [2n, false, null, 5]);
  lane.add(2, false, [3n]);
  assertEquals(lane.channels.map(({ signal, part, kind }) => [signal, part, kind]), [
    [0, "value", "integer"],
    [1, "value", "boolean"],
    [2, "magnitude", "complex"],
    [2, "real", "complex"],
    [2, "imaginary", "complex"],
    [2, "phase", "complex"],
    [3, "value", "float"],
  ]);
  const { values } = copyPoints(lane, [0, 1, 2, 3, 4, 5, 6], 0, 3);
  assertEquals(values.map((each) => [...each]), [
    [1, 2, 3],
    [1, 0, NaN],
    [5, NaN, NaN],
    [3, NaN, NaN],
    [4, NaN, NaN],
    [Math.atan2(4, 3), NaN, NaN],
    [NaN, 5, NaN],
  ]);
});

Deno.test("measurements are those of the signal", () => {
  const lane = laneOf(20, 1000, sine(50, 2, 1));
  const [found] = measure(lane, [0], 1, 19);
  assertAlmostEquals(found!.min, -1, 1e-2);
  assertAlmostEquals(found!.max, 3, 1e-2);
  assertAlmostEquals(found!.mean, 1, 1e-3);
  assertAlmostEquals(found!.rms, Math.sqrt(3), 1e-3);
  assertAlmostEquals(found!.frequency, 50, 1e-3);
  const [slow] = measure(laneOf(400, 1000, sine(50, 2, 1), { history: 5 }), [0], 0, 400);
  assertAlmostEquals(slow!.rms, Math.sqrt(3), 1e-3);
  assertAlmostEquals(slow!.mean, 1, 1e-3);
  const [flat] = measure(laneOf(1, 100, () => 3), [0], 0, 1);
  assertEquals([flat!.mean, flat!.rms, flat!.frequency], [3, 3, NaN]);
  assertEquals(measure(new Lane(), [0], 0, 1)[0]!.min, NaN);
});

/** The times at which a trigger fires. */
function events(lane: Lane, settings: Partial<TriggerSettings>): number[] {
  const found: number[] = [];
  const trigger = new Trigger({
    ...{ channel: 0, slope: "rising", level: 0, hysteresis: 0, holdoff: 0 },
    ...settings,
  }, 0);
  trigger.scan(lane, (time) => found.push(time));
  trigger.scan(lane, (time) => found.push(time)); // nothing new has come
  return found;
}

Deno.test("a trigger fires where the line between samples goes through the level", () => {
  const lane = laneOf(3, 1000, sine(2));
  const close = (found: number[], wanted: number[]) => {
    assertEquals(found.length, wanted.length, found.join());
    found.forEach((time, i) => assertAlmostEquals(time, wanted[i]!, 1e-4));
  };
  close(events(lane, {}), [0.5, 1, 1.5, 2, 2.5]);
  close(events(lane, { slope: "falling" }), [0.25, 0.75, 1.25, 1.75, 2.25, 2.75]);
  close(events(lane, { slope: "either", holdoff: 0.3 }), [0.25, 0.75, 1.25, 1.75, 2.25, 2.75]);
  close(events(lane, { holdoff: 0.9 }), [0.5, 1.5, 2.5]);
  close(events(lane, { level: 2 }), []);
});

Deno.test("hysteresis keeps noise from firing, and a gap is no edge", () => {
  const noisy = (time: number) => sine(1)(time) + (Math.round(time * 1000) % 2) * 0.1;
  const lane = laneOf(3, 1000, noisy);
  assert(events(lane, {}).length > 10);
  assertEquals(events(lane, { hysteresis: 0.2 }).length, 3);
  const square = (time: number) => time < 0.5 ? -1 : 1;
  assertEquals(events(laneOf(1, 100, square), {}).length, 1);
  assertEquals(events(laneOf(1, 100, square, { gapAt: 50 }), {}).length, 0);
});

Deno.test("the transform is that of its definition", () => {
  const n = 32;
  const values = Float64Array.from({ length: n }, (_, i) => Math.sin(i * i) + i / 7);
  const [real, imaginary] = [values.slice(), new Float64Array(n)];
  transform(real, imaginary);
  for (let k = 0; k < n; k++) {
    let [x, y] = [0, 0];
    for (let i = 0; i < n; i++) {
      x += values[i]! * Math.cos(2 * Math.PI * k * i / n);
      y -= values[i]! * Math.sin(2 * Math.PI * k * i / n);
    }
    assertAlmostEquals(real[k]!, x, 1e-9);
    assertAlmostEquals(imaginary[k]!, y, 1e-9);
  }
});

Deno.test("a sine has its amplitude at its frequency, whatever the window", () => {
  const rate = 1024;
  const values = Float64Array.from({ length: 1024 }, (_, i) => sine(50, 3, 5)(i / rate));
  for (const window of ["rectangle", "hann", "hamming", "blackman", "flattop"] as const) {
    const { step, amplitudes } = spectrumOf(values, rate, window);
    assertEquals(step, 1);
    assertAlmostEquals(amplitudes[50]!, 3, 1e-6, window);
    assertAlmostEquals(amplitudes[0]!, 5, 1e-6, window);
    assert(amplitudes[100]! < 1e-6, window);
  }
  const lane = laneOf(10, 1000, sine(100, 2));
  const found = laneSpectrum(lane, 0, 0, 10, "hann")!;
  const peak = found.amplitudes.indexOf(Math.max(...found.amplitudes));
  assertAlmostEquals(peak * found.step, 100, found.step);
  assertEquals(laneSpectrum(lane, 0, 0, 0.01, "hann"), undefined);
  const broken = laneOf(10, 1000, sine(100, 2), { gapAt: 9900 });
  assertEquals(laneSpectrum(broken, 0, 0, 10, "hann")!.amplitudes.length, 32);
});

Deno.test("samples are placed by the sender's clock, also by one that is wrong", () => {
  const line = new Timeline(1000);
  const at = (time: number) => ({ sec: Math.floor(time), nsec: Math.round(time % 1 * 1e9) });
  assertEquals(line.place(at(1001.5), 1001.6), 1.5);
  assertEquals(line.place(undefined, 1002), 2);
  // Ten years behind: set by the first arrival, and even steps from there.
  const wrong = new Timeline(1000);
  assertEquals(wrong.place(at(5), 1010), 10);
  assertAlmostEquals(wrong.place(at(5.1), 1010.4), 10.1);
  // One that stands still is ignored in the end.
  const still = new Timeline(0);
  for (let i = 0; i < 100; i++) still.place(at(5), i);
  assertEquals(still.place(at(5), 100), 100);
  assertEquals(new Timeline(0, true).place(at(5), 1e9), 5);
});

Deno.test("more signals than there is room for are told, and the first ones are shown", () => {
  const lane = new Lane();
  lane.add(0, false, new Array<number>(1000).fill(1));
  assertEquals(lane.isFull, false);
  lane.add(1, false, new Array<number>(2000).fill(1));
  assertEquals(lane.isFull, true);
  assertEquals(lane.channels.length, 1021);
});
