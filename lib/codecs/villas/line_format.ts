/**
 * What the formats of one line for each sample have in common: datagrams of lines, and streams with a header line.
 *
 * @module
 */

import { CodecError } from "../../errors.ts";
import { counted } from "../../text/wording.ts";
import type {
  MessageSplitter,
  Replies,
  SampleDecoder,
  StreamDecoderOptions,
  StreamForm,
} from "./format.ts";
import type { FormatForms } from "./format_row.ts";
import { ByteQueue, MAX_MESSAGE, strangeness, streamFault } from "./message_stream.ts";
import type { Sample } from "./sample.ts";
import { writtenText } from "./scratch.ts";
import { character, flag } from "./settings.ts";
import { floatSignals, type Signal } from "./signals.ts";
import { decodeError } from "./text_format.ts";
import { LineFault } from "./text_values.ts";
import { asUniform } from "./uniform.ts";

/** The settings that all formats of lines have. */
export const LINES = {
  delimiter: character("\n"),
  header: flag(true),
  skip_first_line: flag(false),
  comment_prefix: character("#"),
} as const;

/** What these would be in a format that has none of them. */
export const BARE_LINES = {
  delimiter: "\n",
  header: false,
  skip_first_line: false,
  comment_prefix: "#",
} as const;

/**
 * Who reads or writes a line: VILLASnode's socket writes it (`node`), VILLASnode's socket reads it (`reply`), or it is a line of a stream
 * with (`file`) or without (`plain`) a place for the time of receipt.
 */
export type LineForm = "node" | "reply" | "file" | "plain";

/** How one line is written and read. */
export interface LineFormat {
  /** The format's name. */
  readonly name: string;
  /** The settings. */
  readonly settings: {
    readonly delimiter: string;
    readonly header: boolean;
    readonly skip_first_line: boolean;
    readonly comment_prefix: string;
    readonly offset: boolean;
  };
  /** The signals, if they were stated. */
  readonly signals: readonly Signal[] | undefined;
  /** Whether what VILLASnode sent may come back as it is. */
  readonly plainEcho: boolean;
  /** The header line, without its end; undefined where the format has none. */
  header?(signals: readonly Signal[], offset: boolean): string;
  /** Whether a comment is a header line by which its lines have a place for the time of receipt; undefined if it is none. */
  headerOffset?(comment: string): boolean | undefined;
  /** A line, without its end. */
  write(sample: Sample, form: LineForm): string;
  /**
   * The sample that a line is.
   *
   * @throws {LineFault} If it is none.
   */
  read(text: string, start: number, end: number, form: LineForm): Sample;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const SPACE = 0x20;
const CR = 0x0d;
/** Characters of a comment that are looked at, of which the first ones tell. */
const LONGEST_HEAD = 1000;

/** Makes the forms of a format of lines. */
export function lineForms(
  format: LineFormat,
): Pick<FormatForms, "encode" | "decode" | "replies" | "stream" | "splitter" | "text"> {
  const { name, plainEcho } = format;
  const codec = (form: LineForm) => ({
    encode: (samples: Sample[]) => writtenText(writeLines(format, samples, form)),
    decode: (bytes: Uint8Array) => readLines(format, bytes, form),
  });
  const isTaken = (bytes: Uint8Array) => isTakenLines(bytes, format.settings);
  const replies: Replies = { name, plainEcho, isTaken, ...codec("reply") };
  return {
    ...codec("node"),
    replies,
    text: true,
    stream: lineStream(format),
    splitter: (maxBytes) => new LineSplitter(format, maxBytes),
  };
}

function writeLines(
  format: LineFormat,
  samples: readonly Sample[],
  form: LineForm,
  kinds?: readonly Signal[],
): string {
  const { settings: { delimiter } } = format;
  let text = "";
  for (let i = 0; i < samples.length; i++) {
    const sample = kinds ? asUniform(samples[i]!, kinds) : samples[i]!;
    text += format.write(sample, form) + delimiter;
  }
  return text;
}

function readLines(format: LineFormat, bytes: Uint8Array, form: LineForm): Sample[] {
  const { settings: { delimiter } } = format;
  const samples: Sample[] = [];
  const text = decoder.decode(bytes);
  let start = 0;
  while (start < text.length) {
    const delimited = text.indexOf(delimiter, start);
    const end = delimited < 0 ? text.length : delimited;
    try {
      const sample = readLine(format, text, start, end, form);
      if (sample !== null) samples.push(sample);
    } catch (error) {
      if (!(error instanceof LineFault)) throw error;
      throw decodeError(bytes, format.name, lengthOf(text, error.at), error.message);
    }
    start = end + 1;
  }
  return samples;
}

/** The sample that a line is; null if it is blank or a comment. */
function readLine(
  format: LineFormat,
  text: string,
  start: number,
  end: number,
  form: LineForm,
): Sample | null {
  if (end > start && text.charCodeAt(end - 1) === CR) end--;
  let at = start;
  while (at < end && text.charCodeAt(at) <= SPACE) at++;
  if (at === end || text[at] === format.settings.comment_prefix) return null;
  return format.read(text, start, end, form);
}

/** Whether every line has its end, with nothing blank before it: on anything else VILLASnode aborts, or takes it for a sample. */
function isTakenLines(bytes: Uint8Array, settings: LineFormat["settings"]): boolean {
  const end = settings.delimiter.charCodeAt(0);
  const comment = settings.comment_prefix.charCodeAt(0);
  let before = end;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === CR || before === end && byte === comment) return false;
    if (byte === end && (before <= SPACE || before === end)) return false;
    before = byte;
  }
  return bytes.length === 0 || before === end;
}

