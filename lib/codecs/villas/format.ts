import type { Codec } from "../codec.ts";
import type { Sample } from "./sample.ts";
import type { Signal, SignalKind, SignalsLike } from "./signals.ts";

/** Recognises plain messages without building their samples, so that nothing has to be collected as garbage. */
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

/**
 * How the samples of one datagram are written: what a socket node needs. It decodes what it encodes, and both are what VILLASnode's
 * own socket node writes. What VILLASnode reads may be something else: {@linkcode Format.replies}.
 */
export interface Format extends Codec<Sample[]> {
  /** The form in which VILLASnode reads, where that is not the one in which it writes. */
  readonly replies?: Replies;
  /** What the format carries, where that is less than everything. */
  readonly carried?: Carried;
  /**
   * Checks that the format can carry what some signals hold, as far as that is known before there is a value.
   *
   * @param signals The signals. Default: those stated, or floats.
   * @throws {UsageError} Naming the first that it cannot carry, and the way out.
   */
  check?(signals?: readonly Signal[]): void;
  /**
   * Makes a scanner for the format, where there is one.
   *
   * @param kinds The kinds that the values of a sample have in their order, of which the last ones may be missing. Default: any.
   */
  scanner?(kinds?: readonly SignalKind[]): MessageScanner;
  /**
   * Makes the same format for known signals. Formats that do not tell what the values are need it.
   *
   * @param signals The signals in their order, or one type for each.
   */
  withSignals?(signals: SignalsLike): Format;
}

/** The form in which VILLASnode reads messages of a format. */
export interface Replies extends Codec<Sample[]> {
  /** Whether a message that VILLASnode sent means the same to it when it comes back byte for byte. */
  readonly plainEcho: boolean;
  /**
   * Whether VILLASnode reads a certain message as these samples, which others may have written in ways that it does not take. Default: any
   * that decodes.
   *
   * @param bytes The message.
   * @param samples What it decodes to.
   */
  isTaken?(bytes: Uint8Array, samples: readonly Sample[]): boolean;
}

/** What a format carries of a sample. */
export interface Carried {
  /** The kinds of values; floats may lose digits. */
  readonly kinds: readonly SignalKind[];
  /** Whether a sequence number. */
  readonly sequence: boolean;
  /** Whether the time of origin; some round it. */
  readonly origin: boolean;
  /** Whether the time of receipt; in a stream only. */
  readonly received: boolean;
  /** Whether the mark of a new frame. */
  readonly newFrame: boolean;
  /** Whether NaN and the infinities. */
  readonly notFinite: boolean;
  /** Whether the times and floats that it carries arrive as they were, bit for bit. */
  readonly exact: boolean;
  /** Samples in a datagram at most; infinite where only its size limits them. */
  readonly samples: number;
  /** Whether values have the names of the signals, so that these must be known to write any. */
  readonly named: boolean;
  /** Whether a message tells how many values a sample has, rather than the signals. */
  readonly counted: boolean;
  /** Whether VILLASnode reads the format at all, and not only writes it. */
  readonly readByNode: boolean;
}

/** A format as {@linkcode villasFormat} finds it: with its settings and signals, and all its forms. */
export interface VillasFormat extends Format {
  /** How it is asked for: its name and the settings that are not the default ones, such as `raw,bits=64`. */
  readonly notation: string;
  /** The signals that were stated; undefined if none were. */
  readonly signals: readonly Signal[] | undefined;
  /** What it carries. */
  readonly carried: Carried;
  /** Whether it is text of lines (JSON is, too). */
  readonly text: boolean;
  /** The form in which VILLASnode reads. */
  readonly replies: Replies;
  /** Makes the same format for known signals; see {@linkcode Format.withSignals}. */
  withSignals(signals: SignalsLike): VillasFormat;
  /**
   * Checks that the format can carry what some signals hold, as far as that is known before there is a value.
   *
   * @param signals The signals. Default: those stated, or floats.
   * @throws {UsageError} Naming the first that it cannot carry, and the way out.
   */
  check(signals?: readonly Signal[]): void;
  /** The form in files, standard input and standard output. */
  readonly stream: StreamForm;
  /**
   * Cuts a stream of bytes into messages as VILLASnode's socket writes them one after another over TCP.
   *
   * @param maxBytes Longest message. Default: 1 MiB.
   * @throws {UsageError} If the messages of this format do not show where they end.
   */
  splitter(maxBytes?: number): MessageSplitter;
}

