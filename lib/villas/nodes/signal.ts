import type { Sample, Timestamp } from "../../codecs/villas/sample.ts";
import { Turn } from "../../net/datagram/turn.ts";
import { type Run, ticks } from "../../time/ticker.ts";
import { timestampOf } from "../../time/timestamp.ts";
import { type Batch, batchOf, type Pace, type SourceNode } from "../node.ts";
import { SignalGenerator, type SignalGeneratorOptions } from "./signal_generator.ts";

/** How a signal node works. */
export interface SignalNodeOptions extends SignalGeneratorOptions, Partial<Pace> {
  /** Samples to give. Default: endless. */
  readonly limit?: number;
  /** Samples in each batch. Default: 1. */
  readonly vectorize?: number;
  /** Give them at `rate`; otherwise as fast as they are taken. Default: true. */
  readonly realtime?: boolean;
  /** The wall clock. */
  readonly now: () => Timestamp;
}

/** VILLASnode's `signal` node: gives generated samples, and takes none. */
export class SignalNode implements SourceNode {
  readonly finished: Promise<void>;
  readonly #options: SignalNodeOptions;
  #generator: SignalGenerator;
  #generated: SignalGeneratorOptions;
  readonly #ending = new AbortController();
  readonly #finish: () => void;
  #missedSteps = 0;

  /**
   * @param options The signal, its pace and its end.
   * @throws {UsageError} If an option of the signal is out of range.
   */
  constructor(options: SignalNodeOptions) {
    this.#options = options;
    this.#generator = new SignalGenerator(options);
    this.#generated = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
  }

  get missedSteps(): number {
    return this.#missedSteps;
  }

  get isEnded(): boolean {
    return this.#ending.signal.aborted;
  }

  /** What is generated now. */
  get generator(): SignalGeneratorOptions {
    return this.#generated;
  }

  /**
   * Generates something else from the next sample on.
   *
   * @param change What is different.
   * @throws {UsageError} If an option of the signal is out of range; it goes on as before.
   */
  change(change: SignalGeneratorOptions): void {
    const generated = { ...this.#generated, ...change };
    this.#generator = new SignalGenerator(generated);
    this.#generated = generated;
  }

  async serve(handle: (batch: Batch) => void | Promise<void>): Promise<void> {
    const { realtime = true, limit = Infinity, vectorize = 1, now } = this.#options;
    let last = -1;
    let samples: Sample[] = [];
    for await (const run of realtime ? this.#paced() : this.#unpaced()) {
      this.#missedSteps += run.first - last - 1;
      const at = now();
      const looked = performance.now(); // not before: a look at the wall clock may take a while
      for (let step = run.first; step <= run.last && !this.isEnded; step++) {
        last = step;
        samples.push(this.#sample(step, before(at, Math.max(0, looked - run.dueAt(step)))));
        if (samples.length < vectorize) continue;
        const batch = samples;
        samples = [];
        const waiting = handle(batchOf(batch));
        if (waiting) await waiting;
      }
    }
    if (!this.isEnded) {
      if (Number.isFinite(limit)) this.#missedSteps += limit - 1 - last;
      if (samples.length > 0) await handle(batchOf(samples));
    }
    this.#finish();
  }

  /** Takes nothing: there is nowhere for it to go. */
  write(): void {}

  flush(): Promise<void> {
    return Promise.resolve();
  }

  end(): void {
    this.#ending.abort();
    this.#finish();
  }

  close(): Promise<void> {
    this.end();
    return this.finished;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#paced(): AsyncGenerator<Run, void, void> {
    const { rate = 10, limit } = this.#options;
    const { signal } = this.#ending;
    let turn: Turn | undefined;
    const pass = async () => await (turn ??= new Turn()).pass();
    try {
      yield* ticks({ rate, limit, signal, pass });
    } finally {
      turn?.[Symbol.dispose]();
    }
  }

  async *#unpaced(): AsyncGenerator<Run, void, void> {
    const { limit = Infinity, onStep } = this.#options;
    for (let step = 0; step < limit && !this.isEnded; step++) {
      const waiting = onStep?.(step);
      if (waiting) await waiting;
      yield { first: step, last: step, dueAt: () => Infinity };
    }
  }

  #sample(step: number, origin: Timestamp): Sample {
    const { rate = 10 } = this.#options;
    return {
      type: "data",
      sequence: BigInt(step),
      origin,
      values: this.#generator.next(step / rate, step),
    };
  }
}

/** A time so many ms before another one. */
function before({ sec, nsec }: Timestamp, ms: number): Timestamp {
  return ms === 0 ? { sec, nsec } : timestampOf(sec * 1000 + nsec / 1e6 - ms);
}
