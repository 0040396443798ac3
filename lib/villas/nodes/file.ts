import type { VillasFormat } from "../../codecs/villas/format.ts";
import { plusSeconds, type Sample } from "../../codecs/villas/sample.ts";
import { UsageError, whyUnreadable } from "../../errors.ts";
import { delay } from "../../time/deadline.ts";
import { notify } from "../../time/lifecycle.ts";
import type { Timestamp } from "../../time/timestamp.ts";
import { type Batch, batchOf, type Pace, type SourceNode } from "../node.ts";
import { chunksOf, readSamples } from "../sample_stream.ts";

/** How much earlier than the one before a sample may be at the end of the part that is wanted, in ms: some come out of order. */
const OUT_OF_ORDER = 60_000;

/** A time in a recording: seconds from its first sample, or a point in time. */
export type RecordingTime = number | Date;

/** How a file node works. */
export interface FileNodeOptions extends Partial<Pace> {
  /** The file. */
  readonly path: string;
  /** Its format. */
  readonly format: VillasFormat;
  /** How many times as fast as they were recorded the samples are given; `Infinity` for as fast as they are taken. Default: 1. */
  readonly speed?: number;
  /** Give so many samples per second, whatever their times are. Default: by their times. */
  readonly rate?: number;
  /** Begin again at the end, with sequence numbers and times that go on. Default: false. */
  readonly loop?: boolean;
  /** Leave out the samples before this time. Default: none. */
  readonly from?: RecordingTime;
  /** Leave out the samples of this time and later. Default: none. */
  readonly until?: RecordingTime;
  /** Samples to give at most. Default: all. */
  readonly limit?: number;
  /** Samples in each batch. Default: 1. */
  readonly vectorize?: number;
  /** The origin of each sample: that in the file, or the time at which it is given. Default: `file`. */
  readonly origin?: "file" | "now";
  /** Batches in quick succession at most, before there is a pause of about a millisecond. Default: 64. */
  readonly burst?: number;
  /** Called with each thing in the file that is no sample, and with what is wrong at its end. What it throws is reported as an `error` event. */
  readonly onBad?: (message: string) => void;
}

/** VILLASnode's `file` node, reading: gives the samples of a file at their own pace, and takes none. */
export class FileNode implements SourceNode {
  readonly finished: Promise<void>;
  readonly missedSteps = 0;
  /** The size of the file in bytes. */
  readonly size: number;
  readonly #options: FileNodeOptions;
  readonly #file: Deno.FsFile;
  readonly #ending = new AbortController();
  readonly #finish: () => void;
  #position = 0;
  #given = 0;
  #bad = 0;
  #served = false;

  private constructor(options: FileNodeOptions, file: Deno.FsFile, size: number) {
    this.#options = options;
    this.#file = file;
    this.size = size;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
  }

  /**
   * Opens a file.
   *
   * @param options The file and its pace.
   * @throws {UsageError} If it cannot be read, or not again with `loop`, or its format needs to know the signals.
   */
  static async open(options: FileNodeOptions): Promise<FileNode> {
    const { path, format } = options;
    format.stream.decoder(); // it may need to know the signals
    let file: Deno.FsFile | undefined;
    try {
      file = await Deno.open(path);
      const { isDirectory, isFile, size } = await file.stat();
      if (isDirectory) throw new Error("it is a directory");
      if (options.loop && !isFile) {
        throw new Error("it is no file that can be read again, as --loop does");
      }
      return new FileNode(options, file, size);
    } catch (cause) {
      file?.close();
      throw new UsageError(`Cannot read "${path}": ${whyUnreadable(cause)}`, { cause });
    }
  }

  /** How far the file was read, in bytes. */
  get position(): number {
    return this.#position;
  }

  /** Things in the file that are no samples. */
  get bad(): number {
    return this.#bad;
  }

  get isEnded(): boolean {
    return this.#ending.signal.aborted;
  }

