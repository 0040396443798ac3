import type { Replies } from "../../socket/replies.ts";
import type { BytesForm } from "./show_bytes.ts";
import type { Serving, ServingValues } from "../serving/serving.ts";

/** What `socket-server` has read from its options, for TCP and UDP alike. */
export interface ServerValues extends Serving, Omit<ServingValues, keyof Serving> {
  readonly host: string;
  readonly port: number;
  /** The table of what to send back instead of the message. */
  readonly table?: Replies;
  /** The program that answers. */
  readonly command?: readonly string[];
  /** Whether nothing is answered. */
  readonly discard: boolean;
  readonly output: BytesForm;
  /** Whether a message is a line, rather than what arrives at once. */
  readonly line: boolean;
  /** Longest line in bytes. */
  readonly maxBytes: number;
  /** Messages after which the server ends. */
  readonly count: number;
  readonly idleTimeout: number;
  /** Seconds within which a line must be complete. */
  readonly messageTimeout: number;
  readonly maxConnections: number;
  /** Seconds that what is in hand may take at the end. */
  readonly grace: number;
  readonly allowHttp: boolean;
}

/**
 * Works out what to send back.
 *
 * @param values What the options say.
 * @param message What arrived.
 * @returns The answer, or null for none.
 */
export function answerTo({ table, discard }: ServerValues, message: Uint8Array): Uint8Array | null {
  if (discard) return null;
  return table ? table.answer(message) : message;
}
