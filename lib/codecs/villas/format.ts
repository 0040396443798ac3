import type { Codec } from "../codec.ts";
import type { Sample, ValueKind } from "./sample.ts";

/** Recognises plain messages without building their samples: at none of the garbage that decoding makes. */
export interface MessageScanner {
  /** The sequence numbers in the message scanned last, if it was plain. */
  readonly sequences: readonly (number | bigint)[];
  /**
   * Looks whether a message is plain: only DATA samples, every value set, and of the kinds that the scanner was made for. Such a message
   * decodes, and may go back to VILLASnode as it came.
   *
   * @param bytes The message.
   * @returns The number of its samples, or -1 if it is anything else, valid or not.
   */
  scan(bytes: Uint8Array): number;
}

/** One of VILLASnode's formats: how the samples of one datagram are written. It decodes what it encodes. */
export interface Format extends Codec<Sample[]> {
  /**
   * Makes a scanner for the format, where there is one.
   *
   * @param kinds The kinds that the values of a sample have in their order, of which the last ones may be missing. Default: any.
   */
  scanner?(kinds?: readonly ValueKind[]): MessageScanner;
  /**
   * Makes the same format for known signals. Formats whose text does not tell an integer from a boolean need it.
   *
   * @param kinds The kind of each signal.
   */
  withSignals?(kinds: readonly ValueKind[]): Format;
}
