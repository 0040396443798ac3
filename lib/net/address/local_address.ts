import { unmapped } from "./address.ts";
import { isLoopback } from "./localhost.ts";

/** How long the computer's addresses are cached, in ms. */
const REMEMBER_MS = 1000;

let known: ReadonlySet<string> = new Set();
let readAt = -Infinity;

/**
 * Whether an IP address is one of this computer's: loopback, "all interfaces", or an interface's. Those of interfaces are known
 * where Deno may ask the system for them (`--allow-sys=networkInterfaces`), and remembered for a second.
 *
 * @param hostname An IP address, of IPv4 also in its IPv6 form.
 */
export function isLocalAddress(hostname: string): boolean {
  const address = unmapped(hostname).replace(/%.*$/, "");
  if (isLoopback(address) || isWildcard(address)) return true;
  if (performance.now() - readAt > REMEMBER_MS) {
    known = new Set(interfaceAddresses());
    readAt = performance.now();
  }
  return known.has(address);
}

/** Whether an IP address stands for all interfaces. */
export function isWildcard(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}

function interfaceAddresses(): string[] {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "networkInterfaces" });
  if (state !== "granted") return []; // Deno must not prompt here
  return Deno.networkInterfaces().map(({ address }) => address);
}
