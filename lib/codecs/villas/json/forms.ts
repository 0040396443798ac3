/**
 * What VILLASnode's formats of JSON have in common: a list of samples in a datagram, an object on each line in a stream.
 *
 * @module
 */

import { JsonFault, type JsonValue, readJson } from "../../json/reader.ts";
import type { Replies } from "../format.ts";
import type { FormatForms } from "../format_row.ts";
import { JsonSplitter } from "./splitter.ts";
import { type JsonStyle, type Tree, writeTree } from "./text.ts";
import { MessageDecoder } from "../message_stream.ts";
import type { Sample } from "../sample.ts";
import { writtenText } from "../scratch.ts";
import { decodeError } from "../text_format.ts";

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
      decoder: ({ maxBytes } = {}) =>
        new MessageDecoder({ name, decode }, new JsonSplitter(name, maxBytes, true)),
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