/** How many bytes the beginning of a text has. */
function lengthOf(text: string, end: number): number {
  return encoder.encode(text.slice(0, end)).length;
}

function lineStream(format: LineFormat): StreamForm {
  const { settings } = format;
  return {
    encoder(options = {}) {
      const { signals = format.signals, header = settings.header, uniform = false } = options;
      const { offset = settings.offset } = options;
      let begun = false;
      const form = offset ? "file" : "plain";
      return {
        encode(samples) {
          let text = "";
          if (!begun && header && format.header) {
            const count = samples[0]?.values.length ?? 0;
            text = format.header(signals ?? floatSignals(count), offset) + settings.delimiter;
          }
          const kinds = uniform ? signals : undefined;
          const bytes = writtenText(text + writeLines(format, samples, form, kinds));
          begun = true;
          return bytes;
        },
      };
    },
    decoder: (options) => new LineStreamDecoder(format, options),
  };
}

/** Reads the samples of a stream of lines. */
class LineStreamDecoder implements SampleDecoder {
  line = 0;
  readonly #format: LineFormat;
  readonly #maxBytes: number;
  readonly #delimiter: number;
  readonly #queue = new ByteQueue();
  /** Complete lines, as text. */
  #text = "";
  #at = 0;
  /** Where the sample begins that was returned last, as an index of the text. */
  #start = 0;
  /** Where in the stream the text begins, in bytes. */
  #textOffset = 0;
  #textBytes = 0;
  #skipFirst: boolean;
  #form: LineForm;
  /** Whether the rest of a line that is too long is being skipped. */
  #skipping = false;
  /** What the first bytes are, if they are no text. */
  #strange = "";

  constructor(format: LineFormat, { maxBytes = MAX_MESSAGE }: StreamDecoderOptions = {}) {
    this.#format = format;
    this.#maxBytes = maxBytes;
    this.#delimiter = format.settings.delimiter.charCodeAt(0);
    this.#skipFirst = format.settings.skip_first_line;
    this.#form = format.settings.offset ? "file" : "plain";
  }

