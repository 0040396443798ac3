import type { Format } from "../codecs/villas/format.ts";
import type { Sample } from "../codecs/villas/sample.ts";
import { SequenceTracker } from "../villas/hooks/sequence_tracker.ts";
import type { Batch } from "../villas/node.ts";
import type { Tap } from "../villas/path.ts";
import { Lane, type LaneOptions, type SignalInfo } from "./store/lane.ts";
import { Timeline } from "./store/timeline.ts";

/** Sequence numbers whose arrival is remembered, to find the delay of replies. */
const REMEMBERED = 4096;
/** Delays of which the median is told. */
const DELAYS = 101;
/** How far a sequence number may fall back and be a late one, rather than the source beginning anew. */
const LATE = 1000;

/** Bytes of messages that may wait to be read. */
const ROOM = 1 << 20;
/** Messages that may wait. */
const MOST_WAITING = 4096;
/** Milliseconds that they may wait. */
const PATIENCE = 10;

/** What goes one way. */
export interface LaneDescription {
  /** What it is called, as in `received`. */
  readonly name: string;
  /** Whether it is an answer to the first lane, which is drawn dashed. */
  readonly isReply?: boolean;
}

/** How a feed works. */
export interface FeedOptions extends LaneOptions {
  /** What there is to see. */
  readonly lanes: readonly LaneDescription[];
  /** Names and units of the signals. */
  readonly signals?: readonly SignalInfo[];
  /** The format of messages that are known to be whole: they are read when they have been answered. Default: all are read at once. */
  readonly format?: Format;
  /** Whether the samples' own times are taken as they are, as in a recording. Default: false. */
  readonly isAbsolute?: boolean;
  /** The clock, in s since 1970. Default: the system's. */
  readonly now?: () => number;
}

/** What is known about the stream of a lane. */
export interface LaneStatistics {
  /** Samples per second, over the last second or so. */
  readonly rate: number;
  /** How unevenly messages arrive, in s (RFC 3550, section 6.4.1). */
  readonly jitter: number;
  /** Sequence numbers that were left out. */
  readonly missed: number;
  /** Samples that came after later ones. */
  readonly reordered: number;
  /** Samples that came again. */
  readonly duplicates: number;
  /** The median time from the first lane to this one, in s; NaN where there is none. */
  readonly delay: number;
}

/** A lane, what it is called, and what is known about its stream. */
class Source {
  readonly lane: Lane;
  readonly tracker = new SequenceTracker();
  #next: bigint | undefined;
  #jitter = 0;
  #arrival = NaN;
  #origin = NaN;
  #rate = 0;
  #counted = 0;
  #since = NaN;
  #gap = false;

  constructor(readonly description: LaneDescription, options: LaneOptions) {
    this.lane = new Lane(options);
  }

  /** Whether something is missing before a sample, or "late" where it is not to be drawn any more. */
  follow({ sequence, type }: Sample): boolean | "late" {
    if (type !== "data") {
      this.#gap = true;
      this.#next = undefined;
      return "late";
    }
    let gap = this.#gap;
    if (sequence !== undefined) {
      this.tracker.track(sequence);
      if (this.#next !== undefined && sequence !== this.#next) {
        const behind = this.#next - sequence;
        if (behind > 0n && behind <= LATE && sequence > 0n) return "late";
        gap = true;
      }
      this.#next = sequence + 1n;
    }
    this.#gap = false;
    return gap;
  }

