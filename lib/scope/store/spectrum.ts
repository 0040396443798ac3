import type { Lane } from "./lane.ts";

/** The windows there are, with the terms of their cosine series. */
const WINDOWS = {
  rectangle: [1],
  hann: [0.5, 0.5],
  hamming: [0.54, 0.46],
  blackman: [0.42, 0.5, 0.08],
  flattop: [0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368],
} as const;

/** The name of a window. */
export type SpectrumWindow = keyof typeof WINDOWS;

/** The names of all windows. */
export const SPECTRUM_WINDOWS = Object.keys(WINDOWS) as SpectrumWindow[];

/** The spectrum of a trace. */
export interface Spectrum {
  /** Hz between one amplitude and the next; the first is that of 0 Hz. */
  readonly step: number;
  /** The amplitude at each frequency: a sine of amplitude 1 has 1 at its own. */
  readonly amplitudes: Float64Array;
}

/**
 * Transforms in place, by the algorithm of Cooley and Tukey.
 *
 * @param real The real parts; their number is a power of two.
 * @param imaginary The imaginary parts.
 */
export function transform(real: Float64Array, imaginary: Float64Array): void {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j]!, real[i]!];
      [imaginary[i], imaginary[j]] = [imaginary[j]!, imaginary[i]!];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const angle = -2 * Math.PI * k / size;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (let i = k; i < n; i += size) {
        const [a, b] = [real[i + half]!, imaginary[i + half]!];
        const [x, y] = [a * c - b * s, a * s + b * c];
        real[i + half] = real[i]! - x;
        imaginary[i + half] = imaginary[i]! - y;
        real[i]! += x;
        imaginary[i]! += y;
      }
    }
  }
}

/**
 * The amplitudes of what a row of values, equally far apart, consists of.
 *
 * @param values The values; their number is a power of two.
 * @param rate Values per second.
 * @param window Which window to weigh them with.
 */
export function spectrumOf(
  values: Float64Array,
  rate: number,
  window: SpectrumWindow = "hann",
): Spectrum {
  const n = values.length;
  const terms = WINDOWS[window];
  const real = new Float64Array(n);
  const imaginary = new Float64Array(n);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  for (let i = 0; i < n; i++) {
    let weight = 0;
    terms.forEach((term, k) =>
      weight += (k % 2 === 0 ? term : -term) * Math.cos(2 * Math.PI * k * i / n)
    );
    // Without its mean, so that a large one does not leak into the lowest frequencies.
    real[i] = (values[i]! - mean) * weight;
  }
  transform(real, imaginary);
  const amplitudes = new Float64Array(n / 2);
  for (let i = 1; i < n / 2; i++) {
    amplitudes[i] = 2 * Math.hypot(real[i]!, imaginary[i]!) / n / terms[0];
  }
  amplitudes[0] = Math.abs(mean);
  return { step: rate / n, amplitudes };
}

/**
 * The spectrum of the last samples of a trace that are visible, as far back as nothing is missing.
 *
 * @param lane The samples.
 * @param channel The trace.
 * @param from The begin, in s.
 * @param to The end.
 * @param window Which window to weigh them with.
 * @param most Samples at most; a power of two.
 * @returns The spectrum, or undefined where there are fewer than 16 samples.
 */
export function laneSpectrum(
  lane: Lane,
  channel: number,
  from: number,
  to: number,
  window: SpectrumWindow,
  most = 1 << 14,
): Spectrum | undefined {
  const raw = lane.levels[0]!;
  const end = raw.find(to);
  const first = Math.max(raw.find(from), end - most, raw.oldest);
  const values = new Float64Array(Math.max(0, end - first));
  const times = new Float64Array(values.length);
  let [count, whole] = [0, 0];
  raw.visit(first, end, (chunk, start, stop) => {
    const data = chunk.data[channel];
    for (let i = start; i < stop; i++) {
      const value = data?.[i] ?? NaN;
      if (chunk.gaps[i] === 1) whole = count;
      values[count] = value;
      times[count] = chunk.from[i]!;
      count++;
      if (value !== value) whole = count; // NaN
    }
  });
  if (count - whole < 16) return undefined;
  const size = 2 ** Math.floor(Math.log2(count - whole));
  const span = times[count - 1]! - times[count - size]!;
  if (!(span > 0)) return undefined;
  return spectrumOf(values.subarray(count - size, count), (size - 1) / span, window);
}
