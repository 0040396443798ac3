/**
 * Writes messages in format `protobuf`, by code made for this schema. Section titles are those of
 * <https://protobuf.dev/programming-guides/encoding/>.
 *
 * @module
 */

import { CodecError } from "../../../errors.ts";
import * as tag from "./wire.ts";
import type { Sample, Timestamp, Value } from "../sample.ts";

/** What a value can be, for messages. */
const VALUE = "a float, integer, boolean or complex number";
const UINT32_MAX = 0xffff_ffff;
/** Bytes of memory that many small messages share. */
const SLAB = 16_384;
/** Bytes that a sample without values takes at most, and each of its values. */
const MOST_PER_SAMPLE = 64;
const MOST_PER_VALUE = 15;

/** The memory that messages are written to one after another, and never over one another. */
let bytes = new Uint8Array(SLAB);
let view = new DataView(bytes.buffer);
let at = 0;
/** In how many bytes the length of the last sample was written: mostly the next one has a length like it. */
let lastLengthBytes = 1;

/**
 * Writes a message.
 *
 * @param samples Its samples.
 * @returns The message.
 * @throws {CodecError} If a sample has something that the format cannot carry.
 */
export function writeMessage(samples: readonly Sample[]): Uint8Array<ArrayBuffer> {
  let most = 0;
  for (const { values } of samples) {
    most += MOST_PER_SAMPLE + MOST_PER_VALUE * (Array.isArray(values) ? values.length : 0);
  }
  if (at + most > bytes.length) {
    bytes = new Uint8Array(Math.max(SLAB, most));
    view = new DataView(bytes.buffer);
    at = 0;
  }
  const start = at;
  try {
    for (const sample of samples) writeSample(sample);
  } catch (error) {
    at = start;
    throw error;
  }
  return new Uint8Array(bytes.buffer, start, at - start);
}

/** "Submessages": a length and the fields. The length is known last, so room is left for it. */
function writeSample(sample: Sample): void {
  bytes[at++] = tag.SAMPLE;
  const start = at;
  at += lastLengthBytes;
  writeFields(sample);
  const length = at - start - lastLengthBytes;
  const lengthBytes = varintBytes(length);
  if (lengthBytes !== lastLengthBytes) {
    bytes.copyWithin(start + lengthBytes, start + lastLengthBytes, at);
    lastLengthBytes = lengthBytes;
  }
  at = start;
  writeVarint(length);
  at += length;
}

/** The fields by their numbers, as "Field Order" recommends and VILLASnode writes them. */
function writeFields({ type, sequence, origin, received, newFrame, values }: Sample): void {
  const number = tag.TYPES.indexOf(type);
  if (number < tag.DATA) throw unfit("type", type, "data, start or stop");
  if (!Array.isArray(values)) throw unfit("values", values, "an array");
  bytes[at++] = tag.TYPE;
  bytes[at++] = number;
  if (sequence !== undefined) writeSequence(sequence);
  if (origin) writeTimestamp(tag.TS_ORIGIN, "origin", origin);
  if (received) writeTimestamp(tag.TS_RECEIVED, "received", received);
  if (newFrame !== undefined && newFrame !== null) {
    bytes[at++] = tag.NEW_FRAME;
    bytes[at++] = newFrame ? 1 : 0;
  }
  // "Repeated Elements": a record for each.
  for (let i = 0; i < values.length; i++) {
    bytes[at++] = tag.VALUES;
    bytes[at++] = tag.VALUES_2;
    const start = at++;
    writeValue(values[i]!, i);
    bytes[start] = at - start - 1;
  }
}

/** "Base 128 Varints" of an uint64. */
function writeSequence(sequence: bigint): void {
  bytes[at++] = tag.SEQUENCE;
  const number = typeof sequence === "bigint" ? Number(sequence) : NaN;
  if (number >= 0 && number <= Number.MAX_SAFE_INTEGER) return writeVarint(number);
  if (typeof sequence !== "bigint" || BigInt.asUintN(64, sequence) !== sequence) {
    throw unfit("sequence", sequence, "a bigint such as 5n, from 0 to 2^64 - 1");
  }
  writeVarint64(sequence);
}

