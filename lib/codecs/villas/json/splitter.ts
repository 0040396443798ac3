import { concat } from "@std/bytes/concat";
import type { CodecError } from "../../../errors.ts";
import type { MessageSplitter } from "../format.ts";
import { ByteQueue, MAX_MESSAGE, strangeness, streamFault } from "../message_stream.ts";

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
export class JsonSplitter implements MessageSplitter {
  /** On which line the message begins that was returned last. */
  line = 0;
  readonly #name: string;
  readonly #maxBytes: number;
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

  /**
   * @param name The format's name.
   * @param maxBytes Longest message.
   * @param opensLists Whether the items of a list are cut apart, too.
   */
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
    this.line = this.#startLine;
    return streamFault(this.#name, this, why);
  }
}

function opens(byte: number): boolean {
  return byte === OPEN_BRACKET || byte === OPEN_BRACE;
}