/** Cuts a stream of bytes into messages, each for {@linkcode Format.decode}; used as the decoders of framings are. */
export interface MessageSplitter {
  /** Takes the bytes that arrived next. All messages of the chunk before it must have been taken. */
  push(chunk: Uint8Array): void;
  /**
   * Returns the next complete message, valid until the next call of any method, or null if more bytes are needed.
   *
   * @throws {CodecError} If there is none to be found, or it is too long. The next call goes on after it, as far as that can be told.
   */
  next(): Uint8Array | null;
  /** Whether a message has begun whose end has not arrived. */
  readonly partial: boolean;
  /**
   * Ends the stream.
   *
   * @returns The last message, if the end of the stream completes one.
   * @throws {CodecError} If the stream ended inside a message.
   */
  end(): Uint8Array | null;
}

/** A format in files, on standard input and output: as VILLASnode's file node, its pipe and its converter write and read it. */
export interface StreamForm {
  /**
   * Writes samples.
   *
   * @param options What is written beside them.
   */
  encoder(options?: StreamEncoderOptions): SampleEncoder;
  /**
   * Reads samples.
   *
   * @param options Limits.
   * @throws {UsageError} If samples cannot be told from each other as long as no signals are stated.
   */
  decoder(options?: StreamDecoderOptions): SampleDecoder;
}

/** How samples are written to a stream. */
export interface StreamEncoderOptions {
  /** The names and units for the header line. Default: the format's signals, or as many as the first sample has values. */
  readonly signals?: readonly Signal[];
  /** Whether a header line is written where the format has one. Default: as the format's setting `header` says, true. */
  readonly header?: boolean;
  /**
   * Whether values are written as the kinds of the signals where text does not tell kinds, and those that cannot be are refused. Default:
   * false, each as it is.
   */
  readonly uniform?: boolean;
  /** Whether the time from origin to receipt is written where the format has a place for it. Default: true. */
  readonly offset?: boolean;
}

/** Writes the samples of one stream. */
export interface SampleEncoder {
  /**
   * Writes samples; before the first of all, the header line where there is one.
   *
   * @param samples The samples; none writes the header alone.
   * @returns Bytes that are complete lines or messages.
   * @throws {CodecError} If the format cannot carry one of them; nothing of them counts as written then.
   */
  encode(samples: readonly Sample[]): Uint8Array;
}

/** How samples are read from a stream. */
export interface StreamDecoderOptions {
  /** Whether samples may have more values than signals were stated. Default: false. */
  readonly more?: boolean;
  /** Longest line or message in bytes. Default: 1 MiB. */
  readonly maxBytes?: number;
}

/** Reads the samples of one stream, however it comes in chunks: pass each to `push()`, then call `next()` until it returns null. */
export interface SampleDecoder {
  /** Where in the stream the sample begins that `next()` returned last, in bytes. */
  readonly offset: number;
  /** On which line, counted from 1; 0 where the format has no lines. */
  readonly line: number;
  /** Takes the bytes that came next; they are copied where they are needed longer. All samples of the chunk before must have been taken. */
  push(chunk: Uint8Array): void;
  /**
   * Returns the next sample, or null if more bytes are needed.
   *
   * @throws {CodecError} If what comes next is none, naming the line or the offset. The next call goes on after it.
   */
  next(): Sample | null;
  /**
   * Ends the stream: to be called until it returns null.
   *
   * @returns A sample that only the end of the stream completes, such as one in a last line without newline.
   * @throws {CodecError} If the stream ended inside a sample, or what is left is none.
   */
  end(): Sample | null;
}
