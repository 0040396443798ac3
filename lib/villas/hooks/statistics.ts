import type { Batch } from "../node.ts";
import type { Hook } from "../path.ts";
import { type SequenceCounts, SourceStatistics } from "./source_statistics.ts";

/** What a path has carried so far. */
export interface PathCounts extends SequenceCounts {
  /** Messages. */
  readonly messages: number;
  /** Samples in them. */
  readonly samples: number;
  /** Bytes of them. */
  readonly bytes: number;
  /** Time since the first message, in s. */
  readonly seconds: number;
}

/** Counts what a path carries, and follows the sequence numbers of each sender. */
export class Statistics implements Hook {
  readonly #sources = new SourceStatistics();
  #messages = 0;
  #samples = 0;
  #bytes = 0;
  #first: number | undefined;

  /** Messages so far. */
  get messages(): number {
    return this.#messages;
  }

  /** What was counted so far. */
  get counts(): PathCounts {
    return {
      messages: this.#messages,
      samples: this.#samples,
      bytes: this.#bytes,
      seconds: this.#first === undefined ? 0 : (performance.now() - this.#first) / 1000,
      ...this.#sources.counts,
    };
  }

  prepare(batch: Batch): void {
    this.#first ??= performance.now();
    this.#messages++;
    this.#samples += batch.count;
    this.#bytes += batch.bytes?.length ?? 0;
    const from = batch.from;
    if (from) { for (const sequence of batch.sequences) this.#sources.add(from, sequence); }
  }
}
