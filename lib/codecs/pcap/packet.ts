import type { Timestamp } from "../../time/timestamp.ts";
import type { ByteQueue } from "./byte_queue.ts";

/** A packet of a capture; valid until the next one is read. */
export interface Packet {
  /** The number of the packet in the capture, from 1, as Wireshark counts. */
  readonly number: number;
  /** Where its record begins in the file, in bytes. */
  readonly offset: number;
  /** When it was captured; undefined where that was not written down. */
  readonly time: Timestamp | undefined;
  /** What its bytes begin with: a number of tcpdump's list of link types, such as 1 for Ethernet. */
  readonly linkType: number;
  /** Its bytes, as far as they were captured. */
  readonly bytes: Uint8Array;
  /** How many bytes it had. */
  readonly length: number;
}

/** What reads the packets behind the first bytes of a capture. */
export interface PacketReader {
  /**
   * Reads a packet.
   *
   * @param queue What has arrived.
   * @returns The packet without its number, or null if more bytes are needed.
   */
  next(queue: ByteQueue): Omit<Packet, "number"> | null;
}

/** Longest packet that is believed; longer ones are taken for damage. */
export const LONGEST_PACKET = 1 << 24;
