/**
 * VILLASnode's formats `villas.binary` and `villas.web`: a header of 16 bytes, then 32 bits for each value.
 *
 * @module
 */

import { CodecError } from "../../errors.ts";
import { ALL, formatRow } from "./format_row.ts";
import { MeasuredSplitter, messageStream } from "./message_stream.ts";
import type { Sample, Value } from "./sample.ts";
import { written } from "./scratch.ts";
import { flag, whole } from "./settings.ts";
import type { Signal } from "./signals.ts";
import { checkHead, decodeError } from "./text_format.ts";

const HEADER = 16;
/** Version 2 and type DATA; the two lowest bits are 0. */
const FIRST = 0x20;
/** All of the first byte but the type. */
const NOT_TYPE = 0xf3;
/** Values of a sample at most: more find no room in a datagram. */
const MOST_VALUES = 16_380;
const INT32_MIN = -(2n ** 31n);
const INT32_MAX = 2n ** 31n - 1n;
const UINT32_MAX = 2n ** 32n - 1n;

/**
 * VILLASnode's format `villas.binary`, which its socket speaks where no other is set. Big endian.
 *
 * - Floats have 32 bits. VILLASnode writes integers with a sign, but reads them without one: a negative one is not sent to it. So are
 *   integers beyond 32 bits refused. Booleans and complex values are not carried, nor is the frame mark; what was not stated is a float.
 * - The sequence number has 32 bits; VILLASnode cuts it.
 *
 * @example A float and an integer
 * ```ts
 * import { villasFormat } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * const format = villasFormat("villas.binary", { signals: "fi" });
 * const sample = { type: "data" as const, sequence: 1n, origin: { sec: 1, nsec: 5 }, values: [0.5, -1n] };
 * assertEquals(format.encode([sample]).toHex(), "2000000200000001" + "0000000100000005" + "3f000000ffffffff");
 * assertEquals(format.decode(format.encode([sample])), [sample]);
 * ```
 */
export const villasBinary = packed("villas.binary", false);

/** VILLASnode's format `villas.web`: as `villas.binary`, little endian. */
export const villasWeb = packed("villas.web", true);

function packed(name: string, little: boolean) {
  const table = { source_index: whole(0, 0, 255), validate_source_index: flag(false) };
  return formatRow(name, table, (settings, signals) => {
    const layout: Layout = { name, little, integers: integersOf(signals), ...settings };
    const other = signals?.find(({ type }) => type === "boolean" || type === "complex");
    const checkKinds = () => {
      if (other === undefined) return;
      throw new CodecError(
        `Cannot use ${name} for signal "${other.name}": it carries no ${other.type}; protobuf does`,
        { offset: 0 },
      );
    };
    const encode = (samples: readonly Sample[], reply: boolean) => {
      checkKinds();
      return encodeAll(samples, layout, reply);
    };
    const decode = (bytes: Uint8Array, reply: boolean) => {
      checkKinds();
      return decodeAll(bytes, layout, reply);
    };
    const splitter = (maxBytes?: number) =>
      new MeasuredSplitter(
        name,
        (bytes, start, end) => measure(bytes, start, end, little),
        maxBytes,
      );
    const node = {
      name,
      encode: (samples: Sample[]) => encode(samples, false),
      decode: (bytes: Uint8Array) => decode(bytes, false),
    };
    return {
      carried: {
        ...ALL,
        kinds: ["float", "integer"],
        newFrame: false,
        exact: false,
      },
      text: false,
      encode: node.encode,
      decode: node.decode,
      replies: {
        name,
        plainEcho: true,
        // VILLASnode reads its integers without a sign.
        isTaken: (_, samples) => layout.integers === undefined || !samples.some(hasNegative),
        encode: (samples) => encode(samples, true),
        decode: (bytes) => decode(bytes, true),
      },
      stream: messageStream(node, splitter),
      splitter,
    };
  });
}

function hasNegative({ values }: Sample): boolean {
  return values.some((value) => typeof value === "bigint" && value < 0n);
}

/** For each signal, whether it is an integer; undefined where none is. */
function integersOf(signals: readonly Signal[] | undefined): readonly boolean[] | undefined {
  const integers = signals?.map(({ type }) => type === "integer");
  return integers?.includes(true) ? integers : undefined;
}

/** The length of the sample that begins somewhere. */
function measure(bytes: Uint8Array, start: number, end: number, little: boolean): number {
  if ((bytes[start]! & NOT_TYPE) !== FIRST) return -1;
  if (end - start < 4) return 0;
  const [a, b] = [bytes[start + 2]!, bytes[start + 3]!];
  const count = little ? b << 8 | a : a << 8 | b;
  return count > MOST_VALUES ? -1 : HEADER + 4 * count;
}

/** How samples lie in a message. */
interface Layout {
  readonly name: string;
  readonly little: boolean;
  readonly integers: readonly boolean[] | undefined;
  readonly source_index: number;
  readonly validate_source_index: boolean;
}