function writeTimestamp(tagOfIt: number, what: string, { sec, nsec }: Timestamp): void {
  checkUint32(what, sec);
  checkUint32(what, nsec);
  bytes[at++] = tagOfIt;
  const start = at++;
  bytes[at++] = tag.SEC;
  writeVarint(sec);
  bytes[at++] = tag.NSEC;
  writeVarint(nsec);
  bytes[start] = at - start - 1;
}

/** "Oneofs": one record of four kinds; none where the value is unset. */
function writeValue(value: Value, index: number): void {
  switch (typeof value) {
    case "number": // "Non-varint Numbers": eight bytes, the lowest first
      bytes[at++] = tag.FLOAT;
      view.setFloat64(at, value, true);
      at += 8;
      return;
    case "bigint":
      bytes[at++] = tag.INTEGER;
      return writeInt64(value, index);
    case "boolean": // "Bools and Enums": a varint of 0 or 1
      bytes[at++] = tag.BOOLEAN;
      bytes[at++] = value ? 1 : 0;
      return;
    case "object":
      if (value === null) return;
      bytes[at++] = tag.COMPLEX;
      bytes[at++] = tag.COMPLEX_LENGTH;
      writeFloat(tag.REAL, value.real, index);
      return writeFloat(tag.IMAG, value.imag, index);
    default:
      throw unfit(`value ${index}`, value, VALUE);
  }
}

/** "Signed Integers": an int64 is a varint of its two's complement, a negative one of ten bytes. */
function writeInt64(value: bigint, index: number): void {
  const number = Number(value);
  if (number >= 0 && number <= Number.MAX_SAFE_INTEGER) return writeVarint(number);
  if (BigInt.asIntN(64, value) !== value) {
    throw unfit(`value ${index}`, value, "a bigint from -2^63 to 2^63 - 1");
  }
  writeVarint64(value);
}

/** "Non-varint Numbers": four bytes, the lowest first. */
function writeFloat(tagOfIt: number, part: number, index: number): void {
  if (typeof part !== "number") throw unfit(`value ${index}`, part, VALUE);
  if (Number.isFinite(part) && !Number.isFinite(Math.fround(part))) {
    throw unfit(
      `value ${index}`,
      part,
      "parts of a complex number within the range of 32-bit floats",
    );
  }
  bytes[at++] = tagOfIt;
  view.setFloat32(at, part, true);
  at += 4;
}

/** "Base 128 Varints": seven bits in each byte, the lowest first, and a bit that says whether another one follows. */
function writeVarint(value: number): void {
  while (value >= 2 ** 31) {
    bytes[at++] = value % 128 | 128;
    value = Math.floor(value / 128);
  }
  while (value > 127) {
    bytes[at++] = value & 127 | 128;
    value >>>= 7;
  }
  bytes[at++] = value;
}

/** A varint of 64 bits, of which the highest is the sign where there is one. */
function writeVarint64(value: bigint): void {
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes[at++] = Number(rest & 127n) | 128;
  bytes[at++] = Number(rest);
}

/** Bytes of a varint that is less than 2³¹. */
function varintBytes(value: number): number {
  return value < 2 ** 7 ? 1 : value < 2 ** 14 ? 2 : value < 2 ** 21 ? 3 : value < 2 ** 28 ? 4 : 5;
}

function checkUint32(what: string, part: number): void {
  if (Number.isInteger(part) && part >= 0 && part <= UINT32_MAX) return;
  throw unfit(`${what} timestamp`, part, "whole seconds and nanoseconds from 0 to 2^32 - 1");
}

function unfit(what: string, value: unknown, wanted: string): CodecError {
  return new CodecError(`Cannot encode ${what} ${Deno.inspect(value)}: expected ${wanted}`);
}
