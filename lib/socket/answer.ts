import type { HostPort } from "../net/address/address.ts";

/** Who sent something, and can be sent something: a connection, or the sender of a datagram. */
export interface BytesPeer {
  /** The address. */
  readonly remoteAddr: HostPort;
  /** Bytes that the system has not accepted yet because the peer reads slowly. */
  readonly bytesQueued: number;
  /**
   * Sends something, at any time.
   *
   * @param bytes What; not to be changed before the promise resolves.
   * @returns Whether the system has accepted it; false where the peer has gone.
   */
  write(bytes: Uint8Array): Promise<boolean>;
}

/**
 * Answers what a client sent.
 *
 * @param message What arrived at once, valid until the promise resolves: a datagram, or a piece of a stream of any size.
 * @param from Who sent it.
 * @param peer The same as somebody to whom more can be sent than the answer.
 * @returns What to send back; null for nothing.
 */
export type Answerer = (
  message: Uint8Array,
  from: HostPort,
  peer: BytesPeer,
) => Uint8Array | null | Promise<Uint8Array | null>;

/** Sends everything back unchanged. */
export const echo: Answerer = (message) => message;
