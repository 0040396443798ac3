/**
 * Where a message of a format ends in a stream: VILLASnode sends its messages over TCP with nothing between them.
 *
 * @module
 */

import type { Format } from "../../codecs/villas/format.ts";
import type { Sample, Value } from "../../codecs/villas/sample.ts";
import type { SignalKind } from "../../codecs/villas/signals.ts";
import { CodecError } from "../../errors.ts";
import type { FrameDecoder } from "../../net/framing/framing.ts";

/** The longest message: as much as VILLASnode can take at once, and some more. */
const MOST_BYTES = 1 << 20;
const LF = 0x0a;

/**
 * Finds the end of the first message.
 *
 * @param bytes What has arrived and is not taken yet.
 * @param seen How many of them have been looked at before, without finding the end.
 * @returns Its length, or 0 where its end has not arrived.
 * @throws {CodecError} If no message begins like this.
 */
type MessageLength = (bytes: Uint8Array, seen: number) => number;

/**
 * Makes what cuts a stream into the messages of a format: lines, JSON values, what a header says, or as many bytes as the signals take.
 * A message of protobuf is cut into its samples, as such messages one after another cannot be told from one.
 *
 * @param format The format.
 * @param signals The signals, for formats that say nothing about them.
 */
export function messageSplitter(
  format: Format,
  signals: readonly SignalKind[] | undefined,
): FrameDecoder {
  const name = format.name.replace(/,.*/s, "");
  return new MessageSplitter(name, lengthOf(name, format, signals), !BINARY.includes(name));
}

/** Formats whose bytes are not text, in which no byte is blank. */
const BINARY = ["protobuf", "villas.binary", "villas.web", "opal.asyncip", "raw", "gtnet"];

function lengthOf(
  name: string,
  format: Format,
  signals: readonly SignalKind[] | undefined,
): MessageLength {
  if (name === "protobuf") return protobufLength;
  if (name === "villas.binary") return (bytes) => villasLength(bytes, false);
  if (name === "villas.web") return (bytes) => villasLength(bytes, true);
  if (name === "opal.asyncip") return opalLength;
  if (name === "raw" || name === "gtnet") return sameLength(format, signals);
  if (name === "iotagent_ul") return (bytes) => bytes.length;
  if (name === "json" || name.startsWith("json.")) return new JsonLength().find;
  return delimited(format);
}

/** Cuts a stream into messages. */
class MessageSplitter implements FrameDecoder {
  readonly #name: string;
  readonly #lengthOf: MessageLength;
  readonly #isText: boolean;
  /** What has arrived: the chunk itself, or, where a message has begun before it, a buffer of this splitter's own. */
  #bytes = new Uint8Array(0);
  #from = 0;
  #to = 0;
  /** How many of the bytes have been looked at in vain. */
  #seen = 0;
  #held = new Uint8Array(0);

  constructor(name: string, lengthOf: MessageLength, isText: boolean) {
    this.#name = name;
    this.#lengthOf = lengthOf;
    this.#isText = isText;
  }

  get partial(): boolean {
    return this.#to > this.#from;
  }

  push(chunk: Uint8Array): void {
    if (this.partial) {
      this.#hold(chunk);
      return;
    }
    this.#bytes = chunk as Uint8Array<ArrayBuffer>;
    this.#from = 0;
    this.#to = chunk.length;
  }

