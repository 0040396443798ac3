/**
 * VILLASnode's formats `raw` and `gtnet`: the values alone.
 *
 * @module
 */

import { CodecError, UsageError } from "../../errors.ts";
import { counted } from "../../text/wording.ts";
import { checkFloat } from "./binary.ts";
import { ALL, formatRow } from "./format_row.ts";
import { MeasuredSplitter, messageStream } from "./message_stream.ts";
import type { Complex, Sample, Value } from "./sample.ts";
import { written } from "./scratch.ts";
import { flag, oneOf } from "./settings.ts";
import type { SignalKind } from "./signals.ts";
import { checkHead, checkNoSequence, checkOne, decodeError, isTimePart } from "./text_format.ts";
import { checkComplex } from "./text_values.ts";

/** What stands before the values of a sample with `fake`: sequence number, seconds, nanoseconds. */
const FAKES = 3;
/** Seconds between the first and the last sample of a message at most, where they are to be recognised by their times. */
const LONGEST_SPAN = 60;

/**
 * VILLASnode's format `raw`: the values one after another, each of the same width, little endian by default.
 *
 * - Settings: `bits` (8, 16, 32 or 64), `endianess` (`little` or `big`; VILLASnode writes it so), `fake`.
 * - What a value is must be stated; otherwise all are floats. Of 8 and 16 bits only integers and booleans are carried: VILLASnode writes a
 *   float as -1 there, and reads -1.
 * - VILLASnode writes a complex value with the real part first, but reads the imaginary part first. So what it sent must not come
 *   back as it is.
 * - There is no sequence number and no time but with `fake`: then three integers stand before the values.
 * - VILLASnode writes several samples one after another; they are told apart where the signals were stated, and with `fake` of 32 or 64
 *   bits by the numbers before the values. It reads one only.
 *
 * @example Doubles with the bytes as a network has them
 * ```ts
 * import { villasFormat } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * const format = villasFormat("raw,bits=64,endianess=big");
 * assertEquals(format.encode([{ type: "data", values: [1] }]).toHex(), "3ff0000000000000");
 * ```
 */
export const villasRaw = raw("raw", "little");

/** VILLASnode's format `gtnet`, for the GTNET card of an RTDS: as `raw`, big endian. */
export const villasGtnet = raw("gtnet", "big");

function raw(name: string, usual: "little" | "big") {
  const table = {
    bits: oneOf(32, [8, 16, 32, 64]),
    endianess: oneOf("", ["little", "big"]),
    fake: flag(false),
  };
  return formatRow(name, table, ({ bits, endianess, fake, sequence }, signals) => {
    if (endianess !== "" && bits === 8) {
      throw new UsageError(
        `Cannot use setting "endianess" of format ${name} with 8 bits: there is no order in one byte`,
      );
    }
    const layout: Layout = {
      name,
      width: bits / 8,
      little: (endianess || usual) === "little",
      fake,
      sequence,
      kinds: signals?.map(({ type }) => type),
    };
    const complex = layout.kinds?.includes("complex") ?? false;
    const node = {
      name,
      encode: (samples: Sample[]) => encode(samples, layout, false),
      decode: (bytes: Uint8Array) => decode(bytes, layout, false),
    };
    const splitter = (maxBytes?: number) => {
      const length = lengthOf(layout);
      if (length === undefined) {
        throw new UsageError(
          `Cannot read format ${name} from a stream: it does not say how many values a sample has; --signals does, as in --signals 5f`,
        );
      }
      return new MeasuredSplitter(name, () => length, maxBytes);
    };
    return {
      carried: {
        ...ALL,
        kinds: bits < 32 ? ["integer", "boolean"] : ALL.kinds,
        sequence: fake,
        origin: fake,
        newFrame: false,
        exact: bits === 64,
        samples: 1,
        counted: false,
      },
      text: false,
      encode: node.encode,
      decode: node.decode,
      replies: {
        name,
        plainEcho: !complex,
        encode(samples) {
          checkOne(samples, name);
          return encode(samples, layout, true);
        },
        decode: (bytes) => decode(bytes, layout, true),
      },
      stream: messageStream(node, splitter),
      splitter,
    };
  });
}

/** How the values lie. */
interface Layout {
  readonly name: string;
  /** Bytes of a value. */
  readonly width: number;
  readonly little: boolean;
  readonly fake: boolean;
  /** Whether sequence numbers are not to be left out. */
  readonly sequence: boolean;
  readonly kinds: readonly SignalKind[] | undefined;
}

