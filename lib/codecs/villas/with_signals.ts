import type { Format } from "./format.ts";
import type { SignalsLike } from "./signals.ts";

/**
 * A format for the signals that were stated.
 *
 * @param format The format.
 * @param signals The signals; undefined if none were stated.
 * @returns The same format where there are none, or where it does not need to know them.
 */
export function withSignals<F extends Format>(format: F, signals: SignalsLike | undefined): F {
  return signals === undefined ? format : (format.withSignals?.(signals) ?? format) as F;
}
