import type { IdleClock } from "./idle_timer.ts";

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
  /** Closes the connection at once. */
  signal?: AbortSignal;
}

/**
 * Why a connection is over: it was closed by this side, or first ended by the peer in order; it broke; the peer was silent,
 * or took nothing, for too long; or a signal asked for the end.
 */
export type CloseReason = "closed" | "ended" | "reset" | "idle" | "aborted";

/** How patiently something is ended. */
export interface GraceOptions {
  /** Seconds that what is in hand may take. */
  grace?: number;
}
