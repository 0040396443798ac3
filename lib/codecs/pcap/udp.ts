import type { Packet } from "./packet.ts";

/** A UDP datagram of a capture; valid as long as its packet. */
export interface CapturedDatagram {
  /** The port that it came from. */
  readonly sourcePort: number;
  /** The port that it went to. */
  readonly port: number;
  /** What it carried, as far as that was captured. */
  readonly payload: Uint8Array;
  /** How many bytes it carried. */
  readonly length: number;
  /** Whether the packet is the first of several that the datagram was sent in. */
  readonly isFragment: boolean;
}

/** Link types that can be read, by tcpdump's numbers. */
export const LINK_TYPES: ReadonlyMap<number, string> = new Map([
  [0, "BSD loopback"],
  [1, "Ethernet"],
  [12, "raw IP"],
  [14, "raw IP"],
  [101, "raw IP"],
  [108, "OpenBSD loopback"],
  [113, "Linux cooked"],
  [228, "IPv4"],
  [229, "IPv6"],
  [276, "Linux cooked v2"],
]);

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
/** Tags of virtual networks, each with four bytes. */
const VLAN = new Set([0x8100, 0x88a8, 0x9100]);
/** Extensions of IPv6 that may lie before UDP: hop-by-hop, routing, destination, mobility; fragment and authentication have their own. */
const EXTENSIONS = new Set([0, 43, 60, 135]);
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const UDP = 17;

/** What an IP packet carries. */
export interface IpContent {
  /** The type of the first header in it. */
  readonly type: number;
  /** Its bytes, as far as they were captured; valid as long as the packet. */
  readonly bytes: Uint8Array;
  /** How many bytes it has. */
  readonly length: number;
  /** Which piece of a content it is that was sent in several packets; undefined where it is all of it. */
  readonly piece?: {
    /** The same in all packets with pieces of one content, and in no others that were sent at about that time. */
    readonly key: string;
    /** Where the piece begins, in bytes. */
    readonly offset: number;
    /** Whether it is the last one. */
    readonly isLast: boolean;
  };
}

/**
 * Finds the UDP datagram in a packet, behind Ethernet, virtual networks, IPv4 or IPv6.
 *
 * @param packet A packet.
 * @returns The datagram; undefined if there is none, or the packet is a later fragment of one.
 */
export function datagramOf(packet: Packet): CapturedDatagram | undefined {
  const content = contentOf(packet);
  return content && udpOf(content);
}

/**
 * What the IP packet in a packet carries.
 *
 * @param packet A packet.
 * @returns Undefined if there is no IP packet in it, or too little of it was captured.
 */
export function contentOf(packet: Packet): IpContent | undefined {
  const { bytes, length } = packet;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = networkOf(packet.linkType, view);
  if (!found) return undefined;
  return found.type === IPV4
    ? contentOfIpv4(view, found.at, length)
    : contentOfIpv6(view, found.at, length);
}

/**
 * The UDP datagram in what an IP packet carries.
 *
 * @param content What it carries, or its first piece.
 * @returns The datagram; undefined if there is none.
 */