const TYPES = ["data", "start", "stop"] as const;

function decodeAll(bytes: Uint8Array, layout: Layout, reply: boolean): Sample[] {
  const { name, little, integers } = layout;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples: Sample[] = [];
  for (let at = 0; at < bytes.length;) {
    const fault = (why: string) => decodeError(bytes, name, at, why);
    const first = bytes[at]!;
    const type = TYPES[first >> 2 & 3];
    if ((first & NOT_TYPE) !== FIRST || type === undefined) {
      throw fault("expected a header of version 2");
    }
    if (bytes.length - at < HEADER) throw fault(`expected a header of ${HEADER} bytes`);
    const count = view.getUint16(at + 2, little);
    const end = at + HEADER + 4 * count;
    if (end > bytes.length) {
      throw fault(`expected ${count} values, and it ends before the last one`);
    }
    if (layout.validate_source_index && bytes[at + 1] !== layout.source_index) {
      throw fault(`expected source index ${layout.source_index}, got ${bytes[at + 1]}`);
    }
    const sec = view.getUint32(at + 8, little);
    const nsec = view.getUint32(at + 12, little);
    const values = new Array<Value>(count);
    for (let i = 0, from = at + HEADER; i < count; i++, from += 4) {
      values[i] = integers === undefined || integers[i] !== true
        ? view.getFloat32(from, little)
        : BigInt(reply ? view.getUint32(from, little) : view.getInt32(from, little));
    }
    const sequence = BigInt(view.getUint32(at + 4, little));
    samples.push(
      sec === 0 && nsec === 0
        ? { type, sequence, values }
        : { type, sequence, origin: { sec, nsec }, values },
    );
    at = end;
  }
  return samples;
}

/** Writes samples one after another. */
function encodeAll(samples: readonly Sample[], layout: Layout, reply: boolean): Uint8Array {
  let length = 0;
  for (let i = 0; i < samples.length; i++) length += HEADER + 4 * samples[i]!.values.length;
  return written(length, (view) => {
    let at = 0;
    for (let i = 0; i < samples.length; i++) at = putSample(view, at, samples[i]!, layout, reply);
  });
}

/** Writes one sample, and returns where it ends. */
function putSample(
  view: DataView,
  at: number,
  sample: Sample,
  layout: Layout,
  reply: boolean,
): number {
  const { name, little, integers } = layout;
  checkHead(sample, name);
  const { values, sequence = 0n, origin } = sample;
  if (values.length > MOST_VALUES) {
    throw new CodecError(
      `Cannot encode ${values.length} values as ${name}: expected at most ${MOST_VALUES}`,
    );
  }
  view.setUint8(at, FIRST);
  view.setUint8(at + 1, layout.source_index);
  view.setUint16(at + 2, values.length, little);
  view.setUint32(
    at + 4,
    sequence <= UINT32_MAX ? Number(sequence) : Number(BigInt.asUintN(32, sequence)),
    little,
  );
  view.setUint32(at + 8, origin?.sec ?? 0, little);
  view.setUint32(at + 12, origin?.nsec ?? 0, little);
  at += HEADER;
  for (let i = 0; i < values.length; i++, at += 4) {
    const value = values[i]!;
    if (typeof value === "number" && integers?.[i] !== true) {
      checkFloat(value, i, name);
      view.setFloat32(at, value, little);
    } else if (
      typeof value === "bigint" && (integers === undefined || integers[i] !== false)
    ) {
      checkInteger(value, i, name, reply);
      view.setUint32(at, Number(value) >>> 0, little);
    } else throw unfit(value, i, layout);
  }
  return at;
}

function checkInteger(value: bigint, index: number, name: string, reply: boolean): void {
  if (
    reply ? value >= 0n && value <= UINT32_MAX : value >= INT32_MIN && value <= INT32_MAX
  ) return;
  const why = reply && value < 0n
    ? "VILLASnode reads its integers without a sign"
    : "its integers have 32 bits";
  throw new CodecError(
    `Cannot encode value ${index} ${value}n as ${name}: ${why}; protobuf carries it`,
  );
}

function unfit(value: Value, index: number, { name, integers }: Layout): CodecError {
  const wanted = integers === undefined
    ? "a float or an integer"
    : integers[index]
    ? "an integer"
    : "a float";
  const shown = typeof value === "bigint" ? value : Deno.inspect(value);
  return new CodecError(
    `Cannot encode value ${index} ${shown} as ${name}: expected ${wanted}; protobuf carries all kinds`,
  );
}
/**
 * Checks that a float of 32 bits can stand for a value, but for digits.
 *
 * @throws {CodecError} If it would become infinite.
 */
export function checkFloat(value: number, index: number, name: string): void {
  const cut = Math.fround(value);
  if (cut - cut === 0 || value - value !== 0) return; // finite, or never was
  throw new CodecError(
    `Cannot encode value ${index} ${value} as ${name}: expected a number within the range of 32-bit floats; protobuf carries it`,
  );
}
