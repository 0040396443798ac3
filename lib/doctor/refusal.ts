import { messageOf } from "../errors.ts";
import { isIPv6 } from "../net/address/address.ts";
import type { Finding } from "./finding.ts";
import type { System } from "./system.ts";

/** Why the system does not send: something forbids it, there is no way to the address, or another reason. */
export type Refusal = "forbidden" | "unreachable" | "other";

/** The system's codes for an address that there is no way to; also for a family of addresses that it does not have. */
const UNREACHABLE = /^(WSA)?E(NETUNREACH|NETDOWN|HOSTUNREACH|HOSTDOWN|ADDRNOTAVAIL|AFNOSUPPORT)$/;
/** Those for what is not permitted. */
const FORBIDDEN = /^(WSA)?E(PERM|ACCES)$/;

/**
 * Says why the system refused.
 *
 * @param error What was thrown by sending, or by binding the socket that should send.
 */
export function refusalOf(error: unknown): Refusal {
  const cause = systemError(error);
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (cause instanceof Deno.errors.PermissionDenied || FORBIDDEN.test(code)) return "forbidden";
  const isUnreachable = cause instanceof Deno.errors.NetworkUnreachable ||
    cause instanceof Deno.errors.AddrNotAvailable || UNREACHABLE.test(code);
  return isUnreachable ? "unreachable" : "other";
}

/**
 * Makes a finding of an error that a check met: the system refuses to send, or something unexpected.
 *
 * @param check What was looked at.
 * @param error What was thrown.
 * @param os The operating system.
 * @param hostname The IP address that could not be sent to, where there is one.
 */
export function failure(
  check: string,
  error: unknown,
  os: System["os"],
  hostname?: string,
): Finding {
  const refusal = refusalOf(error);
  const text = messageOf(systemError(error));
  if (refusal === "other" || hostname === undefined && refusal === "unreachable") {
    return {
      check,
      status: "problem",
      message: `this could not be checked: ${messageOf(error)}`,
      remedy: "read the system's own message above; the other checks do not depend on this one",
    };
  }
  return {
    check,
    status: "problem",
    message: `the system refuses to send${hostname ? ` to ${hostname}` : ""}: ${text}`,
    remedy: refusal === "forbidden" ? allowSending(os, hostname) : findWay(hostname!),
  };
}

function allowSending(os: System["os"], hostname = ""): string {
  const remedy = "a firewall or security program on this computer forbids sending: allow labwire";
  if (os !== "linux") return `${remedy} in it`;
  const tables = isIPv6(hostname) ? "ip6tables-save" : "iptables-save";
  return `${remedy} in it; "sudo nft list ruleset" or "sudo ${tables}" shows its rules`;
}

function findWay(hostname: string): string {
  const remedy =
    "there is no way to this address: check cable, address and network of both computers";
  return isIPv6(hostname) ? `${remedy}, or use an IPv4 address` : remedy;
}

/** What the system itself threw. */
function systemError(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}
