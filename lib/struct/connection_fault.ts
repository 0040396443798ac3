import { type CodecError, ConnectError } from "../errors.ts";
import { formatAddress } from "../net/address/address.ts";
import type { LineProblem } from "./line_options.ts";
import type { LinePeer } from "./line_peer.ts";

/** How a connection can end badly. */
export interface ConnectionFault extends LineProblem {
  kind: "cut" | "lost";
  error: Error;
}

/**
 * Tells what is wrong with the end of a connection.
 *
 * @param peer The other end, from which nothing more comes.
 * @param cut What was wrong with the end of the stream, if anything was.
 * @returns The fault, if there is one.
 */
export function connectionFault<F extends string>(
  { remoteAddr: from, closeReason, lost, error: cause }: LinePeer<F>,
  cut: CodecError | undefined,
): ConnectionFault | undefined {
  const who = formatAddress(from);
  const gaveUp = closeReason === "idle";
  if (cut && !gaveUp) {
    return { kind: "cut", message: `${cut.message} (from ${who})`, from, error: cut };
  }
  if (!lost) return undefined;
  const message = gaveUp
    ? `Gave up ${who}: it took nothing, which kept the others waiting`
    : `Connection with ${who} broke`;
  return { kind: "lost", message, from, error: new ConnectError(message, { cause }) };
}
