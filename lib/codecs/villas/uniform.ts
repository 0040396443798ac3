/**
 * Samples as a stream of text needs them, where the kind of a value is stated once for all samples.
 *
 * @module
 */

import { CodecError } from "../../errors.ts";
import { kindOf, type Sample, type Value, type ValueKind } from "./sample.ts";
import type { Signal, SignalKind } from "./signals.ts";

/**
 * The signals that samples show: of each, the kind that all its values can have. Numbers with and without a point are floats.
 *
 * @param samples The samples, or the first of them.
 */
export function shownSignals(samples: readonly Sample[]): Signal[] {
  const count = samples.reduce((most, { values }) => Math.max(most, values.length), 0);
  return Array.from({ length: count }, (_, i) => {
    const kinds = new Set<ValueKind>(
      samples.map(({ values }) => kindOf(values[i] ?? null)).filter((kind) => kind !== "unset"),
    );
    const [first = "float"] = kinds as Set<SignalKind>;
    const isNumber = !kinds.has("boolean") && kinds.size > 1;
    const type = !isNumber ? first : kinds.has("complex") ? "complex" : "float";
    return { name: `signal${i}`, type, unit: "" };
  });
}

/**
 * A sample whose values have the kinds of the signals, those beyond them being floats.
 *
 * @param sample The sample.
 * @param signals The signals.
 * @returns The sample itself where all its values have them.
 * @throws {CodecError} If a value cannot be one of its signal's kind without a change.
 */
export function asUniform(sample: Sample, signals: readonly Signal[]): Sample {
  const { values } = sample;
  for (let i = 0; i < values.length; i++) {
    const kind = kindOf(values[i]!);
    if (kind === (signals[i]?.type ?? "float") || kind === "unset") continue;
    return {
      ...sample,
      values: values.map((value, i) => converted(value, i, signals[i]?.type ?? "float")),
    };
  }
  return sample;
}

function converted(value: Value, index: number, kind: SignalKind): Value {
  const own = kindOf(value);
  if (own === kind || own === "unset") return value;
  if (typeof value === "bigint" && BigInt(Number(value)) === value) {
    if (kind === "float") return Number(value);
    if (kind === "complex") return { real: Number(value), imag: 0 };
  }
  if (typeof value === "number") {
    if (kind === "complex") return { real: value, imag: 0 };
    const isWhole = Number.isSafeInteger(value) && !Object.is(value, -0);
    if (kind === "integer" && isWhole) return BigInt(value);
  }
  throw new CodecError(
    `value ${index} is ${NAMES[own]}, and its signal ${NAMES[kind]}; ` +
      "--signals says what the signals are, and json and protobuf carry values of any kind",
  );
}

const NAMES: Readonly<Record<Exclude<ValueKind, "unset">, string>> = {
  float: "a float",
  integer: "an integer",
  boolean: "a boolean",
  complex: "a complex number",
};
