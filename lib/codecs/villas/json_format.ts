/**
 * What VILLASnode's formats of JSON have in common: a list of samples in a datagram, an object on each line in a stream.
 *
 * @module
 */

import { concat } from "@std/bytes/concat";
import { CodecError } from "../../errors.ts";
import { JsonFault, type JsonValue, readJson } from "../json/reader.ts";
import type { MessageSplitter, Replies, SampleDecoder, StreamDecoderOptions } from "./format.ts";
import type { FormatForms } from "./format_row.ts";
import { type JsonStyle, type Tree, writeTree } from "./json_text.ts";
import { ByteQueue, MAX_MESSAGE, strangeness } from "./message_stream.ts";
import type { Sample } from "./sample.ts";
import { writtenText } from "./scratch.ts";
import { decodeError } from "./text_format.ts";

/** How deep a message nests: list, sample, ts or data, timestamp or complex number; the rest is for keys that are not known. */
const MAX_DEPTH = 64;
const encoder = new TextEncoder();
/** Puts this in the place of what is no UTF-8. */
const REPLACEMENT = "\ufffd";
const decoder = new TextDecoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true });

/** How one sample is written and read. */
export interface JsonFormat {
  /** The format's name. */
  readonly name: string;
  /** How JSON is written. */
  readonly style: JsonStyle;
  /** Whether what VILLASnode sent may come back as it is. */
  readonly plainEcho: boolean;
  /** What a sample is. */
  tree(sample: Sample, form: JsonForm): Tree;
  /** Writes a sample in the default style, where that can be done faster; undefined where it cannot. */
  write?(sample: Sample, form: JsonForm): string | undefined;
  /** Writes a message of one sample in the default style, where that can be done faster still; undefined where it cannot. */
  writeOne?(sample: Sample): Uint8Array | undefined;
  /** Whether VILLASnode reads an object as the sample that it was read as. Default: whatever it is. */
  isTaken?(json: JsonValue, sample: Sample): boolean;
  /** Reads a text where that can be done faster than as any JSON; null where it cannot. */
  readPlain?(text: string): Sample[] | null;
  /**
   * The sample that an object is.
   *
   * @throws {Unfit} If it is none.
   */
  read(json: JsonValue): Sample;
}

/**
 * For whom a sample is written: as VILLASnode's socket writes it (`node`), for VILLASnode's socket to read (`reply`), or for a stream with
 * (`file`) or without (`plain`) the time of receipt.
 */
export type JsonForm = "node" | "reply" | "file" | "plain";

/** Says what of a sample does not fit. */
export class Unfit extends Error {}

/** Makes the forms of a format of JSON. */
export function jsonForms(
  format: JsonFormat,
): Pick<FormatForms, "encode" | "decode" | "replies" | "stream" | "splitter" | "text"> {
  const { name, style, plainEcho } = format;
  const plain = style.indent === 0 && !style.compact && !style.ensure_ascii &&
    !style.escape_slash &&
    !style.sort_keys;
  const write = (sample: Sample, form: JsonForm) =>
    plain && format.write?.(sample, form) || writeTree(format.tree(sample, form), style);
  const comma = style.compact ? "," : ", ";
  const encodeAs = (form: JsonForm) => (samples: Sample[]) => {
    if (style.indent > 0) {
      return writtenText(writeTree(samples.map((sample) => format.tree(sample, form)), style));
    }
    const single = plain && samples.length === 1 && format.writeOne?.(samples[0]!);
    if (single) return single;
    let text = "[";
    for (let i = 0; i < samples.length; i++) {
      text += (i > 0 ? comma : "") + write(samples[i]!, form);
    }
    return writtenText(text + "]");
  };
  const decode = (bytes: Uint8Array) => decodeJson(format, bytes);
  const replies: Replies = {
    name,
    encode: encodeAs("reply"),
    decode,
    plainEcho,
    isTaken: (bytes, samples) => isTaken(format, bytes, samples),
  };
  return {
    encode: encodeAs("node"),
    decode,
    replies,
    text: true,
    stream: {
      encoder({ offset = true } = {}) {
        const form = offset ? "file" : "plain";
        return {
          encode: (samples) =>
            writtenText(samples.map((sample) => write(sample, form) + "\n").join("")),
        };
      },
      decoder: (options) => new JsonStreamDecoder(format, options),
    },
    splitter: (maxBytes) => new JsonSplitter(name, maxBytes),
  };
}

