/**
 * VILLASnode's format `json`.
 *
 * @module
 */

import type { Sample, Timestamp, Value } from "./sample.ts";

/**
 * Writes one sample as an object in VILLASnode's `json` form:
 * `{"ts": {"origin": [SECONDS, NANOSECONDS], "received": […]}, "sequence": N, "data": […]}`.
 *
 * - What the sample does not know is left out: a timestamp, all of `ts`, the sequence number.
 * - A float always has a decimal point and the fewest digits that read back as the same number (`1.0`, `1.0e+21`,
 *   `-0.0`); a number without a point is an integer, exact to its 64 bits. VILLASnode tells the kinds apart by that.
 * - Booleans are `true` and `false`, complex values `{"real": 1.0, "imag": -1.0}`.
 * - An unset value, NaN and the infinities are `null`, which JSON has no other word for; the values after them
 *   stay in place.
 *
 * @param sample The sample to write.
 * @returns One line of JSON, without a newline.
 *
 * @example A float and an integer
 * ```ts
 * import { formatVillasJson } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   formatVillasJson({ type: "data", sequence: 7n, origin: { sec: 1, nsec: 5 }, values: [1, 1n] }),
 *   '{"ts": {"origin": [1, 5]}, "sequence": 7, "data": [1.0, 1]}',
 * );
 * ```
 */
export function formatVillasJson(sample: Sample): string {
  let text = "{";
  const times = formatTimes(sample);
  if (times !== "") text += `"ts": {${times}}, `;
  if (sample.sequence !== undefined) text += `"sequence": ${sample.sequence}, `;
  return text + `"data": [${sample.values.map(formatValue).join(", ")}]}`;
}

function formatTimes({ origin, received }: Sample): string {
  const times = [];
  if (origin !== undefined) times.push(`"origin": ${formatTimestamp(origin)}`);
  if (received !== undefined) times.push(`"received": ${formatTimestamp(received)}`);
  return times.join(", ");
}

function formatTimestamp({ sec, nsec }: Timestamp): string {
  return `[${sec}, ${nsec}]`;
}

function formatValue(value: Value): string {
  if (typeof value === "number") return formatFloat(value);
  if (typeof value !== "object" || value === null) return String(value);
  return `{"real": ${formatFloat(value.real)}, "imag": ${formatFloat(value.imag)}}`;
}

function formatFloat(value: number): string {
  if (!Number.isFinite(value)) return "null";
  const text = Object.is(value, -0) ? "-0" : String(value);
  if (text.includes(".")) return text;
  const exponent = text.indexOf("e");
  return exponent < 0 ? `${text}.0` : `${text.slice(0, exponent)}.0${text.slice(exponent)}`;
}
