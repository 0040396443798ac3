/**
 * What goes back to VILLASnode. It aborts on a value of another kind than its signal has, on an unset value and on any
 * sample type but DATA, so whatever leaves here has been checked against what was received.
 *
 * @module
 */

import type { Codec } from "../codecs/codec.ts";
import { kindOf, type Sample, type Value } from "../codecs/sample.ts";

/**
 * Makes the answer to one sample.
 *
 * @param sample What was received. It may be changed and returned.
 * @returns The sample or samples to send back, or null to send nothing. What a returned sample leaves out (type, sequence,
 * timestamps, frame mark) is as it was received.
 */
export type SampleHandler = (
  sample: Sample,
) => Reply | readonly Reply[] | null | Promise<Reply | readonly Reply[] | null>;

/** A sample of which everything but the values may be left out. */
export type Reply = Partial<Sample> & Pick<Sample, "values">;

/** Says that a reply was not sent because it would have ended VILLASnode. */
export class Refusal extends Error {
  /** Always `"Refusal"`. */
  override readonly name = "Refusal";
}

/**
 * Checks that a message may go back as it came.
 *
 * @param samples What was received.
 * @throws {Refusal} If VILLASnode would abort on it.
 */
export function checkEcho(samples: readonly Sample[]): void {
  for (const sample of samples) {
    if (sample.type !== "data") {
      throw new Refusal(
        `Refused to send back a ${sample.type.toUpperCase()} sample: VILLASnode aborts on it`,
      );
    }
    const unset = sample.values.indexOf(null);
    if (unset >= 0) {
      throw new Refusal(
        `Refused to send back value ${unset}: it is unset, and VILLASnode aborts on it`,
      );
    }
  }
}

/**
 * Answers with constants in place of the received values.
 *
 * @param sample What was received.
 * @param constants The values to send; each takes the kind that was received at its place, or float where there is none.
 * @returns A sample with the received sequence and timestamps.
 * @throws {Refusal} If a constant does not fit the kind at its place.
 */
export function withConstants(sample: Sample, constants: readonly (number | bigint)[]): Sample {
  return {
    ...sample,
    values: constants.map((constant, i) => asKindOf(sample.values[i], constant, i)),
  };
}

/**
 * Answers as a handler wants it.
 *
 * @param bytes The message as it was received.
 * @param samples The same message, decoded; the handler may change it.
 * @param handler Called with each sample, one after another.
 * @param codec Encodes the answer.
 * @returns The bytes to send: those received where nothing was changed, null where there is nothing to send.
 * @throws {Refusal} If VILLASnode would abort on the result. Whatever the handler throws is passed on.
 */
export async function handled(
  bytes: Uint8Array,
  samples: readonly Sample[],
  handler: SampleHandler,
  codec: Codec<Sample[]>,
): Promise<Uint8Array | null> {
  const before = codec.encode([...samples]);
  const replies: Sample[] = [];
  for (const sample of samples) {
    const received = { ...sample, values: [...sample.values] };
    const result: unknown = await handler(sample);
    for (const reply of result === null ? [] : Array.isArray(result) ? result : [result]) {
      replies.push(checkedReply(reply, received));
    }
  }
  if (replies.length === 0 && samples.length > 0) return null;
  const after = codec.encode(replies);
  return sameBytes(before, after) ? bytes : after;
}

function checkedReply(reply: unknown, received: Sample): Sample {
  if (typeof reply !== "object" || reply === null || !Array.isArray((reply as Reply).values)) {
    throw new Refusal(
      `Refused what the handler returned, ${
        show(reply)
      }: expected a sample, a list of samples, or null`,
    );
  }
  const sample: Sample = { ...received, ...reply };
  if (sample.type !== "data") {
    throw new Refusal(
      `Refused type ${show(sample.type)} of what the handler returned: VILLASnode aborts on it`,
    );
  }
  for (const [i, value] of sample.values.entries()) {
    const there = received.values[i];
    const wanted = there === undefined ? "float" : kindOf(there);
    if (!isValue(value) || kindOf(value) !== wanted || value === null) {
      throw new Refusal(
        `Refused value ${i} of what the handler returned: expected ${article[wanted]}, got ${
          show(value)
        }`,
      );
    }
  }
  return sample;
}

function isValue(value: unknown): value is Value {
  if (typeof value !== "object" || value === null) {
    return ["number", "bigint", "boolean"].includes(typeof value);
  }
  const { real, imag } = value as { real?: unknown; imag?: unknown };
  return typeof real === "number" && typeof imag === "number";
}

const article = {
  float: "a float (a number, such as 1.5)",
  integer: "an integer (a bigint, such as 1n)",
  boolean: "a boolean (true or false)",
  complex: "a complex number ({ real, imag })",
  unset: "nothing",
};

/** Any value at all in a short line. */
function show(value: unknown): string {
  const text = Deno.inspect(value, { depth: 1, compact: true, breakLength: Infinity });
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function asKindOf(received: Value | undefined, constant: number | bigint, index: number): Value {
  switch (received === undefined ? "float" : kindOf(received)) {
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
  throw new Refusal(
    `Refused to send ${constant} as value ${index}: the signal's kind is ${
      received === undefined ? "float" : kindOf(received)
    }`,
  );
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
