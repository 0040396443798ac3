import { type Endpoint, formatAddress } from "../../net/address/address.ts";
import { sameEndpoint } from "../../net/address/same.ts";
import { SequenceTracker } from "./sequence_tracker.ts";

/** What sequence numbers show of what happened on the way; each count is 2⁵³ − 1 at most. */
export interface SequenceCounts {
  /** Samples that never arrived: gaps in the sequence that nothing filled later. */
  missed: number;
  /** Samples that arrived after a later one. */
  reordered: number;
  /** Samples that arrived again. */
  duplicates: number;
  /** Times that the sequence went back to 0. */
  restarts: number;
}

/** Senders whose sequences are followed at the same time; beyond them the one heard least recently is forgotten. */
const MAX_SOURCES = 256;

/** Follows the sequence numbers of several senders, each by itself, and adds up what they tell. */
export class SourceStatistics {
  readonly #trackers = new Map<string, SequenceTracker>();
  readonly #forgotten: SequenceCounts = { missed: 0, reordered: 0, duplicates: 0, restarts: 0 };
  #last: { from: Endpoint; tracker: SequenceTracker } | undefined;

  /** Takes one sample's sequence number into account. */
  add(from: Endpoint, sequence: number | bigint): void {
    this.#of(from).track(sequence);
  }

  /** The sums over all senders. */
  get counts(): SequenceCounts {
    const sum = { ...this.#forgotten };
    for (const tracker of this.#trackers.values()) addTo(sum, tracker);
    return sum;
  }

  #of(from: Endpoint): SequenceTracker {
    if (this.#last && sameEndpoint(this.#last.from, from)) return this.#last.tracker;
    const key = formatAddress(from);
    const known = this.#trackers.get(key);
    const tracker = known ?? new SequenceTracker();
    this.#trackers.delete(key); // the map keeps the order of use
    this.#trackers.set(key, tracker);
    this.#last = { from, tracker };
    if (known === undefined && this.#trackers.size > MAX_SOURCES) this.#forgetOldest();
    return tracker;
  }

  #forgetOldest(): void {
    const [key, tracker] = this.#trackers.entries().next().value!;
    addTo(this.#forgotten, tracker);
    this.#trackers.delete(key);
  }
}

function addTo(sum: SequenceCounts, counts: SequenceCounts): void {
  sum.missed = Math.min(sum.missed + counts.missed, Number.MAX_SAFE_INTEGER);
  sum.reordered += counts.reordered;
  sum.duplicates += counts.duplicates;
  sum.restarts += counts.restarts;
}
