/**
 * Socket addresses as Linux lays them out in memory, `sockaddr_in` and `sockaddr_in6` of `<netinet/in.h>`.
 *
 * | offset | `sockaddr_in` (16 bytes)      | `sockaddr_in6` (28 bytes)                           |
 * | ------ | ----------------------------- | --------------------------------------------------- |
 * | 0      | `sin_family`, 2 bytes: 2      | `sin6_family`, 2 bytes: 10                          |
 * | 2      | `sin_port`, 2, big-endian     | `sin6_port`, 2, big-endian                          |
 * | 4      | `sin_addr`, 4, big-endian     | `sin6_flowinfo`, 4                                  |
 * | 8      | `sin_zero`, 8                 | `sin6_addr`, 16, big-endian                         |
 * | 24     |                               | `sin6_scope_id`, 4: the interface of `fe80::…`      |
 *
 * What is not big-endian is in the order of the processor: little-endian on x86-64 and on ARM64.
 *
 * @module
 */

import { type HostPort, isIPv4, isIPv6 } from "../address/address.ts";

/** Room for either kind of address, in bytes: `sockaddr_in6`, rounded up to a multiple of 8. */
export const ADDRESS_ROOM = 32;

/** `AF_INET` and `AF_INET6` of Linux. */
const [INET, INET6] = [2, 10];
/** Senders that are remembered; a power of two. */
const REMEMBERED = 256;

/**
 * Writes an address.
 *
 * @param to An IP address and a port; host names and zones (`%eth0`) are for the system's resolver.
 * @param view Where to.
 * @param at The offset, with room for {@linkcode ADDRESS_ROOM} bytes.
 * @returns How many bytes the address has; 0 if it is none.
 */
export function encodeAddress({ hostname, port }: HostPort, view: DataView, at: number): number {
  const v4 = isIPv4(hostname);
  if (!v4 && (!isIPv6(hostname) || hostname.includes("%"))) return 0;
  for (let i = 0; i < ADDRESS_ROOM; i += 4) view.setUint32(at + i, 0);
  view.setUint16(at, v4 ? INET : INET6, true);
  view.setUint16(at + 2, port);
  if (v4) {
    hostname.split(".").forEach((part, i) => view.setUint8(at + 4 + i, Number(part)));
    return 16;
  }
  groupsOf(hostname).forEach((group, i) => view.setUint16(at + 8 + 2 * i, group));
  return 28;
}

/**
 * Reads an address.
 *
 * @param view Where from.
 * @param at The offset, with {@linkcode ADDRESS_ROOM} bytes after it.
 * @returns Host and port, written as Deno writes them; undefined if it is of no kind that is known here.
 */
export function decodeAddress(view: DataView, at: number): HostPort | undefined {
  const family = view.getUint16(at, true);
  const port = view.getUint16(at + 2);
  if (family === INET) {
    return { hostname: [4, 5, 6, 7].map((i) => view.getUint8(at + i)).join("."), port };
  }
  if (family !== INET6) return undefined;
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(at + 8 + 2 * i));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const dotted = [20, 21, 22, 23].map((i) => view.getUint8(at + i)).join(".");
    return { hostname: `::ffff:${dotted}`, port };
  }
  return { hostname: shortened(groups.map((group) => group.toString(16)).join(":")), port };
}

/** An IPv6 address with its zeros left out, as RFC 5952 has it. */
function shortened(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

/** The eight 16-bit groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [head, tail] = shortened(address).split("::").map((part) =>
    part === "" ? [] : part.split(":").map((group) => parseInt(group, 16))
  );
  if (tail === undefined) return head!;
  return [...head!, ...Array<number>(8 - head!.length - tail.length).fill(0), ...tail];
}

/** Whether two addresses are the same, but for what a bound socket's name leaves out: flow and interface. */
export function sameAddress(a: DataView, b: DataView): boolean {
  const parts = a.getUint16(0, true) === INET ? [[0, 8]] : [[0, 4], [8, 24]];
  return parts.every(([start, end]) => {
    for (let i = start!; i < end!; i++) if (a.getUint8(i) !== b.getUint8(i)) return false;
    return true;
  });
}

/**
 * Remembers who has sent something, so that a sender who is known costs no memory: a table in which an address has one place, by its
 * bytes. Whoever has the same place as another takes it over.
 */
export class Senders {
  readonly #known: (HostPort | undefined)[] = Array(REMEMBERED).fill(undefined);
  readonly #words = new Int32Array(REMEMBERED * ADDRESS_ROOM / 4);
  /** The bytes that each of those was made of. */
  readonly #bytes = new WeakMap<HostPort, Uint8Array>();

  /**
   * Tells the sender of a datagram.
   *
   * @param words Addresses as Linux lays them out, in words of 4 bytes.
   * @param view The same memory.
   * @param at The first word of the sender's address, with {@linkcode ADDRESS_ROOM} bytes.
   * @returns The same object for the same address, as long as it is remembered; undefined if it is no address.
   */
  at(words: Int32Array, view: DataView, at: number): HostPort | undefined {
    const isV4 = (words[at]! & 0xffff) === INET;
    const used = isV4 ? 2 : 7;
    let hash = 0;
    for (let i = 0; i < used; i++) hash = Math.imul(hash ^ words[at + i]!, 0x9e3779b1);
    const place = hash >>> 24; // the upper bits of a product are the well mixed ones
    const start = place * ADDRESS_ROOM / 4;
    const known = this.#known[place];
    if (known !== undefined) {
      let i = 0;
      while (i < used && this.#words[start + i] === words[at + i]) i++;
      if (i === used) return known;
    }
    const sender = decodeAddress(view, at * 4);
    if (sender === undefined) return undefined;
    this.#known[place] = sender;
    for (let i = 0; i < used; i++) this.#words[start + i] = words[at + i]!;
    const { buffer, byteOffset } = view;
    this.#bytes.set(sender, new Uint8Array(buffer, byteOffset + at * 4, isV4 ? 16 : 28).slice());
    return sender;
  }

  /** What {@linkcode Senders.at} was given for a sender: with the interface, which the text of an address does not have. */
  addressOf(sender: HostPort): Uint8Array | undefined {
    return this.#bytes.get(sender);
  }
}
