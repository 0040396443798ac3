import type { Endpoint } from "../address/address.ts";

/** The largest payload of a datagram over IPv4, in bytes. */
export const MAX_PAYLOAD = 65_507;

/**
 * Takes one datagram.
 *
 * @param bytes Its payload, which lasts until this returns or its promise resolves.
 * @param from The sender; a unix socket without a name has an empty path.
 */
export type DatagramHandler = (bytes: Uint8Array, from: Endpoint) => void | Promise<void>;

/** A datagram that the system did not take. */
export interface UnsentDatagram {
  /** Its payload, as it was passed to `write()`. */
  readonly bytes: Uint8Array;
  /** The address that it was for. */
  readonly to: Endpoint;
  /** What the system says. */
  readonly error: unknown;
}

/** What a transport has counted so far. */
export interface DatagramCounters {
  /** Datagrams that arrived. */
  readonly received: number;
  /** Datagrams that the system took. */
  readonly sent: number;
  /** Datagrams that the system did not take. */
  readonly unsent: number;
  /** Errors that the system reported for datagrams sent earlier: on Windows, that nobody listens on a port. */
  readonly bounced: number;
  /** Datagrams that arrived and were thrown away by the system, as the receive buffer was full; undefined where the system does not say. */
  readonly dropped?: number;
}

/** When datagrams arrive, by the system: without the time that this program needs to notice. */
export interface ArrivalClock {
  /** When the datagram arrived that is being handed on, in µs since 1970; NaN if the system does not know. */
  arrived(): number;
  /** The clock that this is taken from, the system's wall clock, in µs since 1970; NaN once the socket is closed. It may be set at any time. */
  now(): number;
}

/** What every implementation of {@linkcode DatagramTransport} is given beside its socket. */
export interface DatagramTransportOptions {
  /** Closes the transport when aborted. */
  signal?: AbortSignal;
  /** Whether to ask the system when datagrams arrive; see {@linkcode DatagramTransport.clock}. Default: false. */
  times?: boolean;
  /**
   * Milliseconds that `serve()` waits for the next datagram without letting anything else in this process run, where the implementation
   * can: that saves the way through Deno's event loop, about 30 µs on a computer whose cores sleep between two datagrams. Timers, signals
   * and other sockets have their turn every few milliseconds all the same. Not done any more once a handler has returned a promise.
   * Default: 0.
   */
  linger?: number;
  /** Called before what was written since the last time is given to the system, where that is done for many datagrams at once. */
  onSend?: () => void;
  /** Called with each datagram that the system did not take. */
  onUnsent?: (datagram: UnsentDatagram) => void;
  /** Called when the system reports that an earlier datagram met a port on which nobody listens. */
  onBounced?: (error: unknown) => void;
}

/**
 * A bound datagram socket, whatever system calls it uses: datagrams are pushed to one function, and written without waiting for each
 * other. An implementation may receive several with one call and hand them on one after another, and keep what is written until
 * {@linkcode DatagramTransport.flush}; `serve()` flushes by itself before it waits for the next datagrams.
 */
export interface DatagramTransport extends AsyncDisposable {
  /** The address that is really bound. */
  readonly addr: Endpoint;
  /** Resolves when the socket is closed. */
  readonly finished: Promise<void>;
  /** What was counted so far. */
  readonly counters: DatagramCounters;
  /** When datagrams arrive, where that was asked for and the implementation knows it. */
  readonly clock?: ArrivalClock | undefined;
  /**
   * Hands every datagram to a function until the socket is closed, with no promise per datagram unless the function returns one.
   * Closing does not wait for the function; {@linkcode DatagramTransport.end} does.
   *
   * @param handle Takes one datagram. While its promise is pending, no other is handed on.
   */
  serve(handle: DatagramHandler): Promise<void>;
  /**
   * Sends one datagram. One that the system does not take is counted and passed to `onUnsent`, as is one that is written after the
   * socket was closed; this never throws.
   *
   * @param bytes Its payload, at most 65,507 bytes over IPv4. Must stay unchanged until the promise resolves or, if there is none, until
   * `flush()` does.
   * @param to The address, with an IP address: a host name would be resolved each time.
   * @returns A promise if the bytes are still needed after the call.
   */
  write(bytes: Uint8Array, to: Endpoint): void | Promise<void>;
  /** Resolves when the system has taken, or refused, everything that was written. */
  flush(): Promise<void>;
  /** Closes the socket as soon as {@linkcode DatagramTransport.serve} is done with the datagram that is being handled. */
  end(): void;
  /** Closes the socket at once; may be called again. What still waits for room then is counted as unsent. */
  close(): Promise<void>;
}
