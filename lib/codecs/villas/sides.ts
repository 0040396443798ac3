/**
 * VILLASnode does not read everything as it writes it. So a format looks different on the two sides of a socket.
 *
 * @module
 */

import type { Format } from "./format.ts";

/**
 * A format as a peer of VILLASnode has it: it reads what VILLASnode writes, and writes what VILLASnode reads.
 *
 * @param format The format.
 */
export function asPeer(format: Format): Format {
  const { replies, withSignals } = format;
  if (replies === undefined) return format;
  return {
    ...format,
    encode: replies.encode,
    ...(withSignals && { withSignals: (signals) => asPeer(withSignals(signals)) }),
  };
}

/**
 * A format as VILLASnode itself has it, for what stands in for it: it writes what VILLASnode writes, and reads as VILLASnode reads.
 *
 * @param format The format.
 */
export function asNode(format: Format): Format {
  const { replies, withSignals } = format;
  if (replies === undefined) return format;
  return {
    ...format,
    decode: replies.decode,
    ...(withSignals && { withSignals: (signals) => asNode(withSignals(signals)) }),
  };
}
