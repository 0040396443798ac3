import type { HostPort } from "../net/address/address.ts";

/**
 * Answers what a client sent.
 *
 * @param message What arrived at once, valid until the promise resolves: a datagram, or a piece of a stream of any size.
 * @param from Who sent it.
 * @returns What to send back; null for nothing.
 */
export type Answerer = (
  message: Uint8Array,
  from: HostPort,
) => Uint8Array | null | Promise<Uint8Array | null>;

/** Sends everything back unchanged. */
export const echo: Answerer = (message) => message;
