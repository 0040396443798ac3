import type { Packet } from "./packet.ts";
import { type CapturedDatagram, contentOf, type IpContent, udpOf } from "./udp.ts";

/** Datagrams of which pieces wait at most; each has up to 64 KiB. */
const MOST_WAITING = 64;
/** Seconds that the pieces of a datagram are apart at most: a busy sender gives its number to another one after a few seconds. */
const LONGEST_WAIT = 2;
/** Bytes of the longest IP packet. */
const LONGEST = 65_535;

/** A datagram whose pieces were not all captured. */
export interface IncompleteDatagram {
  /** The packet with the first piece that came. */
  readonly packet: Pick<Packet, "number" | "offset">;
  /** The port that it went to; undefined where the first piece is missing, which has it. */
  readonly port: number | undefined;
}

/** A content of which pieces have come. */
interface Pieces {
  readonly packet: IncompleteDatagram["packet"];
  readonly since: number;
  readonly type: number;
  readonly bytes: Uint8Array;
  /** Where the pieces begin, and where they end. */
  readonly parts: Map<number, number>;
  /** Bytes that there are; undefined until the last piece has come. */
  length?: number;
}

/**
 * Finds the UDP datagrams in the packets of a capture, and puts those together that were sent in several packets, as datagrams of more than
 * about 1,472 bytes are on Ethernet.
 */
export class DatagramReader {
  readonly #waiting = new Map<string, Pieces>();
  readonly #onIncomplete: (datagram: IncompleteDatagram) => void;

  /**
   * Begins without pieces.
   *
   * @param onIncomplete Called with each datagram whose pieces were not all captured.
   */
  constructor(onIncomplete: (datagram: IncompleteDatagram) => void) {
    this.#onIncomplete = onIncomplete;
  }

  /**
   * Takes a packet.
   *
   * @param packet The packet.
   * @returns The datagram in it, or the one that it completes; valid as long as the packet. Undefined if there is none.
   */
  take(packet: Packet): CapturedDatagram | undefined {
    const content = contentOf(packet);
    if (!content?.piece) return content && udpOf(content);
    const whole = this.#put(content as Required<IpContent>, packet);
    return whole && udpOf(whole);
  }

  /** Ends the capture: what is incomplete remains so. */
  end(): void {
    for (const key of this.#waiting.keys()) this.#giveUp(key);
  }

  /** Adds a piece; the content, if it is complete with it. */
  #put(
    { type, bytes, length, piece: { key, offset, isLast } }: Required<IpContent>,
    { number, offset: at, time }: Packet,
  ): IpContent | undefined {
    const now = time ? time.sec + time.nsec / 1e9 : 0;
    for (const [old, { since }] of this.#waiting) {
      if (Math.abs(now - since) <= LONGEST_WAIT) break; // the others came later
      this.#giveUp(old);
    }
    let pieces = this.#waiting.get(key);
    if (!pieces) {
      if (this.#waiting.size === MOST_WAITING) this.#giveUp(this.#waiting.keys().next().value!);
      const packet = { number, offset: at };
      pieces = { packet, since: now, type, bytes: new Uint8Array(LONGEST), parts: new Map() };
      this.#waiting.set(key, pieces);
    }
    // What was not captured whole is missing as if it had not been captured.
    if (bytes.length < length || offset + length > LONGEST) return undefined;
    pieces.bytes.set(bytes, offset);
    pieces.parts.set(offset, offset + length);
    if (isLast) pieces.length = offset + length;
    if (!isCovered(pieces)) return undefined;
    this.#waiting.delete(key);
    return {
      type: pieces.type,
      bytes: pieces.bytes.subarray(0, pieces.length),
      length: pieces.length!,
    };
  }

  #giveUp(key: string): void {
    const { packet, type, bytes, parts } = this.#waiting.get(key)!;
    this.#waiting.delete(key);
    const end = parts.get(0);
    const first = end === undefined
      ? undefined
      : udpOf({ type, bytes: bytes.subarray(0, end), length: end });
    if (end === undefined || first) this.#onIncomplete({ packet, port: first?.port });
  }
}

/** Whether the pieces that have come are all. */
function isCovered({ parts, length = Infinity }: Pieces): boolean {
  let end = 0;
  for (const [from, to] of [...parts].sort(([a], [b]) => a - b)) {
    if (from > end) return false;
    end = Math.max(end, to);
  }
  return end >= length;
}
