import type { Format } from "../../codecs/villas/format.ts";
import type { Sample, Timestamp, Value } from "../../codecs/villas/sample.ts";
import { CodecError } from "../../errors.ts";
import { type Batch, batchOf } from "../node.ts";
import type { Hook } from "../path.ts";
import type { Expectations, Expected } from "./expected.ts";
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
  readonly #expectations: Pick<Expectations, "ofEach">;
  readonly #format: Format;
  readonly #received = new Received();
  #expected: readonly Expected[] = [];

  /**
   * @param handler Called with each sample.
   * @param expectations What VILLASnode takes.
   * @param format The form of the replies.
   */
  constructor(
    handler: SampleHandler,
    expectations: Pick<Expectations, "ofEach">,
    format: Format,
  ) {
    this.#handler = handler;
    this.#expectations = expectations;
    this.#format = format;
  }

  prepare(batch: Batch): void {
    this.#expected = this.#expectations.ofEach(batch);
  }

  /**
   * @returns What the handler made of the batch, null where there is nothing to send; a promise only where the handler returns one.
   * @throws {Refusal} If VILLASnode could abort on the result. Whatever the handler throws is passed on.
   */
  process(batch: Batch): Batch | null | Promise<Batch | null> {
    const { samples } = batch;
    const before = this.#before(batch);
    let replies: Sample[] | undefined;
    for (let i = 0; i < samples.length; i++) {
      const result = this.#call(samples[i]!);
      // What is no promise is taken apart at once: the handler may use its arrays again as soon as it runs.
      const then = thenOf(result);
      if (then) return this.#later(batch, before, replies, i, promiseOf(result, then));
      replies = takeApart(result, this.#received, this.#expected[i]!, replies);
    }
    return this.#replyTo(batch, before, replies ?? []);
  }

  /** The rest, from a sample on for which there is a promise. */
  async #later(
    batch: Batch,
    before: Uint8Array | undefined,
    earlier: Sample[] | undefined,
    index: number,
    waiting: Promise<unknown>,
  ): Promise<Batch | null> {
    let replies = takeApart(await waiting, this.#received, this.#expected[index]!, earlier);
    for (let i = index + 1; i < batch.samples.length; i++) {
      let result = this.#call(batch.samples[i]!);
      const then = thenOf(result);
      if (then) result = await promiseOf(result, then);
      replies = takeApart(result, this.#received, this.#expected[i]!, replies);
    }
    return this.#replyTo(batch, before, replies);
  }

  #call(sample: Sample): unknown {
    this.#received.take(sample);
    const handler = this.#handler;
    return handler(sample);
  }

  /** What an answer looks like that changes nothing; undefined where the message may not go back as it came. */
  #before({ samples, bytes }: Batch): Uint8Array | undefined {
    const { replies, carried } = this.#format;
    if (replies?.plainEcho === false || carried && samples.length > carried.samples) {
      return undefined;
    }
    if (bytes && replies?.isTaken?.(bytes, samples) === false) return undefined;
    try {
      return this.#format.encode(samples as Sample[]);
    } catch (error) {
      if (error instanceof CodecError) return undefined; // the handler may put something in its place
      throw error;
    }
  }

  #replyTo(batch: Batch, before: Uint8Array | undefined, replies: Sample[]): Batch | null {
    if (replies.length === 0 && batch.samples.length > 0) return null;
    const { from, received } = batch;
    // Each goes in a datagram of its own, where the format has one sample in each.
    if (replies.length > (this.#format.carried?.samples ?? Infinity)) {
      return batchOf(replies, { from, received });
    }
    const reply = this.#format.encode(replies);
    // Where the handler changed nothing, the very bytes that arrived go back.
    const bytes = before && sameBytes(before, reply) ? batch.bytes ?? reply : reply;
    return batchOf(replies, { bytes, from, received });
  }
}

/** The `then` of a promise, which is read once. */
// deno-lint-ignore ban-types
function thenOf(result: unknown): Function | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const { then } = result as { then?: unknown };
  return typeof then === "function" ? then : undefined;
}

/** What the thing that a `then` belongs to resolves to. */
// deno-lint-ignore ban-types
function promiseOf(result: unknown, then: Function): Promise<unknown> {
  return new Promise((...settle) => void Reflect.apply(then, result, settle));
}

/** All but the values of a sample as it was received, whatever the handler does to it; used again for the next sample. */
class Received implements Omit<Sample, "values"> {
  type: Sample["type"] = "data";
  sequence: bigint | undefined;
  origin: Timestamp | undefined;
  received: Timestamp | undefined;
  newFrame: boolean | undefined;
  newSimulation: boolean | undefined;
  readonly #origin = { sec: 0, nsec: 0 };
  readonly #received = { sec: 0, nsec: 0 };

  take({ type, sequence, origin, received, newFrame, newSimulation }: Sample): void {
    this.type = type;
    this.sequence = sequence;
    this.origin = origin && copy(origin, this.#origin);
    this.received = received && copy(received, this.#received);
    this.newFrame = newFrame;
    this.newSimulation = newSimulation;
  }
}

function copy({ sec, nsec }: Timestamp, to: { sec: number; nsec: number }): Timestamp {
  to.sec = sec;
  to.nsec = nsec;
  return to;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
