import { ConnectError, UsageError } from "../../errors.ts";

/** A host, by name or IP address, and a port. */
export interface HostPort {
  /** Host name, IPv4 address, or IPv6 address without brackets. */
  readonly hostname: string;
  /** Port, 0 to 65535. */
  readonly port: number;
}

/** The path of a unix socket. */
export interface UnixPath {
  /** Path in the file system. */
  readonly path: string;
}

/** Either kind of address. */
export type Endpoint = HostPort | UnixPath;

/** An IPv4 address that systems read in different ways: `192.168.0.010` is 192.168.0.8 to some. */
const PADDED = /^(?=.*\b0\d)\d+(\.\d+){3}$/;
const UNPADDED =
  "expected an IP address without zeros before its numbers, which may make them octal";

/** Defaults for the parts of an address that the text leaves out. */
export interface ParseAddressOptions {
  /** The host that `:PORT` means. Default: `0.0.0.0`, all IPv4 interfaces. */
  host?: string;
  /** The port that `HOST` means. Without it, the port has to be there. */
  port?: number;
}

/**
 * Parses a network address: `HOST:PORT`, `IPV4:PORT`, `[IPV6]:PORT`, `:PORT`, `PORT`, or `*:PORT` for all IPv4 interfaces. Where there
 * is a default port, that may be left out too: `HOST`, `IPV6`.
 *
 * @param text What a user wrote.
 * @param options Defaults for what the text leaves out.
 * @returns Host and port.
 * @throws {UsageError} If the text is not such an address; the message shows it and the expected form.
 *
 * @example IPv4 and IPv6
 * ```ts
 * import { parseAddress } from "@labwire/labwire/net";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseAddress("*:12000"), { hostname: "0.0.0.0", port: 12000 });
 * assertEquals(parseAddress("[::1]:12000"), { hostname: "::1", port: 12000 });
 * assertEquals(parseAddress("::1", { port: 12000 }), { hostname: "::1", port: 12000 });
 * ```
 */
export function parseAddress(text: string, options: ParseAddressOptions = {}): HostPort {
  const { v6, host, digits } = partsOf(text);
  const port = digits === undefined ? options.port : Number(digits);
  if (port === undefined || (host === "" && digits === undefined)) {
    throw malformed(text, formsOf(options));
  }
  if (port > 65535) throw malformed(text, "expected a port from 0 to 65535");
  if (v6 !== undefined) {
    if (!isIPv6(v6)) throw malformed(text, 'expected an IPv6 address in "[ADDRESS]:PORT"');
    return { hostname: v6, port };
  }
  if (host === undefined) throw malformed(text, formsOf(options));
  if (host === "") return { hostname: options.host ?? "0.0.0.0", port };
  if (host === "*") return { hostname: "0.0.0.0", port };
  // A number followed by a letter is a mistyped port rather than a host name.
  if (digits === undefined && /^\d+[a-z]?$/i.test(host)) throw malformed(text, formsOf(options));
  if (PADDED.test(host)) throw malformed(text, UNPADDED);
  if (!isHost(host)) {
    throw malformed(text, `${formsOf(options)} with a host name or an IP address`);
  }
  return { hostname: host, port };
}

/** The parts of an address that are there: an IPv6 address or a host, and the digits of a port. */
function partsOf(text: string): { v6?: string; host?: string; digits?: string } {
  if (/^\d{1,5}$/.test(text)) return { host: "", digits: text };
  if (isIPv6(text) && !/%.*:/.test(text)) return { v6: text };
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  return { v6: match?.[1], host: match?.[2], digits: match?.[3] };
}

function formsOf({ port }: ParseAddressOptions): string {
  if (port === undefined) return 'expected "HOST:PORT"';
  return 'expected "HOST:PORT", "HOST", ":PORT" or "[IPV6]:PORT"';
}

/**
 * Reads a host for which there is a port elsewhere: a name, an IP address, an IPv6 address in brackets too, or `*` for all IPv4
 * interfaces.
 *
 * @param text What a user wrote.
 * @returns The host, without brackets.
 * @throws {UsageError} If it cannot be one.
 */
