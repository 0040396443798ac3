/**
 * What goes back to VILLASnode. It aborts on a value of another kind than its signal has, on an unset value and on any
 * sample type but DATA, so whatever leaves here has been checked against what it is known to take.
 *
 * @module
 */

import type { Codec } from "../codecs/codec.ts";
import { kindOf, type Sample, type Value } from "../codecs/villas/sample.ts";
import { type Expected, Refusal } from "./expected.ts";
import { takeApart } from "./take_apart.ts";

/**
 * Makes the answer to one sample.
 *
 * @param sample What was received. It may be changed and returned.
 * @returns The sample or samples to send back, or null to send nothing. What a returned sample leaves out (type, sequence,
 * timestamps, frame mark) is as it was received. It is taken apart before the handler is called again, so the same
 * object, and the same array of values, may be returned each time.
 */
export type SampleHandler = (
  sample: Sample,
) => Reply | readonly Reply[] | null | Promise<Reply | readonly Reply[] | null>;

/** A sample of which everything but the values may be left out; these may be in a typed array. */
export type Reply = Partial<Omit<Sample, "values">> & { readonly values: ArrayLike<Value> };

/**
 * Checks that a message may go back as it came.
 *
 * @param samples What was received.
 * @param expected What the reply to each may hold; what it holds itself where that is undefined.
 * @throws {Refusal} If VILLASnode could abort on it.
 */
export function checkEcho(
  samples: readonly Sample[],
  expected: readonly Expected[] | undefined,
): void {
  for (const [i, sample] of samples.entries()) {
    checkType(sample);
    const unset = sample.values.indexOf(null);
    if (unset >= 0) {
      throw new Refusal(
        `Refused to send back value ${unset}: it is unset, and VILLASnode aborts on it`,
      );
    }
    if (expected) checkKinds(sample.values, expected[i]!);
  }
}

function checkType(sample: Sample): void {
  if (sample.type === "data") return;
  throw new Refusal(
    `Refused to send back a ${sample.type.toUpperCase()} sample: VILLASnode aborts on it`,
  );
}

function checkKinds(values: readonly Value[], expected: Expected): void {
  expected.checkCount(values.length);
  for (const [i, value] of values.entries()) {
    const [kind, wanted] = [kindOf(value), expected.kinds[i]!];
    if (kind === wanted) continue;
    throw expected.refuse(
      `Refused to send back value ${i}: its kind is ${kind}, and that of the signal is ${wanted}`,
    );
  }
}

/**
 * Answers with constants in place of the received values.
 *
 * @param sample What was received.
 * @param constants The values to send.
 * @param expected What the reply may hold; each constant takes the kind at its place.
 * @returns A sample with the received sequence and timestamps.
 * @throws {Refusal} If there are too many constants, one does not fit the kind at its place, or the sample's type is not DATA.
 */
export function withConstants(
  sample: Sample,
  constants: readonly (number | bigint)[],
  expected: Expected,
): Sample {
  checkType(sample);
  expected.checkCount(constants.length);
  return { ...sample, values: constants.map((constant, i) => asKind(constant, i, expected)) };
}

function asKind(constant: number | bigint, index: number, expected: Expected): Value {
  const kind = expected.kinds[index]!;
  switch (kind) {
    case "integer":
      if (typeof constant === "bigint" || Number.isInteger(constant)) return BigInt(constant);
      break;
    case "boolean":
      if (Number(constant) === 0 || Number(constant) === 1) return Number(constant) === 1;
      break;
    case "complex":
      return { real: Number(constant), imag: 0 };
    case "float":
      return Number(constant);
    case "unset":
      break;
  }
  throw expected.refuse(
    `Refused to send ${constant} as value ${index}: the signal's kind is ${kind}`,
  );
}

/**
 * Answers as a handler wants it.
 *
 * @param bytes The message as it was received.
 * @param samples The same message, decoded; the handler may change it.
 * @param handler Called with each sample, one after another.
 * @param codec Encodes the answer.
 * @param expected What the reply to each sample may hold.
 * @returns The bytes to send: those received where nothing was changed, null where there is nothing to send.
 * @throws {Refusal} If VILLASnode could abort on the result. Whatever the handler throws is passed on.
 */
export async function handled(
  bytes: Uint8Array,
  samples: readonly Sample[],
  handler: SampleHandler,
  codec: Codec<Sample[]>,
  expected: readonly Expected[],
): Promise<Uint8Array | null> {
  const before = codec.encode([...samples]);
  const replies: Sample[] = [];
  for (const [i, sample] of samples.entries()) {
    const received = copyOf(sample);
    let result: unknown = handler(sample);
    // What is no promise is taken apart at once: the handler may use its arrays again as soon as it runs.
    const then = thenOf(result);
    if (then) {
      const promise = result;
      result = await new Promise((...settle) => void Reflect.apply(then, promise, settle));
    }
    for (const reply of takeApart(result, received, expected[i]!)) replies.push(reply);
  }
  if (replies.length === 0 && samples.length > 0) return null;
  const after = codec.encode(replies);
  return sameBytes(before, after) ? bytes : after;
}

/** The `then` of a promise, which is read once. */
// deno-lint-ignore ban-types
function thenOf(result: unknown): Function | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const { then } = result as { then?: unknown };
  return typeof then === "function" ? then : undefined;
}

/** A copy that shares nothing with the original which could change. */
function copyOf(sample: Sample): Sample {
  const { origin, received } = sample;
  return {
    ...sample,
    values: [],
    ...(origin && { origin: { ...origin } }),
    ...(received && { received: { ...received } }),
  };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
