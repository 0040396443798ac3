import { encodeLine, LineDecoder } from "../../text/lines.ts";
import type { Framing } from "./framing.ts";

export type { LineDecoder };

/** How lines are read. */
export interface LineFramingOptions {
  /** Longest line in bytes, without its ending. Default: 1,048,576. */
  maxBytes?: number;
  /** Whether each message keeps its line ending, whatever it is. Default: false. */
  keepEnds?: boolean;
}

/** What {@linkcode lineFraming} makes. */
export interface LineFraming extends Framing {
  /**
   * Encodes one message: adds `\n`.
   *
   * @param message The message, without a newline; text is encoded as UTF-8.
   * @returns The line.
   * @throws {CodecError} If there is a newline in the message.
   */
  encode(message: Uint8Array | string): Uint8Array;
  /** Makes a decoder for the incoming bytes of one connection. */
  decoder(): LineDecoder;
}

/**
 * One message per line. `\n` ends a line, and so do `\r\n` and the end of the stream; blank lines are empty messages. A line that is
 * too long is an error as soon as that is known, and its rest is skipped.
 *
 * @param options Limits.
 * @returns The framing.
 */
export function lineFraming(options: LineFramingOptions = {}): LineFraming {
  const { maxBytes = 1 << 20, keepEnds = false } = options;
  return { encode: encodeLine, decoder: () => new LineDecoder(maxBytes, keepEnds) };
}
