/**
 * Takes apart what a handler returned. That can be anything, and change whenever it is looked at: so each part is read once, and what
 * is made of it is shared with no other code.
 *
 * @module
 */

import {
  dataSample,
  kindOf,
  type Sample,
  type Timestamp,
  type Value,
} from "../../codecs/villas/sample.ts";
import { type Expected, Refusal } from "./expected.ts";

/** Samples, and values in all of them, of which not even the smallest would find room in a datagram. */
const TOO_MANY = 65_507;

/**
 * Makes samples of what a handler returned.
 *
 * @param result What it returned: a sample, a list of samples, or null.
 * @param received What it was given; the reply has from there what it leaves out.
 * @param expected What the reply may hold.
 * @param replies What was made before, if anything was; it is added to.
 * @returns Plain samples, checked: the replies before and those made now.
 * @throws {Refusal} If VILLASnode could abort on them, or they are no samples. What reading throws is passed on.
 */
export function takeApart(
  result: unknown,
  received: Omit<Sample, "values">,
  expected: Expected,
  replies: Sample[] | undefined,
): Sample[] {
  if (result === null) return replies ?? [];
  if (!Array.isArray(result)) {
    const sample = sampleOf(result, received, expected);
    // Most messages have one sample: room for more would be garbage.
    if (replies === undefined) return [sample];
    replies.push(sample);
    return replies;
  }
  const all = replies ?? [];
  const length = lengthOf(result);
  for (let i = 0, values = 0; i < length; i++) {
    const sample = sampleOf(result[i], received, expected);
    values += sample.values.length;
    if (values > TOO_MANY) {
      throw new Refusal("Refused what the handler returned: more than a datagram takes");
    }
    all.push(sample);
  }
  return all;
}

function sampleOf(part: unknown, received: Omit<Sample, "values">, expected: Expected): Sample {
  const list = typeof part === "object" && part !== null && "values" in part
    ? part.values
    : undefined;
  if (!isList(list)) {
    throw new Refusal(
      `Refused what the handler returned, ${
        show(part)
      }: expected a sample, a list of samples, or null`,
    );
  }
  const given = part as Partial<Record<keyof Sample, unknown>>;
  const type = "type" in given ? given.type : received.type;
  if (type !== "data") {
    throw new Refusal(
      `Refused type ${show(type)} of what the handler returned: VILLASnode aborts on it`,
    );
  }
  const values = valuesOf(list, expected);
  const sequence = "sequence" in given ? given.sequence : received.sequence;
  const origin = timestampOf("origin", "origin" in given ? given.origin : received.origin);
  const arrival = timestampOf("received", "received" in given ? given.received : received.received);
  const newFrame = "newFrame" in given ? given.newFrame : received.newFrame;
  if (newFrame !== undefined && typeof newFrame !== "boolean") {
    throw unfit("newFrame", show(newFrame), "true or false");
  }
  // What a sequence number is, is checked where it is encoded.
  const sample = dataSample(values, sequence as bigint | undefined, origin, arrival, newFrame);
  const begins = "newSimulation" in given ? given.newSimulation : received.newSimulation;
  if (begins) sample.newSimulation = true;
  return sample;
}

function valuesOf(list: ArrayLike<unknown>, expected: Expected): Value[] {
  const length = lengthOf(list, expected);
  const values: Value[] = [];
  for (let i = 0; i < length; i++) {
    const element = list[i];
    const value = valueOf(element);
    const wanted = expected.kinds[i]!;
    if (value === null || kindOf(value) !== wanted) {
      const got = value === null ? show(element) : described(value);
      throw expected.refuse(unfit(`value ${i}`, got, ARTICLES[wanted]).message);
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
    throw unfit(name, show(value), "{ sec, nsec } in whole numbers");
  }
  const { sec, nsec } = value as { sec?: unknown; nsec?: unknown };
  return { sec: sec as number, nsec: nsec as number }; // checked where they are encoded
}

/** Whether something is an array, or a typed one. */
function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** The length of a list, which may be anything but is read once. */
function lengthOf(list: ArrayLike<unknown>, expected?: Expected): number {
  const { length } = list;
  const isLength = Number.isInteger(length) && length >= 0;
  if (isLength) expected?.checkCount(length);
  if (isLength && length <= TOO_MANY) return length;
  throw new Refusal(
    `Refused a list of ${
      show(length)
    } elements that the handler returned: expected at most ${TOO_MANY}`,
  );
}

// A handler in Python or a program gets the same message in these words.
const ARTICLES = {
  float: "a float",
  integer: "an integer (in JavaScript a bigint, such as 1n)",
  boolean: "a boolean",
  complex: "a complex number",
  unset: "nothing",
};

/** A value with its kind, as handlers in every language know it. */
function described(value: Value): string {
  switch (typeof value) {
    case "number":
      return `the float ${Number.isInteger(value) ? value.toFixed(1) : value}`;
    case "bigint":
      return `the integer ${value}`;
    case "boolean":
      return `the boolean ${value}`;
    default:
      return value === null ? "nothing" : `the complex number (${value.real}, ${value.imag})`;
  }
}

function unfit(what: string, got: string, wanted: string): Refusal {
  return new Refusal(
    `Refused ${what} of what the handler returned: expected ${wanted}, got ${got}`,
  );
}

/** Any value at all in a short line. */
function show(value: unknown): string {
  const text = Deno.inspect(value, { depth: 1, compact: true, breakLength: Infinity });
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
