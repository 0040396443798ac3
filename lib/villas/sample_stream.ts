/**
 * Samples in files and on standard input, as they are read: in portions, with what is wrong in them left to the caller.
 *
 * @module
 */

import { concat } from "@std/bytes/concat";
import type {
  SampleDecoder,
  SampleEncoder,
  StreamEncoderOptions,
  VillasFormat,
} from "../codecs/villas/format.ts";
import { kindOf, type Sample } from "../codecs/villas/sample.ts";
import { parseSignals, type Signal } from "../codecs/villas/signals.ts";
import { CodecError } from "../errors.ts";

/** How many times as long as the others a last sample may be, to be taken for one that is cut off rather than for damage. */
const CUT = 4;
/** Zeros that are handed on together. */
const MOST_ZEROS = 1 << 16;
/** Said of zeros at the end, which file systems put in the place of what was not written any more. */
const ZEROS =
  "The input ends in zeros, as a loss of power leaves them behind: they are left out, and a sample before them that is not whole";
/** Samples handed on together at most. */
const PORTION = 256;
const LF = 0x0a;

/** What is to become of what cannot be read. */
export interface SampleStreamOptions {
  /** Called with each thing that is no sample; what it throws ends the reading. Default: it is thrown. */
  readonly onBad?: (error: CodecError) => void;
  /** Called if the last sample is cut off, with what is said of it. It is left out. */
  readonly onCut?: (message: string) => void;
}

/**
 * Reads samples. A last one that is cut off, as after a loss of power, is left out; and so is a last line of text without its newline,
 * since nobody knows whether its last number is whole. Where there is no whole sample before it, or much more is missing than a sample
 * has, that is bad.
 *
 * @param chunks The bytes, as they come.
 * @param format Their format.
 * @param options What is to become of what cannot be read.
 * @returns Portions of samples, none of them empty.
 * @throws {CodecError} If something is no sample, unless `onBad` takes it.
 * @throws {UsageError} If the format needs to know the signals.
 */
export async function* readSamples(
  chunks: AsyncIterable<Uint8Array>,
  format: VillasFormat,
  options: SampleStreamOptions = {},
): AsyncGenerator<Sample[], void, void> {
  const { onBad = raise, onCut } = options;
  const { signals, rest } = await statedSignals(chunks, format);
  // What the file says of itself is what its first sample had.
  const decoder = signals
    ? format.withSignals(signals).stream.decoder({ more: true })
    : format.stream.decoder();
  const portions = new Portions(() => decoder.next(), onBad);
  let [last, length, count] = [LF, 0, 0];
  const zeros = { count: 0 };
  for await (const chunk of mayEndInZeros(format) ? withoutZeros(rest, zeros) : rest) {
    if (chunk.length === 0) continue;
    last = chunk[chunk.length - 1]!;
    length += chunk.length;
    decoder.push(chunk);
    for (;;) {
      const samples = portions.next();
      if (samples.length === 0) break;
      count += samples.length;
      yield samples;
    }
  }
  const left: Sample[] = [];
  try {
    if (format.text) {
      // Where nothing could be read before them, it is something else that ends in zeros.
      if (zeros.count > 0 && (count > 0 || length === 0)) onCut?.(ZEROS);
    } else if (!takesZeros(decoder, zeros.count, left)) {
      onCut?.(ZEROS);
      if (left.length > 0) yield left;
      return;
    } else length += zeros.count;
    for (let sample; (sample = decoder.end());) left.push(sample);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    // What a loss of power cuts off is one sample behind others like it: anything else is damaged.
    const { offset = 0 } = error;
    if (count === 0 || (length - offset) * count > CUT * offset) onBad(error);
    else onCut?.(`The input ends inside a sample, which is left out: ${error.message}`);
  }
  const isCut = last !== LF && format.text && !format.name.startsWith("json");
  if (isCut && left.length > 0) {
    left.pop();
    onCut?.("The last line has no newline, so that it may be cut off: it is left out");
  }
  if (left.length > 0) yield left;
}

/** Whether zeros at the end of the input may be what a loss of power leaves behind, rather than samples. */
function mayEndInZeros({ text, name }: VillasFormat): boolean {
  return text || ["protobuf", "villas.binary", "villas.web"].includes(name);
}

/** Holds back zeros until something else comes, and counts those at the end. */
async function* withoutZeros(
  chunks: AsyncIterable<Uint8Array>,
  zeros: { count: number },
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of chunks) {
    let end = chunk.length;
    while (end > 0 && chunk[end - 1] === 0) end--;
    if (end > 0) {
      for (; zeros.count > 0; zeros.count -= Math.min(zeros.count, MOST_ZEROS)) {
        yield new Uint8Array(Math.min(zeros.count, MOST_ZEROS));
      }
      yield chunk.subarray(0, end);
    }
    zeros.count += chunk.length - end;
  }
}