export function parseHost(text: string): string {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (isIPv6(bare)) return bare;
  if (text === "*") return "0.0.0.0";
  if (PADDED.test(text)) throw new UsageError(UNPADDED);
  if (/^([^:]+|\[.*\]):\d+$/.test(text)) {
    throw new UsageError("expected a host without a port, which --port takes");
  }
  if (!/^[^\s:/[\]]+$/.test(text)) throw new UsageError("expected a host name or an IP address");
  return text;
}

/**
 * Parses a network address as {@linkcode parseAddress} does, or the path of a unix socket: whatever has a `/` in it, or
 * `unix:` before it.
 *
 * @param text What a user wrote.
 * @param options Defaults for what the text leaves out.
 * @returns Host and port, or a path.
 * @throws {UsageError} If the text is neither.
 */
export function parseEndpoint(text: string, options: ParseAddressOptions = {}): Endpoint {
  if (text.startsWith("unix:") && text.length > 5) return { path: text.slice(5) };
  if (text.includes("/")) return { path: text };
  return parseAddress(text, options);
}

/**
 * Writes an address as {@linkcode parseEndpoint} reads it.
 *
 * @param address Host and port, or a path; also what Deno gives as an address.
 * @returns `HOST:PORT`, `[IPV6]:PORT`, or the path.
 */
export function formatAddress(address: Endpoint | Deno.Addr): string {
  if ("path" in address) return address.path || "(unnamed socket)";
  if (!("hostname" in address)) return JSON.stringify(address);
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Whether a text is an IPv4 address in dotted decimal form, without zeros before its numbers. */
export function isIPv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
}

/** Whether a text is an IPv6 address, with or without a zone (`%eth0`). */
export function isIPv6(text: string): boolean {
  const address = text.replace(/%.+$/, "");
  return /^[0-9a-f:.]+$/i.test(address) && URL.canParse(`http://[${address}]/`);
}

/** Writes an IPv4 address that an IPv6 socket reports as `::ffff:192.0.2.1` as the IPv4 address it is. */
export function unmapped(hostname: string): string {
  if (!hostname.startsWith("::")) return hostname;
  const match = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(hostname);
  return match ? match[1]! : hostname;
}

/**
 * Finds the IP addresses of a host the way the system does it (hosts file included), in the system's order.
 *
 * @param hostname Host name or IP address.
 * @returns One or more IP addresses; an IP address is returned as it is.
 * @throws {ConnectError} If there is no such host.
 */
export async function resolveHost(hostname: string): Promise<string[]> {
  if (isIPv4(hostname) || isIPv6(hostname)) return [hostname];
  // Deno.resolveDns asks name servers only; the system's resolver knows the hosts file too.
  const { lookup } = await import("node:dns/promises");
  try {
    const found = await lookup(hostname, { all: true });
    return found.map(({ address }) => address);
  } catch (cause) {
    throw new ConnectError(`Cannot resolve host "${hostname}": no such name`, { cause });
  }
}

/**
 * Explains why an address could not be bound.
 *
 * @param address The address that was asked for.
 * @param cause What the system threw.
 * @returns A {@linkcode UsageError} where another address would do, else the cause itself.
 */
export function listenError(address: Endpoint, cause: unknown): unknown {
  const where = `Cannot listen on "${formatAddress(address)}"`;
  const say = (why: string) => new UsageError(`${where}: ${why}`, { cause });
  if (cause instanceof Deno.errors.AddrInUse) return say("another program uses this address");
  if (cause instanceof Deno.errors.AddrNotAvailable) {
    return say("this computer has no such address");
  }
  if (cause instanceof Deno.errors.PermissionDenied) return say("the system does not permit it");
  if (cause instanceof Deno.errors.NotFound) return say("there is no such directory");
  if (isPortRefused(cause)) return say("a port is a whole number from 0 to 65535");
  return cause;
}

/** Whether Deno threw this because a port was none. */
export function isPortRefused(cause: unknown): boolean {
  const isKind = cause instanceof TypeError || cause instanceof RangeError;
  return isKind && /^Invalid port/.test(cause.message);
}

function isHost(text: string): boolean {
  if (/^[\d.]+$/.test(text)) return isIPv4(text);
  return text.length < 254 &&
    /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(text);
}

function malformed(text: string, wanted: string): UsageError {
  return new UsageError(`Cannot parse address "${text}": ${wanted}`);
}
