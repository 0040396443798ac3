import { type Endpoint, unmapped } from "./address.ts";
import { isLocalAddress, isWildcard } from "./local_address.ts";

/**
 * Whether two addresses are the same; an IPv4 address that an IPv6 socket reports counts as that IPv4 address.
 *
 * @param a One address, with an IP address and not a name.
 * @param b The other.
 */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  if ("path" in a || "path" in b) return "path" in a && "path" in b && a.path === b.path;
  return a.port === b.port &&
    (a.hostname === b.hostname || unmapped(a.hostname) === unmapped(b.hostname));
}

/**
 * Whether an address is a socket's own. A datagram that seems to come from there was forged, or sent back by mistake: a server that
 * answered it would answer itself forever.
 *
 * @param own The address that the socket is bound to.
 * @param from The sender of a datagram; a unix socket without a name has an empty path.
 */
export function isOwnAddress(own: Endpoint, from: Endpoint): boolean {
  if ("path" in from) return from.path !== "" && sameEndpoint(from, own);
  if ("path" in own || from.port !== own.port) return false;
  return isWildcard(own.hostname)
    ? isLocalAddress(from.hostname)
    : unmapped(from.hostname) === unmapped(own.hostname);
}