function decodeJson(format: JsonFormat, bytes: Uint8Array): Sample[] {
  if (bytes.length === 0) return [];
  const text = textOf(bytes, format.name);
  const plain = readPlain(format, text);
  if (plain) return plain;
  const json = parse(text, bytes, format.name);
  const list = Array.isArray(json) ? json : [json];
  return list.map((sample, i) => {
    try {
      return format.read(sample);
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      throw decodeError(bytes, format.name, 0, `sample ${i} has ${error.message}`);
    }
  });
}

/** Whether VILLASnode reads a message, which must decode, as these samples. */
function isTaken(format: JsonFormat, bytes: Uint8Array, samples: readonly Sample[]): boolean {
  if (bytes.length === 0 || format.isTaken === undefined) return true;
  const json = parse(textOf(bytes, format.name), bytes, format.name);
  return Array.isArray(json) && json.every((sample, i) => format.isTaken!(sample, samples[i]!));
}

/** What can be read fast; the rest, and what is wrong, is found out as any JSON is. */
function readPlain(format: JsonFormat, text: string): Sample[] | null {
  try {
    return format.readPlain?.(text) ?? null;
  } catch (error) {
    if (error instanceof Unfit) return null;
    throw error;
  }
}

/** A float: the numbers of JSON that have a point or an exponent. A `number` is one, a `bigint` is an integer. */
function readNumber(source: string): number | bigint | JsonFault {
  for (let i = 0; i < source.length; i++) {
    const code = source.charCodeAt(i);
    if (code === 0x2e || (code | 0x20) === 0x65) {
      const number = Number(source);
      return Number.isFinite(number) ? number : new JsonFault(0, "a number that no float holds");
    }
  }
  if (source.length <= 15) return BigInt(Number(source));
  return source.length > 20 ? new JsonFault(0, "an integer of more than 64 bits") : BigInt(source);
}

function textOf(bytes: Uint8Array, name: string): string {
  const text = decoder.decode(bytes);
  if (text.includes(REPLACEMENT)) {
    try {
      strictDecoder.decode(bytes);
    } catch {
      throw decodeError(bytes, name, 0, "expected UTF-8 text");
    }
  }
  return text;
}

function parse(text: string, bytes: Uint8Array, name: string): JsonValue {
  const value = readJson(text, MAX_DEPTH, readNumber);
  if (!(value instanceof JsonFault)) return value;
  const offset = encoder.encode(text.slice(0, value.index)).length;
  throw decodeError(bytes, name, offset, value.why);
}

/** Bytes at the beginning of a stream that are kept. */
const HEAD = 64;
const LF = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
/** What some programs put before text in UTF-8. */
const BOM = [0xef, 0xbb, 0xbf];

/**
 * Cuts a stream into the lists and objects in it, with or without anything between them. A line that ends inside one is a fault, unless
 * the first one ends as only a text of several lines does, with a bracket that opens.
 */
class JsonSplitter implements MessageSplitter {
  /** On which line the message begins that was returned last. */
  line = 0;
  readonly #name: string;
  readonly #maxBytes: number;
  /** Whether the items of a list are cut apart, too. */
  readonly #opensLists: boolean;
  readonly #queue = new ByteQueue();
  /** The first bytes of the stream, which show what it is if it is no JSON. */
  #head = new Uint8Array();
  /** How many of the bytes that wait were looked at. */
  #seen = 0;
  #depth = 0;
  /** Whether a list was opened whose items are cut apart. */
  #inList = false;
  #inString = false;
  #escaped = false;
  /** The last byte that is no blank. */
  #last = 0;
  /** Whether the first line of the message ends as only a text of several lines does. */
  #severalLines = false;
  /** Where the line begins that is being looked at, counted from the beginning of the message. */
  #lineStart = -1;
  #skipping = false;
  #lines = 1;
  #startLine = 1;

  constructor(name: string, maxBytes = MAX_MESSAGE, opensLists = false) {
    this.#name = name;
    this.#maxBytes = maxBytes;
    this.#opensLists = opensLists;
  }

  /** Where in the stream the next message begins, or the blanks before it. */
  get offset(): number {
    return this.#queue.offset;
  }

