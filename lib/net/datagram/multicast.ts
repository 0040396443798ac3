/**
 * Multicast groups: one datagram for every computer that has joined.
 *
 * @module
 */

import { messageOf, UsageError } from "../../errors.ts";
import { isIPv4, isIPv6 } from "../address/address.ts";

/** A group that a socket joins, and how it sends to groups. */
export interface MulticastOptions {
  /** The group: an IPv4 address from 224.0.0.0 to 239.255.255.255, or an IPv6 address that begins with ff. */
  readonly group: string;
  /**
   * The network interface, by its name or one of its addresses. What is sent to the group leaves there on Linux; elsewhere if its address is
   * bound, or the routes lead there. Default: the one that the system's routes lead to.
   */
  readonly interface?: string;
  /** How many routers a datagram to a group may pass, 0 to 255; for an IPv6 group on Linux only. Default: 255, as VILLASnode's. */
  readonly ttl?: number;
  /** Whether what is sent to a group also reaches programs on this computer. Default: false, as VILLASnode's. */
  readonly loop?: boolean;
}

/** Passes every router, unless an option says otherwise. */
const TTL = 255;

/**
 * Whether an address is that of a multicast group.
 *
 * @param hostname An IP address.
 */
export function isMulticast(hostname: string): boolean {
  if (!isIPv4(hostname)) return isIPv6(hostname) && /^ff/i.test(hostname);
  const first = Number(hostname.split(".")[0]);
  return first >= 224 && first < 240;
}

/**
 * Checks what can be checked before a socket is there.
 *
 * @param options The group.
 * @param ipv6Obstacle Why the number of routers cannot be set for IPv6, as the rest of a sentence; undefined if it can.
 * @param interfaceObstacle The same for the interface by which datagrams leave; undefined also where the system's routes may decide.
 * @throws {UsageError} If it is none, the number of routers is out of range, or something cannot be set that is asked for.
 */
export function checkMulticast(
  { group, interface: name, ttl }: MulticastOptions,
  ipv6Obstacle: string | undefined,
  interfaceObstacle?: string,
): void {
  if (!isMulticast(group)) {
    throw new UsageError(
      `Cannot join "${group}": expected a multicast group, 224.0.0.0 to 239.255.255.255 or an IPv6 address that begins with ff`,
    );
  }
  if (name !== undefined && interfaceObstacle !== undefined) {
    throw new UsageError(
      `Cannot send to multicast group "${group}" by interface "${name}": ${interfaceObstacle}; leave it out`,
    );
  }
  if (ttl === undefined) return;
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > 255) {
    throw new UsageError(
      `Cannot send multicast with TTL ${ttl}: expected a whole number from 0 to 255`,
    );
  }
  const obstacle = isIPv4(group) ? undefined : ipv6Obstacle;
  if (obstacle === undefined) return;
  throw new UsageError(
    `Cannot set how many routers datagrams to IPv6 group "${group}" may pass: ${obstacle}; leave it out`,
  );
}

/** How datagrams to a group are to leave, as far as Deno has no calls for it. */
export interface GroupWay {
  /** The bytes of the IPv4 address of the network interface. */
  readonly address?: readonly number[];
  /** The number of the network interface, as IPv6 has it. */
  readonly index?: number;
  /** How many routers they may pass, over IPv6. */
  readonly hops?: number;
}

/**
 * How datagrams to a group are to leave.
 *
 * @param options The group.
 * @throws {UsageError} If there is no such interface.
 */
export function wayToGroup(options: MulticastOptions): GroupWay {
  const { group, interface: name, ttl = TTL } = options;
  if (!isIPv4(group)) return { hops: ttl, ...name !== undefined && { index: indexOf(options) } };
  return name === undefined ? {} : { address: addressOf(options).split(".").map(Number) };
}

/**
 * Has a socket of Deno's join a group.
 *
 * @param socket The socket, bound to a UDP address of the group's IP version.
 * @param options The group, and how it sends.
 * @throws {UsageError} If there is no such interface, or the system does not let it join.
 */
export async function joinGroup(
  socket: Deno.DatagramConn,
  options: MulticastOptions,
): Promise<void> {
  const { group, ttl = TTL, loop = false } = options;
  try {
    if (isIPv4(group)) {
      const membership = await socket.joinMulticastV4(group, addressOf(options));
      await membership.setTTL(ttl);
      await membership.setLoopback(loop);
    } else {
      const membership = await socket.joinMulticastV6(group, indexOf(options));
      await membership.setLoopback(loop);
    }
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const why = /No such device|ENODEV/i.test(messageOf(cause))
      ? "no network interface leads there; name one with --multicast-interface"
      : messageOf(cause);
    throw new UsageError(`Cannot join multicast group "${group}": ${why}`, { cause });
  }
}

/** The IPv4 address of the interface. */
function addressOf({ group, interface: name }: MulticastOptions): string {
  if (name === undefined) return "0.0.0.0";
  if (isIPv4(name)) return name;
  const found = interfaces().find((one) => one.name === name && one.family === "IPv4");
  if (found) return found.address;
  throw noInterface(group, name, "IPv4");
}

/** The number of the interface, as IPv6 has it. */
function indexOf({ group, interface: name }: MulticastOptions): number {
  if (name === undefined) return 0;
  if (/^\d+$/.test(name)) return Number(name);
  const found = interfaces().find((one) =>
    (one.name === name || one.address === name) && one.family === "IPv6" && one.scopeid
  );
  if (found?.scopeid) return found.scopeid;
  throw noInterface(group, name, "IPv6");
}

function interfaces(): Deno.NetworkInterfaceInfo[] {
  return Deno.networkInterfaces();
}

function noInterface(group: string, name: string, family: "IPv4" | "IPv6"): UsageError {
  const names = new Set(
    interfaces().filter((one) => one.family === family).map((one) => one.name),
  );
  return new UsageError(
    `Cannot join multicast group "${group}" on interface "${name}": expected an ${family} address of this computer, or one of ${
      [...names].join(", ")
    }`,
  );
}
