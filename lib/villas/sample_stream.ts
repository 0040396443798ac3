/**
 * Samples in files and on standard input, as they are read: in portions, with what is wrong in them left to the caller.
 *
 * @module
 */

import type { VillasFormat } from "../codecs/villas/format.ts";
import type { Sample } from "../codecs/villas/sample.ts";
import { CodecError } from "../errors.ts";

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
 * since nobody knows whether its last number is whole.
 *
 * @param chunks The bytes, as they come.
 * @param format Their format.
 * @param options What is to become of what cannot be read.
 * @returns Portions of samples, none of them empty.
 * @throws {CodecError} If something is no sample, unless `onBad` takes it.
 * @throws {UsageError} If the format needs to be told the signals.
 */
export async function* readSamples(
  chunks: AsyncIterable<Uint8Array>,
  format: VillasFormat,
  options: SampleStreamOptions = {},
): AsyncGenerator<Sample[], void, void> {
  const { onBad = raise, onCut } = options;
  const decoder = format.stream.decoder();
  const portions = new Portions(() => decoder.next(), onBad);
  let last = LF;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    last = chunk[chunk.length - 1]!;
    decoder.push(chunk);
    for (;;) {
      const samples = portions.next();
      if (samples.length === 0) break;
      yield samples;
    }
  }
  const left: Sample[] = [];
  try {
    for (let sample; (sample = decoder.end());) left.push(sample);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    onCut?.(`The input ends inside a sample, which is left out: ${error.message}`);
  }
  const isCut = last !== LF && format.text && !format.name.startsWith("json");
  if (isCut && left.length > 0) {
    left.pop();
    onCut?.("The last line has no newline, so that it may be cut off: it is left out");
  }
  if (left.length > 0) yield left;
}

/** Takes samples in portions; what is wrong behind a sample is told when that has been handed on. */
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
