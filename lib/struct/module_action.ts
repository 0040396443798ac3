/**
 * What a line does with a record that a user's module handles: in JavaScript with its values, in Python with its bytes.
 *
 * @module
 */

import { parseStructFields } from "../codecs/struct/fields.ts";
import type { StructLayout } from "../codecs/struct/format.ts";
import type { AnyStruct } from "../codecs/struct/struct.ts";
import type { StructInput } from "../codecs/struct/types.ts";
import {
  defaultFunction,
  exportedFunction,
  type HandlerPeer,
  type HandlerUse,
  type ModuleHandler,
} from "../handlers/handler.ts";
import { Queue } from "../handlers/queue.ts";
import { formatAddress } from "../net/address/address.ts";
import type { LineConnection } from "./line_connection.ts";
import type { LineAction } from "./line_options.ts";
import type { LinePeer } from "./peer.ts";
import { sendWindow } from "./send_records.ts";

/** Bytes that may wait for a peer that reads slowly before its module has to wait. */
const MOST_QUEUED = 1 << 20;

/** What handles the records of a line. */
export interface RecordHandler {
  /** Handles a record. */
  readonly action: LineAction<string>;
  /** How many records of a peer may be handled at once. */
  readonly concurrency?: () => number;
  /** Lets go of a peer that has disconnected. */
  readonly release?: (peer: LinePeer) => void;
  /** Begins nothing more: records that wait for their turn fail. */
  readonly stop?: () => void;
}

/**
 * Says of a module's functions what they get.
 *
 * @param layout The format of the records.
 * @param fields The names of their values, see `parseStructFields()`.
 */
export function recordUse(layout: StructLayout, fields?: readonly string[]): HandlerUse {
  return {
    kind: "records",
    format: explicitFormat(layout),
    fields: fields && parseStructFields(fields, layout).map(({ name, count }) => ({ name, count })),
  };
}

/** A format of the same layout without native sizes and alignment, which Python may have others of. */
function explicitFormat({ littleEndian, items, size }: StructLayout): string {
  let format = littleEndian ? "<" : ">";
  let end = 0;
  for (const { text, letter, offset, count, width } of items) {
    if (offset > end) format += `${offset - end}x`;
    const other = NATIVE[letter]?.[width];
    format += other === undefined ? text : `${count}${other}`;
    end = offset + (letter === "x" ? width : count * width);
  }
  return size > end ? `${format}${size - end}x` : format;
}

/** Codes whose size depends on the platform, or that only native mode has, by their width. */
const NATIVE: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  l: { 4: "i", 8: "q" },
  L: { 4: "I", 8: "Q" },
  n: { 4: "i", 8: "q" },
  N: { 4: "I", 8: "Q" },
  P: { 4: "I", 8: "Q" },
};

/**
 * Gives each record to a module.
 *
 * @param module The module, opened with {@linkcode recordUse}.
 * @param struct The format of the records.
 * @param concurrency How many calls may run at once, as the module was opened. Default: 1.
 * @returns What handles them.
 * @throws {UsageError} If the module has no function for records.
 */
export function moduleAction(
  module: ModuleHandler,
  struct: AnyStruct,
  concurrency = 1,
): RecordHandler {
  return module.language === "python"
    ? pythonAction(module, concurrency)
    : javascriptAction(module, struct);
}

function javascriptAction(module: ModuleHandler, struct: AnyStruct): RecordHandler {
  const handle = defaultFunction<LineAction<string>>(
    module,
    "function (values, line) { … }",
    (_values, peer) => pointer(peer as LineConnection),
  );
  const queue = new Queue(module.depth);
  const inOrder = new InOrder();
  const window = sendWindow(struct);
  let count = 0;
  return {
    action(values, peer) {
      let waited: (() => void) | undefined;
      const result = queue.run(() => {
        waited?.();
        const reply = handle(values, peer);
        if (isPromise(reply)) return Promise.resolve(reply).then(copyOf);
        return waited ? copyOf(reply) : reply;
      }, () => waited = pointer(peer as LineConnection));
      // What has been returned already must not overtake what was promised before.
      const answer = isPromise(result)
        ? result
        : Array.isArray(result) && inOrder.isBusy(peer)
        ? Promise.resolve(copyOf(result))
        : undefined;
      if (answer) return inOrder.then(peer, answer, (reply) => sendReply(reply, peer));
      const sent = sendReply(result, peer);
      // A promise for each record would cost more than the record.
      if (++count % window === 0 || isGenerator(result)) return sent;
    },
    concurrency: () => module.depth,
    stop: () => module.stop(),
  };
}

