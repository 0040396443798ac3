import { type CodecError, ConnectError } from "../errors.ts";
import { formatAddress } from "../net/address/address.ts";
import type { LineProblem } from "./line_options.ts";
import type { LinePeer } from "./peer.ts";

/** A connection that ended with an error. */
export interface ConnectionFault extends LineProblem {
  kind: "cut" | "lost";
  error: Error;
}

/**
 * Checks how a connection ended.
 *
 * @param peer The peer, which sends nothing more or was given up.
 * @param cut The error at the end of the stream, if any.
 * @returns The fault, if there is one.
 */
export function connectionFault<F extends string>(
  { remoteAddr: from, closeReason, lost, error: cause }: LinePeer<F>,
  cut?: CodecError,
): ConnectionFault | undefined {
  const who = formatAddress(from);
  const gaveUp = closeReason === "idle";
  if (cut && !gaveUp) {
    return { kind: "cut", message: `${cut.message} (from ${who})`, from, error: cut };
  }
  if (!lost && !gaveUp) return undefined;
  const message = gaveUp
    ? `Disconnected ${who}: it read nothing of what was waiting for it`
    : `Lost the connection with ${who}${cause instanceof ConnectError ? `: ${cause.message}` : ""}`;
  return { kind: "lost", message, from, error: new ConnectError(message, { cause }) };
}
