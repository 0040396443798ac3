import type { Format } from "../../codecs/villas/format.ts";
import {
  dataSample,
  type Sample,
  type Timestamp,
  type Value,
  type ValueKind,
} from "../../codecs/villas/sample.ts";
import { RemoteError } from "../../errors.ts";
import type { Endpoint } from "../../net/address/address.ts";
import { type Batch, batchOf } from "../node.ts";
import type { Hook } from "../path.ts";
import { type Expectations, type Expected, Refusal } from "./expected.ts";
import type { Reply } from "./handler.ts";
import { takeApart } from "./take_apart.ts";

/** Messages that wait for the handler at most. */
const MOST_WAITING = 1024;
/** Samples that are handed over together at most. */
const MOST_TOGETHER = 1024;
/** How long those that are handed over together may take, in ms: nothing else is handled in the meantime. */
const LONGEST_BATCH = 5;
/** How much a batch counts in the mean duration. */
const WEIGHT = 0.2;

/**
 * Makes the replies to the samples of several messages together: a handler that is quicker this way, as one in another process is.
 *
 * @param samples The samples, in the order in which they arrived.
 * @param messages The number of the message that each came in, from 0 on.
 * @param received When each of the messages arrived.
 * @returns The replies, and what went wrong with a message. It rejects where that is true of all of them.
 */
export type BatchHandler = (
  samples: readonly Sample[],
  messages: readonly number[],
  received: readonly Timestamp[],
) => Promise<BatchReplies>;

/** What a {@linkcode BatchHandler} makes of samples. */
export interface BatchReplies {
  /**
   * The replies, each with the index of the sample that it answers and has from what it leaves out. Those to one message are sent in
   * this order, after those to the messages before.
   */
  readonly replies: readonly { readonly index: number; readonly sample: Reply }[];
  /** What went wrong with which message; `refused` where it has given something that cannot be sent. */
  readonly faults: readonly {
    readonly message: number;
    readonly refused: boolean;
    readonly text: string;
    readonly place?: string;
    readonly trace?: string;
  }[];
  /** Seconds that the handler took for it, without the way to it and back. Default: as long as the promise took. */
  readonly seconds?: number;
}

/** What a {@linkcode BatchedReplies} needs of its surroundings. */
export interface BatchedRepliesOptions {
  /** Makes the replies. */
  readonly handler: BatchHandler;
  /** What VILLASnode takes. */
  readonly expectations: Expectations;
  /** The form of the replies. */
  readonly format: Format;
  /**
   * When the sender is made to wait: `never`, so that what the handler is too slow for is dropped; where the handler has too much to do
   * (`full`); or with each message until it is answered (`each`).
   */
  readonly waits: "never" | "full" | "each";
  /** Sends replies to one message. */
  readonly send: (replies: Batch) => void | Promise<void>;
  /** Has what was sent leave at once. */
  readonly flush: () => Promise<void>;
  /** Called with what went wrong with a message. */
  readonly onFailed: (error: unknown, from: Endpoint | undefined) => void;
  /** Called for each message that is dropped. */
  readonly onDropped: (from: Endpoint | undefined, why: string) => void;
}

/** A message that waits for its replies. */
interface Message {
  readonly samples: readonly Sample[];
  readonly expected: readonly Expected[];
  readonly from: Endpoint | undefined;
  readonly received: Timestamp;
}

/** Collects the samples of messages while their handler is busy, hands them over together, and sends the replies when they are there. */
export class BatchedReplies implements Hook {
  readonly #options: BatchedRepliesOptions;
  #expected: readonly Expected[] = [];
  #waiting: Message[] = [];
  /** Whether the handler has some: few and large batches cost least, so there is one at a time. */
  #isBusy = false;
  /** The mean duration of a sample in ms. */
  #mean = LONGEST_BATCH;
  /** The sending of the last replies, while the handler makes the next. */
  #sending: Promise<void> = Promise.resolve();
  #room: PromiseWithResolvers<void> | undefined;
  #idle: PromiseWithResolvers<void> | undefined;
  #closed = false;
  /** Whether what waits is about to be handed over. */
  #scheduled = false;

  /** @param options What it needs. */
  constructor(options: BatchedRepliesOptions) {
    this.#options = options;
  }

  prepare(batch: Batch): void {
    this.#expected = [...this.#options.expectations.ofEach(batch)];
  }

