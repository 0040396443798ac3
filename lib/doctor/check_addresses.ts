import { isIPv4 } from "../net/address/address.ts";
import { isLoopback } from "../net/address/localhost.ts";
import type { Finding } from "./finding.ts";

/** What of a network interface matters here. */
export type Interface = Pick<Deno.NetworkInterfaceInfo, "name" | "address">;

/**
 * Lists the addresses under which others can reach this computer.
 *
 * @param interfaces Its network interfaces.
 * @returns The IP addresses, without loopback and link-local ones.
 */
export function reachableAddresses(interfaces: readonly Interface[]): Interface[] {
  return interfaces.filter(({ address }) => !isLoopback(address) && !isLinkLocal(address));
}

/**
 * Checks the addresses of this computer.
 *
 * @param interfaces Its network interfaces.
 */
export function checkAddresses(interfaces: readonly Interface[]): Finding {
  const found = reachableAddresses(interfaces);
  if (found.length > 0) {
    const list = found.map(({ name, address }) => `${address} (${name})`);
    return { check: "addresses", status: "ok", message: list.join(", ") };
  }
  const lonely = interfaces.find(({ address }) => isIPv4(address) && isLinkLocal(address));
  if (lonely) {
    return {
      check: "addresses",
      status: "problem",
      message:
        `${lonely.name} chose ${lonely.address} itself, because it got no address from a DHCP server`,
      remedy: "check cable and router, or give both computers fixed addresses of one network",
    };
  }
  return {
    check: "addresses",
    status: "problem",
    message: "this computer has no address that another one could reach",
    remedy: "connect it to the network; until then only what runs on this computer alone works",
  };
}

function isLinkLocal(address: string): boolean {
  return /^(169\.254\.|fe[89ab][0-9a-f]:)/i.test(address);
}
