/**
 * Reads the messages that VILLASnode itself sends. They are read by code made for this schema; whatever is not exactly of the usual
 * shape is left to protobufjs, which knows all of the wire format. Section titles are those of
 * <https://protobuf.dev/programming-guides/encoding/>.
 *
 * @module
 */

import * as tag from "./wire.ts";
import { dataSample, type Sample, type Timestamp, type Value } from "../sample.ts";

const UINT32_MAX = 0xffff_ffff;

/** The eight bytes of a number. */
const eight = new DataView(new ArrayBuffer(8));
const eightBytes = new Uint8Array(eight.buffer);

/** The message that is being read, and how far it has been. */
let bytes = eightBytes;
let at = 0;

/**
 * Reads a plain message: samples of type DATA, their fields in the order of VILLASnode, each at most once and none that is unknown,
 * every value set.
 *
 * @param message A message in format `protobuf`.
 * @returns Its samples, or undefined where it is of any other shape, be it valid or not.
 */
export function readPlain(message: Uint8Array): Sample[] | undefined {
  bytes = message as Uint8Array<ArrayBuffer>;
  at = 0;
  let samples: Sample[] | undefined;
  while (at < message.length) {
    if (bytes[at++] !== tag.SAMPLE) return undefined;
    const sample = readSample(readEnd(message.length));
    if (sample === undefined) return undefined;
    // Most messages have one: room for more would be garbage.
    if (samples === undefined) samples = [sample];
    else samples.push(sample);
  }
  return samples ?? [];
}

/** "Submessages"; VILLASnode writes the fields by their numbers, which "Field Order" recommends. */
function readSample(end: number): Sample | undefined {
  if (end < at + 2 || bytes[at] !== tag.TYPE || bytes[at + 1] !== tag.DATA) return undefined;
  at += 2;
  let sequence: bigint | undefined;
  let origin, received: Timestamp | undefined;
  let newFrame: boolean | undefined;
  if (takes(tag.SEQUENCE, end)) {
    const number = readVarint(end, tag.EXACT_VARINT);
    if (number < 0) return undefined;
    sequence = BigInt(number);
  }
  if (takes(tag.TS_ORIGIN, end) && !(origin = readTimestamp(readEnd(end)))) return undefined;
  if (takes(tag.TS_RECEIVED, end) && !(received = readTimestamp(readEnd(end)))) return undefined;
  if (takes(tag.NEW_FRAME, end) && (newFrame = readBool(end)) === undefined) return undefined;
  const values = readValues(end);
  if (values === undefined) return undefined;
  return dataSample(values, sequence, origin, received, newFrame);
}

function readTimestamp(end: number): Timestamp | undefined {
  if (!takes(tag.SEC, end)) return undefined;
  const sec = readVarint(end, tag.EXACT_VARINT);
  if (sec < 0 || sec > UINT32_MAX || !takes(tag.NSEC, end)) return undefined;
  const nsec = readVarint(end, tag.EXACT_VARINT);
  return nsec < 0 || nsec > UINT32_MAX || at !== end ? undefined : { sec, nsec };
}

/** "Repeated Elements": a record for each value. */
function readValues(end: number): Value[] | undefined {
  const values: Value[] = [];
  while (at < end) {
    if (bytes[at] !== tag.VALUES || bytes[at + 1] !== tag.VALUES_2) return undefined;
    at += 2;
    const value = readValue(readEnd(end));
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

/** "Oneofs": one record of four kinds. */
function readValue(end: number): Value | undefined {
  if (at >= end) return undefined;
  let value: Value | undefined;
  switch (bytes[at++]) {
    case tag.FLOAT:
      if (end - at !== 8) return undefined;
      value = readDouble();
      break;
    case tag.INTEGER:
      value = readInt64(end);
      break;
    case tag.BOOLEAN:
      value = readBool(end);
      break;
    case tag.COMPLEX:
      if (readEnd(end) !== end || end - at !== tag.COMPLEX_LENGTH) return undefined;
      if (bytes[at] !== tag.REAL || bytes[at + 5] !== tag.IMAG) return undefined;
      value = { real: readFloat(at + 1), imag: readFloat(at + 6) };
      at = end;
      break;
  }
  return at === end ? value : undefined;
}

/** Takes a tag if it comes next. */
function takes(wanted: number, end: number): boolean {
  if (at >= end || bytes[at] !== wanted) return false;
  at++;
  return true;
}

/** "Length-Delimited Records": where one ends; -1 if that is beyond the limit, or its length is padded. */
function readEnd(limit: number): number {
  const length = readVarint(limit, tag.LENGTH_VARINT);
  return length < 0 || length > limit - at ? -1 : at + length;
}

/** "Base 128 Varints"; -1 where it is cut off or takes more bytes than `longest`. */
function readVarint(end: number, longest: number): number {
  let value = 0;
  for (let i = 0, factor = 1; i < longest && at < end; i++, factor *= 128) {
    const byte = bytes[at++]!;
    if (byte < 128) return value + byte * factor;
    value += (byte - 128) * factor;
  }
  return -1;
}

/** "Signed Integers": an int64 is a varint of its two's complement, a negative one of ten bytes. */
function readInt64(end: number): bigint | undefined {
  const start = at;
  const small = readVarint(end, tag.EXACT_VARINT);
  if (small >= 0) return BigInt(small);
  at = start;
  let [low, high] = [0, 0];
  for (let shift = 0; shift < 7 * tag.LONGEST_VARINT && at < end; shift += 7) {
    const byte = bytes[at++]!;
    if (shift < 32) low |= (byte & 127) << shift;
    if (shift >= 28) high |= shift === 28 ? (byte & 127) >>> 4 : (byte & 127) << (shift - 32);
    if (byte >= 128) continue;
    if (shift === 63 && byte > 1) return undefined;
    eight.setInt32(0, low, true);
    eight.setInt32(4, high, true);
    return eight.getBigInt64(0, true);
  }
  return undefined;
}

/** "Bools and Enums": a varint of 0 or 1. */
function readBool(end: number): boolean | undefined {
  if (at >= end || bytes[at]! > 1) return undefined;
  return bytes[at++] === 1;
}

/** "Non-varint Numbers": a double is eight bytes, the lowest first. */
function readDouble(): number {
  eightBytes[0] = bytes[at]!;
  eightBytes[1] = bytes[at + 1]!;
  eightBytes[2] = bytes[at + 2]!;
  eightBytes[3] = bytes[at + 3]!;
  eightBytes[4] = bytes[at + 4]!;
  eightBytes[5] = bytes[at + 5]!;
  eightBytes[6] = bytes[at + 6]!;
  eightBytes[7] = bytes[at + 7]!;
  at += 8;
  return eight.getFloat64(0, true);
}

/** "Non-varint Numbers": a float is four bytes, the lowest first. */
function readFloat(from: number): number {
  for (let i = 0; i < 4; i++) eightBytes[i] = bytes[from + i]!;
  return eight.getFloat32(0, true);
}