/** What has a peer's `recordBytes` and `recordTime` be those of a record again that has to wait, while others of the peer may not. */
function pointer(peer: LineConnection): () => void {
  const [bytes, time] = [peer.recordBytes.slice(), peer.recordTime];
  return () => peer.point(bytes, 0, time);
}

/** Sends what a function has returned: a record, several, or what a generator yields. */
function sendReply(reply: unknown, peer: LinePeer): Promise<unknown> | undefined {
  if (reply === undefined || reply === null || typeof reply === "boolean") return undefined;
  if (isGenerator(reply)) return sendEach(reply, peer);
  if (!Array.isArray(reply)) {
    throw new TypeError(
      `Cannot send ${Deno.inspect(reply)}: expected a record as an array, several, or nothing`,
    );
  }
  if (!reply.some(Array.isArray)) return reply.length === 0 ? undefined : peer.send(reply);
  let sent: Promise<boolean> | undefined;
  for (const record of reply) sent = peer.send(record as StructInput[]);
  return sent;
}

async function sendEach(
  replies: AsyncIterable<unknown> | Iterable<unknown>,
  peer: LinePeer,
): Promise<void> {
  for await (const reply of replies) {
    if (await sendReply(reply, peer) === false) return; // it has gone
  }
}

/** A reply that has to wait, apart from the arrays of the function, which may use them again for the next record. */
function copyOf(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.map(copyOf);
  return reply instanceof Uint8Array ? reply.slice() : reply;
}

function isGenerator(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof value === "object" && value !== null && "next" in value;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}

/** Records that are sent back; null for none. */
type Answer = Uint8Array | null;

function pythonAction(module: ModuleHandler, concurrency: number): RecordHandler {
  const handle = exportedFunction<
    (
      record: Uint8Array,
      peer: HandlerPeer,
      onAnswer?: (answer: Answer) => unknown,
    ) => Promise<Answer>
  >(module, ["handle"], "def handle(record, peer): …");
  const peers = new Map<LinePeer, HandlerPeer>();
  const inOrder = new InOrder();
  const known = (peer: LinePeer): HandlerPeer => {
    let other = peers.get(peer);
    if (!other) {
      const address = formatAddress(peer.remoteAddr);
      other = {
        address,
        send(records) {
          const sent = peer.sendBytes(records as Uint8Array);
          // One who streams to a peer learns by this that it has gone.
          void sent.then((taken) => taken || release(peer));
          // A peer that reads nothing must not hold up the others before it has to.
          return peer.bytesQueued > MOST_QUEUED ? sent : undefined;
        },
      };
      peers.set(peer, other);
    }
    return other;
  };
  const release = (peer: LinePeer) => {
    const other = peers.get(peer);
    if (other && peers.delete(peer)) module.release(other);
  };
  return {
    action(_values, peer) {
      const send = (records: Answer) => {
        const sent = records ? peer.sendBytes(records) : undefined;
        return peer.bytesQueued > MOST_QUEUED ? sent : undefined;
      };
      // Sent at once, as what the next call sends while it runs must not overtake it.
      if (concurrency === 1) return handle(peer.recordBytes, known(peer), send);
      return inOrder.then(peer, handle(peer.recordBytes, known(peer)), send);
    },
    concurrency: () => module.depth,
    release,
    stop: () => module.stop(),
  };
}

/** Sends answers in the order of the records, whichever is ready first. */
class InOrder {
  readonly #last = new WeakMap<LinePeer, Promise<void>>();

  /** Whether answers of a peer have not been dealt with. */
  isBusy(peer: LinePeer): boolean {
    return this.#last.has(peer);
  }

  /**
   * Does something with an answer when those before it have been dealt with.
   *
   * @param peer Whose answer it is.
   * @param answer The answer.
   * @param send What to do with it.
   * @returns What that returns; rejects as the answer does.
   */
  then<T>(peer: LinePeer, answer: Promise<T>, send: (answer: T) => unknown): Promise<unknown> {
    const before = this.#last.get(peer);
    // It may fail before its turn, when nobody has asked for it yet.
    if (before) answer.then(undefined, () => {});
    const done = before ? before.then(() => answer).then(send) : answer.then(send);
    const end = () => void (this.#last.get(peer) === over && this.#last.delete(peer));
    const over = done.then(end, end);
    this.#last.set(peer, over);
    return done;
  }
}
