import { isLoopback } from "../../net/address/localhost.ts";
import { isIPv4, isIPv6 } from "../../net/address/address.ts";
import type { WebRequest } from "./request.ts";

/** Who may see the scope. */
export interface GuardOptions {
  /** The host that it listens on. */
  readonly host: string;
  /** What has to stand in the path; undefined where none is wanted. */
  readonly token?: string;
}

/** A token that nobody guesses. */
export function makeToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

/**
 * Looks who asks.
 *
 * A page of another origin cannot read what is here, but its scripts can send requests, and a name that it has made to mean this computer
 * (DNS rebinding) would make it the same origin. So only names that no stranger can choose are answered.
 *
 * @param request What is asked.
 * @param options Who may.
 * @returns The path below the token, or why it is refused.
 */
export function admit(
  { target, headers }: WebRequest,
  { host, token }: GuardOptions,
): { path: string; query: URLSearchParams } | { refused: string } {
  const asked = headers.get("host");
  const name = asked === undefined ? undefined : hostName(asked);
  if (name === undefined || !isOurs(name, host)) {
    return {
      refused: "the Host header names another computer; open the address as it was printed",
    };
  }
  const origin = headers.get("origin");
  if (origin !== undefined && origin.toLowerCase() !== `http://${asked!.toLowerCase()}`) {
    return { refused: "the request comes from a page of another origin" };
  }
  const site = headers.get("sec-fetch-site");
  const isLink = headers.get("sec-fetch-mode") === "navigate";
  if (site !== undefined && site !== "same-origin" && site !== "none" && !isLink) {
    return { refused: "the request comes from a page of another site" };
  }
  const [path, query] = target.split("?", 2) as [string, string?];
  const params = new URLSearchParams(query);
  if (token === undefined) return { path, query: params };
  const prefix = `/${token}`;
  const given = path.slice(0, prefix.length);
  if (!sameText(given, prefix) || path.length > prefix.length && path[prefix.length] !== "/") {
    return { refused: "the token is missing or wrong; open the whole address as it was printed" };
  }
  return { path: path.slice(prefix.length), query: params };
}

/** The name in a Host header, without the port; undefined where it is malformed. */
function hostName(text: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(text);
  return match?.[1] ?? match?.[2]?.toLowerCase();
}

/** Whether a name is one that only this computer, or its user, can have chosen. */
function isOurs(name: string, host: string): boolean {
  if (isLoopback(name)) return true;
  return !isLoopback(host) && (name === host.toLowerCase() || isIPv4(name) || isIPv6(name));
}

/** Compares in a time that does not tell how much is right. */
function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
