import { ConnectError, messageOf, UsageError } from "../../errors.ts";
import { formatAddress, resolveHost } from "../address/address.ts";
import { type TlsIdentity, tryIdentity } from "./bind.ts";
import { connectFailure, mostTelling } from "./connect_failure.ts";
import { Limit } from "../../time/limit.ts";
import { isLocalhost, LOOPBACK } from "../address/localhost.ts";
import { retry, type RetryOptions } from "../../time/retry.ts";
import { StreamConnection, type StreamConnectionOptions } from "./connection.ts";

/** Seconds without an answer after which the next address is tried as well. */
const NEXT_ADDRESS = 0.25;

/** Where and how {@linkcode connectStream} connects. */
export interface ConnectStreamOptions extends StreamConnectionOptions, RetryOptions {
  /** Host name or IP address. Default: `localhost`. */
  host?: string;
  /** TCP port. */
  port: number;
  /** Whether to speak TLS. Default: false, or true where `ca` or `identity` is given. */
  tls?: boolean;
  /** Certificates of authorities to trust beside the usual ones, as PEM text. */
  ca?: string;
  /** Certificate and key to show the server. */
  identity?: TlsIdentity;
  /** Seconds that one attempt may take, name look-up and TLS included. Default: 5. */
  timeout?: number;
  /** Aborts connecting, and later closes the connection at once. */
  signal?: AbortSignal;
}

/**
 * Connects to a TCP or TLS server. All addresses of a name are tried, `localhost` as 127.0.0.1 and ::1: one after another, and in
 * parallel if one does not answer quickly.
 *
 * @param options Where and how.
 * @returns The connection.
 * @throws {ConnectError} If the last attempt fails. The message distinguishes: no such name, refused, unreachable, no answer in time,
 * and TLS errors.
 * @throws {UsageError} At once, if the port is none, or certificate or key cannot be used.
 *
 * @example Five attempts, a second apart
 * ```ts
 * import { connectStream, listenStream } from "@labwire/labwire/net";
 *
 * await using listener = listenStream({ port: 0 });
 * await using connection = await connectStream({
 *   host: "localhost",
 *   port: listener.addr.port,
 *   attempts: 5,
 *   onAttemptFailed: (attempt, attempts) =>
 *     console.error(`Connection attempt ${attempt} of ${attempts} failed.`),
 * });
 * ```
 */
export function connectStream(options: ConnectStreamOptions): Promise<StreamConnection> {
  // Waiting does not help where an option is wrong or a permission is missing.
  const { isWorthRetrying = (error) => error instanceof ConnectError } = options;
  return retry(() => connectOnce(options), { ...options, isWorthRetrying });
}

async function connectOnce(options: ConnectStreamOptions): Promise<StreamConnection> {
  const { host = "localhost", port, timeout = 5, ca, identity, signal } = options;
  const { tls = (ca ?? identity) !== undefined } = options;
  const where = formatAddress({ hostname: host, port });
  const timedOut = new ConnectError(`Cannot connect to "${where}": no answer in ${timeout} s`);
  using limit = new Limit(timeout, timedOut, signal);
  try {
    limit.signal.throwIfAborted();
    if (tls && identity) {
      return new StreamConnection(await connectAs(identity, host, port, ca, limit), options);
    }
    const addresses = isLocalhost(host) ? LOOPBACK : await limit.wait(resolveHost(host));
    const conn = await connectAny(addresses, port, limit.signal);
    if (!tls) return new StreamConnection(conn, options);
    const secured = await handshake(conn, host, ca, limit);
    return new StreamConnection(secured, options);
  } catch (error) {
    signal?.throwIfAborted();
    throw connectFailure(where, error, host);
  }
}

/** Connects to the first of the addresses that answers. */
function connectAny(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const { promise, resolve, reject } = Promise.withResolvers<Deno.TcpConn>();
  const losers = new AbortController();
  const stop = AbortSignal.any([signal, losers.signal]);
  const errors: unknown[] = [];
  const waiting = addresses.values();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = () => {
    clearTimeout(timer);
    const { value: hostname, done } = waiting.next();
    if (done || stop.aborted) return;
    timer = setTimeout(next, NEXT_ADDRESS * 1000);
    Deno.connect({ hostname, port, signal: stop }).then(win, lose);
  };
  const win = (conn: Deno.TcpConn) => {
    clearTimeout(timer);
    if (stop.aborted) {
      conn.close();
      reject(signal.reason); // has no effect after another address has won
      return;
    }
    losers.abort();
    resolve(conn);
  };
  const lose = (error: unknown) => {
    errors.push(error);
    if (errors.length < addresses.length && !stop.aborted) return next();
    clearTimeout(timer);
    reject(signal.aborted ? signal.reason : mostTelling(errors));
  };
  next();
  return promise;
}

/**
 * Connects with a client certificate, which Deno supports only if it resolves the name and connects itself.
 *
 * @throws {UsageError} If certificate or key cannot be used; anything else as Deno has it.
 */
async function connectAs(
  identity: TlsIdentity,
  hostname: string,
  port: number,
  ca: string | undefined,
  limit: Limit,
): Promise<Deno.TlsConn> {
  try {
    tryIdentity(identity);
  } catch (cause) {
    const why = `the client's TLS certificate or its key is invalid: ${messageOf(cause)}`;
    const where = formatAddress({ hostname, port });
    throw new UsageError(`Cannot connect to "${where}": ${why}`, { cause });
  }
  const connecting = Deno.connectTls({ hostname, port, caCerts: ca ? [ca] : [], ...identity });
  try {
    const conn = await limit.wait(connecting);
    await limit.wait(conn.handshake());
    return conn;
  } catch (error) {
    connecting.then((conn) => conn.close(), () => {});
    throw error;
  }
}

async function handshake(
  conn: Deno.TcpConn,
  host: string,
  ca: string | undefined,
  limit: Limit,
): Promise<Deno.TlsConn> {
  conn.setNoDelay(true);
  const secured = await Deno.startTls(conn, { hostname: host, caCerts: ca ? [ca] : [] });
  try {
    await limit.wait(secured.handshake());
    return secured;
  } catch (error) {
    secured.close();
    throw error;
  }
}
