import type { Format } from "../../codecs/villas/format.ts";
import type { Sample, Value } from "../../codecs/villas/sample.ts";
import { type Batch, batchOf } from "../node.ts";
import type { Hook } from "../path.ts";
import { checkType, type Expectations, type Expected } from "./expected.ts";

/** Puts constants in place of the values. */
export class Constants implements Hook {
  readonly #constants: readonly (number | bigint)[];
  readonly #expectations: Expectations;
  readonly #format: Format;
  #reply: Batch | undefined;
  #refusal: unknown;

  /**
   * @param constants The values to send.
   * @param expectations What VILLASnode takes; each constant takes the kind expected at its place.
   * @param format The form of the replies.
   */
  constructor(
    constants: readonly (number | bigint)[],
    expectations: Expectations,
    format: Format,
  ) {
    this.#constants = constants;
    this.#expectations = expectations;
    this.#format = format;
  }

  prepare(batch: Batch): void {
    const { samples, from, received } = batch;
    const expected = this.#expectations.ofEach(batch);
    try {
      const replies = samples.map((sample, i) =>
        withConstants(sample, this.#constants, expected[i]!)
      );
      const several = replies.length > (this.#format.carried?.samples ?? Infinity);
      // Each goes in a datagram of its own, where the format has one sample in each.
      const bytes = several ? undefined : this.#format.encode(replies);
      this.#reply = batchOf(replies, { bytes, from, received });
    } catch (refusal) {
      this.#reply = undefined;
      this.#refusal = refusal;
    }
  }

  /** @throws {Refusal} If VILLASnode could abort on it. */
  process(): Batch {
    if (this.#reply === undefined) throw this.#refusal;
    return this.#reply;
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
function withConstants(
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
