/**
 * VILLASnode's format `protobuf`: one `villas.node.Message` per datagram. The schema is `proto/villas.proto`. Messages are written,
 * and read where they are as VILLASnode sends them, by code made for it; all others are read by protobufjs, whose objects this file
 * makes {@linkcode Sample}s of.
 *
 * @module
 */

import protobuf from "protobufjs/light.js";
import { CodecError, messageOf } from "../../errors.ts";
import { counted } from "../../text/wording.ts";
import type { Format } from "./format.ts";
import { readPlain } from "./protobuf/read.ts";
import { PlainScanner } from "./protobuf/scan.ts";
import { villasSchema } from "./protobuf/schema.ts";
import { LONGEST_VARINT, TYPES } from "./protobuf/wire.ts";
import { writeMessage } from "./protobuf/write.ts";
import { describeLikeness, textOf } from "./recognise.ts";
import type { Complex, Sample, Timestamp, Value } from "./sample.ts";

/** A 64-bit integer as protobufjs has it. */
interface WireLong {
  low: number;
  high: number;
}

interface WireValue {
  f?: number;
  i?: WireLong;
  b?: boolean;
  z?: Complex;
  /** Which of the four is set. */
  value?: "f" | "i" | "b" | "z";
}

interface WireSample {
  type: number;
  sequence?: WireLong;
  tsOrigin?: Timestamp;
  tsReceived?: Timestamp;
  newFrame?: boolean;
  values?: WireValue[];
}

const { Reader, Root, util: { ProtocolError } } = protobuf;
const messageType = typeOf(villasSchema);
/** The same for times and complex numbers that come in parts; made when one does. */
let partsType: protobuf.Type | undefined;

function typeOf(schema: typeof villasSchema): protobuf.Type {
  return Root.fromJSON(schema as never).lookupType("villas.node.Message");
}

/** protobufjs's reader, as strict about varints as Google's where it is not, and about the type of samples. */
class VillasReader extends Reader {
  /** Reads a type, which is the only field of this kind; protobufjs would hide one that it does not know. */
  override int32(): number {
    const type = super.int32();
    if (TYPES[type] === undefined) {
      throw new Error(`unknown sample type ${type}, expected DATA, START or STOP`);
    }
    return type;
  }

  /** A bool is what its 64 bits are; of a tenth byte, only one bit belongs to them. */
  override bool(): boolean {
    let bits = 0;
    for (let i = 1; i <= LONGEST_VARINT; i++) {
      const byte = this.#next();
      bits |= byte & (i === LONGEST_VARINT ? 1 : 127);
      if (byte < 128) return bits !== 0;
    }
    throw new Error("invalid varint encoding");
  }

  /** Skips so many bytes, or a varint. */
  override skip(length?: number): this {
    if (length !== undefined) {
      super.skip(length);
      return this;
    }
    for (let i = 0; i < LONGEST_VARINT; i++) if (this.#next() < 128) return this;
    throw new Error("invalid varint encoding");
  }

  #next(): number {
    if (this.pos >= this.len) throw new RangeError("index out of range");
    return this.buf[this.pos++]!;
  }
}

/**
 * VILLASnode's format `protobuf`: one datagram, any number of samples.
 *
 * Integers are exact over 64 bits, floats keep NaN, the infinities and −0, what was absent stays absent, and every value
 * keeps its kind. Encoding what was decoded gives the same bytes unless there were unknown fields or a sender that
 * orders fields unlike VILLASnode.
 *
 * @example A message and back
 * ```ts
 * import { villasProtobuf } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = villasProtobuf.encode([{ type: "data", sequence: 7n, values: [1, 2n, true] }]);
 * assertEquals(villasProtobuf.decode(bytes), [{ type: "data", sequence: 7n, values: [1, 2n, true] }]);
 * ```
 */
