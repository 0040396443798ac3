import type { SampleDecoder } from "../../codecs/villas/format.ts";
import type { Sample, Timestamp } from "../../codecs/villas/sample.ts";
import { CodecError, UsageError } from "../../errors.ts";
import { delay } from "../../time/deadline.ts";
import { type Batch, batchOf, type SampleNode } from "../node.ts";

/** What reads samples from bytes: the decoder of a format, or of plain columns. */
export type SampleReader = Pick<SampleDecoder, "push" | "next" | "end">;

/** How an input node works. */
export interface InputNodeOptions {
  /** The bytes, as they come; each chunk is used up before the next is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** What makes samples of them. */
  readonly decoder: SampleReader;
  /**
   * Whether integers and truth values are floats, as VILLASnode takes them where no signals are stated: it aborts on others than it expects.
   * Default: false.
   */
  readonly floats?: boolean;
  /** What samples are given that have none, as far as their destination takes it. Default: both. */
  readonly completed?: { readonly sequence: boolean; readonly origin: boolean };
  /** Samples in each batch. Default: 1. */
  readonly vectorize?: number;
  /** Give the samples at the distances of their times; otherwise as they come. Default: false. */
  readonly realtime?: boolean;
  /** Samples to give. Default: all. */
  readonly limit?: number;
  /** Called before each batch; a promise is waited for. */
  readonly onBatch?: (count: number) => void | Promise<void>;
  /** Called with each piece of the input that is no sample; it is left out. */
  readonly onBad?: (error: CodecError) => void;
  /** The wall clock. */
  readonly now: () => Timestamp;
}

/**
 * Standard input, or any other stream of bytes, as a node: gives the samples in it, and takes none. Samples without a sequence number are
 * numbered on from the one before, as VILLASnode's pipe does; those without a time are given the present one.
 */
export class InputNode implements SampleNode {
  readonly finished: Promise<void>;
  readonly #options: InputNodeOptions;
  readonly #ending = new AbortController();
  readonly #finish: () => void;
  #bytes = 0;
  #given = 0;
  #bad = 0;
  #next = 0n;
  /** What is between the samples' times and the monotonic clock, in ms. */
  #shift: number | undefined;

  /** @param options The stream, and its pace. */
  constructor(options: InputNodeOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
  }

  /** Bytes that have come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Samples that were handed on. */
  get given(): number {
    return this.#given;
  }

  /** Pieces of the input that were no samples. */
  get bad(): number {
    return this.#bad;
  }

  /** @throws {UsageError} If the samples have no times, and are to be given in real time. */
  async serve(handle: (batch: Batch) => void | Promise<void>): Promise<void> {
    try {
      await this.#serve(handle);
    } finally {
      this.#finish();
    }
  }

  async #serve(handle: (batch: Batch) => void | Promise<void>): Promise<void> {
    const { chunks, decoder, vectorize = 1, limit = Infinity, realtime } = this.#options;
    const { signal } = this.#ending;
    let samples: Sample[] = [];
    const give = async () => {
      const batch = samples;
      samples = [];
      await this.#options.onBatch?.(batch.length);
      if (signal.aborted) return;
      this.#given += batch.length;
      await handle(batchOf(batch));
    };
    /** Takes what can be read now; whether there may be more. */
    const take = async (next: () => Sample | null) => {
      for (let sample; (sample = this.#read(next)) !== null;) {
        if (realtime) await this.#due(sample);
        samples.push(this.#completed(sample));
        const isLast = this.#given + samples.length >= limit;
        if (samples.length >= vectorize || isLast) await give();
        if (isLast || signal.aborted) return false;
      }
      return true;
    };
    if (limit <= 0) return;
    for await (const chunk of chunks) {
      this.#bytes += chunk.length;
      decoder.push(chunk);
      if (!await take(() => decoder.next())) return;
    }
    if (!signal.aborted && await take(() => decoder.end()) && samples.length > 0) await give();
  }

  /** The next sample; what is not a sample is reported, and left out. */
  #read(next: () => Sample | null): Sample | null {
    for (;;) {
      try {
        const sample = next();
        return sample && this.#options.floats ? withFloats(sample) : sample;
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        this.#bad++;
        this.#options.onBad?.(error);
      }
    }
  }

  #completed(sample: Sample): Sample {
    const { now, completed: given = { sequence: true, origin: true } } = this.#options;
    const { received: _another, ...rest } = sample; // it was another receiver's
    const { sequence = given.sequence ? this.#next : undefined } = sample;
    const origin = sample.origin ?? (given.origin ? now() : undefined);
    if (sequence !== undefined) this.#next = BigInt.asUintN(64, sequence + 1n);
    return {
      ...rest,
      ...(sequence === undefined ? undefined : { sequence }),
      ...(origin && { origin }),
    };
  }

  /** Waits until it is as long since the first sample as it was when they were made. */
  async #due({ origin }: Sample): Promise<void> {
    if (!origin) {
      throw new UsageError(
        "Cannot send in real time: the samples have no times; leave out --realtime, or say with --time which column has them",
      );
    }
    const time = origin.sec * 1000 + origin.nsec / 1e6;
    const now = performance.now();
    this.#shift ??= now - time;
    const wait = time + this.#shift - now;
    // A clock that was set back starts over.
    if (wait < 0) this.#shift = Math.max(this.#shift, now - time - LATENESS);
    else await delay(wait / 1000, this.#ending.signal).catch(() => {}); // aborted: the node ends
  }

  /** Takes nothing: there is nowhere for it to go. */
  write(): void {}

  flush(): Promise<void> {
    return Promise.resolve();
  }

  end(): void {
    this.#ending.abort();
  }

  close(): Promise<void> {
    this.end();
    return Promise.resolve(); // a chunk that is being read may never come
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** How late samples may be before their pace starts over, in ms: input that came late is not sent in a burst. */
const LATENESS = 1000;

/**
 * Makes floats of integers and truth values.
 *
 * @throws {CodecError} If an integer would be another number then.
 */
function withFloats(sample: Sample): Sample {
  if (sample.values.every((value) => typeof value === "number")) return sample;
  const values = sample.values.map((value, i) => {
    if (typeof value !== "bigint" && typeof value !== "boolean") return value;
    const number = Number(value);
    if (typeof value === "boolean" || BigInt(number) === value) return number;
    throw new CodecError(
      `value ${i} is ${value}: as a float it would be another number; state the signals with --signals, i being an integer`,
    );
  });
  return { ...sample, values };
}
