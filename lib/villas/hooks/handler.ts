import type { Format } from "../../codecs/villas/format.ts";
import type { Sample, Value } from "../../codecs/villas/sample.ts";
import { type Batch, batchOf } from "../node.ts";
import type { Hook } from "../path.ts";
import { type Expectations, Expected } from "./expected.ts";
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

/** Puts what a handler makes of the samples in their place. */
export class Handler implements Hook {
  readonly #handler: SampleHandler;
  readonly #expectations: Expectations;
  readonly #format: Format;
  #expected: readonly Expected[] = [];

  /**
   * @param handler Called with each sample.
   * @param expectations What VILLASnode takes.
   * @param format The form of the replies.
   */
  constructor(handler: SampleHandler, expectations: Expectations, format: Format) {
    this.#handler = handler;
    this.#expectations = expectations;
    this.#format = format;
  }

  prepare(batch: Batch): void {
    this.#expected = this.#expectations.of(batch) ?? batch.samples.map(Expected.received);
  }

  /**
   * @returns The batch itself where the handler changed nothing, null where there is nothing to send.
   * @throws {Refusal} If VILLASnode could abort on the result. Whatever the handler throws is passed on.
   */
  async process(batch: Batch): Promise<Batch | null> {
    const { samples, from } = batch;
    const before = this.#format.encode([...samples]);
    const replies = await this.#handle(samples);
    if (replies.length === 0 && samples.length > 0) return null;
    const bytes = this.#format.encode(replies);
    return sameBytes(before, bytes) ? batch : batchOf(replies, { bytes, from });
  }

  /** The replies to all samples, one after another. */
  async #handle(samples: readonly Sample[]): Promise<Sample[]> {
    const replies: Sample[] = [];
    const handler = this.#handler;
    for (const [i, sample] of samples.entries()) {
      const received = copyOf(sample);
      let result: unknown = handler(sample);
      // What is no promise is taken apart at once: the handler may use its arrays again as soon as it runs.
      const then = thenOf(result);
      if (then) {
        const promise = result;
        result = await new Promise((...settle) => void Reflect.apply(then, promise, settle));
      }
      for (const reply of takeApart(result, received, this.#expected[i]!)) replies.push(reply);
    }
    return replies;
  }
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