/**
 * Gives zeros to a decoder that may belong to the last sample.
 *
 * @returns Whether they did. If there are more, the sample that they completed may have had other values, and is left out.
 */
function takesZeros(decoder: SampleDecoder, count: number, left: Sample[]): boolean {
  if (count === 0) return true;
  try {
    decoder.push(new Uint8Array(Math.min(count, MOST_ZEROS)));
    for (let sample; (sample = decoder.next());) left.push(sample);
    return true;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    left.length = 0;
    return false;
  }
}

/** Takes samples in portions; an error after a sample is reported once that sample has been handed on. */
class Portions {
  readonly #next: () => Sample | null;
  readonly #onBad: (error: CodecError) => void;
  #bad: CodecError | undefined;

  constructor(next: () => Sample | null, onBad: (error: CodecError) => void) {
    this.#next = next;
    this.#onBad = onBad;
  }

  /** The next portion; an empty one if there is nothing more. */
  next(): Sample[] {
    const samples: Sample[] = [];
    while (samples.length < PORTION && !(this.#bad && samples.length > 0)) {
      const bad = this.#bad;
      this.#bad = undefined;
      if (bad) this.#onBad(bad);
      try {
        const sample = this.#next();
        if (sample === null) break;
        samples.push(sample);
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        this.#bad = error;
      }
    }
    return samples;
  }
}

function raise(error: CodecError): never {
  throw error;
}

/**
 * Reads a file in chunks.
 *
 * @param file The file, from where it is.
 * @param onRead Called with the number of bytes of each chunk.
 * @returns Chunks, each valid until the next.
 */
export async function* chunksOf(
  file: Deno.FsFile,
  onRead?: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, void> {
  const buffer = new Uint8Array(1 << 16);
  for (let count; (count = await file.read(buffer)) !== null;) {
    onRead?.(count);
    yield buffer.subarray(0, count);
  }
}

/** What a line of comment says before the signals, in VILLASnode's notation. */
const SIGNALS = "# signals: ";
/** Longest beginning of a stream that is looked at. */
const LONGEST_HEAD = 1 << 18;

/**
 * The comment by which a recording says what its values are, where they are not all floats: text does not tell.
 *
 * @param format The format of the recording.
 * @param signals The signals.
 * @returns A line; empty where the format has no comments, or nothing needs to be said.
 */
function signalsComment({ name, notation }: VillasFormat, signals: readonly Signal[]): string {
  const hasComments = ["villas.human", "csv", "tsv"].includes(name) &&
    !notation.includes("comment_prefix") && !notation.includes("delimiter");
  if (!hasComments || signals.every(({ type }) => type === "float")) return "";
  const letters = signals.map(({ type }) => type[0]);
  const counted = letters.join("").replace(/(.)\1+/g, (run) => `${run.length}${run[0]}`);
  return `${SIGNALS}${counted}\n`;
}

/**
 * Begins to write samples whose signals nobody has stated: behind the header it is said what the values are, where their text does not
 * tell.
 *
 * @param format The format.
 * @param first The first sample.
 * @param options What else is to be written.
 * @returns What a file begins with, and what writes the samples.
 */
export function beginSamples(
  format: VillasFormat,
  first: Sample,
  options: StreamEncoderOptions = {},
): { head: Uint8Array; encoder: SampleEncoder } {
  const { signals = format.signals ?? signalsIn(first) } = options;
  const encoder = format.stream.encoder({ ...options, signals });
  const comment = new TextEncoder().encode(signalsComment(format, signals));
  return { head: concat([encoder.encode([]), comment]), encoder };
}

/** The signals that a sample shows. */
function signalsIn({ values }: Sample): Signal[] {
  return values.map((value, i) => {
    const kind = kindOf(value);
    return { name: `signal${i}`, type: kind === "unset" ? "float" : kind, unit: "" };
  });
}

/** Looks at the comments at the beginning of a stream, unless the signals are known. */
async function statedSignals(
  chunks: AsyncIterable<Uint8Array>,
  format: VillasFormat,
): Promise<{ signals?: readonly Signal[]; rest: AsyncIterable<Uint8Array> }> {
  if (format.signals || !format.text) return { rest: chunks };
  const iterator = chunks[Symbol.asyncIterator]();
  let head = new Uint8Array();
  let text = "";
  while (/^(#[^\n]*\n)*(#[^\n]*)?$/.test(text) && head.length < LONGEST_HEAD) {
    const next = await iterator.next();
    if (next.done) break;
    head = concat([head, next.value]);
    text = new TextDecoder().decode(head);
  }
  // Anybody may have written a comment that begins so.
  const stated = /^(?:#[^\n]*\n)*?# signals: ((?:(?:[1-9]\d*)?[fibc])+)\r?\n/.exec(text)?.[1];
  const rest = {
    async *[Symbol.asyncIterator]() {
      yield head;
      yield* { [Symbol.asyncIterator]: () => iterator };
    },
  };
  return { signals: stated === undefined ? undefined : parseSignals(stated), rest };
}
