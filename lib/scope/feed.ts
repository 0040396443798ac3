import type { Sample } from "../codecs/villas/sample.ts";
import { SequenceTracker } from "../villas/hooks/sequence_tracker.ts";
import type { Timestamp } from "../time/timestamp.ts";
import type { Tap } from "../villas/path.ts";
import { Lane, type LaneOptions, type SignalInfo } from "./store/lane.ts";
import { Timeline } from "./store/timeline.ts";

/** Sequence numbers whose arrival is remembered, to find the delay of replies. */
const REMEMBERED = 4096;
/** Delays of which the median is told. */
const DELAYS = 101;
/** How far a sequence number may fall back and be a late one, rather than the source beginning anew; the same where no time tells. */
const [LATE, LATE_UNTIMED] = [1000, 64];

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
  /** Whether the samples' own times are taken as they are, as in a recording. Default: false. */
  readonly isAbsolute?: boolean;
  /** The clock, in s since 1970. Default: the system's. */
  readonly now?: () => number;
}

/** What is known about the stream of a lane. */
export interface LaneStatistics {
  /** Samples per second, over the last second or so; over all of a recording. NaN before it is known. */
  readonly rate: number;
  /** How unevenly messages arrive, in s (RFC 3550, section 6.4.1); NaN for a recording. */
  readonly jitter: number;
  /** Sequence numbers that were left out. */
  readonly missed: number;
  /** Samples that came after later ones. */
  readonly reordered: number;
  /** Samples that came again. */
  readonly duplicates: number;
  /** Messages that came too fast to be shown. */
  readonly unseen: number;
  /** The median time from the first lane to this one, in s; NaN where there is none. */
  readonly delay: number;
}

/** A lane, what it is called, and what is known about its stream. */
class Source {
  readonly lane: Lane;
  #tracker = new SequenceTracker();
  /** What was counted before the last time that messages could not be shown. */
  #before = { missed: 0, reordered: 0, duplicates: 0 };
  #unseen = 0;
  #next: bigint | undefined;
  /** The sender's time of the last sample that was drawn, in s. */
  #newest = NaN;
  #jitter = 0;
  #arrival = NaN;
  #origin = NaN;
  #rate = NaN;
  #samples = 1;
  #since = NaN;
  #gap = false;

  constructor(readonly description: LaneDescription, options: LaneOptions) {
    this.lane = new Lane(options);
  }

  /** Whether something is missing before a sample, or "late" where it is not to be drawn any more. */
  follow({ sequence, type, origin }: Sample): boolean | "late" {
    if (type !== "data") {
      this.#gap = true;
      this.#next = undefined;
      return "late";
    }
    let gap = this.#gap;
    const time = secondsOf(origin);
    if (sequence !== undefined) {
      this.#tracker.track(sequence);
      if (this.#next !== undefined && sequence !== this.#next) {
        const behind = this.#next - sequence;
        const most = Number.isNaN(time) ? LATE_UNTIMED : LATE;
        // What is newer by the sender's clock is not late, whatever its number says.
        const isLate = behind > 0n && behind <= most && sequence > 0n && !(time > this.#newest);
        if (isLate) return "late";
        gap = true;
      }
      this.#next = sequence + 1n;
    }
    this.#gap = false;
    this.#newest = time;
    return gap;
  }

  /** Messages were there that could not be shown: they are missing here, and nowhere else. */
  lost(count: number): void {
    this.#unseen += count;
    this.#before = this.#counted();
    this.#tracker = new SequenceTracker();
    this.#gap = true;
    this.#next = undefined;
  }

  #counted() {
    const { missed, reordered, duplicates } = this.#tracker;
    const before = this.#before;
    return {
      missed: before.missed + missed,
      reordered: before.reordered + reordered,
      duplicates: before.duplicates + duplicates,
    };
  }

  /** Takes note of a message's arrival. */
  arrived(now: number, origin: number): void {
    if (!Number.isNaN(this.#origin + origin)) {
      const difference = Math.abs(now - this.#arrival - (origin - this.#origin));
      // A jump of the sender's clock is no jitter.
      if (difference < 1) this.#jitter += (difference - this.#jitter) / 16;
    }
    [this.#arrival, this.#origin] = [now, origin];
    if (Number.isNaN(this.#since)) this.#since = now;
  }

  statistics(now: number, delay: number): LaneStatistics {
    // From one arrival to another, so that ten samples a second are ten and not sometimes nine or eleven.
    const { samples } = this.lane;
    const seconds = this.#arrival - this.#since;
    if (seconds >= 1) this.#rate = (samples - this.#samples) / seconds;
    else if (now - this.#arrival > Math.max(2, 2 / (this.#rate || 1))) this.#rate = 0;
    if (seconds >= 1) [this.#samples, this.#since] = [samples, this.#arrival];
    const [rate, jitter, unseen] = [this.#rate, this.#jitter, this.#unseen];
    return { rate, jitter, unseen, ...this.#counted(), delay };
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

  /**
   * Makes a feed without samples.
   *
   * @param options What there is to see, and how much to remember.
   */
  constructor(options: FeedOptions) {
    this.#now = options.now ?? systemNow;
    this.#isAbsolute = options.isAbsolute ?? false;
    this.signals = options.signals ?? [];
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
    return this.#sources.map(({ lane }) => lane);
  }

  /** What each lane is. */
  get descriptions(): readonly LaneDescription[] {
    return this.#sources.map(({ description }) => description);
  }

  /** When the newest sample was; -Infinity before there is one. */
  get end(): number {
    let end = -Infinity;
    for (const { lane } of this.#sources) end = Math.max(end, lane.end);
    return end;
  }

  /** When the oldest thing that is remembered was. */
  get start(): number {
    return Math.min(...this.#sources.map(({ lane }) => lane.start));
  }

  /** Since when every sample is remembered; -Infinity while none has been let go of. */
  get whole(): number {
    const raw = this.lanes.map(({ levels }) => levels[0]!);
    return Math.max(...raw.map(({ oldest, start }) => oldest > 0 ? start : -Infinity));
  }

  /** What is known about the stream of each lane. */
  statistics(): LaneStatistics[] {
    const now = this.#now();
    return this.#sources.map((source, i) => {
      const known = source.statistics(now, i === 0 ? NaN : this.#delay());
      if (!this.#isAbsolute) return known;
      const { samples, start, end } = source.lane;
      return { ...known, rate: end > start ? (samples - 1) / (end - start) : NaN, jitter: NaN };
    });
  }

  /**
   * What shows samples to a lane: a tap for a path.
   *
   * @param index The lane.
   */
  tap(index: number): Tap {
    return ({ samples }) => this.add(index, samples);
  }

  /**
   * Shows samples to a lane; what must last of them is copied.
   *
   * @param index The lane.
   * @param samples The samples.
   * @param now When they came, in s since 1970. Default: now.
   */
  add(index: number, samples: readonly Sample[], now: number = this.#now()): void {
    const source = this.#sources[index]!;
    if (samples.length > 0) source.arrived(now, secondsOf(samples[0]!.origin));
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

  /**
   * Takes note that messages of a lane could not be shown.
   *
   * @param index The lane.
   * @param count How many.
   */
  lost(index: number, count: number): void {
    this.#sources[index]!.lost(count);
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

/** A time in s since 1970; NaN without one. */
function secondsOf(time: Timestamp | undefined): number {
  return time ? time.sec + time.nsec / 1e9 : NaN;
}

/** The wall clock in s, to the microsecond. */
function systemNow(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}
