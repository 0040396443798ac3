import { UsageError } from "../../errors.ts";
import { formatAddress, listenError } from "../address/address.ts";
import { isLocalhost, LOOPBACK } from "../address/localhost.ts";

/** How many times to look for a port that is free on both loopback addresses. */
const ATTEMPTS = 32;

/** A certificate and its private key, as PEM text. */
export interface TlsIdentity {
  /** The certificate, followed by those that link it to an authority. */
  cert: string;
  /** The private key. */
  key: string;
}

/** How a server speaks TLS. */
export interface TlsServing extends TlsIdentity {
  /**
   * Certificates of authorities, as PEM text: only clients with a certificate signed by one of them are served. Needs Deno 2.9.
   * Default: clients need no certificate.
   */
  clientCa?: string;
}

/** What is bound: accepts TCP or TLS connections. */
export type StreamSocket = Deno.TcpListener | Deno.TlsListener;

/**
 * Binds a TCP port. `localhost` is bound as 127.0.0.1 and ::1 on the same port, or as the one of them that the computer has.
 *
 * @param host Host name or IP address.
 * @param port The port; 0 for one that is free.
 * @param serving Certificate and key, to serve TLS. With `clientCa` the socket is a plain one, for a `ClientVerifier`.
 * @returns One socket, or two for `localhost`.
 * @throws {UsageError} If the address cannot be bound or certificate and key cannot be used.
 */
export function bindStream(host: string, port: number, serving?: TlsServing): StreamSocket[] {
  // Where clients have to show a certificate, TLS is put on top of plain connections.
  const tls = serving?.clientCa === undefined ? serving : undefined;
  try {
    if (serving && !tls) tryIdentity(serving);
    if (!isLocalhost(host)) return [bind(host, port, tls)];
    for (let attempt = 1;; attempt++) {
      try {
        return bindLoopback(port, tls);
      } catch (error) {
        const elsewhere = port === 0 && error instanceof Deno.errors.AddrInUse;
        if (!elsewhere || attempt === ATTEMPTS) throw error;
      }
    }
  } catch (error) {
    throw bindError(host, port, error);
  }
}

/**
 * Checks that a certificate and a key can be used, where that would otherwise show too late or not at all.
 *
 * @param identity Both.
 * @throws If not, as `Deno.listenTls()` does.
 */
export function tryIdentity({ cert, key }: TlsIdentity): void {
  Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
}

function bind(hostname: string, port: number, tls?: TlsIdentity): StreamSocket {
  return tls ? Deno.listenTls({ hostname, port, ...tls }) : Deno.listen({ hostname, port });
}

function bindLoopback(port: number, tls?: TlsIdentity): StreamSocket[] {
  const [v4, v6] = LOOPBACK as [string, string];
  let first: StreamSocket;
  try {
    first = bind(v4, port, tls);
  } catch (error) {
    if (isMissing(error)) return [bind(v6, port, tls)];
    throw error;
  }
  try {
    return [first, bind(v6, (first.addr as Deno.NetAddr).port, tls)];
  } catch (error) {
    if (isMissing(error)) return [first];
    first.close();
    throw error;
  }
}

function bindError(hostname: string, port: number, error: unknown): unknown {
  const known = listenError({ hostname, port }, error);
  if (known !== error || !(error instanceof Error)) return known;
  const where = `Cannot listen on "${formatAddress({ hostname, port })}"`;
  if (/failed to lookup|invalid host/.test(error.message)) {
    return new UsageError(`${where}: no such host name`, { cause: error });
  }
  if (error instanceof Deno.errors.InvalidData || /certificate|key/i.test(error.message)) {
    return new UsageError(`${where}: the TLS certificate or its key is invalid: ${error.message}`, {
      cause: error,
    });
  }
  return error;
}

/** Whether the computer does not have an address, or not its whole family. */
function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.AddrNotAvailable ||
    error instanceof Error && "code" in error && error.code === "EAFNOSUPPORT";
}
