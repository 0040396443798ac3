import { sameSample, type Sample, type Timestamp } from "../../codecs/villas/sample.ts";
import { LatencyRecorder, type LatencySummary } from "../../time/latency.ts";
import type { ArrivalClock } from "../../net/datagram/transport.ts";
import type { Batch } from "../node.ts";
import { type Hook, watching } from "../path.ts";

/** Samples that may be on the way; beyond them the oldest counts as lost. */
const MAX_OUTSTANDING = 65536;
/** Samples of the same number that may be on the way behind the first; beyond them the first counts as lost. */
const MAX_SAME = 256;

/** A sample that came back. */
export interface ReturnedSample {
  /** The sample as it came back. */
  readonly sample: Sample;
  /** When it came back. */
  readonly received: Timestamp;
  /** Whether it is what was sent. */
  readonly unchanged: boolean;
}

/** What is known of samples that were sent. */
export interface ReturnCounts {
  /** Samples that came back, each counted once. */
  readonly returned: number;
  /** Samples that came back with other values or timestamps. */
  readonly changed: number;
  /** Samples that came back again, or were never sent. */
  readonly unexpected: number;
  /** Time from sending to coming back, in µs. */
  readonly roundTrip: LatencySummary;
}

/** How {@linkcode Returns} works. */
export interface ReturnsOptions {
  /** Called with each sample that comes back; a promise is waited for. */
  readonly onReturn?: (returned: ReturnedSample) => void | Promise<void>;
  /** Called when all samples of a message were looked at. */
  readonly onMessage?: () => void;
  /** What the format of the messages makes of a sample. Default: it stays what it is. */
  readonly carry?: (sample: Sample) => Sample;
  /** When messages arrive, where the system says it. */
  readonly clock?: ArrivalClock | undefined;
}

/** A sample that is on the way. */
interface Outstanding {
  readonly sample: Sample;
  /** When it was sent, in ms of a clock that runs evenly. */
  sentAt: number;
  /** The same in µs of the clock that tells when messages arrive. */
  sentWall: number;
  /** Its place in the order of sending. */
  readonly place: number;
}

/** Remembers what is sent on one path, and compares it with what comes back on another. */
export class Returns {
  readonly #options: ReturnsOptions;
  readonly #onReturn: ReturnsOptions["onReturn"];
  /** By their numbers; of several with the same number, from two sources or one that began again, the one sent first. */
  readonly #outstanding = new Map<number | bigint, Outstanding>();
  /** The others of the same number, in the order of sending. */
  readonly #same = new Map<number | bigint, Outstanding[]>();
  #count = 0;
  /** The same in the order of sending, around the end; what has come back left its place empty. */
  readonly #order: (Outstanding | undefined)[] = [];
  #place = 0;
  /** Those that are still to be given to the system. */
  readonly #leaving: Outstanding[] = [];
  readonly #roundTrip = new LatencyRecorder();
  #returned = 0;
  #changed = 0;
  #unexpected = 0;
  /** When the message arrived that is being looked at. */
  #at = 0;
  #arrived = NaN;

  /** @param options What to do with what comes back. */
  constructor(options: ReturnsOptions) {
    this.#options = options;
    this.#onReturn = options.onReturn && watching(options.onReturn);
  }

  /** What was counted so far. */
  get counts(): ReturnCounts {
    return {
      returned: this.#returned,
      changed: this.#changed,
      unexpected: this.#unexpected,
      roundTrip: this.#roundTrip.summary(),
    };
  }

  /** Whether a sample has come back at all. */
  get anyReturned(): boolean {
    return this.#returned > 0;
  }

  /** How many samples are on the way. */
  get outstanding(): number {
    return this.#count;
  }

  /** Gives up what is on the way. */
  forget(): void {
    this.#outstanding.clear();
    this.#same.clear();
    this.#order.length = 0;
    this.#place = this.#count = 0;
  }

