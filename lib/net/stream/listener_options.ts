import type { AllowList } from "../address/allow_list.ts";
import type { HostPort } from "../address/address.ts";
import type { TlsServing } from "./bind.ts";
import type { Clock } from "../../time/clock.ts";
import type { StreamConnection } from "./connection.ts";

/** Something that went wrong with one client, or with accepting one; the listener continues. */
export interface StreamProblem {
  /**
   * What it is: the system could not accept, the TLS handshake failed, the address is not allowed, there are too many connections, an
   * HTTP request, TLS or STUN arrived unexpectedly, or `onConnection` threw.
   */
  kind: "accept" | "tls" | "not-allowed" | "too-many" | "http" | "stun" | "handler";
  /** What happened, for a person. */
  message: string;
  /** The client's address, if it concerns a client. */
  from?: HostPort;
  /** What was thrown, if anything was. */
  error?: unknown;
}

/** What a {@linkcode StreamListener} has done so far. */
export interface StreamListenerStats {
  /** Connections accepted and let in. */
  accepted: number;
  /** Connections refused by the allow list. */
  refusedByAllow: number;
  /** Connections refused because there were too many. */
  refusedByLimit: number;
  /** Connections closed because they began with an HTTP request. */
  refusedAsHttp: number;
  /** Connections closed because they began with TLS, which is not served. */
  refusedAsTls: number;
  /** Connections closed because they began with a STUN request, which WebRTC sends. */
  refusedAsStun: number;
  /** Connections open now. */
  open: number;
  /** Connections given up that cannot be closed until their peers do: TLS handshakes that hang, of clients that were refused, too. */
  hanging: number;
}

/** How many connections were refused, but for those that began with an HTTP request, which are counted apart. */
export function refusedOf(stats: StreamListenerStats): number {
  const { refusedByAllow, refusedByLimit, refusedAsTls, refusedAsStun } = stats;
  return refusedByAllow + refusedByLimit + refusedAsTls + refusedAsStun;
}

/** Where and how {@linkcode listenStream} listens. */
export interface ListenStreamOptions {
  /** Host name or IP address. Default: `localhost`, which is 127.0.0.1 and ::1. */
  host?: string;
  /** TCP port; 0 for one that is free. */
  port: number;
  /** Certificate and key, to serve TLS. */
  tls?: TlsServing;
  /** Who may connect. Default: everybody. */
  allow?: AllowList;
  /** Maximum number of connections. Default: no limit. */
  maxConnections?: number;
  /** Seconds without a byte, while this side waits for a client, after which its connection is closed. Default: never. */
  idleTimeout?: number;
  /**
   * Seconds within which a message must be complete, from its first byte on, where connections are read with `readMessages()` or
   * `readRecords()`. Default: no limit.
   */
  messageTimeout?: number;
  /**
   * Whether to accept HTTP requests, STUN requests, and TLS where it is not served. Any web page open in a browser on this computer can
   * send a request with any content to any of its ports, and have WebRTC send STUN; so by default a connection that begins like one is
   * closed before any of it is read. Such connections are counted, and the first is reported. Default: false.
   */
  allowHttp?: boolean;
  /** Seconds that a TLS handshake may take. Default: 10. */
  handshakeTimeout?: number;
  /**
   * How many TLS handshakes may hang before no more connections are accepted, until some of the peers disconnect. Deno keeps the
   * connection of a handshake open until then, even when it is closed here; so those of clients that `allow` refuses count, unless they
   * complete the handshake. Default: 256.
   */
  maxHanging?: number;
  /**
   * Serves one connection, which is closed when the promise resolves; any number are served at once. Without it, take connections
   * from the iterator and close them.
   */
  onConnection?: (connection: StreamConnection) => void | Promise<void>;
  /** Informs a client that there are too many, before its connection is closed. */
  onTooMany?: (connection: StreamConnection) => void | Promise<void>;
  /** Called with each problem with a client. Default: problems are not reported. */
  onProblem?: (problem: StreamProblem) => void;
  /** Seconds that handlers may take when the listener closes. Default: 5. */
  grace?: number;
  /** Called when that time is over, before the connections that are still open are aborted. */
  onGraceOver?: () => void;
  /** Closes the listener, as `close()` does. */
  signal?: AbortSignal;
  /**
   * Measures all times but `grace`. Default: this computer's clock.
   *
   * @internal
   */
  clock?: Clock;
}
