import type { StructInputs } from "../codecs/struct/types.ts";
import type { HostPort } from "../net/address/address.ts";
import type { CloseReason } from "../net/stream/connection.ts";

/**
 * The other end of one connection of a line.
 *
 * @typeParam F The format of the records.
 */
export interface LinePeer<F extends string = string> {
  /** Its address. */
  readonly remoteAddr: HostPort;
  /** The address on this side. */
  readonly localAddr: HostPort;
  /** Why the connection is over; undefined while it is open. */
  readonly closeReason: CloseReason | undefined;
  /** Whether the connection broke before either side had ended it. */
  readonly lost: boolean;
  /** What the system said when the connection broke, if it did. */
  readonly error: Error | undefined;
  /** Records that the system has taken to send. */
  readonly sent: number;
  /** Bytes that the system has taken to send. */
  readonly bytesSent: number;
  /** Bytes that wait until the system takes them: the peer reads slowly. */
  readonly bytesQueued: number;
  /** Bytes received. */
  readonly bytesReceived: number;
  /** The bytes of the record that the action is handling; valid only until it is done. */
  readonly recordBytes: Uint8Array;
  /** When the last byte of the record that the action is handling arrived at the latest, in ms since 1970, with fractions. */
  readonly recordTime: number;
  /**
   * Sends a record to this peer. Records that are sent in the same turn of the event loop leave together. Who awaits each, or
   * one in every few thousand, keeps memory bounded when the peer reads slowly.
   *
   * @param values The record.
   * @returns Whether the system has taken it; false when the connection is gone.
   * @throws {CodecError} At once, if the values do not fit the format.
   */
  send(values: StructInputs<F>): Promise<boolean>;
  /**
   * Sends records that are bytes already, such as `recordBytes`, as `send()` does.
   *
   * @param records The bytes of whole records; copied at once.
   * @returns Whether the system has taken the last of them; false when the connection is gone.
   * @throws {CodecError} At once, if they end inside a record.
   */
  sendBytes(records: Uint8Array): Promise<boolean>;
  /** Ends this side's half after everything sent so far: the peer reads the end, and may still send. */
  closeWrite(): Promise<void>;
  /** Resolves when everything sent so far has been taken by the system, or never will be. */
  flush(): Promise<void>;
  /** Closes the connection after everything sent so far; a peer that takes none of it for a second does not get the rest. */
  close(): Promise<void>;
}
