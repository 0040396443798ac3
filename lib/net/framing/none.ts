import type { FrameDecoder, Framing } from "./framing.ts";

/**
 * No framing: whatever arrives at once is a message.
 *
 * @returns The framing.
 */
export function noFraming(): Framing {
  return { encode: (message) => message, decoder };
}

function decoder(): FrameDecoder {
  let pending: Uint8Array | null = null;
  return {
    push: (chunk) => void (pending = chunk),
    next() {
      const chunk = pending;
      pending = null;
      return chunk;
    },
    partial: false,
    end: () => null,
  };
}