export function udpOf({ type, bytes, length, piece }: IpContent): CapturedDatagram | undefined {
  if (piece && piece.offset > 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = behindExtensions(view, 0, type, (next) => next === UDP)?.at;
  if (at === undefined || at + 8 > bytes.length) return undefined;
  const stated = view.getUint16(at + 4);
  const size = Math.max(0, (stated === 0 ? length - at : stated) - 8);
  return {
    sourcePort: view.getUint16(at),
    port: view.getUint16(at + 2),
    payload: bytes.subarray(at + 8, at + 8 + size),
    length: size,
    isFragment: piece !== undefined,
  };
}

/** Where IP begins in a packet, and which it is. */
function networkOf(linkType: number, view: DataView): { at: number; type: number } | undefined {
  switch (linkType) {
    case 1:
      return etherType(view, 12);
    case 113:
      return etherType(view, 14);
    case 276:
      return etherType(view, 0, 20);
    case 0:
    case 108:
      return version(view, 4);
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return version(view, 0);
  }
}

/** Looks at an Ethernet type, and passes over the tags of virtual networks. */
function etherType(
  view: DataView,
  at: number,
  behind = at + 2,
): { at: number; type: number } | undefined {
  while (behind + 4 <= view.byteLength) {
    const type = view.getUint16(at);
    if (type === IPV4 || type === IPV6) return { at: behind, type };
    if (!VLAN.has(type)) return undefined;
    at = behind + 2;
    behind += 4;
  }
}

/** Tells IPv4 from IPv6 by the first byte. */
function version(view: DataView, at: number): { at: number; type: number } | undefined {
  if (at >= view.byteLength) return undefined;
  const number = view.getUint8(at) >> 4;
  return number === 4 ? { at, type: IPV4 } : number === 6 ? { at, type: IPV6 } : undefined;
}

/** The bytes from somewhere in a view to somewhere. */
function bytesOf(view: DataView, from: number, to: number): Uint8Array {
  const end = Math.max(from, Math.min(to, view.byteLength));
  return new Uint8Array(view.buffer, view.byteOffset + from, end - from);
}

/** RFC 791, section 3.1. */
function contentOfIpv4(view: DataView, at: number, length: number): IpContent | undefined {
  if (at + 20 > view.byteLength) return undefined;
  const header = (view.getUint8(at) & 0x0f) * 4;
  const from = at + header;
  if (header < 20 || from > view.byteLength) return undefined;
  // Where the network card cuts packets, the system leaves their length open.
  const end = at + (view.getUint16(at + 2) || length - at);
  const type = view.getUint8(at + 9);
  const content = { type, bytes: bytesOf(view, from, end), length: Math.max(0, end - from) };
  const field = view.getUint16(at + 6);
  const [offset, isLast] = [(field & 0x1fff) * 8, (field & 0x2000) === 0];
  if (offset === 0 && isLast) return content;
  const key = `${type} ${bytesOf(view, at + 4, at + 6)} ${bytesOf(view, at + 12, at + 20)}`;
  return { ...content, piece: { key, offset, isLast } };
}

/** RFC 8200, sections 3 and 4.5. */
function contentOfIpv6(view: DataView, at: number, length: number): IpContent | undefined {
  if (at + 40 > view.byteLength) return undefined;
  const end = at + (view.getUint16(at + 4) + 40 || length - at);
  const first = view.getUint8(at + 6);
  const from = at + 40;
  const content = { type: first, bytes: bytesOf(view, from, end), length: Math.max(0, end - from) };
  const fragment = behindExtensions(view, from, first, (next) => next === FRAGMENT);
  if (!fragment || fragment.at + 8 > view.byteLength) return content;
  const { at: header } = fragment;
  const behind = header + 8;
  const field = view.getUint16(header + 2);
  const [offset, isLast] = [field & 0xfff8, (field & 1) === 0];
  const rest = {
    type: view.getUint8(header),
    bytes: bytesOf(view, behind, end),
    length: Math.max(0, end - behind),
  };
  if (offset === 0 && isLast) return rest;
  const key = `${bytesOf(view, header + 4, behind)} ${bytesOf(view, at + 8, from)}`;
  return { ...rest, piece: { key, offset, isLast } };
}

/** Passes over extensions of IPv6, until a header is the one that is looked for. */
function behindExtensions(
  view: DataView,
  at: number,
  type: number,
  isWanted: (type: number) => boolean,
): { at: number } | undefined {
  while (!isWanted(type)) {
    if (at + 8 > view.byteLength || type !== AUTHENTICATION && !EXTENSIONS.has(type)) {
      return undefined;
    }
    const length = view.getUint8(at + 1);
    const next = view.getUint8(at);
    at += type === AUTHENTICATION ? 4 * length + 8 : 8 * length + 8;
    type = next;
  }
  return { at };
}
