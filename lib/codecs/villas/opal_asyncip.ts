/**
 * VILLASnode's format `opal.asyncip`, of OPAL-RT's AsyncIP: a header of 8 bytes, then a double for each value.
 *
 * @module
 */

import { CodecError } from "../../errors.ts";
import { ALL, formatRow } from "./format_row.ts";
import { MeasuredSplitter, messageStream } from "./message_stream.ts";
import type { Sample, Value } from "./sample.ts";
import { written } from "./scratch.ts";
import { whole } from "./settings.ts";
import type { SignalKind } from "./signals.ts";
import { checkHead, decodeError } from "./text_format.ts";
import { checkComplex } from "./text_values.ts";

const NAME = "opal.asyncip";
const HEADER = 8;
const DOUBLE = 8;
/** Values that VILLASnode fills in at most. */
const MOST_VALUES = 64;

/**
 * VILLASnode's format `opal.asyncip`: little endian; device, sequence number of 32 bits, length in bytes, doubles.
 *
 * - Every value travels as a double: of an integer 53 bits, of a complex value the real part. What would be lost is refused.
 * - What a value is must be stated; otherwise all are floats. There is no time. At most 64 values.
 */
export const villasOpalAsyncip = formatRow(
  NAME,
  { dev_id: whole(0, 0, 0xffff) },
  ({ dev_id }, signals) => {
    const kinds = signals?.map(({ type }) => type);
    const node = {
      name: NAME,
      encode: (samples: Sample[]) => encodeAll(samples, dev_id),
      decode: (bytes: Uint8Array) => decodeAll(bytes, kinds),
    };
    const splitter = (maxBytes?: number) => new MeasuredSplitter(NAME, measure, maxBytes);
    return {
      carried: {
        ...ALL,
        kinds: ["float", "integer", "boolean"],
        origin: false,
        newFrame: false,
      },
      misfit: ({ length }) =>
        length > MOST_VALUES ? `the format has ${MOST_VALUES} values at most` : undefined,
      text: false,
      encode: node.encode,
      decode: node.decode,
      stream: messageStream(node, splitter),
      splitter,
    };
  },
);

/** The length of the sample that begins somewhere. */
function measure(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < HEADER) return 0;
  const length = bytes[start + 6]! | bytes[start + 7]! << 8;
  return length % DOUBLE === 0 && length <= MOST_VALUES * DOUBLE ? HEADER + length : -1;
}

function decodeAll(bytes: Uint8Array, kinds: readonly SignalKind[] | undefined): Sample[] {
  const fault = (offset: number, why: string) => decodeError(bytes, NAME, offset, why);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples: Sample[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < HEADER) throw fault(at, `expected a header of ${HEADER} bytes`);
    const sequence = BigInt(view.getUint32(at + 2, true));
    const length = view.getUint16(at + 6, true);
    const from = at + HEADER;
    if (length > MOST_VALUES * DOUBLE) {
      throw fault(at + 6, `expected at most ${MOST_VALUES} values, as VILLASnode fills in no more`);
    }
    if (length % DOUBLE !== 0) throw fault(at + 6, "expected the length of whole doubles");
    if (from + length > bytes.length) {
      throw fault(at + 6, `expected ${length} bytes of values, and it ends before`);
    }
    const values = new Array<Value>(length / DOUBLE);
    for (let i = 0; i < values.length; i++) {
      const double = view.getFloat64(from + i * DOUBLE, true);
      const value = kinds === undefined ? double : castTo(double, kinds[i]);
      if (value === null) {
        throw fault(from + i * DOUBLE, `expected an integer of 64 bits, got ${double}`);
      }
      values[i] = value;
    }
    samples.push({ type: "data", sequence, values });
    at = from + length;
  }
  return samples;
}

/** What a double stands for; null if that is no integer of 64 bits where one is wanted. */
function castTo(double: number, kind: SignalKind | undefined): Value {
  switch (kind) {
    case "integer":
      return Number.isInteger(double) && double >= -(2 ** 63) && double < 2 ** 63
        ? BigInt(double)
        : null;
    case "boolean":
      return double !== 0;
    case "complex":
      return { real: double, imag: 0 };
    default:
      return double;
  }
}

function encodeAll(samples: readonly Sample[], device: number): Uint8Array {
  let length = 0;
  for (const { values } of samples) length += HEADER + DOUBLE * values.length;
  return written(length, (view) => writeAll(view, samples, device));
}

function writeAll(view: DataView, samples: readonly Sample[], device: number): void {
  let at = 0;
  for (const sample of samples) {
    checkHead(sample, NAME);
    const { values, sequence = 0n } = sample;
    if (values.length > MOST_VALUES) {
      throw new CodecError(
        `Cannot encode ${values.length} values as ${NAME}: expected at most ${MOST_VALUES}; protobuf carries them`,
      );
    }
    view.setUint16(at, device, true);
    view.setUint32(
      at + 2,
      sequence < 2n ** 32n ? Number(sequence) : Number(BigInt.asUintN(32, sequence)),
      true,
    );
    view.setUint16(at + 6, values.length * DOUBLE, true);
    at += HEADER;
    for (let i = 0; i < values.length; i++, at += DOUBLE) {
      view.setFloat64(at, doubleOf(values[i]!, i), true);
    }
  }
}

function doubleOf(value: Value, index: number): number {
  switch (typeof value) {
    case "number":
      return value;
    case "bigint": {
      const double = Number(value);
      if (BigInt(double) === value) return double;
      throw new CodecError(
        `Cannot encode value ${index} ${value} as ${NAME}: it carries doubles, and none is this integer; protobuf carries it`,
      );
    }
    case "boolean":
      return value ? 1 : 0;
    default:
      checkComplex(value, index, NAME);
      if (value.imag === 0) return value.real;
      throw new CodecError(
        `Cannot encode value ${index} ${
          Deno.inspect(value)
        } as ${NAME}: it carries no imaginary part; protobuf does`,
      );
  }
}