  get offset(): number {
    const ascii = this.#textBytes === this.#text.length;
    return this.#textOffset + (ascii ? this.#start : lengthOf(this.#text, this.#start));
  }

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  next(): Sample | null {
    for (;;) {
      while (this.#at < this.#text.length) {
        const sample = this.#take();
        if (sample !== null) return sample;
      }
      if (!this.#fill()) return null;
    }
  }

  end(): Sample | null {
    const queue = this.#queue;
    if (queue.at < queue.end && !this.#skipping) this.#read(queue.end);
    queue.at = queue.end;
    return this.next();
  }

  /** Takes the complete lines that arrived; false if there are none. */
  #fill(): boolean {
    const queue = this.#queue;
    if (this.#skipping) {
      const end = queue.bytes.subarray(queue.at, queue.end).indexOf(this.#delimiter);
      queue.at = end < 0 ? queue.end : queue.at + end + 1;
      if (end < 0) return false;
      this.#skipping = false;
    }
    const waiting = queue.bytes.subarray(queue.at, queue.end);
    const last = waiting.lastIndexOf(this.#delimiter);
    if (last >= 0) {
      this.#read(queue.at + last + 1);
      return true;
    }
    if (waiting.length > this.#maxBytes) {
      const { offset } = queue;
      this.line++;
      this.#skipping = true;
      queue.at = queue.end;
      throw this.#tooLong(offset);
    }
    return false;
  }

  /** Makes text of what arrived, up to an index of the queue. */
  #read(end: number): void {
    const queue = this.#queue;
    if (this.line === 0) this.#strange = strangeness(queue.bytes.subarray(queue.at, queue.end));
    this.#textOffset = queue.offset;
    this.#textBytes = end - queue.at;
    this.#text = decoder.decode(queue.bytes.subarray(queue.at, end));
    this.#at = 0;
    queue.at = end;
  }

  /** The sample of the next line; null if it is blank, a comment or a header. */
  #take(): Sample | null {
    const { delimiter, comment_prefix } = this.#format.settings;
    const text = this.#text;
    const start = this.#at;
    const delimited = text.indexOf(delimiter, start);
    const end = delimited < 0 ? text.length : delimited;
    this.#at = end + 1;
    this.#start = start;
    this.line++;
    if (end - start > this.#maxBytes) throw this.#tooLong(this.#textOffset + start);
    if (text[start] === comment_prefix) {
      this.#lookAtHeader(text.slice(start + 1, Math.min(end, start + LONGEST_HEAD)));
    }
    if (this.#skipFirst) {
      this.#skipFirst = false;
      return null;
    }
    try {
      return readLine(this.#format, text, start, end, this.#form);
    } catch (error) {
      if (!(error instanceof LineFault)) throw error;
      const hint = this.line === 1 ? this.#hint(text.slice(start, end)) : "";
      throw this.#fault(this.#textOffset + lengthOf(text, error.at), error.message + hint);
    }
  }

  /** What a first line may be that is no sample. */
  #hint(line: string): string {
    if (this.#strange !== "") return this.#strange;
    const { name, header, settings } = this.#format;
    return header && !settings.skip_first_line && /^"?[A-Za-z]/.test(line)
      ? `; ${name},skip_first_line=true leaves out a header`
      : "";
  }

  #tooLong(offset: number): CodecError {
    return this.#fault(offset, `the line is longer than ${this.#maxBytes} bytes`);
  }

  #lookAtHeader(comment: string): void {
    const hasOffset = this.#format.headerOffset?.(comment);
    if (hasOffset !== undefined) this.#form = hasOffset ? "file" : "plain";
  }

  #fault(offset: number, why: string): CodecError {
    return streamFault(this.#format.name, { line: this.line, offset }, why);
  }
}

/** Cuts a stream into lines, each with its end. */
class LineSplitter implements MessageSplitter {
  readonly #name: string;
  readonly #delimiter: number;
  readonly #maxBytes: number;
  readonly #queue = new ByteQueue();
  /** How many of the bytes that wait are known to hold no end of a line. */
  #seen = 0;
  #skipping = false;

  constructor({ name, settings }: LineFormat, maxBytes = MAX_MESSAGE) {
    this.#name = name;
    this.#delimiter = settings.delimiter.charCodeAt(0);
    this.#maxBytes = maxBytes;
  }

  get partial(): boolean {
    return this.#queue.at < this.#queue.end || this.#skipping;
  }

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  next(): Uint8Array | null {
    const queue = this.#queue;
    for (;;) {
      const end = queue.bytes.subarray(0, queue.end).indexOf(
        this.#delimiter,
        queue.at + this.#seen,
      );
      const length = (end < 0 ? queue.end : end) - queue.at;
      const start = queue.at;
      this.#seen = end < 0 ? length : 0;
      if (end < 0 && length <= this.#maxBytes && !this.#skipping) return null;
      queue.at = end < 0 ? queue.end : end + 1;
      if (end < 0) this.#seen = 0;
      if (this.#skipping) {
        if (end < 0) return null;
        this.#skipping = false;
        continue;
      }
      if (length > this.#maxBytes) {
        this.#skipping = end < 0;
        throw new CodecError(
          `Cannot read ${this.#name}: the line is longer than ${this.#maxBytes} bytes`,
          { offset: queue.offset },
        );
      }
      return queue.bytes.subarray(start, queue.at);
    }
  }

  end(): null {
    const queue = this.#queue;
    const { offset } = queue;
    const rest = queue.bytes.subarray(queue.at, queue.end);
    queue.at = queue.end;
    if (this.#skipping || rest.every((byte) => byte <= SPACE)) return null;
    // Nobody knows whether its last number is whole.
    throw new CodecError(
      `Cannot read ${this.#name} at byte ${offset}: the stream ends inside a line, of which ${
        counted(rest.length, "byte")
      } came`,
      { offset },
    );
  }
}
