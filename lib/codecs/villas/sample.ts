import type { Timestamp } from "../../time/timestamp.ts";

/** A complex number. VILLASnode carries the two parts as 32-bit floats on the wire. */
export interface Complex {
  /** Real part. */
  readonly real: number;
  /** Imaginary part. */
  readonly imag: number;
}

/**
 * The value of one signal in one sample. Its JavaScript type tells its kind, which VILLASnode must get back
 * as it sent it:
 *
 * | kind | type | example |
 * |---|---|---|
 * | float | `number` | `1` (the float 1.0) |
 * | integer | `bigint` | `1n` (64 bit, signed) |
 * | boolean | `boolean` | `true` |
 * | complex | `Complex` | `{ real: 1, imag: -1 }` |
 * | unset | `null` | a value that was sent without content |
 */
export type Value = number | bigint | boolean | Complex | null;

/** The kind of a {@linkcode Value}. */
export type ValueKind = "float" | "integer" | "boolean" | "complex" | "unset";

export type { Timestamp };

/** What VILLASnode calls a sample: the values of all signals at one instant. */
export interface Sample {
  /** `"data"` for values; the others mark the start and stop of a simulation. */
  type: "data" | "start" | "stop";
  /** Sequence number, 0 to 2⁶⁴ − 1; absent where the sender gave none. */
  sequence?: bigint;
  /** When the values were made, by the clock of the sender. */
  origin?: Timestamp;
  /** When the sample was received, by the clock of the receiver. */
  received?: Timestamp;
  /** Marks the first sample of a frame; absent where the sender did not say. */
  newFrame?: boolean;
  /** Marks the first sample of a simulation; only `json` carries it. */
  newSimulation?: boolean;
  /** One value per signal. */
  values: Value[];
}

/**
 * Makes a sample of type DATA. What is undefined is absent in it.
 *
 * @internal
 */
export function dataSample(
  values: Value[],
  sequence: bigint | undefined,
  origin: Timestamp | undefined,
  received: Timestamp | undefined,
  newFrame: boolean | undefined,
): Sample {
  // As VILLASnode sends it: made at once, which costs least.
  const sample: Sample = sequence !== undefined && origin !== undefined
    ? { type: "data", values, sequence, origin }
    : { type: "data", values };
  if (sequence !== undefined) sample.sequence = sequence;
  if (origin !== undefined) sample.origin = origin;
  if (received !== undefined) sample.received = received;
  if (newFrame !== undefined) sample.newFrame = newFrame;
  return sample;
}

/**
 * Tells the kind of a value.
 *
 * @param value The value of a signal.
 * @returns Its kind.
 *
 * @example Kinds
 * ```ts
 * import { kindOf } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([1, 1n, true, { real: 1, imag: 0 }].map(kindOf), ["float", "integer", "boolean", "complex"]);
 * ```
 */
export function kindOf(value: Value): ValueKind {
  switch (typeof value) {
    case "number":
      return "float";
    case "bigint":
      return "integer";
    case "boolean":
      return "boolean";
    default:
      return value === null ? "unset" : "complex";
  }
}

/**
 * Whether two samples carry the same: type, sequence, origin, marks, and values of the same kinds, NaN being equal to
 * itself and -0 different from 0. When they were received does not matter.
 *
 * @param a One sample.
 * @param b The other.
 */
export function sameSample(a: Sample, b: Sample): boolean {
  return a.type === b.type && a.sequence === b.sequence && a.newFrame === b.newFrame &&
    a.newSimulation === b.newSimulation &&
    a.origin?.sec === b.origin?.sec && a.origin?.nsec === b.origin?.nsec &&
    a.values.length === b.values.length &&
    a.values.every((value, i) => sameValue(value, b.values[i]!));
}

function sameValue(a: Value, b: Value): boolean {
  if (kindOf(a) !== "complex" || kindOf(b) !== "complex") return Object.is(a, b);
  const [x, y] = [a as Complex, b as Complex];
  return Object.is(x.real, y.real) && Object.is(x.imag, y.imag);
}

/**
 * Moves a time.
 *
 * @param timestamp The time.
 * @param seconds By how many seconds, also negative ones.
 * @returns The time to the nanosecond.
 */
export function plusSeconds({ sec, nsec }: Timestamp, seconds: number): Timestamp {
  const whole = Math.floor(seconds);
  const total = nsec + Math.round((seconds - whole) * 1e9);
  return { sec: sec + whole + Math.floor(total / 1e9), nsec: total % 1e9 };
}