export const villasProtobuf: Format = {
  name: "protobuf",

  scanner: (kinds) => new PlainScanner(kinds),

  encode: writeMessage,

  decode(bytes: Uint8Array): Sample[] {
    const plain = readPlain(bytes);
    if (plain !== undefined) return plain;
    const reader = new VillasReader(bytes);
    let message: { samples?: WireSample[] };
    try {
      message = messageType.decode(reader) as typeof message;
    } catch (cause) {
      const inParts = cause instanceof ProtocolError ? decodeParts(bytes) : undefined;
      if (inParts === undefined) throw decodeError(bytes, reader.pos, cause);
      message = inParts;
    }
    const { samples = [] } = message;
    if (samples.length === 0 && bytes.length > 0 && textOf(bytes) !== undefined) {
      throw decodeError(bytes, 0, "text that only happens to be a message without samples");
    }
    return samples.map(fromWire);
  },
};

/**
 * Reads a message in which a time or a complex number stands several times: those are parts of one, which together must have what is
 * required ("Last One Wins"). protobufjs wants it in the first of them.
 *
 * @returns The message; undefined if something is missing.
 */
function decodeParts(bytes: Uint8Array): { samples?: WireSample[] } | undefined {
  partsType ??= typeOf(JSON.parse(JSON.stringify(villasSchema), (name, field) => {
    return field.rule === "required" && name !== "type" ? { ...field, rule: "optional" } : field;
  }));
  let message: { samples?: WireSample[] };
  try {
    message = partsType.decode(new VillasReader(bytes)) as typeof message;
  } catch {
    return undefined;
  }
  const hasAll = (part: object | undefined, ...names: string[]) =>
    part === undefined || names.every((name) => Object.hasOwn(part, name));
  const isWhole = ({ tsOrigin, tsReceived, values = [] }: WireSample) =>
    hasAll(tsOrigin ?? undefined, "sec", "nsec") &&
    hasAll(tsReceived ?? undefined, "sec", "nsec") &&
    values.every(({ value, z }) => value !== "z" || hasAll(z, "real", "imag"));
  return (message.samples ?? []).every(isWhole) ? message : undefined;
}

function fromWire(wire: WireSample): Sample {
  const sample: Sample = {
    type: TYPES[wire.type]!,
    values: (wire.values ?? []).map(valueFromWire),
  };
  if (Object.hasOwn(wire, "sequence")) {
    sample.sequence = BigInt.asUintN(64, toBigInt(wire.sequence!));
  }
  if (wire.tsOrigin) sample.origin = { sec: wire.tsOrigin.sec, nsec: wire.tsOrigin.nsec };
  if (wire.tsReceived) sample.received = { sec: wire.tsReceived.sec, nsec: wire.tsReceived.nsec };
  if (Object.hasOwn(wire, "newFrame")) sample.newFrame = wire.newFrame!;
  return sample;
}

function valueFromWire(wire: WireValue): Value {
  switch (wire.value) {
    case "f":
      return wire.f!;
    case "i":
      return toBigInt(wire.i!);
    case "b":
      return wire.b!;
    case "z":
      return { real: wire.z!.real, imag: wire.z!.imag };
    default:
      return null;
  }
}

function toBigInt({ low, high }: WireLong): bigint {
  // Most are small: one conversion instead of three operations on big integers.
  if (high === 0) return BigInt(low >>> 0);
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** Says in this project's words what protobufjs found, and what the bytes look like instead. */
function decodeError(bytes: Uint8Array, position: number, cause: unknown): CodecError {
  const offset = Math.min(position, bytes.length);
  const found = messageOf(cause);
  const reason = found.startsWith("index out of range")
    ? "the length of a field does not fit, or the message is cut off"
    : found.replace(/ at offset \d+$/, "");
  const likeness = describeLikeness(bytes);
  return new CodecError(
    `Cannot decode VILLAS message of ${
      counted(bytes.length, "byte")
    } at byte ${offset}: ${reason}` +
      (likeness === undefined ? "" : `; ${likeness}`),
    { offset, cause },
  );
}
