import { sameEndpoint } from "./same.ts";
import { UsageError } from "../../errors.ts";
import { isLocalAddress, isWildcard } from "./local_address.ts";
import {
  type Endpoint,
  formatAddress,
  isIPv4,
  isIPv6,
  type ParseAddressOptions,
  parseEndpoint,
  resolveHost,
} from "./address.ts";

/** The two ends of an exchange, as a user gives them. */
export interface PairOptions {
  /** Where to bind. Default: `port` on all interfaces of the remote's IP version. */
  local?: string | Endpoint;
  /** The other end. */
  remote: string | Endpoint;
  /** The port to bind where `local` does not say. */
  port: number;
  /** The port to send to where `remote` does not say. */
  remotePort: number;
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
  const remote = await resolve(options.remote, {
    host: "127.0.0.1",
    port: options.remotePort,
  });
  const all = "hostname" in remote && isIPv6(remote.hostname) ? "::" : "0.0.0.0";
  const { port } = options;
  const local = await resolve(options.local ?? { hostname: all, port }, { host: all, port });
  if ("path" in local !== "path" in remote) {
    throw new UsageError(
      `Cannot join "${formatAddress(local)}" and "${
        formatAddress(remote)
      }": expected two network addresses or two paths`,
    );
  }
  checkRemote(remote);
  if (isSelf(local, remote)) {
    throw new UsageError(
      `Cannot use "${formatAddress(remote)}" for both ends: expected two addresses`,
    );
  }
  return { local, remote: reachableFrom(local, remote) };
}

/** Whether datagrams to the remote would arrive at the local socket itself. */
function isSelf(local: Endpoint, remote: Endpoint): boolean {
  if (sameEndpoint(local, remote)) return true;
  if ("path" in local || "path" in remote || local.port !== remote.port) return false;
  return isWildcard(local.hostname) && isLocalAddress(remote.hostname);
}

/** Nobody can be reached at port 0 or at "all interfaces". */
function checkRemote(remote: Endpoint): void {
  if ("path" in remote) return;
  const say = (wanted: string) =>
    new UsageError(`Cannot send to "${formatAddress(remote)}": expected ${wanted}`);
  if (remote.port === 0) throw say("a port from 1 to 65535");
  if (isWildcard(remote.hostname)) throw say("the address of one computer");
}

async function resolve(
  given: string | Endpoint,
  parts: ParseAddressOptions,
): Promise<Endpoint> {
  const endpoint = typeof given === "string" ? parseEndpoint(given, parts) : given;
  if ("path" in endpoint) return endpoint;
  const addresses = await resolveHost(endpoint.hostname);
  return { hostname: addresses.find(isIPv4) ?? addresses[0]!, port: endpoint.port };
}

/** From an IPv6 socket, an IPv4 address is reached in its mapped form. */
function reachableFrom(local: Endpoint, remote: Endpoint): Endpoint {
  if ("path" in local || "path" in remote || isIPv6(local.hostname) === isIPv6(remote.hostname)) {
    return remote;
  }
  if (local.hostname !== "::") {
    throw new UsageError(
      `Cannot reach "${formatAddress(remote)}" from "${
        formatAddress(local)
      }": one is IPv4 and the other IPv6`,
    );
  }
  return { hostname: `::ffff:${remote.hostname}`, port: remote.port };
}
