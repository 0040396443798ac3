/**
 * Captures of network traffic as tcpdump, Wireshark and dumpcap write them: pcap and pcapng, told apart by their first bytes.
 *
 * @module
 */

import { CodecError } from "../../errors.ts";
import { ByteQueue } from "./byte_queue.ts";
import { LONGEST_PACKET, type Packet, type PacketReader } from "./packet.ts";
import { PcapngBlocks } from "./pcapng.ts";

/**
 * Reads a capture, however it comes in chunks: pass each to `push()`, then call `next()` until it returns null.
 *
 * @example A capture in which there is nothing yet
 * ```ts
 * import { CaptureDecoder, datagramOf } from "@labwire/labwire/codecs/pcap";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new CaptureDecoder();
 * decoder.push(Uint8Array.fromHex("d4c3b2a1020004000000000000000000ffff000001000000"));
 * const ports: (number | undefined)[] = [];
 * for (let packet; (packet = decoder.next());) ports.push(datagramOf(packet)?.port);
 * decoder.end();
 * assertEquals(ports, []);
 * ```
 */
export class CaptureDecoder {
  readonly #queue = new ByteQueue();
  #reader: PacketReader | undefined;
  #number = 0;

  /** Takes the bytes that come next; they are copied. */
  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  /**
   * Reads the next packet.
   *
   * @returns The packet, or null if more bytes are needed.
   * @throws {CodecError} If this is no capture, or it is damaged; nothing after that can be read.
   */
  next(): Packet | null {
    this.#reader ??= readerOf(this.#queue);
    const packet = this.#reader?.next(this.#queue);
    return packet ? { ...packet, number: ++this.#number } : null;
  }

  /**
   * Ends the capture.
   *
   * @throws {CodecError} If it ends inside a packet, or before it has begun.
   */
  end(): void {
    const { length, offset } = this.#queue;
    if (length === 0 && this.#reader) return;
    if (!this.#reader) throw notCapture(length === 0 ? "it is empty" : "it ends in its header");
    throw new CodecError(
      `The capture ends inside packet ${this.#number + 1}, which begins at byte ${offset}`,
      { offset },
    );
  }
}

/** The byte order and the kind of a capture; undefined if more bytes are needed. */
function readerOf(queue: ByteQueue): PacketReader | undefined {
  if (queue.length < 4) return undefined;
  const magic = queue.peek(4).getUint32(0);
  if (magic === 0x0a0d0d0a) return new PcapngBlocks();
  const kind = MAGIC.get(magic);
  if (!kind) throw notCapture(`it begins with the bytes ${magic.toString(16).padStart(8, "0")}`);
  if (queue.length < 24) return undefined;
  const linkType = queue.peek(24).getUint32(20, kind.little) & 0xffff;
  queue.drop(24);
  return new PcapRecords({ ...kind, linkType });
}

function notCapture(why: string): CodecError {
  return new CodecError(`Cannot read the capture: expected pcap or pcapng, and ${why}`, {
    offset: 0,
  });
}

/** How a pcap file is written. */
interface PcapKind {
  /** Whether its numbers are little endian. */
  readonly little: boolean;
  /** Nanoseconds in a unit of its times' fractions. */
  readonly unit: number;
  /** Bytes before each packet. */
  readonly header: number;
}

/** What the first four bytes, read as big endian, say. The last pair is of a Linux version that wrote longer headers. */
const MAGIC: ReadonlyMap<number, PcapKind> = new Map(
  [
    [0xa1b2c3d4, { little: false, unit: 1000, header: 16 }],
    [0xd4c3b2a1, { little: true, unit: 1000, header: 16 }],
    [0xa1b23c4d, { little: false, unit: 1, header: 16 }],
    [0x4d3cb2a1, { little: true, unit: 1, header: 16 }],
    [0xa1b2cd34, { little: false, unit: 1000, header: 24 }],
    [0x34cdb2a1, { little: true, unit: 1000, header: 24 }],
  ],
);

/** Reads the packets of a pcap file. */
class PcapRecords implements PacketReader {
  readonly #kind: PcapKind & { readonly linkType: number };

  constructor(kind: PcapKind & { readonly linkType: number }) {
    this.#kind = kind;
  }

  next(queue: ByteQueue): Omit<Packet, "number"> | null {
    const { little, unit, header, linkType } = this.#kind;
    if (queue.length < header) return null;
    const { offset } = queue;
    const view = queue.peek(header);
    const [sec, fraction, captured, length] = [0, 4, 8, 12].map((at) => view.getUint32(at, little));
    if (captured! > LONGEST_PACKET || fraction! * unit >= 1e9) {
      throw new CodecError(
        `The capture is damaged at byte ${offset}: expected a packet, and its header says ${captured} bytes`,
        { offset },
      );
    }
    if (queue.length < header + captured!) return null;
    queue.drop(header);
    return {
      offset,
      time: { sec: sec!, nsec: fraction! * unit },
      linkType,
      bytes: queue.take(captured!),
      length: length!,
    };
  }
}
