import type { StructOptions } from "../codecs/struct/struct.ts";
import type { StructValues } from "../codecs/struct/types.ts";
import type { HostPort } from "../net/address/address.ts";
import type { AllowList } from "../net/address/allow_list.ts";
import type { TlsIdentity, TlsServing } from "../net/stream/bind.ts";
import type { StreamConnection } from "../net/stream/connection.ts";
import type { StreamProblem } from "../net/stream/listener.ts";
import type { Clock } from "../time/clock.ts";
import type { LinePeer } from "./peer.ts";

/** The default format of a line, as in the original program. */
export type DefaultFormat = "!I2sd";

/** Same, as a value. */
export const DEFAULT_FORMAT: DefaultFormat = "!I2sd";

/** The default port of a line. */
export const DEFAULT_PORT = 10000;

/**
 * Handles a record.
 *
 * @typeParam F The format of the records.
 * @param values The record.
 * @param peer Who sent it; `peer.send()` answers.
 * @returns If it is a promise, the next record of that peer waits for it, unless the line's `concurrency` is more than 1.
 */
export type LineAction<F extends string> = (
  values: StructValues<F>,
  peer: LinePeer<F>,
) => unknown;

/** Something that went wrong with one peer; the line continues if possible. */
export interface LineProblem extends Omit<StreamProblem, "kind"> {
  /**
   * What it is: the stream ended inside a record, the connection was lost, the action threw, or a problem of the listener.
   */
  kind: "cut" | "lost" | "action" | StreamProblem["kind"];
}

/** What a line has done so far. */
export interface LineStats {
  /** Records received and handled. */
  received: number;
  /** Records that the system has accepted for sending, counted for each peer. */
  sent: number;
  /** Connections made. */
  connections: number;
  /** Connections open now. */
  open: number;
  /** Connections that ended inside a record. */
  cut: number;
  /** Connections that were lost, or closed because the peer read nothing. */
  lost: number;
  /** Records whose action threw. */
  failed: number;
  /** Connections refused: not allowed, too many, STUN, or TLS where it is not served. */
  refused: number;
  /** Connections closed because they began with an HTTP request. */
  refusedAsHttp: number;
}

/** The options of both ends of a line. */
export interface LineOptions<F extends string>
  extends Pick<StructOptions, "platform" | "truncate" | "fields"> {
  /** Format of the records, see `compileStruct()`. Default: `!I2sd`. */
  format?: F;
  /** Host name or IP address to listen on or connect to. Default: `localhost`. */
  host?: string;
  /** TCP port. Default: 10000. A listening line takes 0 for one that is free. */
  port?: number;
  /** Handles every record. Without it, records and peers wait until the line is iterated. */
  action?: LineAction<F>;
  /**
   * How many records of a peer may be handled at once, where the action returns promises; a function where that changes. With more than
   * one, `recordBytes` and `recordTime` of the peer are those of a record only until the action first waits. Default: 1.
   */
  concurrency?: number | (() => number);
  /**
   * Called with each new connection. What this and the other functions that watch throw, or their promises reject with, is reported as an
   * `error` event, which ends the program unless it is handled; the peer is served all the same.
   */
  onConnect?: (peer: LinePeer<F>) => void;
  /** Called when a peer has ended its half; records can still be sent to it. */
  onEnd?: (peer: LinePeer<F>) => void;
  /** Called when a connection is closed. */
  onDisconnect?: (peer: LinePeer<F>) => void;
  /** Called with the bytes of records that the system has taken to send, one after another; valid during the call only. */
  onSent?: (bytes: Uint8Array, peer: LinePeer<F>) => void;
  /**
   * Called with each problem with a peer. Without it, problems are not reported, but an error thrown by the action ends the line, and
   * `finished` rejects with it.
   */
  onProblem?: (problem: LineProblem) => void;
  /** Seconds for the running action when the line closes. Default: 5. */
  grace?: number;
  /** Closes the line, as `close()` does. */
  signal?: AbortSignal;
}

/** Where and how {@linkcode Line.listen} listens. */
export interface LineListenOptions<F extends string> extends LineOptions<F> {
  /** Maximum number of connections. Default: 64. */
  maxConnections?: number;
  /**
   * Seconds after which a peer is disconnected that reads nothing while others wait for it, or once it has ended its half. Otherwise
   * a single peer has no limit. Default: 10.
   */
  stallTimeout?: number;
  /** Seconds within which a record must be complete, from its first byte on. Default: 30. */
  messageTimeout?: number;
  /**
   * Whether to accept HTTP requests, as in `listenStream()`: any web page open in a browser on this computer could then send records.
   * Default: false.
   */
  allowHttp?: boolean;
  /** Who may connect: addresses and networks such as `192.168.1.0/24`. Default: everybody. */
  allow?: AllowList | readonly string[];
  /** Certificate and key, to serve TLS. */
  tls?: TlsServing;
  /** Called when the line closes and its `grace` is over, before the connections that are still open are aborted. */
  onGraceOver?: () => void;
  /**
   * Measures `stallTimeout` and `messageTimeout`. Default: this computer's clock.
   *
   * @internal
   */
  clock?: Clock;
}

/** Where and how {@linkcode Line.connect} connects. */
export interface LineConnectOptions<F extends string> extends LineOptions<F> {
  /** How many times to try in a row. Default: 5; no limit with `reconnect`. */
  attempts?: number;
  /** Seconds between two attempts. Default: 1. */
  retryDelay?: number;
  /** Seconds that an attempt may take. Default: 5. */
  timeout?: number;
  /** Called with each attempt that failed. */
  onAttemptFailed?: (attempt: number, attempts: number, error: unknown) => void;
  /** Wait for a server that is not running yet, and reconnect when the connection is closed. Default: false. */
  reconnect?: boolean;
  /** Continue to send after the other end has ended its half, until `closeWrite()` or `close()`. Default: false. */
  halfOpen?: boolean;
  /** Speak TLS. Default: only if `ca` or `identity` is given. */
  tls?: boolean;
  /** Certificates of authorities to trust beside the usual ones, as PEM text. */
  ca?: string;
  /** Certificate and key to show the server. */
  identity?: TlsIdentity;
}

/** Serves a connection of either end; resolves when it is closed. */
export type ServeConnection = (connection: StreamConnection) => Promise<void>;

/** Where the connections of a line come from. */
export interface LineEnd {
  /** The bound addresses, or this side's address of the first connection. */
  readonly addrs: readonly HostPort[];
  /** Resolves when there will be no more connections and the last one is closed. */
  readonly finished: Promise<void>;
  /** Whether this end connected to the other. */
  readonly isClient: boolean;
  /** Whether it reconnects when a connection is closed. */
  readonly reconnects: boolean;
  /** Connections refused. */
  readonly refused: number;
  /** Connections closed because they began with an HTTP request. */
  readonly refusedAsHttp: number;
  /** Accepts no more connections, and waits so many seconds for the open ones. */
  close(grace: number): Promise<void>;
}