  /** Gives up as many samples as were remembered last: they were not sent after all. */
  forgetLast(count: number): void {
    for (let i = 0; i < count; i++) {
      const place = (this.#place + MAX_OUTSTANDING - 1) % MAX_OUTSTANDING;
      const entry = this.#order[place];
      if (!entry) return;
      this.#forget(entry);
      this.#place = place;
      this.#leaving.pop();
    }
  }

  /** The hook of the path there: remembers samples. */
  readonly sent: Hook = {
    prepare: ({ samples }) => {
      const { carry, clock } = this.#options;
      const sentAt = performance.now();
      for (const made of samples) {
        const sample = carry ? carry(made) : made;
        const entry = { sample, sentAt, sentWall: NaN, place: this.#place };
        this.#remember(entry);
        if (clock) this.#leaving.push(entry);
      }
    },
  };

  /** Keeps the order too, to forget the oldest: a map whose first entries were deleted takes long to tell the first of the others. */
  #remember(entry: Outstanding): void {
    const oldest = this.#order[this.#place];
    if (oldest) this.#forget(oldest);
    const key = keyOf(entry.sample.sequence!);
    const first = this.#outstanding.get(key);
    if (first) this.#rememberSame(key, first, entry);
    else this.#outstanding.set(key, entry);
    this.#count++;
    this.#order[this.#place] = entry;
    this.#place = (this.#place + 1) % MAX_OUTSTANDING;
  }

  #rememberSame(key: number | bigint, first: Outstanding, entry: Outstanding): void {
    const others = this.#same.get(key);
    if (others) others.push(entry);
    else this.#same.set(key, [entry]);
    if (others && others.length > MAX_SAME) this.#forget(first);
  }

  #forget(entry: Outstanding): void {
    const key = keyOf(entry.sample.sequence!);
    this.#count--;
    this.#order[entry.place] = undefined;
    const others = this.#othersOf(key);
    if (!others) return void this.#outstanding.delete(key);
    if (this.#outstanding.get(key) === entry) this.#outstanding.set(key, others.shift()!);
    else others.splice(others.indexOf(entry), 1);
    if (others.length === 0) this.#same.delete(key);
  }

  #othersOf(key: number | bigint): Outstanding[] | undefined {
    return this.#same.size === 0 ? undefined : this.#same.get(key);
  }

  /** What a sample is that came back: of several with its number, the one that it is the same as, else the first. */
  #sentAs(sample: Sample): Outstanding | undefined {
    if (sample.sequence === undefined) return undefined;
    const key = keyOf(sample.sequence);
    const first = this.#outstanding.get(key);
    const others = this.#othersOf(key);
    if (!others || sameSample(sample, first!.sample)) return first;
    return others.find((other) => sameSample(sample, other.sample)) ?? first;
  }

  /** Notes the time at which what was written is given to the system; never called where each sample is given to it at once. */
  readonly leave = (): void => {
    const { clock } = this.#options;
    if (!clock || this.#leaving.length === 0) return;
    const [sentAt, sentWall] = [performance.now(), clock.now()];
    for (const entry of this.#leaving) {
      entry.sentAt = sentAt;
      entry.sentWall = sentWall;
    }
    this.#leaving.length = 0;
  };

  /** Notes the time at which a message came back: the first hook of the path back. */
  readonly arrived: Hook = {
    prepare: () => {
      this.#at = performance.now();
      this.#arrived = this.#options.clock?.arrived() ?? NaN;
    },
  };

  /** The tap of the path back: compares samples. */
  readonly back = (batch: Batch): void | Promise<void> => {
    const { samples } = batch;
    for (let i = 0; i < samples.length; i++) {
      const waiting = this.#compare(samples[i]!, batch);
      if (waiting) return this.#rest(waiting, i + 1, batch);
    }
    this.#options.onMessage?.();
  };

  async #rest(
    waiting: Promise<void>,
    next: number,
    batch: Batch,
  ): Promise<void> {
    await waiting;
    const { samples } = batch;
    for (let i = next; i < samples.length; i++) await this.#compare(samples[i]!, batch);
    this.#options.onMessage?.();
  }

  /** How long a sample was on the way, without the time that this program needed to notice, where that is known. */
  #micros({ sentAt, sentWall }: Outstanding): number {
    const noticed = Math.max(0, this.#at - sentAt) * 1000;
    const arrived = this.#arrived - sentWall;
    return arrived >= 0 && arrived <= noticed ? arrived : noticed; // else the clock was set meanwhile
  }

  #compare(sample: Sample, batch: Batch): void | Promise<void> {
    const sent = this.#sentAs(sample);
    let unchanged = false;
    if (sent === undefined) {
      this.#unexpected++;
    } else {
      this.#forget(sent);
      this.#returned++;
      this.#roundTrip.record(this.#micros(sent));
      unchanged = sameSample(sample, sent.sample);
      if (!unchanged) this.#changed++;
    }
    return this.#onReturn?.({ sample, received: batch.received, unchanged });
  }
}

/** A sequence number as the key of a map: numbers are found faster than big integers. */
function keyOf(sequence: bigint): number | bigint {
  const number = Number(sequence);
  return number <= Number.MAX_SAFE_INTEGER ? number : sequence;
}
