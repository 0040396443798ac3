import { UsageError } from "../errors.ts";
import {
  type Endpoint,
  formatAddress,
  isIPv4,
  isIPv6,
  parseEndpoint,
  resolveHost,
} from "../net/address.ts";

/** The two ends of an exchange, as a user gives them. */
export interface PairOptions {
  /** Where to bind. Default: `port` on all interfaces of the remote's IP version. */
  local?: string | Endpoint;
  /** The other end. */
  remote: string | Endpoint;
  /** The port to bind where `local` is not given. */
  port: number;
}

/**
 * Finds the addresses to bind and to send to.
 *
 * @param options The two ends.
 * @returns Both with IP addresses, the remote in the form that reaches it from the local socket.
 * @throws {UsageError} If an address is malformed, or one is a path and the other is not.
 * @throws {ConnectError} If a name cannot be resolved.
 */
export async function resolvePair(
  options: PairOptions,
): Promise<{ local: Endpoint; remote: Endpoint }> {
  const remote = await resolve(options.remote, "127.0.0.1");
  const all = "hostname" in remote && isIPv6(remote.hostname) ? "::" : "0.0.0.0";
  const local = await resolve(options.local ?? { hostname: all, port: options.port }, all);
  if ("path" in local !== "path" in remote) {
    throw new UsageError(
      `Cannot join "${formatAddress(local)}" and "${
        formatAddress(remote)
      }": expected two network addresses or two paths`,
    );
  }
  return { local, remote: reachableFrom(local, remote) };
}

async function resolve(given: string | Endpoint, host: string): Promise<Endpoint> {
  const endpoint = typeof given === "string" ? parseEndpoint(given, { host }) : given;
  if ("path" in endpoint) return endpoint;
  const addresses = await resolveHost(endpoint.hostname);
  return { hostname: addresses.find(isIPv4) ?? addresses[0]!, port: endpoint.port };
}

/** From an IPv6 socket, an IPv4 address is reached in its mapped form. */
function reachableFrom(local: Endpoint, remote: Endpoint): Endpoint {
  if ("path" in local || "path" in remote || !isIPv6(local.hostname) || !isIPv4(remote.hostname)) {
    return remote;
  }
  return { hostname: `::ffff:${remote.hostname}`, port: remote.port };
}
