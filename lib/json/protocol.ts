import type { JsonValue } from "../codecs/json/json.ts";
import type { JsonText } from "../codecs/json/text.ts";
import type { HostPort } from "../net/address/address.ts";

/** The template's host. */
export const DEFAULT_HOST = "127.0.0.1";

/** The template's port. */
export const DEFAULT_PORT = 65432;

/** The default for the longest message in bytes. */
export const DEFAULT_MAX_BYTES = 1 << 20;

/**
 * The command that lists the commands: its result is an array of {@linkcode DescribedCommand}. A server that has handlers by
 * `command_id` answers it by itself, unless one of them has this name.
 */
export const LIST_COMMANDS = "list_commands";

/** A command as {@linkcode LIST_COMMANDS} describes it. */
export interface DescribedCommand {
  /** Its `command_id`. */
  readonly name: string;
  /** How it is called, as in `set_voltage(volts: float, channel: int = 1)`. */
  readonly signature: string;
  /** What its author says about it; empty where that is nothing. */
  readonly doc: string;
}

/** The word that marks a failure: the documentation's, or the one that the template's server writes. */
export type FailStatus = "error" | "failed";

/** What a server answers on success. */
export interface SuccessAnswer {
  /** `"success"`. */
  status: "success";
  /** The `id` of the message, if it had one. */
  id?: JsonValue;
  /** What the handler returned, if anything. */
  result?: JsonValue | JsonText;
}

/** What a server answers on failure. */
export interface FailAnswer {
  /** `"error"`, or `"failed"` from the template's server. */
  status: FailStatus;
  /** The `id` of the message, if it had one. */
  id?: JsonValue;
  /** What went wrong. */
  error: string;
}

/** What a server answers: one line. */
export type Answer = SuccessAnswer | FailAnswer;

/** What a handler may need to know besides the message. */
export interface InteractContext {
  /** Who sent the message. */
  readonly remoteAddr: HostPort;
  /**
   * The message as received, in UTF-8, without a byte order mark and the line ending. Valid until it is answered, as it is when its time
   * is over.
   */
  readonly bytes: Uint8Array;
  /** Aborted when the server is closing and the grace is over, or the message's time is. */
  readonly signal: AbortSignal;
}

/** Handles messages: the template's `interact`. Any function that takes a message and its context is one. */
export interface Interact {
  /**
   * Handles a message.
   *
   * @param data The message, parsed: any JSON value, an object most of the time. Integers beyond ±(2⁵³ − 1) are `bigint`.
   * @param context Who sent it.
   * @returns The `result` of the answer; none if it is `undefined`. May be a promise.
   * @throws The `error` of a failure.
   */
  // deno-lint-ignore no-explicit-any
  (data: any, context: InteractContext): unknown;
  /**
   * Whether it uses `context.bytes`, which have all digits as received. It then also gets messages with numbers that JavaScript cannot
   * represent (`1e400`; in `data` they are infinite, or 0), which are otherwise answered with an error. Default: false.
   */
  readonly anyNumber?: boolean;
  /**
   * How many messages it may be given at once where that is more than the server's concurrency, because it lets them wait for their turn
   * by itself. It may change.
   */
  readonly depth?: number;
}

/** A handler for each `command_id`. */
export type Commands = { readonly [commandId: string]: Interact };
