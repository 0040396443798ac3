/**
 * What the stream forms of the formats have in common, and that of formats whose messages show how long they are: binary ones.
 *
 * @module
 */

import { CodecError } from "../../errors.ts";
import { counted } from "../../text/wording.ts";
import type { Codec } from "../codec.ts";
import type { MessageSplitter, SampleDecoder, StreamForm } from "./format.ts";
import type { Sample } from "./sample.ts";

/** Bytes of a message at most, unless told otherwise. */
export const MAX_MESSAGE = 1 << 20;

/** Bytes at the beginning of what should be text that are looked at. */
const LOOK = 64;

/** What bytes may be that were taken for text, as the end of a message; empty where nothing is known. */
export function strangeness(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0x1f && second === 0x8b) return "; it is compressed: gunzip it first";
  const head = bytes.subarray(0, LOOK);
  const nulls = (rest: number) =>
    head.length > 3 && head.every((byte, i) => (i % 2 === rest) === (byte === 0));
  if (
    first === 0xff && (second ?? 0xfe) === 0xfe || first === 0xfe && (second ?? 0xff) === 0xff ||
    nulls(0) || nulls(1)
  ) {
    return "; the text is UTF-16, as PowerShell's > writes it: write it as UTF-8, as with | Out-File -Encoding ascii";
  }
  return head.some((byte) => byte < 9 || byte > 13 && byte < 32) ? "; it is not text" : "";
}

/**
 * Says why something in a stream is no sample.
 *
 * @param name The format's name.
 * @param place On which line it is, 0 where the format has none, and at which byte.
 * @param why What is wrong with it.
 * @param cause What a codec has thrown.
 */
export function streamFault(
  name: string,
  { line, offset }: Pick<SampleDecoder, "line" | "offset">,
  why: string,
  cause?: CodecError,
): CodecError {
  const where = line > 0 ? `in line ${line} (byte ${offset})` : `at byte ${offset}`;
  return new CodecError(`Cannot read ${name} ${where}: ${why}`, { offset, ...cause && { cause } });
}

/** How long the message is that begins somewhere: 0 if more bytes are needed to tell, -1 if none begins there. */
export type Measure = (bytes: Uint8Array, start: number, end: number) => number;

/** Bytes that arrived and are not used up yet: each is copied once, whatever the chunks are like. */
export class ByteQueue {
  /** Holds the bytes from `at` to `end`. */
  bytes: Uint8Array = new Uint8Array();
  /** Where the bytes begin that are not used up. */
  at = 0;
  /** Where they end. */
  end = 0;
  /** Bytes of the stream before `bytes`. */
  #gone = 0;

  /** Where in the stream `at` is. */
  get offset(): number {
    return this.#gone + this.at;
  }

  /** Adds what arrived next; what lies before `at` is forgotten, and `at` is 0 then. */
  push(chunk: Uint8Array): void {
    const left = this.end - this.at;
    this.#gone += this.at;
    if (left + chunk.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(left + chunk.length, 2 * left));
      grown.set(this.bytes.subarray(this.at, this.end));
      this.bytes = grown;
    } else this.bytes.copyWithin(0, this.at, this.end);
    this.bytes.set(chunk, left);
    this.at = 0;
    this.end = left + chunk.length;
  }
}

/** Cuts a stream into messages that show their length at the beginning. */
export class MeasuredSplitter implements MessageSplitter {
  /** There are no lines. */
  readonly line = 0;
  readonly #name: string;
  readonly #measure: Measure;
  readonly #maxBytes: number;
  readonly #queue = new ByteQueue();
  /** Whether the beginning of a message is being looked for. */
  #lost = false;

  /**
   * @param name The format's name.
   * @param measure How long a message is.
   * @param maxBytes Longest message.
   */
  constructor(name: string, measure: Measure, maxBytes = MAX_MESSAGE) {
    this.#name = name;
    this.#measure = measure;
    this.#maxBytes = maxBytes;
  }

  /** Where in the stream the next message begins. */
  get offset(): number {
    return this.#queue.offset;
  }

  get partial(): boolean {
    return this.#queue.at < this.#queue.end;
  }

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  next(): Uint8Array | null {
    const queue = this.#queue;
    while (queue.at < queue.end) {
      const length = this.#measure(queue.bytes, queue.at, queue.end);
      if (length < 0 || length > this.#maxBytes) {
        const fault = this.#lost ? undefined : this.#fault("expected the beginning of a message");
        this.#lost = true;
        queue.at++; // on with the next place where one could begin
        if (fault) throw fault;
        continue;
      }
      if (length === 0 || queue.at + length > queue.end) return null;
      this.#lost = false;
      queue.at += length;
      return queue.bytes.subarray(queue.at - length, queue.at);
    }
    return null;
  }

  end(): null {
    const queue = this.#queue;
    const left = queue.end - queue.at;
    if (left === 0) return null;
    const fault = this.#fault(
      `the stream ends inside a message, of which ${counted(left, "byte")} came`,
    );
    queue.at = queue.end;
    throw fault;
  }

  #fault(why: string): CodecError {
    return streamFault(this.#name, this, why);
  }
}

/**
 * Makes the stream form: what is written are the datagrams, one after another.
 *
 * @param codec The datagrams.
 * @param splitter Makes what tells them apart again.
 */
export function messageStream(
  codec: Codec<Sample[]>,
  splitter: (maxBytes?: number) => MeasuredSplitter,
): StreamForm {
  return {
    encoder: () => ({ encode: (samples) => codec.encode([...samples]) }),
    decoder: ({ maxBytes } = {}) => new MessageDecoder(codec, splitter(maxBytes)),
  };
}

/** Reads the samples of messages that follow one another. */
export class MessageDecoder implements SampleDecoder {
  offset = 0;
  readonly #codec: Pick<Codec<Sample[]>, "name" | "decode">;
  readonly #splitter: MessageSplitter & Pick<SampleDecoder, "line" | "offset">;
  #samples: Sample[] = [];
  #taken = 0;

  /**
   * @param codec Decodes each message.
   * @param splitter Tells the messages apart.
   */
  constructor(
    codec: Pick<Codec<Sample[]>, "name" | "decode">,
    splitter: MessageSplitter & Pick<SampleDecoder, "line" | "offset">,
  ) {
    this.#codec = codec;
    this.#splitter = splitter;
  }

  get line(): number {
    return this.#splitter.line;
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
  }

  next(): Sample | null {
    while (this.#taken === this.#samples.length) {
      const message = this.#splitter.next();
      if (message === null) return null;
      this.offset = this.#splitter.offset - message.length;
      this.#samples = this.#decode(message);
      this.#taken = 0;
    }
    return this.#samples[this.#taken++]!;
  }

  end(): Sample | null {
    this.#splitter.end();
    return null;
  }

  #decode(message: Uint8Array): Sample[] {
    try {
      return this.#codec.decode(message);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      const offset = this.offset + (error.offset ?? 0);
      const why = error.message.replace(
        /^Cannot decode VILLAS message of \d+ bytes?( as \S+)? at byte \d+: (sample 0 has )?/,
        "",
      );
      throw streamFault(this.#codec.name, { line: this.line, offset }, why, error);
    }
  }
}
