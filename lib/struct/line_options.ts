import type { StructOptions } from "../codecs/struct/struct.ts";
import type { StructValues } from "../codecs/struct/types.ts";
import type { HostPort } from "../net/address/address.ts";
import type { AllowList } from "../net/address/allow_list.ts";
import type { TlsIdentity, TlsServing } from "../net/stream/bind.ts";
import type { StreamConnection } from "../net/stream/connection.ts";
import type { StreamProblem } from "../net/stream/listener.ts";
import type { Clock } from "../time/clock.ts";
import type { LinePeer } from "./line_peer.ts";

/** The format of a line that was told none, as in the program that lines come from. */
export type DefaultFormat = "!I2sd";

/** Same, as a value. */
export const DEFAULT_FORMAT: DefaultFormat = "!I2sd";

/** The port of a line that was told none. */
export const DEFAULT_PORT = 10000;

/**
 * Handles a record.
 *
 * @typeParam F The format of the records.
 * @param values The record.
 * @param peer Who sent it; `peer.send()` answers.
 * @returns If it is a promise, the next record of that peer waits for it.
 */
export type LineAction<F extends string> = (
  values: StructValues<F>,
  peer: LinePeer<F>,
) => unknown;

/** Something that went wrong with one peer; the line goes on where it can. */
export interface LineProblem extends Omit<StreamProblem, "kind"> {
  /**
   * What it is: the stream ended inside a record, the connection broke, the action threw; or what
   * can go wrong when a connection is accepted.
   */
  kind: "cut" | "lost" | "action" | StreamProblem["kind"];
}

/** What a line has done so far. */
export interface LineStats {
  /** Records received and handled. */
  received: number;
  /** Records that the system has taken to send, one for each peer. */
  sent: number;
  /** Connections made. */
  connections: number;
  /** Connections open now. */
  open: number;
  /** Connections that ended inside a record. */
  cut: number;
  /** Connections that broke, or were given up. */
  lost: number;
  /** Records whose action threw. */
  failed: number;
  /** Connections kept out: not allowed, too many, or TLS where none is served. */
  refused: number;
  /** Connections closed because they began with an HTTP request. */
  refusedAsHttp: number;
}

/** What both ends of a line can be told. */
export interface LineOptions<F extends string>
  extends Pick<StructOptions, "platform" | "truncate" | "fields"> {
  /** Format of the records, see `compileStruct()`. Default: `!I2sd`. */
  format?: F;
  /** Host name or IP address to listen on or connect to. Default: `localhost`. */
  host?: string;
  /** TCP port. Default: 10000. A listening line takes 0 for one that is free. */
  port?: number;
  /** Handles every record. Without it, records wait until the line is iterated over, and the peer with them. */
  action?: LineAction<F>;
  /** Told of each new connection. */
  onConnect?: (peer: LinePeer<F>) => void;
  /** Told when a peer has ended its half in order; what it is owed can still be sent. */
  onEnd?: (peer: LinePeer<F>) => void;
  /** Told when a connection is over. */
  onDisconnect?: (peer: LinePeer<F>) => void;
  /**
   * Told of what went wrong with a peer. Without it nobody is, but an error that the action throws ends the line, and
   * `finished` rejects with it.
   */
  onProblem?: (problem: LineProblem) => void;
  /** Seconds that what is in hand may take when the line closes. Default: 5. */
  grace?: number;
  /** Closes the line, as `close()` does. */
  signal?: AbortSignal;
}

/** Where and how {@linkcode Line.listen} listens. */
export interface LineListenOptions<F extends string> extends LineOptions<F> {
  /** Most connections at once. Default: 64. */
  maxConnections?: number;
  /**
   * Seconds that a peer may take nothing of what is sent while others wait for it; then its connection is broken off. A single
   * peer may take its time. Default: 10.
   */
  stallTimeout?: number;
  /** Seconds within which a record must be complete, from its first byte on. Default: 30. */
  messageTimeout?: number;
  /**
   * Let HTTP requests in, as `listenStream()` has it: any web page that is open in a browser on this computer could send records then.
   * Default: false.
   */
  allowHttp?: boolean;
  /** Who may connect: addresses and networks such as `192.168.1.0/24`. Default: everybody. */
  allow?: AllowList | readonly string[];
  /** Certificate and key, to serve TLS. */
  tls?: TlsServing;
  /**
   * Measures `stallTimeout` and `messageTimeout`. Default: this computer's clock.
   *
   * @internal
   */
  clock?: Clock;
}

/** Where and how {@linkcode Line.connect} connects. */
export interface LineConnectOptions<F extends string> extends LineOptions<F> {
  /** How many times to try in a row. Default: 5; without end where it is to connect again. */
  attempts?: number;
  /** Seconds between two attempts. Default: 1. */
  retryDelay?: number;
  /** Seconds that an attempt may take. Default: 5. */
  timeout?: number;
  /** Told of each attempt that failed. */
  onAttemptFailed?: (attempt: number, attempts: number, error: unknown) => void;
  /** Wait for a server that is not there yet, and connect again when the connection is over. Default: false. */
  reconnect?: boolean;
  /** Go on sending when the other end has ended its half, until `closeWrite()` or `close()`. Default: false. */
  halfOpen?: boolean;
  /** Speak TLS. Default: only if `ca` or `identity` is given. */
  tls?: boolean;
  /** Certificates of authorities to trust beside the usual ones, as PEM text. */
  ca?: string;
  /** Certificate and key to show the server. */
  identity?: TlsIdentity;
}

/** What a line makes of connections and problems, wherever they come from. */
export interface LineWork {
  /** Serves a connection; resolves when it is closed. */
  serve: (connection: StreamConnection) => Promise<void>;
  /** Told of what went wrong. */
  tell: (problem: LineProblem) => void;
}

/** Where the connections of a line come from. */
export interface LineEnd {
  /** The bound addresses, or this side's address of the first connection. */
  readonly addrs: readonly HostPort[];
  /** Resolves when there will be no more connections and the last one is closed. */
  readonly finished: Promise<void>;
  /** Whether this end connected to the other. */
  readonly isClient: boolean;
  /** Whether another connection follows each that is over. */
  readonly reconnects: boolean;
  /** Connections kept out. */
  readonly refused: number;
  /** Connections closed because they began with an HTTP request. */
  readonly refusedAsHttp: number;
  /** Lets no more come, and waits so many seconds for those there are. */
  close(grace: number): Promise<void>;
}