/** Words of the values of some kinds: a complex value has two. */
function wordsOf(kinds: readonly SignalKind[]): number {
  let words = kinds.length;
  for (const kind of kinds) if (kind === "complex") words++;
  return words;
}

/** Bytes of a sample that has all its values. */
function lengthOf({ kinds, fake, width }: Layout): number | undefined {
  return kinds && (wordsOf(kinds) + (fake ? FAKES : 0)) * width;
}

function decode(bytes: Uint8Array, layout: Layout, reply: boolean): Sample[] {
  const { name, width, fake } = layout;
  if (bytes.length === 0) return [];
  const fault = (offset: number, why: string) => decodeError(bytes, name, offset, why);
  if (bytes.length % width !== 0) {
    throw fault(bytes.length - bytes.length % width, `expected values of ${width} bytes each`);
  }
  if (fake && bytes.length < FAKES * width) {
    throw fault(0, `expected sequence number, seconds and nanoseconds of ${width} bytes each`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = lengthOf(layout) ?? (fake ? periodOf(view, layout) : bytes.length);
  if (bytes.length > whole && bytes.length % whole !== 0) {
    throw fault(
      whole,
      `expected ${counted(layout.kinds!.length, "value")}, as many as there are signals`,
    );
  }
  const samples: Sample[] = [];
  for (let at = 0; at < bytes.length; at += whole) {
    const end = Math.min(at + whole, bytes.length);
    samples.push(decodeOne(view, at, end, layout, reply, fault));
  }
  return samples;
}

/**
 * The length of each of several samples of whose signals nothing is known: before each stand a sequence number that is one more than that
 * before, a time that is not earlier, and less than a second of nanoseconds. That of all where there is no such length.
 */
function periodOf(view: DataView, { width, little }: Layout): number {
  const length = view.byteLength;
  if (width < 4) return length; // numbers of so few bits are alike
  const word = (at: number) => getUnsigned(view, at, width, little);
  const number = (at: number) => Number(word(at));
  const [first, sec] = [word(0), number(width)];
  for (let period = FAKES * width; period <= length / 2; period += width) {
    if (length % period !== 0) continue;
    const isBegun = (at: number) =>
      word(at) === BigInt.asUintN(8 * width, first + BigInt(at / period)) &&
      number(at + width) - sec >= 0 && number(at + width) - sec <= LONGEST_SPAN &&
      number(at + 2 * width) < 1e9;
    let at = period;
    while (at < length && isBegun(at)) at += period;
    if (at === length) return period;
  }
  return length;
}

function decodeOne(
  view: DataView,
  at: number,
  end: number,
  { width, little, fake, kinds }: Layout,
  reply: boolean,
  fault: (offset: number, why: string) => CodecError,
): Sample {
  const values: Value[] = [];
  const sample: Sample = { type: "data", values };
  if (fake) {
    sample.sequence = getUnsigned(view, at, width, little);
    const sec = Number(getUnsigned(view, at + width, width, little));
    const nsec = Number(getUnsigned(view, at + 2 * width, width, little));
    if (!isTimePart(sec) || !isTimePart(nsec)) {
      throw fault(at + width, "expected seconds and nanoseconds below 2^32");
    }
    if (sec !== 0 || nsec !== 0) sample.origin = { sec, nsec };
    at += FAKES * width;
  }
  for (let i = 0; at < end; i++) {
    switch (kinds === undefined ? "float" : kinds[i]) {
      case "integer":
        values.push(getSigned(view, at, width, little));
        break;
      case "boolean":
        values.push(getUnsigned(view, at, width, little) !== 0n);
        break;
      case "complex": {
        if (at + width >= end) throw fault(at, "expected both parts of a complex value");
        const [first, second] = [
          getFloat(view, at, width, little),
          getFloat(view, at + width, width, little),
        ];
        values.push(reply ? { real: second, imag: first } : { real: first, imag: second });
        at += width;
        break;
      }
      default:
        values.push(getFloat(view, at, width, little));
    }
    at += width;
  }
  return sample;
}

function getFloat(view: DataView, at: number, width: number, little: boolean): number {
  if (width === 4) return view.getFloat32(at, little);
  return width === 8 ? view.getFloat64(at, little) : -1;
}

function getSigned(view: DataView, at: number, width: number, little: boolean): bigint {
  switch (width) {
    case 8:
      return view.getBigInt64(at, little);
    case 4:
      return BigInt(view.getInt32(at, little));
    case 2:
      return BigInt(view.getInt16(at, little));
    default:
      return BigInt(view.getInt8(at));
  }
}

function getUnsigned(view: DataView, at: number, width: number, little: boolean): bigint {
  return BigInt.asUintN(8 * width, getSigned(view, at, width, little));
}

function encode(samples: readonly Sample[], layout: Layout, reply: boolean): Uint8Array {
  const { name, width, fake } = layout;
  let words = 0;
  for (const sample of samples) {
    checkHead(sample, name);
    if (!fake) {
      checkNoSequence(sample, name, layout.sequence, `, and ${name},fake=true carries it`);
    }
    if (!fake && sample.values.length === 0) {
      throw new CodecError(
        `Cannot encode a sample without values as ${name}: expected at least one`,
      );
    }
    words += sample.values.length + (fake ? FAKES : 0);
    for (const value of sample.values) if (typeof value === "object") words++;
  }
  return written(words * width, (view) => {
    const writer = new Writer(view, layout);
    for (const sample of samples) writer.sample(sample, reply);
  });
}

/** Writes values one after another. */
class Writer {
  readonly #view: DataView;
  readonly #layout: Layout;
  #at = 0;

  constructor(view: DataView, layout: Layout) {
    this.#view = view;
    this.#layout = layout;
  }

  sample({ values, sequence = 0n, origin }: Sample, reply: boolean): void {
    const { fake, kinds } = this.#layout;
    if (fake) {
      // VILLASnode cuts them likewise.
      this.#integer(sequence);
      this.#integer(BigInt(origin?.sec ?? 0));
      this.#integer(BigInt(origin?.nsec ?? 0));
    }
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      const wanted = kinds?.[i];
      if (typeof value === "number") {
        if (wanted !== undefined && wanted !== "float") throw this.#unfit(value, i, wanted);
        this.#float(value, i);
      } else if (typeof value === "bigint") {
        if (wanted !== undefined && wanted !== "integer") throw this.#unfit(value, i, wanted);
        this.#checkRange(value, i);
        this.#integer(value);
      } else if (typeof value === "boolean") {
        if (wanted !== undefined && wanted !== "boolean") throw this.#unfit(value, i, wanted);
        this.#integer(value ? 1n : 0n);
      } else {
        checkComplex(value, i, this.#layout.name);
        if (wanted !== undefined && wanted !== "complex") throw this.#unfit(value, i, wanted);
        this.#complex(value, i, reply);
      }
    }
  }

  #complex({ real, imag }: Complex, index: number, reply: boolean): void {
    this.#float(reply ? imag : real, index);
    this.#float(reply ? real : imag, index);
  }

  #float(value: number, index: number): void {
    const { width, little, name } = this.#layout;
    if (width === 8) this.#view.setFloat64(this.#at, value, little);
    else if (width === 4) {
      checkFloat(value, index, name);
      this.#view.setFloat32(this.#at, value, little);
    } else {
      if (value !== -1) {
        throw new CodecError(
          `Cannot encode value ${index} ${value} as ${name}: ${
            8 * width
          } bits carry integers and booleans only; bits=64 carries it`,
        );
      }
      this.#integer(-1n);
      return;
    }
    this.#at += width;
  }

  #integer(value: bigint): void {
    const { width, little } = this.#layout;
    const view = this.#view;
    switch (width) {
      case 8:
        view.setBigInt64(this.#at, value, little);
        break;
      case 4:
        view.setInt32(this.#at, Number(BigInt.asIntN(32, value)), little);
        break;
      case 2:
        view.setInt16(this.#at, Number(BigInt.asIntN(16, value)), little);
        break;
      default:
        view.setInt8(this.#at, Number(BigInt.asIntN(8, value)));
    }
    this.#at += width;
  }

  #checkRange(value: bigint, index: number): void {
    const { width, name } = this.#layout;
    if (BigInt.asIntN(8 * width, value) === value) return;
    throw new CodecError(
      `Cannot encode value ${index} ${value} as ${name}: its integers have ${8 * width} bits` +
        (width < 8 ? "; bits=64 carries it" : ""),
    );
  }

  #unfit(value: Value, index: number, wanted: SignalKind): CodecError {
    return new CodecError(
      `Cannot encode value ${index} ${Deno.inspect(value)} as ${this.#layout.name}: the signal is ${
        wanted === "integer" ? "an" : "a"
      } ${wanted}`,
    );
  }
}