  async serve(handle: (batch: Batch) => void | Promise<void>): Promise<void> {
    this.#served = true;
    const { loop = false, vectorize = 1 } = this.#options;
    const pacer = new Pacer(this.#options, this.#ending.signal);
    const shift = new Shift();
    let samples: Sample[] = [];
    try {
      for (;;) {
        const before = this.#given;
        for await (const sample of this.#selected()) {
          const waiting = pacer.wait(sample, this.#given);
          if (waiting) await waiting;
          if (this.isEnded) return;
          samples.push(this.#stamped(shift.apply(sample)));
          this.#given++;
          if (samples.length < vectorize) continue;
          const handled = handle(batchOf(samples));
          if (handled) await handled;
          samples = [];
        }
        // A loop around nothing would never end.
        if (!loop || this.#isDone || this.#given === before) break;
        pacer.pass(shift.next());
        await this.#file.seek(0, Deno.SeekMode.Start);
        this.#position = 0;
      }
      if (samples.length > 0) await handle(batchOf(samples));
    } finally {
      this.#file.close();
      this.#finish();
    }
  }

  /** Takes nothing: recordings are not written by replaying them. */
  write(): void {}

  flush(): Promise<void> {
    return Promise.resolve();
  }

  end(): void {
    if (this.isEnded) return;
    this.#ending.abort();
    if (this.#served) return;
    this.#served = true;
    this.#file.close();
    this.#finish();
  }

  close(): Promise<void> {
    this.end();
    return this.finished;
  }

  /** Ends the node; see {@linkcode FileNode.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #isDone(): boolean {
    return this.isEnded || this.#given >= (this.#options.limit ?? Infinity);
  }

  /** The samples between the times that are wanted. */
  async *#selected(): AsyncGenerator<Sample, void, void> {
    const { path, format, from, until, onBad } = this.#options;
    const isPart = from !== undefined || until !== undefined;
    const chunks = chunksOf(this.#file, (bytes) => this.#position += bytes);
    const portions = readSamples(chunks, format, {
      onBad: ({ message }) => {
        this.#bad++;
        notify(onBad, message);
      },
      onCut: (message) => notify(onBad, message),
    });
    let [start, end] = [-Infinity, Infinity];
    let first = true;
    for await (const samples of portions) {
      for (const sample of samples) {
        const time = milliseconds(timeOf(sample));
        if (first) {
          start = boundary(from, time, -Infinity);
          end = boundary(until, time, Infinity);
          first = false;
        }
        if (isPart && Number.isNaN(time)) throw timelessPart(path);
        if (this.#isDone || time >= end + OUT_OF_ORDER) return;
        if (time >= start && time < end || !isPart) yield sample;
      }
    }
  }

  #stamped(sample: Sample): Sample {
    const { origin, now } = this.#options;
    return origin === "now" && now ? { ...sample, origin: now() } : sample;
  }
}

/** Waits until samples are due. */
class Pacer {
  readonly #options: FileNodeOptions;
  readonly #signal: AbortSignal;
  #start: number | undefined;
  /** When the last sample was due, in ms from the first one. */
  #elapsed = 0;
  #last: Timestamp | undefined;
  #burst = 0;

  constructor(options: FileNodeOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /**
   * Waits until a sample is due.
   *
   * @param sample The sample.
   * @param step Its number, from 0.
   * @returns A promise, if there is something to be waited for.
   */
  wait(sample: Sample, step: number): void | Promise<void> {
    const { speed = 1, rate, burst = 64, vectorize = 1, onStep } = this.#options;
    const now = performance.now();
    this.#start ??= now;
    if (rate !== undefined) this.#elapsed = step * 1000 / rate;
    else if (speed === Infinity) {
      const waiting = onStep?.(step);
      if (waiting) return waiting;
    } else {
      const time = timeOf(sample);
      if (!time) throw timeless(this.#options.path);
      this.#elapsed += spacing(this.#last, time) / speed;
      this.#last = time;
    }
    const left = this.#start + this.#elapsed - now;
    if (left > 0) {
      this.#burst = 0;
      return this.#sleep(Math.ceil(left));
    }
    if (++this.#burst < burst * vectorize) return undefined;
    this.#burst = 0;
    return this.#sleep(1);
  }

  /** Lets so many ms of the recording pass before its first sample is given again. */
  pass(ms: number): void {
    this.#elapsed += ms / (this.#options.speed ?? 1);
    this.#last = undefined;
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms / 1000, this.#signal).catch(() => {}); // aborted: the node ends
  }
}

/** Has sequence numbers and times go on where a recording is given again; and numbers samples that have no number. */
class Shift {
  /** The number in the recording that a sample without one has. */
  #number = 0n;
  /** What is added to the numbers of this round; undefined before its first sample. */
  #added: bigint | undefined = 0n;
  /** One more than the highest number since the last restart. */
  #next = 0n;
  #seconds = 0;
  #first: Timestamp | undefined;
  #last: Timestamp | undefined;
  #spacing = 0;

  /** A sample as it is to be given. */
  apply(sample: Sample): Sample {
    const { sequence = this.#number, origin } = sample;
    if (sequence === 0n && this.#number > 1n) this.#added = this.#next = 0n; // its source had begun again
    this.#number = sequence + 1n;
    // Beyond those of the round before, or VILLASnode would drop them.
    this.#added ??= this.#next > sequence ? this.#next - sequence : 0n;
    const number = sequence + this.#added;
    if (number >= this.#next) this.#next = number + 1n;
    if (origin) {
      this.#first ??= origin;
      this.#spacing = spacing(this.#last, origin) || this.#spacing;
      this.#last = origin;
    }
    const shifted = { ...sample, sequence: BigInt.asUintN(64, number) };
    delete shifted.received;
    if (origin && this.#seconds > 0) shifted.origin = plusSeconds(origin, this.#seconds);
    return shifted;
  }

  /**
   * Begins again after the last sample.
   *
   * @returns The time between the last two samples, in ms.
   */
  next(): number {
    this.#number = 0n;
    this.#added = undefined;
    this.#seconds += (spacing(this.#first, this.#last) + this.#spacing) / 1000;
    this.#last = undefined;
    this.#first = undefined;
    return this.#spacing;
  }
}

function timeless(path: string): UsageError {
  return new UsageError(
    `Cannot give the samples of "${path}" at their times: they have none; --rate says how many per second`,
  );
}

function timelessPart(path: string): UsageError {
  return new UsageError(
    `Cannot take the part of "${path}" between two times: its samples have none; --limit says how many are sent`,
  );
}

/** When a sample was made, or else received. */
function timeOf({ origin, received }: Sample): Timestamp | undefined {
  return origin ?? received;
}

function milliseconds(time: Timestamp | undefined): number {
  return time === undefined ? NaN : time.sec * 1000 + time.nsec / 1e6;
}

/** The time between two samples in ms; none if the clock was set back between them, or a time is unknown. */
function spacing(before: Timestamp | undefined, after: Timestamp | undefined): number {
  if (!before || !after) return 0;
  return Math.max(0, (after.sec - before.sec) * 1000 + (after.nsec - before.nsec) / 1e6);
}

/** A boundary in ms since 1970. */
function boundary(time: RecordingTime | undefined, first: number, fallback: number): number {
  if (time === undefined) return fallback;
  return time instanceof Date ? time.getTime() : first + time * 1000;
}
