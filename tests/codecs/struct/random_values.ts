/**
 * Values for differential tests, the same in every run.
 *
 * @module
 */

import type { Sample, Value } from "../../../lib/codecs/villas/sample.ts";

/** A source of 32-bit numbers that is the same in every run. */
export function random32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ state >>> 16, 0x85ebca6b);
    mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35);
    return (mixed ^ mixed >>> 16) >>> 0;
  };
}

/** A double of two 32-bit words. */
export function doubleOf(high: number, low: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, high);
  view.setUint32(4, low);
  return view.getFloat64(0);
}

/** The bits of a double as 16 hexadecimal digits. */
export function bitsOf(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

/** Doubles at which number formatting goes wrong: limits, powers, ties, neighbours. */
export function edgeDoubles(): number[] {
  const edges = [0, NaN, Infinity, Number.MAX_VALUE, Number.MIN_VALUE, 2.2250738585072014e-308];
  for (let e = -330; e <= 308; e++) edges.push(Number(`1e${e}`), Number(`9.999999999999999e${e}`));
  for (let e = -1074; e <= 1023; e++) edges.push(2 ** e);
  // Ties at the 17th decimal: odd multiples of 2⁻¹⁸.
  for (let odd = 1; odd < 64; odd += 2) edges.push(odd / 2 ** 18, 2 ** 34 + odd / 2 ** 18);
  // Ties at the 7th significant digit.
  for (let n = 1_000_000; n < 1_000_040; n++) edges.push(n * 10 + 5, n + 0.5, (n * 10 + 5) * 1e8);
  for (const value of [1e16, 1e21, 1e-4, 1e-6, 1e-7, 2 ** 53, 0.1, 1]) {
    edges.push(value * (1 - 2 ** -53), value, value * (1 + 2 ** -52), value + 1, value / 3);
  }
  return edges.flatMap((value) => [value, -value]);
}

/** Doubles of random bits, and of random but ordinary sizes. */
export function randomDoubles(count: number, seed: number): number[] {
  const random = random32(seed);
  return Array.from({ length: count }, (_, i) => {
    if (i % 2 === 0) return doubleOf(random(), random());
    const size = 10 ** (random() % 24 - 12);
    return (random() / 2 ** 31 - 1 + random() / 2 ** 63) * size;
  });
}

/** Samples with values of every kind, unset ones too. */
export function* randomSamples(count: number): Generator<Sample> {
  const random = random32(11);
  const doubles = [...edgeDoubles(), ...randomDoubles(2000, 5)];
  const double = () => doubles[random() % doubles.length]!;
  const stamp = () => ({ sec: random(), nsec: random() % 1_000_000_000 });
  const bits64 = () => BigInt(random()) << 32n | BigInt(random());
  const makers: (() => Value)[] = [
    double,
    () => BigInt.asIntN(64, bits64()),
    () => random() % 2 === 0,
    () => ({ real: double(), imag: double() }),
    () => null,
  ];
  for (let i = 0; i < count; i++) {
    yield {
      type: "data",
      ...(random() % 2 ? { sequence: bits64() } : {}),
      ...(random() % 2 ? { origin: stamp() } : {}),
      ...(random() % 2 ? { received: stamp() } : {}),
      values: Array.from({ length: random() % 8 }, () => makers[random() % makers.length]!()),
    };
  }
}
