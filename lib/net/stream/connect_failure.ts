import { ConnectError, messageOf, UsageError } from "../../errors.ts";
import { isIPv4, isIPv6, isPortRefused } from "../address/address.ts";
import { isLocalhost, isLoopback } from "../address/localhost.ts";

const REFUSED = "connection refused";

/** The system's error codes and what to tell a person, the most informative first. */
const reasons: readonly [codes: readonly string[], reason: string][] = [
  [["ECONNREFUSED", "WSAECONNREFUSED"], REFUSED],
  [["ETIMEDOUT", "WSAETIMEDOUT"], "no answer"],
  [["ECONNRESET", "EPIPE", "ECONNABORTED"], "the server closed the connection immediately"],
  [["EHOSTUNREACH", "EHOSTDOWN"], "host unreachable"],
  [["ENETUNREACH", "ENETDOWN", "EADDRNOTAVAIL"], "network unreachable"],
  [["EACCES", "EPERM"], "the system does not permit it"],
];

/** TLS errors about certificates, and what they mean. */
const certificateProblems: readonly [pattern: RegExp, reason: string][] = [
  [
    /UnknownIssuer/,
    "it is signed by an unknown authority; ca (--ca) takes the certificate of that authority, or the server's own",
  ],
  [/not valid for name/, "it is issued for another name"],
  [/expired|Expired/, "it has expired"],
  [/NotValidYet/i, "it is not valid yet"],
  [/CaUsedAsEndEntity/, "it is the certificate of an authority, which a server must not use"],
];

/**
 * How a server refuses a client's certificate, or one without: with TLS 1.3 after the handshake. The last is what comes of an alert that is
 * not encrypted, as labwire sends it.
 */
const certificateAlert =
  /fatal alert: (Certificate\w+|(Bad|Unsupported)Certificate|UnknownCA|AccessDenied)|cannot decrypt peer's message/;

/**
 * Explains why a connection was lost that had been made.
 *
 * @param cause What was thrown.
 * @returns A {@linkcode ConnectError} where the cause does not speak for itself, else the cause as an error.
 */
export function explainLoss(cause: unknown): Error {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  if (!certificateAlert.test(error.message)) return error;
  return new ConnectError("the other side asks for a TLS certificate that it trusts", { cause });
}

/**
 * Explains why a connection failed.
 *
 * @param where The address as text.
 * @param cause What was thrown.
 * @param host The name that the certificate should have.
 * @returns A {@linkcode ConnectError}, a {@linkcode UsageError} if there can be no such port, or the cause itself if it is clear already
 * or concerns this program's own permissions.
 */
export function connectFailure(where: string, cause: unknown, host: string): unknown {
  const isSaid = cause instanceof ConnectError || cause instanceof UsageError;
  if (isSaid || cause instanceof Deno.errors.NotCapable) return cause;
  const begin = `Cannot connect to "${where}"`;
  if (isPortRefused(cause)) {
    return new UsageError(`${begin}: a port is a whole number from 0 to 65535`, { cause });
  }
  return new ConnectError(`${begin}: ${explain(cause, host)}`, { cause });
}

/**
 * Of the failures of several addresses, picks the one to report.
 *
 * @param errors What was thrown for each address.
 * @returns The error with the most informative reason.
 */
export function mostTelling(errors: readonly unknown[]): unknown {
  const ranked = errors.toSorted((a, b) => rank(a) - rank(b));
  return ranked[0];
}

function rank(error: unknown): number {
  const at = reasons.findIndex(([codes]) => codes.includes(codeOf(error)));
  return at < 0 ? reasons.length : at;
}

function explain(cause: unknown, host: string): string {
  const known = reasons[rank(cause)];
  if (known && known[1] === REFUSED && !isLoopback(host)) {
    return `${REFUSED}: no server listens there, or for its own computer only (--host 0.0.0.0 opens it)`;
  }
  if (known) return known[1];
  const message = messageOf(cause);
  if (/peer certificate/.test(message)) {
    const problem = certificateProblems.find(([pattern]) => pattern.test(message));
    const why = `TLS certificate of "${host}" is not trusted: ${problem?.[1] ?? message}`;
    if (!/CaUsedAsEndEntity/.test(message)) return why;
    return `${why}; make one for this server with "${certificateCommand(host)}"`;
  }
  if (/corrupt message|InvalidContentType|unexpected handshake message/.test(message)) {
    return "the server does not speak TLS";
  }
  if (cause instanceof Deno.errors.UnexpectedEof) {
    return "the server ended the TLS handshake; perhaps it does not speak TLS";
  }
  return message;
}

/**
 * The command that makes a self-signed certificate for a server.
 *
 * @param host The name or address that it is issued for.
 * @returns A line for any shell.
 */
function certificateCommand(host: string): string {
  const address = host.replace(/%.*$/, "");
  const names = isLocalhost(host)
    ? "DNS:localhost,IP:127.0.0.1,IP:::1"
    : `${isIPv4(address) || isIPv6(address) ? "IP" : "DNS"}:${address}`;
  return "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 " +
    `-keyout key.pem -out cert.pem -subj /CN=labwire -addext subjectAltName=${names} ` +
    "-addext basicConstraints=critical,CA:FALSE";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
