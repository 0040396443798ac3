import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { LatencyRecorder } from "../../lib/time/latency.ts";

function recorded(durations: Iterable<number>): LatencyRecorder {
  const recorder = new LatencyRecorder();
  for (const duration of durations) recorder.record(duration);
  return recorder;
}

/** The definition: the smallest duration that at least the part `q` of all do not exceed. */
function trueQuantile(durations: number[], q: number): number {
  const sorted = [...durations].sort((a, b) => a - b);
  return sorted.find((_, i) => (i + 1) / sorted.length >= q)!;
}

Deno.test("LatencyRecorder has no figures before the first duration", () => {
  const { count, ...figures } = new LatencyRecorder().summary();
  assertEquals(count, 0);
  for (const figure of Object.values(figures)) assert(Number.isNaN(figure));
});

Deno.test("LatencyRecorder tells a single duration exactly", () => {
  for (const duration of [0, 0.0001, 1, 83.3, 123456.789, 1e13]) {
    assertEquals(recorded([duration]).summary(), {
      count: 1,
      min: duration,
      median: duration,
      p99: duration,
      max: duration,
      mean: duration,
    });
  }
});

Deno.test("LatencyRecorder.record() rejects what is no duration", () => {
  const recorder = new LatencyRecorder();
  assertThrows(() => recorder.record(-1), RangeError, "-1 µs");
  assertThrows(() => recorder.record(NaN), RangeError, "NaN");
  assertEquals(recorder.count, 0);
});

Deno.test("LatencyRecorder.quantile() rejects a quantile outside 0 to 1", () => {
  const recorder = recorded([1]);
  for (const q of [99, 1.5, -0.1]) {
    assertThrows(() => recorder.quantile(q), RangeError, "expected 0 to 1");
  }
  assertThrows(() => recorder.quantile(NaN), RangeError);
});

Deno.test("LatencyRecorder.quantile() picks the nearest rank", () => {
  const recorder = recorded(Array.from({ length: 100 }, (_, i) => i + 1));
  for (const rank of [1, 7, 14, 28, 29, 50, 57, 58, 99, 100]) {
    assertAlmostEquals(recorder.quantile(rank / 100), rank, rank * 0.005);
  }
  assertEquals(recorder.quantile(0), 1);
  assertEquals(recorder.quantile(1), 100);
});

Deno.test("LatencyRecorder stays within 0.5 % over 15 decades", () => {
  let state = 12345;
  const random = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
  const durations = Array.from({ length: 20_000 }, () => 10 ** (random() * 15 - 3));
  const recorder = recorded(durations);
  for (const q of [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999]) {
    const wanted = trueQuantile(durations, q);
    assertAlmostEquals(recorder.quantile(q), wanted, wanted * 0.005, `quantile ${q}`);
  }
  assertEquals(recorder.count, durations.length);
  assertEquals(recorder.min, Math.min(...durations));
  assertEquals(recorder.max, Math.max(...durations));
  const sum = durations.reduce((a, b) => a + b);
  assertAlmostEquals(recorder.mean, sum / durations.length, 1e-9 * sum);
});

Deno.test("LatencyRecorder keeps the extremes apart from the middle", () => {
  const recorder = recorded([0, 0, 100, 100, 100, 1e300]);
  assertEquals(recorder.min, 0);
  assertAlmostEquals(recorder.median, 100, 0.5);
  assertEquals(recorder.max, 1e300);
  assertEquals(recorded([1, 128.9]).quantile(1), 128.9); // not at the middle of its bucket
});

Deno.test("LatencyRecorder counts what is below 1 ns, and what is above 12 days", () => {
  const recorder = recorded([0, 0.0001, 0.0001, 0.0001, 50, 2 ** 41, 2 ** 42, 2 ** 43, 2 ** 44]);
  assert(recorder.quantile(0.3) < 0.001);
  assertAlmostEquals(recorder.median, 50, 0.25);
  assert(recorder.quantile(0.8) >= 2 ** 40);
});

Deno.test("LatencyRecorder.reset() forgets everything", () => {
  const recorder = recorded([1, 2, 3]);
  recorder.reset();
  assertEquals(recorder.count, 0);
  assert(Number.isNaN(recorder.median));
  recorder.record(0.5);
  assertEquals(recorder.max, 0.5);
  for (const duration of [5, 5, 6]) recorder.record(duration);
  assertEquals([recorder.count, recorder.min, recorder.max, recorder.mean], [4, 0.5, 6, 4.125]);
  assertAlmostEquals(recorder.median, 5, 0.025);
});