  /** Takes note of a message's arrival. */
  arrived(now: number, origin: number): void {
    if (!Number.isNaN(this.#origin + origin)) {
      const difference = Math.abs(now - this.#arrival - (origin - this.#origin));
      // A jump of the sender's clock is no jitter.
      if (difference < 1) this.#jitter += (difference - this.#jitter) / 16;
    }
    [this.#arrival, this.#origin] = [now, origin];
  }

  statistics(now: number, delay: number): LaneStatistics {
    // From one arrival to another, so that ten samples a second are ten and not sometimes nine or eleven.
    const { samples } = this.lane;
    const seconds = this.#arrival - this.#since;
    if (seconds >= 1) this.#rate = (samples - this.#counted) / seconds;
    else if (now - this.#arrival > Math.max(2, 2 / this.#rate)) this.#rate = 0;
    if (!(seconds < 1)) [this.#counted, this.#since] = [samples, this.#arrival];
    const { missed, reordered, duplicates } = this.tracker;
    return { rate: this.#rate, jitter: this.#jitter, missed, reordered, duplicates, delay };
  }
}

/** What a scope shows: samples as they come and go, on one time axis. */
export class Feed {
  /** Names and units of the signals, as far as they are known. */
  readonly signals: readonly SignalInfo[];
  readonly #sources: readonly Source[];
  readonly #timeline: Timeline;
  readonly #now: () => number;
  readonly #isAbsolute: boolean;
  /** When the samples of the first lane arrived, and their numbers. */
  readonly #arrivals = new Float64Array(REMEMBERED).fill(NaN);
  readonly #numbers = new Float64Array(REMEMBERED).fill(NaN);
  readonly #delays = new Float64Array(DELAYS).fill(NaN);
  #delayed = 0;
  readonly #format: Format | undefined;
  /** Messages that wait to be read, one after another; room for them is made when the first one comes. */
  #bytes = new Uint8Array();
  #used = 0;
  #waiting = 0;
  /** For each of them where it ends, its lane, and when it passed that, and the second lane; NaN where it did not. */
  readonly #ends = new Uint32Array(MOST_WAITING);
  readonly #lanes = new Uint8Array(MOST_WAITING);
  readonly #passed = new Float64Array(MOST_WAITING);
  readonly #returned = new Float64Array(MOST_WAITING);
  #last: Batch | undefined;
  #lastBytes: Uint8Array | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Makes a feed without samples.
   *
   * @param options What there is to see, and how much to remember.
   */
  constructor(options: FeedOptions) {
    this.#now = options.now ?? systemNow;
    this.#isAbsolute = options.isAbsolute ?? false;
    this.signals = options.signals ?? [];
    this.#format = options.format;
    this.#sources = options.lanes.map((description) => new Source(description, options));
    // Whole seconds, so that times on the axis are as exact as numbers can be.
    this.#timeline = new Timeline(Math.floor(this.#now()), options.isAbsolute);
  }

  /** What is 0 on the time axis, in s since 1970. */
  get zero(): number {
    return this.#timeline.zero;
  }

  /** The samples of each lane. */
  get lanes(): readonly Lane[] {
    this.flush();
    return this.#sources.map(({ lane }) => lane);
  }

  /** What each lane is. */
  get descriptions(): readonly LaneDescription[] {
    return this.#sources.map(({ description }) => description);
  }

  /** When the newest sample was; -Infinity before there is one. */
  get end(): number {
    this.flush();
    let end = -Infinity;
    for (const { lane } of this.#sources) end = Math.max(end, lane.end);
    return end;
  }

  /** When the oldest thing that is remembered was. */
  get start(): number {
    this.flush();
    return Math.min(...this.#sources.map(({ lane }) => lane.start));
  }

  /** What is known about the stream of each lane. */
  statistics(): LaneStatistics[] {
    this.flush();
    const now = this.#now();
    return this.#sources.map((source, i) => source.statistics(now, i === 0 ? NaN : this.#delay()));
  }

  /**
   * What shows samples to a lane: a tap for a path.
   *
   * @param index The lane.
   */
  tap(index: number): Tap {
    return (batch) => {
      const { bytes } = batch;
      // What was found whole without being read is read later, so that nobody waits for it.
      if (this.#format && batch.plain && bytes && bytes.length <= ROOM) {
        this.#keep(index, batch, bytes);
      } else {
        this.flush();
        this.add(index, batch.samples);
      }
    };
  }

  /** Reads the messages that wait. */
  flush(): void {
    if (this.#waiting === 0) return;
    const waiting = this.#waiting;
    clearTimeout(this.#timer);
    this.#waiting = this.#used = 0;
    this.#last = this.#timer = undefined;
    for (let i = 0, start = 0; i < waiting; start = this.#ends[i++]!) {
      const samples = this.#format!.decode(this.#bytes.subarray(start, this.#ends[i]));
      this.#add(this.#lanes[i]!, samples, this.#passed[i]!);
      const returned = this.#returned[i]!;
      if (!Number.isNaN(returned)) this.#add(1, samples, returned);
    }
  }

  /** Takes a message that is to be read later. */
  #keep(index: number, batch: Batch, bytes: Uint8Array): void {
    const now = this.#now();
    // What goes back as it came is the same message.
    if (index === 1 && batch === this.#last && bytes === this.#lastBytes) {
      this.#returned[this.#waiting - 1] = now;
      this.#last = undefined;
      return;
    }
    if (this.#waiting === MOST_WAITING || this.#used + bytes.length > ROOM) this.flush();
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(ROOM);
    this.#bytes.set(bytes, this.#used);
    const at = this.#waiting++;
    this.#ends[at] = this.#used += bytes.length;
    this.#lanes[at] = index;
    this.#passed[at] = now;
    this.#returned[at] = NaN;
    [this.#last, this.#lastBytes] = [index === 0 ? batch : undefined, bytes];
    this.#timer ??= setTimeout(() => this.flush(), PATIENCE);
  }

  /**
   * Shows samples to a lane; what must last of them is copied.
   *
   * @param index The lane.
   * @param samples The samples.
   */
  add(index: number, samples: readonly Sample[]): void {
    this.#add(index, samples, this.#now());
  }

  #add(index: number, samples: readonly Sample[], now: number): void {
    const source = this.#sources[index]!;
    const { origin } = samples[0] ?? {};
    if (samples.length > 0) source.arrived(now, origin ? origin.sec + origin.nsec / 1e9 : NaN);
    for (const sample of samples) {
      const gap = source.follow(sample);
      if (gap === "late") continue;
      this.#clock(index, sample.sequence, now);
      const time = sample.origin ?? (this.#isAbsolute ? sample.received : undefined);
      source.lane.add(this.#timeline.place(time, now), gap, sample.values);
    }
    const last = samples.at(-1);
    if (last?.type === "data") source.lane.note(last.values);
  }

  /** Finds out how long a sample took from the first lane to another one. */
  #clock(index: number, sequence: bigint | undefined, now: number): void {
    if (sequence === undefined || this.#sources.length === 1) return;
    const number = Number(sequence);
    const at = number % REMEMBERED;
    if (index === 0) {
      this.#arrivals[at] = now;
      this.#numbers[at] = number;
    } else if (this.#numbers[at] === number) {
      this.#delays[this.#delayed++ % DELAYS] = now - this.#arrivals[at]!;
      this.#numbers[at] = NaN;
    }
  }

  #delay(): number {
    const known = this.#delays.slice(0, this.#delayed).sort();
    return known[Math.floor(known.length / 2)] ?? NaN;
  }
}

/** The wall clock in s, to the microsecond. */
function systemNow(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}
