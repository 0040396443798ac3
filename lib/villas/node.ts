import type { Sample, Timestamp } from "../codecs/villas/sample.ts";
import type { Endpoint } from "../net/address/address.ts";

/**
 * Samples that travel together. A node may use the same object for the next ones: a batch is valid until the function that it was handed
 * to returns, or its promise resolves. Copy what must last.
 */
export interface Batch {
  /** The samples. Those that arrived as bytes are decoded when they are first asked for. */
  readonly samples: readonly Sample[];
  /** How many samples there are; known without decoding them. */
  readonly count: number;
  /** The sequence numbers of those that have one; known without decoding them. */
  readonly sequences: readonly (number | bigint)[];
  /** Whether they are known to be harmless to VILLASnode: all of type DATA, every value set, and of the stated kinds if any were. */
  readonly plain: boolean;
  /** When they arrived, or were made: looked up when it is first asked for. */
  readonly received: Timestamp;
  /** The message that they are on the wire. A node that has the same format sends it as it is. */
  readonly bytes?: Uint8Array;
  /** The address that they came from, if they did. */
  readonly from?: Endpoint;
}

/** Whatever gives samples or takes them: a socket, a signal generator, a file. */
export interface SampleNode extends AsyncDisposable {
  /** Resolves when the node has ended; nothing of it is left open then. */
  readonly finished: Promise<void>;
  /**
   * Hands on what arrives until the node ends, with no promise per batch unless the function returns one.
   *
   * @param handle Takes one batch. While its promise is pending, no other is handed on.
   */
  serve(handle: (batch: Batch) => void | Promise<void>): Promise<void>;
  /**
   * Takes samples.
   *
   * @param batch The samples; valid until the promise resolves, or `flush()` does if there is none.
   * @throws {CodecError} If the node's format cannot carry them.
   */
  write(batch: Batch): void | Promise<void>;
  /** Resolves when the system has everything that was written. */
  flush(): Promise<void>;
  /** Ends the node as soon as the batch that is being handled is done. */
  end(): void;
  /** Ends the node at once; may be called again. */
  close(): Promise<void>;
}

/** A node that gives samples of its own, at its own pace. */
export interface SourceNode extends SampleNode {
  /** Samples left out because the node was late; they show as gaps in the sequence. */
  readonly missedSteps: number;
  /** Whether the node was ended before it was done. */
  readonly isEnded: boolean;
}

/** What paces a source node. */
export interface Pace {
  /** Called before each sample that is not paced by the clock, with its number from 0; a promise is waited for. */
  readonly onStep: (step: number) => void | Promise<void>;
  /** The wall clock. */
  readonly now: () => Timestamp;
}

/** What is known of a batch that did not arrive as it is. */
export interface BatchOrigin {
  /** The message that the samples are on the wire, where they are encoded already. */
  readonly bytes?: Uint8Array;
  /** The address that they are an answer to. */
  readonly from?: Endpoint;
  /** When they were made. Default: never known. */
  readonly received?: Timestamp;
}

const UNKNOWN: Timestamp = { sec: 0, nsec: 0 };

/**
 * Makes a batch of samples.
 *
 * @param samples The samples.
 * @param origin What else is known.
 */
export function batchOf(samples: readonly Sample[], origin: BatchOrigin = {}): Batch {
  return new MadeBatch(samples, origin);
}

class MadeBatch implements Batch {
  readonly samples: readonly Sample[];
  readonly plain = false;
  readonly bytes: Uint8Array | undefined;
  readonly from: Endpoint | undefined;
  readonly received: Timestamp;

  constructor(samples: readonly Sample[], { bytes, from, received = UNKNOWN }: BatchOrigin) {
    this.samples = samples;
    this.bytes = bytes;
    this.from = from;
    this.received = received;
  }

  get count(): number {
    return this.samples.length;
  }

  get sequences(): readonly bigint[] {
    return sequencesOf(this.samples);
  }
}

/** The sequence numbers of those samples that have one. */
export function sequencesOf(samples: readonly Sample[]): bigint[] {
  const sequences: bigint[] = [];
  for (const { sequence } of samples) if (sequence !== undefined) sequences.push(sequence);
  return sequences;
}