  /** @returns Null: replies are sent when they are there. A promise of it where the sender has to wait. */
  process(batch: Batch): Batch | null | Promise<null> {
    const { from, received } = batch;
    if (batch.samples.length === 0) return batch; // there is nothing to be handled
    if (this.#closed) {
      this.#options.onDropped(from, "it came too late to be handled");
      return null;
    }
    if (this.#waiting.length >= MOST_WAITING) {
      if (this.#options.waits === "never") {
        this.#options.onDropped(from, "the handler is too slow for as many as arrive");
        return null;
      }
      this.#room ??= Promise.withResolvers();
      const [samples, expected] = [batch.samples.map(copyOf), this.#expected];
      return this.#room.promise.then(() => this.#add({ samples, expected, from, received }));
    }
    const samples = batch.samples.map(copyOf);
    this.#add({ samples, expected: this.#expected, from, received });
    return this.#options.waits === "each" ? this.answered().then(() => null) : null;
  }

  /** Takes no more messages; resolves when the replies to all others have been sent. */
  close(): Promise<void> {
    this.#closed = true;
    return this.answered();
  }

  /** Resolves when the replies to all messages have been sent, and no other has come meanwhile. */
  async answered(): Promise<void> {
    if (this.#isBusy || this.#waiting.length > 0) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
    }
    await this.#sending;
  }

  /** What arrives in one turn is handed over together, when the turn is over. */
  #add(message: Message): null {
    this.#waiting.push(message);
    if (!this.#scheduled && !this.#isBusy) {
      this.#scheduled = true;
      queueMicrotask(() => this.#handOver());
    }
    return null;
  }

  #handOver(): void {
    this.#scheduled = false;
    if (this.#waiting.length > 0 && !this.#isBusy) {
      const most = Math.min(MOST_TOGETHER, LONGEST_BATCH / this.#mean);
      let count = 0;
      let samples = 0;
      while (count < this.#waiting.length && (count === 0 || samples < most)) {
        samples += this.#waiting[count++]!.samples.length;
      }
      void this.#handle(this.#waiting.splice(0, count));
    }
    if (this.#waiting.length < MOST_WAITING) {
      this.#room?.resolve();
      this.#room = undefined;
    }
  }

  async #handle(messages: readonly Message[]): Promise<void> {
    this.#isBusy = true;
    const samples = messages.flatMap(({ samples }) => samples);
    const numbers = messages.flatMap(({ samples }, i) => samples.map(() => i));
    const received = messages.map(({ received }) => received);
    const begun = performance.now();
    try {
      const answer = await this.#options.handler(samples, numbers, received);
      const { seconds = (performance.now() - begun) / 1000 } = answer;
      this.#mean += (1000 * seconds / Math.max(1, samples.length) - this.#mean) * WEIGHT;
      await this.#sending; // or replies would pile up that are not taken
      this.#sending = this.#send(messages, numbers, samples, answer);
    } catch (error) {
      for (const { from } of messages) this.#options.onFailed(error, from);
    }
    this.#isBusy = false;
    this.#handOver();
    if (this.#isBusy) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  async #send(
    messages: readonly Message[],
    numbers: readonly number[],
    samples: readonly Sample[],
    { replies, faults }: BatchReplies,
  ): Promise<void> {
    const { onFailed, flush } = this.#options;
    const failed = new Map(faults.map((fault) => [fault.message, fault]));
    const ofEach: BatchReplies["replies"][number][][] = messages.map(() => []);
    for (const reply of replies) {
      const ofMessage = ofEach[numbers[reply.index] ?? -1];
      if (ofMessage) ofMessage.push(reply);
      else onFailed(noSuchSample(reply.index, samples.length), undefined);
    }
    let first = 0;
    for (const [number, message] of messages.entries()) {
      const fault = failed.get(number);
      try {
        if (fault) throw errorOf(fault);
        const made: Sample[] = [];
        for (const { index, sample } of ofEach[number]!) {
          const expected = message.expected[index - first]!;
          takeApart(inKinds(sample, expected.kinds), samples[index]!, expected, made);
        }
        const sent = made.length > 0 ? this.#sendOne(message, made) : undefined;
        if (sent) await sent;
      } catch (error) {
        onFailed(error, message.from);
      }
      first += message.samples.length;
    }
    await flush();
  }

  #sendOne({ from, received }: Message, replies: Sample[]): void | Promise<void> {
    const { format, send } = this.#options;
    const several = replies.length > (format.carried?.samples ?? Infinity);
    const bytes = several ? undefined : format.encode(replies);
    return send(batchOf(replies, { bytes, from, received }));
  }
}

function noSuchSample(index: number, count: number): Error {
  return new RangeError(
    `Cannot send the reply to sample ${index}: the handler was given ${count} samples`,
  );
}

/** What was raised for a message, or why its replies are not sent. */
function errorOf({ refused, text, place, trace }: BatchReplies["faults"][number]): Error {
  if (refused) return new Refusal(text);
  return Object.assign(new RemoteError(text), { stack: trace ?? text }, place && { place });
}

/** A copy that shares nothing with the original, which the next message may use again. */
function copyOf(sample: Sample): Sample {
  const { type, values, sequence, origin, received, newFrame, newSimulation } = sample;
  const copy = dataSample([...values], sequence, timeOf(origin), timeOf(received), newFrame);
  copy.type = type;
  if (newSimulation) copy.newSimulation = true;
  return copy;
}

function timeOf(time: Timestamp | undefined): Timestamp | undefined {
  return time && { sec: time.sec, nsec: time.nsec };
}

/** A reply with its values in the kinds that are expected, where nothing is lost: in Python, 2 is as good a float as 2.0. */
function inKinds(reply: Reply, kinds: readonly ValueKind[]): Reply {
  const { values } = reply;
  for (let i = 0; i < values.length; i++) {
    if (isOther(values[i]!, kinds[i])) {
      return { ...reply, values: Array.from(values, (value, i) => asKind(value, kinds[i])) };
    }
  }
  return reply;
}

/** Whether a value is a number of a simpler kind than is expected. */
function isOther(value: Value, kind: ValueKind | undefined): boolean {
  return kind === "float"
    ? typeof value === "bigint"
    : kind === "complex" && (typeof value === "bigint" || typeof value === "number");
}

/** A value in the kind that is expected, if that has this number; else as it is, to be refused. */
function asKind(value: Value, kind: ValueKind | undefined): Value {
  if (!isOther(value, kind)) return value;
  const number = Number(value);
  if (typeof value === "bigint" && !(Number.isFinite(number) && BigInt(number) === value)) {
    return value;
  }
  return kind === "float" ? number : { real: number, imag: 0 };
}
