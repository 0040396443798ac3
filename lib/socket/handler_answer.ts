/**
 * Answers of a user's code: a module in JavaScript or Python, or a program that is kept running.
 *
 * @module
 */

import { concat } from "@std/bytes/concat";
import { ConnectError, RemoteError } from "../errors.ts";
import { exportedFunction, type HandlerPeer, type ModuleHandler } from "../handlers/handler.ts";
import type { ProgramHandler } from "../handlers/program.ts";
import { Queue } from "../handlers/queue.ts";
import { formatAddress, type HostPort } from "../net/address/address.ts";
import type { Answerer, BytesPeer } from "./answer.ts";

/** Bytes that may wait for a peer that reads slowly before its module has to wait. */
const MOST_QUEUED = 1 << 20;
/** Senders of datagrams that a module knows at the same time. */
const MOST_SENDERS = 1000;
const [CR, LF] = [0x0d, 0x0a];
const NOTHING = new Uint8Array();
const encoder = new TextEncoder();

/** What answers, and how it is used. */
export interface HandlerAnswerer {
  /** Answers a message. */
  readonly answer: Answerer;
  /** How many messages may be answered at once. */
  readonly concurrency: () => number;
  /** Lets go of a peer that has disconnected. */
  readonly release: (peer: BytesPeer) => void;
  /** Begins nothing more: messages that wait for their turn fail. */
  readonly stop: () => void;
}

/** How messages are given to a user's code. */
export interface HandlerAnswererOptions {
  /** Whether a message is a line: its end is no part of it, and what is sent ends like it. Default: false. */
  readonly lines?: boolean;
  /** Whether messages are datagrams, whose senders nobody sees going. Default: false. */
  readonly datagrams?: boolean;
  /** Called with what a module sends beside its answers. */
  readonly onSend?: (message: Uint8Array, to: HostPort) => void;
}

/** What a module's function returns: bytes, a text, or nothing. */
type Reply = Uint8Array | string | null | undefined | boolean;

/**
 * Has a module answer: `handle(data, peer)`.
 *
 * @param module The module.
 * @param options What its messages are.
 * @returns What answers.
 * @throws {UsageError} If the module has no such function.
 */
export function moduleAnswerer(
  module: ModuleHandler,
  { lines = false, datagrams = false, onSend }: HandlerAnswererOptions = {},
): HandlerAnswerer {
  const isPython = module.language === "python";
  const handle = exportedFunction<
    (data: Uint8Array, peer: HandlerPeer) => Reply | Promise<Reply>
  >(
    module,
    isPython ? ["handle"] : ["handle", "default"],
    isPython ? "def handle(data, peer): …" : "export function handle(data, peer) { … }",
  );
  const peers = new Peers(module, datagrams, onSend);
  // A module in Python lets its calls wait for their turn by itself.
  const queue = new Queue(isPython ? () => module.depth : module.depth);
  return {
    answer(message, _from, peer) {
      const [body, end] = lines ? splitEnd(message) : [message, NOTHING];
      const known = peers.of(peer, end);
      return queue.run(() => {
        const reply = handle(isPython ? body : body.slice(), known);
        return reply instanceof Promise
          ? reply.then((reply) => taken(reply, end))
          : taken(reply, end);
      });
    },
    concurrency: () => module.depth,
    release: (peer) => peers.release(peer),
    stop: () => module.stop(),
  };
}

/**
 * Has a program that is kept running answer: a line for a line.
 *
 * @param program The program.
 * @returns What answers; an empty line is no answer.
 */
export function lineAnswerer(program: ProgramHandler): HandlerAnswerer {
  const over = new AbortController();
  return {
    async answer(message) {
      const [body, end] = splitEnd(message);
      const answer = await program.handle(body.slice(), over.signal);
      return answer.length === 0 ? null : withEnd(answer, end);
    },
    concurrency: () => 1,
    release() {},
    stop: () => over.abort(new ConnectError("The program was stopped before this was handled")),
  };
}

/** Splits off the end of a line. */
function splitEnd(line: Uint8Array): [body: Uint8Array, end: Uint8Array] {
  if (line.at(-1) !== LF) return [line, NOTHING];
  const at = line.length - (line.at(-2) === CR ? 2 : 1);
  return [line.subarray(0, at), line.slice(at)];
}

/** Gives bytes the end of a line, unless they have one. */
function withEnd(bytes: Uint8Array | null, end: Uint8Array): Uint8Array | null {
  if (bytes === null || end.length === 0 || bytes.at(-1) === LF) return bytes;
  return concat([bytes, end]);
}

/** What a module sends, in memory of its own: the module may use its buffer again at once. */
function taken(reply: unknown, end: Uint8Array): Uint8Array | null {
  const bytes = withEnd(bytesOf(reply), end);
  return bytes === reply && bytes !== null ? bytes.slice() : bytes;
}

function bytesOf(reply: unknown): Uint8Array | null {
  if (reply instanceof Uint8Array) return reply;
  if (typeof reply === "string") return encoder.encode(reply);
  if (reply === undefined || reply === null || typeof reply === "boolean") return null;
  throw new RemoteError(
    `Cannot send ${Deno.inspect(reply)}: expected a Uint8Array, a text, or nothing`,
  );
}

/** A peer as a module knows it. */
interface KnownPeer extends HandlerPeer {
  /** How its last line ended: so does what is sent to it. */
  end: Uint8Array;
}

/** The peers as a module knows them: one object for each, as long as it is there. */
class Peers {
  readonly #module: ModuleHandler;
  readonly #datagrams: boolean;
  readonly #onSend: HandlerAnswererOptions["onSend"];
  readonly #known = new Map<BytesPeer | string, KnownPeer>();

  constructor(
    module: ModuleHandler,
    datagrams: boolean,
    onSend: HandlerAnswererOptions["onSend"],
  ) {
    this.#module = module;
    this.#datagrams = datagrams;
    this.#onSend = onSend;
  }

  /** Finds a peer, and notes how what it sent ended. */
  of(peer: BytesPeer, end: Uint8Array): KnownPeer {
    const key = this.#datagrams ? formatAddress(peer.remoteAddr) : peer;
    let known = this.#known.get(key);
    if (!known) {
      const made: KnownPeer = {
        address: formatAddress(peer.remoteAddr),
        send: (message) => this.#send(peer, made, message),
        end,
      };
      if (this.#datagrams && this.#known.size >= MOST_SENDERS) this.#forget(first(this.#known)!);
      this.#known.set(key, known = made);
    }
    if (end.length > 0) known.end = end;
    return known;
  }

  release(peer: BytesPeer): void {
    this.#forget(peer);
  }

  #forget(key: BytesPeer | string): void {
    const known = this.#known.get(key);
    if (known && this.#known.delete(key)) this.#module.release(known);
  }

  #send(peer: BytesPeer, { end }: KnownPeer, message: unknown): Promise<boolean> | undefined {
    const bytes = taken(message, end);
    if (bytes === null) return undefined;
    this.#onSend?.(bytes, peer.remoteAddr);
    const sent = peer.write(bytes);
    if (this.#module.language === "javascript") return sent;
    // One who streams to a peer learns by this that it has gone.
    if (!this.#datagrams) void sent.then((taken) => taken || this.#forget(peer));
    // A peer that reads nothing must not hold up the others before it has to.
    return peer.bytesQueued > MOST_QUEUED ? sent : undefined;
  }
}

function first<K>(map: ReadonlyMap<K, unknown>): K | undefined {
  for (const key of map.keys()) return key;
}
