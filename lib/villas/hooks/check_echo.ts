/**
 * What goes back to VILLASnode. It aborts on a value of another kind than its signal has, on an unset value and on any
 * sample type but DATA, so whatever leaves here has been checked against what it is known to take.
 *
 * @module
 */

import type { Format, Replies } from "../../codecs/villas/format.ts";
import { kindOf, type Sample, type Value } from "../../codecs/villas/sample.ts";
import { type Batch, batchOf } from "../node.ts";
import type { Hook } from "../path.ts";
import { checkType, type Expectations, type Expected, Refusal } from "./expected.ts";

/** Lets go back to VILLASnode what it takes: as it came, or in the form in which VILLASnode reads it. */
export class EchoCheck implements Hook {
  readonly #expectations: Expectations;
  /** Samples in a message that may go back as it came. */
  readonly #most: number;
  readonly #replies: Replies | undefined;
  #refusal: unknown;

  /**
   * @param expectations What VILLASnode takes.
   * @param format The form of the messages.
   */
  constructor(expectations: Expectations, { replies, carried }: Format) {
    this.#expectations = expectations;
    this.#replies = replies;
    this.#most = replies?.plainEcho === false ? -1 : carried?.samples ?? Infinity;
  }

  prepare(batch: Batch): void {
    this.#refusal = undefined;
    if (batch.plain && this.#expectations.takesPlain) return;
    try {
      checkEcho(batch.samples, this.#expectations.of(batch));
    } catch (refusal) {
      this.#refusal = refusal;
    }
  }

  /** @throws {Refusal} If VILLASnode could abort on it. */
  process(batch: Batch): Batch {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#most === Infinity || batch.count <= this.#most) {
      const { bytes } = batch;
      if (batch.plain || !bytes || this.#replies?.isTaken?.(bytes, batch.samples) !== false) {
        return batch;
      }
    }
    return batchOf(batch.samples, { from: batch.from, received: batch.received });
  }
}

/**
 * Checks that a message may go back as it came.
 *
 * @param samples What was received.
 * @param expected What the reply to each may hold; what it holds itself where that is undefined.
 * @throws {Refusal} If VILLASnode could abort on it.
 */
function checkEcho(
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
