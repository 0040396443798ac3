/**
 * Takes apart what a handler returned. That can be anything, and change whenever it is looked at: so each part is read once, and what
 * is made of it belongs to nobody else.
 *
 * @module
 */

import { kindOf, type Sample, type Timestamp, type Value } from "../../codecs/villas/sample.ts";
import { type Expected, Refusal } from "./expected.ts";

/** Samples, and values in all of them, of which not even the smallest would find room in a datagram. */
const TOO_MANY = 65_507;

/**
 * Makes samples of what a handler returned.
 *
 * @param result What it returned: a sample, a list of samples, or null.
 * @param received What it was given; the reply has from there what it leaves out.
 * @param expected What the reply may hold.
 * @returns Plain samples, checked.
 * @throws {Refusal} If VILLASnode could abort on them, or they are no samples. What reading throws is passed on.
 */
export function takeApart(result: unknown, received: Sample, expected: Expected): Sample[] {
  if (result === null) return [];
  if (!Array.isArray(result)) return [sampleOf(result, received, expected)];
  const samples: Sample[] = [];
  const length = lengthOf(result);
  for (let i = 0, values = 0; i < length; i++) {
    const sample = sampleOf(result[i], received, expected);
    values += sample.values.length;
    if (values > TOO_MANY) {
      throw new Refusal("Refused what the handler returned: more than a datagram takes");
    }
    samples.push(sample);
  }
  return samples;
}

function sampleOf(part: unknown, received: Sample, expected: Expected): Sample {
  const values = typeof part === "object" && part !== null && "values" in part
    ? part.values
    : undefined;
  if (!isList(values)) {
    throw new Refusal(
      `Refused what the handler returned, ${
        show(part)
      }: expected a sample, a list of samples, or null`,
    );
  }
  const given = part as Partial<Record<keyof Sample, unknown>>;
  const read = <K extends keyof Sample>(name: K) => name in given ? given[name] : received[name];
  const type = read("type");
  if (type !== "data") {
    throw new Refusal(
      `Refused type ${show(type)} of what the handler returned: VILLASnode aborts on it`,
    );
  }
  const sample: Sample = { type, values: valuesOf(values, expected) };
  const sequence = read("sequence");
  if (sequence !== undefined) sample.sequence = sequence as bigint; // its type is checked where it is encoded
  for (const name of ["origin", "received"] as const) {
    const timestamp = timestampOf(name, read(name));
    if (timestamp !== undefined) sample[name] = timestamp;
  }
  const newFrame = read("newFrame");
  if (newFrame === undefined) return sample;
  if (typeof newFrame !== "boolean") throw unfit("newFrame", newFrame, "true or false");
  return { ...sample, newFrame };
}

function valuesOf(list: ArrayLike<unknown>, expected: Expected): Value[] {
  const length = lengthOf(list, (length) => expected.checkCount(length));
  const values: Value[] = [];
  for (let i = 0; i < length; i++) {
    const element = list[i];
    const value = valueOf(element);
    const wanted = expected.kinds[i]!;
    if (value === null || kindOf(value) !== wanted) {
      throw expected.refuse(unfit(`value ${i}`, element, ARTICLES[wanted]).message);
    }
    values.push(value);
  }
  return values;
}

/** The value that something is; null if it is none. */
function valueOf(element: unknown): Value {
  switch (typeof element) {
    case "number":
    case "bigint":
    case "boolean":
      return element;
    case "object": {
      if (element === null) return null;
      const { real, imag } = element as { real?: unknown; imag?: unknown };
      return typeof real === "number" && typeof imag === "number" ? { real, imag } : null;
    }
    default:
      return null;
  }
}

function timestampOf(name: string, value: unknown): Timestamp | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "object" || value === null) {
    throw unfit(name, value, "{ sec, nsec } in whole numbers");
  }
  const { sec, nsec } = value as { sec?: unknown; nsec?: unknown };
  return { sec: sec as number, nsec: nsec as number }; // checked where they are encoded
}

/** Whether something is an array, or a typed one. */
function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** The length of a list, which may be anything but is read once. */
function lengthOf(list: ArrayLike<unknown>, check?: (length: number) => void): number {
  const { length } = list;
  const isLength = Number.isInteger(length) && length >= 0;
  if (isLength) check?.(length);
  if (isLength && length <= TOO_MANY) return length;
  throw new Refusal(
    `Refused a list of ${
      show(length)
    } elements that the handler returned: expected at most ${TOO_MANY}`,
  );
}

const ARTICLES = {
  float: "a float (a number, such as 1.5)",
  integer: "an integer (a bigint, such as 1n)",
  boolean: "a boolean (true or false)",
  complex: "a complex number ({ real, imag })",
  unset: "nothing",
};

function unfit(what: string, value: unknown, wanted: string): Refusal {
  return new Refusal(
    `Refused ${what} of what the handler returned: expected ${wanted}, got ${show(value)}`,
  );
}

/** Any value at all in a short line. */
function show(value: unknown): string {
  const text = Deno.inspect(value, { depth: 1, compact: true, breakLength: Infinity });
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
