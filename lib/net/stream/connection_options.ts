import type { ForeignProtocol } from "./first_bytes_gate.ts";
import type { Clock } from "../../time/clock.ts";
import type { IdleClock } from "../../time/idle_timer.ts";

/** What a `StreamConnection` needs of the connection below: one of the system, or what stands for it. */
export type RawConnection = Pick<
  Deno.Conn,
  "localAddr" | "remoteAddr" | "read" | "write" | "closeWrite" | "close"
>;

/** How a `StreamConnection` behaves. */
export interface StreamConnectionOptions {
  /** Seconds without a byte, while this side waits for the peer, after which the connection is closed. Default: never. */
  idleTimeout?: number;
  /**
   * Watches for that beside other connections, instead of `idleTimeout`.
   *
   * @internal
   */
  idleClock?: IdleClock;
  /**
   * Seconds within which a message must be complete, from its first byte on; it takes one who knows where messages end, such as
   * `readMessages()`. What comes later is not read. Default: no limit.
   */
  messageTimeout?: number;
  /**
   * Watches for that beside other connections, instead of `messageTimeout`.
   *
   * @internal
   */
  messageClock?: IdleClock;
  /**
   * Told of an HTTP request, or of TLS on a connection without it, before anything of it is read: the connection is closed then.
   * Without this, both are read like anything else.
   *
   * @internal
   */
  onForeign?: (protocol: ForeignProtocol) => void;
  /** Closes the connection at once. */
  signal?: AbortSignal;
  /**
   * Measures all times. Default: this computer's clock.
   *
   * @internal
   */
  clock?: Clock;
}

/**
 * Why a connection is over: it was closed by this side, or first ended by the peer in order; it broke; the peer was silent,
 * or took nothing, for too long; a message was not complete in time; it came from a browser; or a signal asked for the end.
 */
export type CloseReason = "closed" | "ended" | "reset" | "idle" | "late" | "refused" | "aborted";

/** How patiently something is ended. */
export interface GraceOptions {
  /** Seconds that what is in hand may take. */
  grace?: number;
}
