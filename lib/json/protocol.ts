import type { JsonValue } from "../codecs/json/json.ts";
import type { JsonText } from "../codecs/json/text.ts";
import type { HostPort } from "../net/address/address.ts";

/** The template's host. */
export const DEFAULT_HOST = "127.0.0.1";

/** The template's port. */
export const DEFAULT_PORT = 65432;

/** Longest message in bytes, unless told otherwise. */
export const DEFAULT_MAX_BYTES = 1 << 20;

/** The word that marks a failure: the documentation's, or the one that the template's server writes. */
export type FailStatus = "error" | "failed";

/** What a server answers when all went well. */
export interface SuccessAnswer {
  /** `"success"`. */
  status: "success";
  /** The `id` of the message, where it had one. */
  id?: JsonValue;
  /** What the handler returned, where it returned something. */
  result?: JsonValue | JsonText;
}

/** What a server answers when something went wrong. */
export interface FailAnswer {
  /** `"error"`, or `"failed"` from the template's server. */
  status: FailStatus;
  /** The `id` of the message, where it had one. */
  id?: JsonValue;
  /** What went wrong. */
  error: string;
}

/** What a server answers: one line. */
export type Answer = SuccessAnswer | FailAnswer;

/** What a handler may want to know beyond the message. */
export interface InteractContext {
  /** Who sent the message. */
  readonly remoteAddr: HostPort;
  /** The message as it came, in UTF-8 and without the end of the line. */
  readonly bytes: Uint8Array;
  /** Aborted when the server is closing and its patience is over. */
  readonly signal: AbortSignal;
}

/** Handles messages: the template's `interact`. Any function that takes a message and its context is one. */
export interface Interact {
  /**
   * Handles a message.
   *
   * @param data The message, parsed: any JSON value, an object most of the time. Integers beyond ±(2⁵³ − 1) are `bigint`.
   * @param context Who sent it.
   * @returns What becomes the `result` of the answer; nothing, if it is `undefined`. May be a promise.
   * @throws What becomes the `error` of a failure.
   */
  // deno-lint-ignore no-explicit-any
  (data: any, context: InteractContext): unknown;
  /**
   * Whether it goes by `context.bytes`, where all digits are as they came. It gets messages with numbers that JavaScript cannot
   * hold too then (`1e400`; in `data` they are infinite, or 0), which are otherwise answered with an error. Default: false.
   */
  readonly anyNumber?: boolean;
}

/** A handler for each `command_id`. */
export type Commands = { readonly [commandId: string]: Interact };
