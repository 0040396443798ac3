import type { ForeignProtocol } from "./first_bytes_gate.ts";
import type { HostPort } from "../address/address.ts";
import type { Clock } from "../../time/clock.ts";
import type { IdleClock } from "../../time/idle_timer.ts";

/** What a `StreamConnection` needs of the connection below it: the system's, or a substitute. */
export type RawConnection = Pick<
  Deno.Conn,
  "localAddr" | "remoteAddr" | "read" | "write" | "closeWrite" | "close"
>;

/** How a `StreamConnection` behaves. */
export interface StreamConnectionOptions {
  /** Seconds without a byte, while this side waits for the peer, after which the connection is closed. Default: never. */
  idleTimeout?: number;
  /**
   * Measures that for several connections, instead of `idleTimeout`.
   *
   * @internal
   */
  idleClock?: IdleClock;
  /**
   * Seconds within which a message must be complete, from its first byte on. Works where the reader knows where messages end, as
   * `readMessages()` does. What arrives later is not read. Default: no limit.
   */
  messageTimeout?: number;
  /**
   * Measures that for several connections, instead of `messageTimeout`.
   *
   * @internal
   */
  messageClock?: IdleClock;
  /**
   * Called when the peer sends an HTTP request, or TLS on a connection without it. None of it is read, and the connection is closed.
   * Without this, both are read like anything else.
   *
   * @internal
   */
  onForeign?: (protocol: ForeignProtocol, from: HostPort) => void;
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
 * Why a connection is closed: by this side, or after the peer ended it; it was reset; the peer was silent, or read nothing, for too
 * long; a message was not complete in time; the peer is a browser; or it was aborted.
 */
export type CloseReason = "closed" | "ended" | "reset" | "idle" | "late" | "refused" | "aborted";

/** How long closing may take. */
export interface GraceOptions {
  /** Seconds that work in progress may take. */
  grace?: number;
}
