/**
 * VILLASnode's format `villas.human`, as its `print` hook writes it.
 *
 * @module
 */

import { printExponent, printFixed } from "../../text/printf.ts";
import type { Sample, Timestamp, Value } from "./sample.ts";

const SIGNED = { plus: true };

/**
 * Writes one sample as VILLASnode's `print` hook does:
 * `SECONDS.NANOSECONDS+OFFSET(SEQUENCE)F`, then a tab before each value.
 *
 * - The offset is the time from origin to receipt in seconds; it is left out where the sample was not received.
 * - `F` marks the first sample of a frame.
 * - Floats have 17 decimals, every digit as C's `printf` writes it; booleans are 0 and 1; complex values are
 *   `REAL+IMAGi`.
 * - VILLASnode takes the time of receipt for the origin where the sender gave none, and so does this; where both
 *   are unknown the time is `0.0`. An unknown sequence number is left out, and an unset value is `nan`, so that
 *   the columns after it stay in place.
 *
 * @param sample The sample to write.
 * @returns One line, without a newline.
 *
 * @example A sample that came back after 0.1 s
 * ```ts
 * import { formatVillasHuman } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * const line = formatVillasHuman({
 *   type: "data",
 *   sequence: 2n,
 *   origin: { sec: 1795198430, nsec: 457807691 },
 *   received: { sec: 1795198430, nsec: 558140391 },
 *   values: [0.25, 7n, true],
 * });
 * assertEquals(line, "1795198430.457807691+1.003327e-01(2)\t0.25000000000000000\t7\t1");
 * ```
 */
export function formatVillasHuman(sample: Sample): string {
  let line = formatTime(sample);
  if (sample.sequence !== undefined) line += `(${sample.sequence})`;
  if (sample.newFrame) line += "F";
  for (const value of sample.values) line += "\t" + formatValue(value);
  return line;
}

function formatTime({ received, origin = received }: Sample): string {
  if (origin === undefined) return "0.0";
  const time = `${origin.sec}.${String(origin.nsec).padStart(9, "0")}`;
  if (received === undefined) return time;
  return time + printExponent(secondsBetween(origin, received), 6, SIGNED);
}

function secondsBetween(from: Timestamp, to: Timestamp): number {
  return ((to.sec - from.sec) * 1e9 + (to.nsec - from.nsec)) / 1e9;
}

function formatValue(value: Value): string {
  switch (typeof value) {
    case "number":
      return printFixed(value, 17);
    case "bigint":
      return value.toString();
    case "boolean":
      return value ? "1" : "0";
    default:
      return value === null ? "nan" : formatComplex(value.real, value.imag);
  }
}

function formatComplex(real: number, imag: number): string {
  return `${printFixed(real, 17)}${printFixed(imag, 17, SIGNED)}i`;
}