  next(): Uint8Array | null {
    while (this.partial) {
      const bytes = this.#bytes.subarray(this.#from, this.#to);
      const length = this.#lengthOf(bytes, this.#seen);
      if (length === 0) {
        if (bytes.length > MOST_BYTES) throw this.#tooLong();
        this.#seen = bytes.length;
        if (this.#bytes !== this.#held) this.#hold(new Uint8Array(0)); // the chunk's memory may be used again
        return null;
      }
      this.#from += length;
      this.#seen = 0;
      const message = bytes.subarray(0, length);
      if (!this.#isText || message.some((byte) => byte > 0x20)) return message;
    }
    return null;
  }

  end(): null {
    const rest = this.#to - this.#from;
    this.#from = this.#to;
    if (rest === 0) return null;
    throw new CodecError(
      `Cannot read the last ${rest} bytes as ${this.#name}: the connection ended inside a message`,
      { offset: rest },
    );
  }

  /** Adds a chunk to the message that has begun, in a buffer that grows by doubling. */
  #hold(chunk: Uint8Array): void {
    const rest = this.#bytes.subarray(this.#from, this.#to);
    const length = rest.length + chunk.length;
    if (this.#bytes === this.#held && this.#to + chunk.length <= this.#held.length) {
      this.#held.set(chunk, this.#to);
      this.#to += chunk.length;
      return;
    }
    const held = length <= this.#held.length
      ? this.#held
      : new Uint8Array(Math.max(length, 2 * this.#held.length, 256));
    held.set(rest);
    held.set(chunk, rest.length);
    this.#bytes = this.#held = held;
    this.#from = 0;
    this.#to = length;
  }

  #tooLong(): CodecError {
    this.#from = this.#to;
    return new CodecError(
      `Cannot read message as ${this.#name}: it is longer than ${MOST_BYTES} bytes`,
      { offset: MOST_BYTES },
    );
  }
}

/** Messages are the samples of one big message: a field number, a length, and so many bytes. */
function protobufLength(bytes: Uint8Array): number {
  const [tag, content] = varint(bytes, 0);
  if (content === 0) return 0;
  let end: number;
  if ((tag & 7) === 2) {
    const [length, start] = varint(bytes, content);
    if (start === 0) return 0;
    end = start + length;
  } else if ((tag & 7) === 0) {
    end = varint(bytes, content)[1];
  } else if ((tag & 7) === 1 || (tag & 7) === 5) end = content + ((tag & 7) === 1 ? 8 : 4);
  else throw lost("protobuf", `field type ${tag & 7}`, "0, 1, 2 or 5");
  if (end > MOST_BYTES) throw lost("protobuf", `a sample of ${end} bytes`, `at most ${MOST_BYTES}`);
  return end <= bytes.length ? end : 0;
}

/** A number of protobuf's and where it ends; 0 where its end is not there. */
function varint(bytes: Uint8Array, from: number): [value: number, end: number] {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) return [0, 0];
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return [value, from + i + 1];
  }
  throw lost("protobuf", "a number of more than 10 bytes", "at most 10");
}

/** A header of 16 bytes that says how many values of 4 bytes follow. */
function villasLength(bytes: Uint8Array, littleEndian: boolean): number {
  if (bytes[0]! >>> 4 !== 2) {
    const name = littleEndian ? "villas.web" : "villas.binary";
    throw lost(name, `version ${bytes[0]! >>> 4}`, "2");
  }
  if (bytes.length < 16) return 0;
  const count = littleEndian ? bytes[3]! << 8 | bytes[2]! : bytes[2]! << 8 | bytes[3]!;
  const length = 16 + 4 * count;
  return length <= bytes.length ? length : 0;
}

/** A header of 8 bytes, of which the last two say how many bytes follow. */
function opalLength(bytes: Uint8Array): number {
  if (bytes.length < 8) return 0;
  const size = bytes[7]! << 8 | bytes[6]!;
  if (size % 8 !== 0) throw lost("opal.asyncip", `${size} bytes of values`, "a multiple of 8");
  return 8 + size <= bytes.length ? 8 + size : 0;
}

/** Messages have one length, which follows from the signals. */
function sameLength(format: Format, signals: readonly SignalKind[] | undefined): MessageLength {
  if (signals === undefined) {
    throw new CodecError(
      `Cannot find the messages of ${format.name} in a stream: expected the signals, with --signals`,
    );
  }
  const { length } = format.encode([sampleOf(signals)]);
  return (bytes) => bytes.length < length ? 0 : length;
}

function sampleOf(signals: readonly SignalKind[]): Sample {
  const zeros: Record<SignalKind, Value> = {
    float: 0,
    integer: 0n,
    boolean: false,
    complex: { real: 0, imag: 0 },
  };
  const values = signals.map((kind) => zeros[kind]);
  return { type: "data", sequence: 0n, origin: { sec: 0, nsec: 0 }, values };
}

/** Messages end with the same byte, which is that of a newline if the format is not told otherwise. */
function delimited(format: Format): MessageLength {
  const end = format.encode([sampleOf(["float"])]).at(-1) ?? LF;
  return (bytes, seen) => bytes.indexOf(end, seen) + 1;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OBJECT, OBJECT_END, LIST, LIST_END] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Finds the end of JSON values, looking at each byte once; only brackets and quotes count. */
class JsonLength {
  #depth = 0;
  #isText = false;
  #isEscaped = false;

  readonly find: MessageLength = (bytes, seen) => {
    for (let i = seen; i < bytes.length; i++) {
      if (!this.#ends(bytes[i]!)) continue;
      return i + 1;
    }
    return 0;
  };

  /** Whether a message ends here: a list or an object, or a line of anything else, which does not decode. */
  #ends(byte: number): boolean {
    if (this.#isText) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) this.#isText = false;
    } else if (byte === QUOTE) this.#isText = this.#depth > 0;
    else if (byte === OBJECT || byte === LIST) this.#depth++;
    else if (byte === OBJECT_END || byte === LIST_END) {
      this.#depth = Math.max(0, this.#depth - 1);
      return this.#depth === 0;
    } else return byte === LF && this.#depth === 0;
    return false;
  }
}

function lost(name: string, found: string, wanted: string): CodecError {
  return new CodecError(
    `Cannot find the next message of ${name}: got ${found}, expected ${wanted}`,
  );
}
