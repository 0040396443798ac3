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

/**
 * Finds the UDP datagram in a packet, behind Ethernet, virtual networks, IPv4 or IPv6.
 *
 * @param packet A packet.
 * @returns The datagram; undefined if there is none, or the packet is a later fragment of one.
 */
export function datagramOf(packet: Packet): CapturedDatagram | undefined {
  const { bytes } = packet;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = networkOf(packet.linkType, view);
  if (!found) return undefined;
  const ip = found.type === IPV4 ? udpOfIpv4(view, found.at) : udpOfIpv6(view, found.at);
  if (!ip || ip.at + 8 > view.byteLength) return undefined;
  const { at, isFragment } = ip;
  const stated = view.getUint16(at + 4);
  const length = Math.max(0, (stated === 0 ? packet.length - at : stated) - 8);
  return {
    sourcePort: view.getUint16(at),
    port: view.getUint16(at + 2),
    payload: bytes.subarray(at + 8, at + 8 + length),
    length,
    isFragment,
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

function udpOfIpv4(view: DataView, at: number): { at: number; isFragment: boolean } | undefined {
  if (at + 20 > view.byteLength || view.getUint8(at + 9) !== UDP) return undefined;
  const header = (view.getUint8(at) & 0x0f) * 4;
  const fragment = view.getUint16(at + 6);
  if (header < 20 || (fragment & 0x1fff) !== 0) return undefined;
  return { at: at + header, isFragment: (fragment & 0x2000) !== 0 };
}

function udpOfIpv6(view: DataView, at: number): { at: number; isFragment: boolean } | undefined {
  if (at + 40 > view.byteLength) return undefined;
  let next = view.getUint8(at + 6);
  let isFragment = false;
  at += 40;
  while (at + 8 <= view.byteLength && next !== UDP) {
    const length = view.getUint8(at + 1);
    if (next === FRAGMENT) {
      const field = view.getUint16(at + 2);
      if (field >> 3 !== 0) return undefined;
      isFragment = (field & 1) === 1;
    } else if (next !== AUTHENTICATION && !EXTENSIONS.has(next)) return undefined;
    const size = next === FRAGMENT ? 8 : next === AUTHENTICATION ? 4 * length + 8 : 8 * length + 8;
    next = view.getUint8(at);
    at += size;
  }
  return next === UDP ? { at, isFragment } : undefined;
}
