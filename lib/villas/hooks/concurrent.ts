import type { Format } from "../../codecs/villas/format.ts";
import type { Endpoint } from "../../net/address/address.ts";
import { type Batch, batchOf } from "../node.ts";
import type { Hook } from "../path.ts";
import type { Expectations } from "./expected.ts";
import { Handler, type SampleHandler } from "./handler.ts";

/** What a {@linkcode ConcurrentReplies} needs of its surroundings. */
export interface ConcurrentRepliesOptions {
  /** How many messages may be handled at once. */
  readonly concurrency: number;
  /**
   * Makes the reply to a message, null where there is none. The batch is valid until this returns; what it rejects with is told by
   * `onFailed`.
   */
  readonly reply: (batch: Batch) => Promise<Batch | null>;
  /** Sends a reply. */
  readonly send: (reply: Batch) => void | Promise<void>;
  /** Called with what went wrong with a message. */
  readonly onFailed: (error: unknown, from: Endpoint | undefined) => void;
  /** Called for each message that is dropped. */
  readonly onDropped: (from: Endpoint | undefined, why: string) => void;
}

/**
 * Has several messages handled at once, and sends their replies in the order of the messages: VILLASnode throws away what was overtaken.
 * Where as many are being handled as may be, the path waits.
 */
export class ConcurrentReplies implements Hook {
  readonly #options: ConcurrentRepliesOptions;
  /** Who sent the messages that are being handled. */
  readonly #open = new Set<{ readonly from: Endpoint | undefined }>();
  /** The sending of replies, in the order of their messages. */
  #sending: Promise<void> = Promise.resolve();
  #room: PromiseWithResolvers<null> | undefined;
  #closed = false;

  /** @param options What it needs. */
  constructor(options: ConcurrentRepliesOptions) {
    this.#options = options;
  }

  /** @returns Null: replies are sent when they are there. A promise of it where the next message has to wait. */
  process(batch: Batch): Batch | null | Promise<null> {
    if (batch.samples.length === 0) return batch; // there is nothing to be handled
    const { concurrency, reply, onDropped } = this.#options;
    if (this.#closed) {
      onDropped(batch.from, "it came too late to be handled");
      return null;
    }
    const message = { from: batch.from };
    this.#open.add(message);
    const made = reply(batch).catch((error) => {
      if (this.#open.has(message)) this.#options.onFailed(error, message.from);
      return null;
    });
    this.#sending = this.#sending.then(async () => {
      const batch = await made;
      if (this.#open.has(message)) await this.#send(batch, message.from);
      this.#open.delete(message);
      this.#room?.resolve(null);
      this.#room = undefined;
    });
    if (this.#open.size < concurrency) return null;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Takes no more messages; resolves when the replies to all others have been sent. */
  close(): Promise<void> {
    this.#closed = true;
    return this.answered();
  }

  /** Resolves when the replies to all messages that have come have been sent. */
  answered(): Promise<void> {
    return this.#sending;
  }

  /** Drops the messages that are being handled. */
  abandon(why: string): void {
    const open = [...this.#open];
    this.#open.clear();
    for (const { from } of open) this.#options.onDropped(from, why);
    this.#room?.resolve(null);
  }

  async #send(reply: Batch | null, from: Endpoint | undefined): Promise<void> {
    try {
      if (reply) await this.#options.send(reply);
    } catch (error) {
      this.#options.onFailed(error, from);
    }
  }
}

/**
 * Makes replies by a handler that takes one sample after another.
 *
 * @param handler Called with each sample.
 * @param expectations What VILLASnode takes.
 * @param format The form of the replies.
 */
export function repliesOf(
  handler: SampleHandler,
  expectations: Expectations,
  format: Format,
): ConcurrentRepliesOptions["reply"] {
  return async (batch) => {
    const { samples, bytes, from, received } = batch;
    const expected = [...expectations.ofEach(batch)];
    // What arrived is used again for the next message.
    const copy = batchOf(structuredClone(samples), { bytes: bytes?.slice(), from, received });
    const hook = new Handler(handler, { ofEach: () => expected }, format);
    hook.prepare(copy);
    return await hook.process(copy);
  };
}
