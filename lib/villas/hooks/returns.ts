import { sameSample, type Sample, type Timestamp } from "../../codecs/villas/sample.ts";
import { LatencyRecorder, type LatencySummary } from "../../time/latency.ts";
import type { ArrivalClock } from "../../net/datagram/transport.ts";
import type { Batch } from "../node.ts";
import type { Hook } from "../path.ts";

/** Samples that may be on the way; beyond them the oldest counts as lost. */
const MAX_OUTSTANDING = 65536;

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
  /** When messages arrive, where the system tells. */
  readonly clock?: ArrivalClock | undefined;
}

/** A sample that is on the way. */
interface Outstanding {
  readonly sample: Sample;
  /** When it was sent, in ms of a clock that runs evenly. */
  sentAt: number;
  /** The same in µs of the clock that tells when messages arrive. */
  sentWall: number;
}

/** Remembers what is sent on one path, and compares it with what comes back on another. */
export class Returns {
  readonly #options: ReturnsOptions;
  readonly #outstanding = new Map<bigint, Outstanding>();
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
    return this.#outstanding.size;
  }

  /** Gives up what is on the way. */
  forget(): void {
    this.#outstanding.clear();
  }

  /** The hook of the path there: remembers samples. */
  readonly sent: Hook = {
    prepare: ({ samples }) => {
      const { carry, clock } = this.#options;
      const sentAt = performance.now();
      const sentWall = clock ? clock.now() : NaN;
      for (const made of samples) {
        const sample = carry ? carry(made) : made;
        const entry = { sample, sentAt, sentWall };
        this.#outstanding.set(sample.sequence!, entry);
        if (clock) this.#leaving.push(entry);
      }
      while (this.#outstanding.size > MAX_OUTSTANDING) {
        this.#outstanding.delete(this.#outstanding.keys().next().value!);
      }
    },
  };

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
    const { samples, received } = batch;
    for (let i = 0; i < samples.length; i++) {
      const waiting = this.#compare(samples[i]!, received);
      if (waiting) return this.#rest(waiting, samples, i + 1, received);
    }
    this.#options.onMessage?.();
  };

  async #rest(
    waiting: Promise<void>,
    samples: readonly Sample[],
    next: number,
    received: Timestamp,
  ): Promise<void> {
    await waiting;
    for (let i = next; i < samples.length; i++) await this.#compare(samples[i]!, received);
    this.#options.onMessage?.();
  }

  /** How long a sample was on the way, without the time that this program needed to notice, where that is known. */
  #micros({ sentAt, sentWall }: Outstanding): number {
    const noticed = Math.max(0, this.#at - sentAt) * 1000;
    const arrived = this.#arrived - sentWall;
    return arrived >= 0 && arrived <= noticed ? arrived : noticed; // else the clock was set meanwhile
  }

  #compare(sample: Sample, received: Timestamp): void | Promise<void> {
    const sent = sample.sequence === undefined ? undefined : this.#outstanding.get(sample.sequence);
    let unchanged = false;
    if (sent === undefined) {
      this.#unexpected++;
    } else {
      this.#outstanding.delete(sample.sequence!);
      this.#returned++;
      this.#roundTrip.record(this.#micros(sent));
      unchanged = sameSample(sample, sent.sample);
      if (!unchanged) this.#changed++;
    }
    return this.#options.onReturn?.({ sample, received, unchanged });
  }
}