  get partial(): boolean {
    return this.#depth > 0 || this.#skipping;
  }

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
    const left = HEAD - this.#head.length;
    if (left > 0) this.#head = concat([this.#head, chunk.subarray(0, left)]);
  }

  next(): Uint8Array | null {
    const queue = this.#queue;
    for (let at = queue.at + this.#seen; at < queue.end; at++) {
      const byte = queue.bytes[at]!;
      if (byte === LF) {
        this.#lines++;
        if (this.#skipping || this.#depth === 0) {
          this.#skipping = false;
          this.#drop(at + 1);
          continue;
        }
        this.#severalLines ||= opens(this.#last);
        this.#lineStart = at + 1 - queue.at;
        if (this.#inString || !this.#severalLines && !this.#inList) {
          const fault = this.#fault("the line ends inside a sample");
          this.#reset(at + 1);
          throw fault;
        }
        continue;
      }
      if (this.#depth > 0 && at - queue.at === this.#lineStart && this.#begins(byte)) {
        const fault = this.#fault("another sample begins inside it");
        if (byte === OPEN_BRACKET) this.#inList = false;
        this.#reset(at);
        throw fault;
      }
      if (this.#skipping || byte <= 0x20) continue;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
        continue;
      }
      if (this.#depth === 0) {
        const isEdge = this.#opensLists && byte === (this.#inList ? CLOSE_BRACKET : OPEN_BRACKET);
        if (isEdge) this.#inList = !this.#inList;
        if (isEdge || byte === COMMA) { // around and between the items of a list
          this.#drop(at + 1);
          continue;
        }
        this.#drop(at);
        this.#startLine = this.#lines;
        if (!opens(byte)) {
          if (queue.offset < BOM.length && byte === BOM[queue.offset]) {
            this.#drop(at + 1);
            continue;
          }
          this.#skipping = true;
          const strange = this.#lines === 1 ? strangeness(this.#head) : "";
          throw this.#fault(`expected an object or a list${strange}`);
        }
      }
      this.#last = byte;
      if (byte === QUOTE) this.#inString = true;
      else if (opens(byte)) this.#depth++;
      else if ((byte === CLOSE_BRACKET || byte === 0x7d) && --this.#depth === 0) {
        const message = queue.bytes.subarray(queue.at, at + 1);
        this.line = this.#startLine;
        this.#reset(at + 1);
        return message;
      }
      if (at - queue.at >= this.#maxBytes) {
        const fault = this.#fault(`the sample is longer than ${this.#maxBytes} bytes`);
        this.#reset(at + 1);
        this.#skipping = true;
        throw fault;
      }
    }
    if (this.#depth === 0) this.#drop(queue.end);
    this.#seen = queue.end - queue.at;
    return null;
  }

  end(): null {
    if (this.#depth === 0) return null;
    const fault = this.#fault("the stream ends inside a sample");
    this.#reset(this.#queue.end);
    throw fault;
  }

  /** Whether a line that begins so inside a sample is that of another one, or of another list: what is inside is indented. */
  #begins(byte: number): boolean {
    return byte === OPEN_BRACE ||
      byte === OPEN_BRACKET && this.#inList && this.#last !== COLON;
  }

  /** Forgets what lies before an index. */
  #drop(at: number): void {
    this.#queue.at = at;
    this.#seen = 0;
  }

  #reset(at: number): void {
    this.#drop(at);
    this.#depth = 0;
    this.#inString = this.#escaped = this.#severalLines = false;
    this.#lineStart = -1;
  }

  #fault(why: string): CodecError {
    const { offset } = this;
    this.line = this.#startLine;
    return new CodecError(
      `Cannot read ${this.#name} in line ${this.#startLine} (byte ${offset}): ${why}`,
      { offset },
    );
  }
}

function opens(byte: number): boolean {
  return byte === OPEN_BRACKET || byte === OPEN_BRACE;
}

class JsonStreamDecoder implements SampleDecoder {
  offset = 0;
  readonly #format: JsonFormat;
  readonly #splitter: JsonSplitter;
  #samples: Sample[] = [];
  #taken = 0;

  constructor(format: JsonFormat, { maxBytes }: StreamDecoderOptions = {}) {
    this.#format = format;
    this.#splitter = new JsonSplitter(format.name, maxBytes, true);
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
      this.#samples = [];
      this.#taken = 0;
      this.#samples = this.#decode(message);
    }
    return this.#samples[this.#taken++]!;
  }

  end(): Sample | null {
    this.#splitter.end();
    return null;
  }

  #decode(message: Uint8Array): Sample[] {
    try {
      return decodeJson(this.#format, message);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      const offset = this.offset + (error.offset ?? 0);
      const why = error.message.replace(/^.*? at byte \d+: (?:sample 0 has )?/, "");
      throw new CodecError(
        `Cannot read ${this.#format.name} in line ${this.line} (byte ${offset}): ${why}`,
        { offset, cause: error },
      );
    }
  }
}
