import { UsageError } from "../../errors.ts";
import { isIPv4, isIPv6, unmapped } from "./address.ts";

/** The prefix of an IPv4 address in its IPv6 form: `::ffff:0:0/96`. */
const MAPPED: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];

/** A network: the bytes of its address, of which the first so many bits count. */
export interface Network {
  /** 4 bytes of an IPv4 address, or 16 of an IPv6 one. */
  readonly bytes: Uint8Array;
  /** How many bits, from the first, make the network. */
  readonly bits: number;
  /** Name or number of the only interface of this computer that counts, if there is such a limit. */
  readonly zone?: string;
}

/** An address of one of this computer's interfaces, as Deno gives them. */
type InterfaceAddress = Pick<Deno.NetworkInterfaceInfo, "name" | "address" | "scopeid">;

/** Addresses and networks that may connect. */
export class AllowList {
  /** Whether one of the networks is limited to an interface. */
  readonly hasZones: boolean;
  readonly #networks: readonly Network[];
  readonly #interfaces: () => readonly InterfaceAddress[];

  /**
   * Makes a list of networks; {@linkcode parseCidrList} makes one from text.
   *
   * @param networks The networks.
   * @param interfaces Returns the addresses of this computer.
   */
  constructor(
    networks: readonly Network[],
    interfaces: () => readonly InterfaceAddress[] = networkInterfaces,
  ) {
    this.#networks = networks;
    this.#interfaces = interfaces;
    this.hasZones = networks.some(({ zone }) => zone !== undefined);
  }

  /**
   * Whether an address is in one of the networks.
   *
   * The system does not say through which interface a link-local address is reached; if that matters, it is the interface that has the
   * local link-local address. If several have it, none matches.
   *
   * @param hostname An IP address; an IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) counts as IPv4.
   * @param local The address on this side, with its zone if that is known.
   * @returns Whether it may connect.
   */
  matches(hostname: string, local?: string): boolean {
    const bytes = addressBytes(unmapped(hostname));
    return bytes !== undefined && this.#networks.some((network) =>
      contains(network, bytes) &&
      (network.zone === undefined || this.#isAt(network.zone, local))
    );
  }

  /** Whether a link-local address of this computer is that of one interface and no other. */
  #isAt(zone: string, local: string | undefined): boolean {
    if (local === undefined || !isLinkLocal(local)) return false;
    const [address, own] = local.split("%");
    const named = (zone: string) => ({ name, scopeid }: InterfaceAddress) =>
      name === zone || String(scopeid) === zone;
    const found = this.#interfaces()
      .filter((one) => one.address === address && (own === undefined || named(own)(one)));
    return found.length === 1 && named(zone)(found[0]!);
  }
}

/** Whether an address is valid on the network of one interface only: `fe80::/10`. */
export function isLinkLocal(hostname: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(hostname);
}

/**
 * Parses a list of addresses (`192.0.2.7`, `2001:db8::1`) and networks (`192.0.2.0/24`, `2001:db8::/32`). A link-local address may be
 * followed by its interface: `fe80::1%eth0`, `fe80::%4/64`.
 *
 * @param list The addresses and networks, or a text with commas between them.
 * @returns The list.
 * @throws {UsageError} If one of them is neither, or the list is empty.
 *
 * @example A network and this computer
 * ```ts
 * import { parseCidrList } from "@labwire/labwire/net";
 * import { assert, assertFalse } from "@std/assert";
 *
 * const allow = parseCidrList("192.168.1.0/24, ::1");
 * assert(allow.matches("192.168.1.77"));
 * assertFalse(allow.matches("192.168.2.77"));
 * ```
 */
export function parseCidrList(list: string | readonly string[]): AllowList {
  const items = typeof list === "string" ? list.split(",").map((item) => item.trim()) : list;
  if (items.length === 0) {
    throw new UsageError('Cannot parse allow list: expected "ADDRESS" or "ADDRESS/BITS"');
  }
  return new AllowList(items.map(parseCidr));
}

/**
 * Reads who may connect, as an option of the library has it.
 *
 * @param allow A list that is made already, addresses and networks as text, or nothing for everybody.
 * @throws {UsageError} As {@linkcode parseCidrList}.
 */
export function allowListOf(
  allow: AllowList | readonly string[] | undefined,
): AllowList | undefined {
  return allow === undefined || allow instanceof AllowList ? allow : parseCidrList(allow);
}

function parseCidr(text: string): Network {
  const [address = "", prefix, ...more] = text.split("/");
  const bytes = more.length > 0 ? undefined : addressBytes(address);
  if (bytes === undefined) {
    throw new UsageError(
      `Cannot parse network "${text}": expected "ADDRESS" or "ADDRESS/BITS" with an IP address`,
    );
  }
  const width = bytes.length * 8;
  const bits = prefix === undefined ? width : /^\d{1,3}$/.test(prefix) ? Number(prefix) : NaN;
  if (!(bits <= width)) {
    throw new UsageError(`Cannot parse network "${text}": expected 0 to ${width} after "/"`);
  }
  const zone = address.split("%")[1];
  if (zone !== undefined && !isLinkLocal(address)) {
    throw new UsageError(
      `Cannot parse network "${text}": expected an interface after link-local addresses (fe80::) only`,
    );
  }
  // IPv4 addresses in their IPv6 form.
  const isMapped = bytes.length === 16 && bits >= MAPPED.length * 8 &&
    MAPPED.every((byte, i) => byte === bytes[i]);
  if (isMapped) return { bytes: bytes.slice(MAPPED.length), bits: bits - MAPPED.length * 8 };
  return { bytes, bits, zone };
}

/** The addresses of this computer; none without Deno's permission to read them. */
function networkInterfaces(): readonly InterfaceAddress[] {
  try {
    return Deno.networkInterfaces();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}

function contains(network: Network, address: Uint8Array): boolean {
  if (address.length !== network.bytes.length) return false;
  const whole = network.bits >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== network.bytes[i]) return false;
  const left = network.bits & 7;
  if (left === 0) return true;
  return (address[whole]! ^ network.bytes[whole]!) >> (8 - left) === 0;
}

/** The 4 or 16 bytes of an IP address. */
function addressBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIPv6(text)) return undefined;
  // The URL parser writes every IPv6 address in the same way, without a dotted end.
  const host = new URL(`http://[${text.replace(/%.+$/, "")}]/`).hostname.slice(1, -1);
  const [head = "", tail] = host.split("::");
  const groups = (part: string) =>
    part === "" ? [] : part.split(":").map((hex) => parseInt(hex, 16));
  const before = groups(head);
  const after = groups(tail ?? "");
  const all = [...before, ...Array(8 - before.length - after.length).fill(0), ...after];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255]));
}
