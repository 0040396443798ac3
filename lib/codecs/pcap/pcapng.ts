import { CodecError } from "../../errors.ts";
import type { Timestamp } from "../../time/timestamp.ts";
import type { ByteQueue } from "./byte_queue.ts";
import { LONGEST_PACKET, type Packet, type PacketReader } from "./packet.ts";

/** Types of blocks that are read; others are passed over. */
const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const OLD_PACKET = 2;
const SIMPLE_PACKET = 3;
const PACKET = 6;
/** What shows the byte order of a section. */
const BYTE_ORDER = 0x1a2b3c4d;
/** Codes of an interface's options. */
const TIME_RESOLUTION = 9;
const TIME_OFFSET = 14;

/** What was captured from: an `Interface Description Block`. */
interface Interface {
  readonly linkType: number;
  readonly snapLength: number;
  /** Units of time in a second. */
  readonly perSecond: bigint;
  /** Seconds to be added. */
  readonly offset: bigint;
}

/** Reads the packets of a pcapng file: one or more sections of blocks. */
export class PcapngBlocks implements PacketReader {
  #little = false;
  #interfaces: Interface[] = [];

  next(queue: ByteQueue): Omit<Packet, "number"> | null {
    for (;;) {
      if (queue.length < 12) return null;
      const { offset } = queue;
      const head = queue.peek(12);
      if (head.getUint32(0) === SECTION) this.#little = isLittle(head, offset);
      const [type, length] = [head.getUint32(0, this.#little), head.getUint32(4, this.#little)];
      if (length < 12 || length % 4 !== 0 || length > LONGEST_PACKET) {
        throw damaged(offset, `a block of type ${type} that says to have ${length} bytes`);
      }
      if (queue.length < length) return null;
      const block = queue.peek(length);
      if (block.getUint32(length - 4, this.#little) !== length) {
        throw damaged(offset, "a block whose two lengths differ");
      }
      queue.drop(length);
      const packet = this.#read(type, block, offset);
      if (packet) return { ...packet, offset };
    }
  }

  /** Reads a block; undefined if it is no packet. */
  #read(
    type: number,
    block: DataView,
    offset: number,
  ): Omit<Packet, "number" | "offset"> | undefined {
    const little = this.#little;
    if (type === SECTION) this.#interfaces = [];
    else if (type === INTERFACE) {
      if (block.byteLength < 20) throw damaged(offset, "an interface without a link type");
      this.#interfaces.push(readInterface(block, little));
    } else if (type === PACKET || type === OLD_PACKET) {
      if (block.byteLength < 32) throw damaged(offset, "a packet that is too short");
      const index = type === PACKET ? block.getUint32(8, little) : block.getUint16(8, little);
      const from = this.#interface(index, offset);
      const [high, low, captured, length] = [12, 16, 20, 24].map((at) =>
        block.getUint32(at, little)
      );
      if (captured! > block.byteLength - 32) throw damaged(offset, "a packet beyond its block");
      const units = BigInt(high!) << 32n | BigInt(low!);
      return {
        time: timeOf(units, from),
        linkType: from.linkType,
        bytes: bytesOf(block, 28, captured!),
        length: length!,
      };
    } else if (type === SIMPLE_PACKET) {
      if (block.byteLength < 16) throw damaged(offset, "a packet that is too short");
      const from = this.#interface(0, offset);
      const length = block.getUint32(8, little);
      const most = Math.min(block.byteLength - 16, from.snapLength || Infinity);
      const bytes = bytesOf(block, 12, Math.min(length, most));
      return { time: undefined, linkType: from.linkType, bytes, length };
    }
  }

  #interface(index: number, offset: number): Interface {
    const found = this.#interfaces[index];
    if (!found) throw damaged(offset, `a packet of interface ${index}, which is not described`);
    return found;
  }
}

function isLittle(head: DataView, offset: number): boolean {
  if (head.getUint32(8) === BYTE_ORDER) return false;
  if (head.getUint32(8, true) === BYTE_ORDER) return true;
  throw damaged(offset, "a section that does not say its byte order");
}

function readInterface(block: DataView, little: boolean): Interface {
  let perSecond = 1_000_000n;
  let offset = 0n;
  for (let at = 16; at + 4 <= block.byteLength - 4;) {
    const [code, length] = [block.getUint16(at, little), block.getUint16(at + 2, little)];
    if (code === 0 || at + 4 + length > block.byteLength - 4) break;
    if (code === TIME_RESOLUTION && length >= 1) {
      const power = block.getUint8(at + 4);
      perSecond = power & 0x80 ? 1n << BigInt(power & 0x7f) : 10n ** BigInt(power);
    }
    if (code === TIME_OFFSET && length >= 8) offset = block.getBigInt64(at + 4, little);
    at += 4 + Math.ceil(length / 4) * 4;
  }
  const [linkType, snapLength] = [block.getUint16(8, little), block.getUint32(12, little)];
  return { linkType, snapLength, perSecond, offset };
}

function timeOf(units: bigint, { perSecond, offset }: Interface): Timestamp {
  const sec = units / perSecond;
  const nsec = (units - sec * perSecond) * 1_000_000_000n / perSecond;
  return { sec: Number(sec + offset), nsec: Number(nsec) };
}

function bytesOf(block: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(block.buffer, block.byteOffset + at, length);
}

function damaged(offset: number, what: string): CodecError {
  return new CodecError(`The capture is damaged at byte ${offset}: it has ${what}`, { offset });
}
