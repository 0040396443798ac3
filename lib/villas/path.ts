import type { Batch, SampleNode } from "./node.ts";

/** Sees the batches of a path, and never changes them; a promise is waited for. */
export type Tap = (batch: Batch) => void | Promise<void>;

/**
 * Makes one that never throws of a function that only watches, and whose promise is waited for. What it throws or its promise rejects with
 * is reported as an `error` event, which ends the program unless it is handled.
 *
 * @param observer The function.
 */
export function watching<T>(
  observer: (seen: T) => void | Promise<void>,
): (seen: T) => void | Promise<void> {
  return (seen) => {
    try {
      const waiting = observer(seen);
      if (waiting instanceof Promise) return waiting.catch(reportError);
    } catch (error) {
      reportError(error);
    }
  };
}

/** Looks at the batches of a path, or puts others in their place. */
export interface Hook {
  /** Called with each batch before any tap sees it: what is found out here cannot be changed by them. */
  prepare?(batch: Batch): void;
  /**
   * Decides what goes on.
   *
   * @returns The batch, another one, or null if nothing goes on.
   * @throws If the batch must not go on; the path reports it and goes on with the next.
   */
  process?(batch: Batch): Batch | null | Promise<Batch | null>;
}

/** Where a path can lead. */
export type Destination = Pick<SampleNode, "write" | "flush">;

/** What a path leads through. */
export interface PathOptions {
  /** Looked at, or changed by, in this order. */
  readonly hooks?: readonly Hook[];
  /** Shown what comes from the source. What they throw ends the path. */
  readonly taps?: readonly Tap[];
  /** Where what is left goes. */
  readonly destinations?: readonly Destination[];
  /** Shown what was written to the destinations. What they throw ends the path. */
  readonly sentTaps?: readonly Tap[];
  /** Called with what a hook threw, or a destination whose format cannot carry the samples; a promise is waited for. */
  readonly onRefused: (error: unknown, batch: Batch) => void | Promise<void>;
}

/**
 * The way of samples: source → hooks → destinations, with taps at the source. A batch for which nothing has to be waited for costs no
 * promise.
 */
export class Path {
  readonly #options: PathOptions;
  readonly #prepared: readonly Hook[];
  readonly #processing: readonly Hook[];
  readonly #taps: readonly Tap[];
  readonly #destinations: readonly Destination[];
  readonly #sentTaps: readonly Tap[];

  /**
   * Lays a path.
   *
   * @param options What it leads through.
   */
  constructor(options: PathOptions) {
    const { hooks = [], taps = [], destinations = [], sentTaps = [] } = options;
    this.#options = options;
    this.#prepared = hooks.filter((hook) => hook.prepare);
    this.#processing = hooks.filter((hook) => hook.process);
    this.#taps = taps;
    this.#destinations = destinations;
    this.#sentTaps = sentTaps;
  }

  /**
   * Leads everything that a source gives along the path, until the source ends.
   *
   * @param source Where samples come from.
   */
  run(source: SampleNode): Promise<void> {
    // A node that serves sends by itself what was written to it meanwhile.
    const others = this.#destinations.filter((node) => node !== source);
    if (others.length === 0) return source.serve((batch) => this.lead(batch));
    return source.serve(async (batch) => {
      await this.lead(batch);
      for (const node of others) await node.flush();
    });
  }

  /**
   * Leads one batch along the path; what its destinations have not sent yet remains to be flushed.
   *
   * @param batch The batch.
   * @returns A promise, if there is something to be waited for before the next batch.
   */
  lead(batch: Batch): void | Promise<void> {
    for (const hook of this.#prepared) hook.prepare!(batch);
    for (let i = 0; i < this.#taps.length; i++) {
      const waiting = this.#taps[i]!(batch);
      if (waiting) return this.#tapped(waiting, i + 1, batch);
    }
    return this.#process(batch);
  }

  /** The rest of the way, once a tap is done. */
  async #tapped(waiting: Promise<void>, next: number, batch: Batch): Promise<void> {
    await waiting;
    for (let i = next; i < this.#taps.length; i++) await this.#taps[i]!(batch);
    await this.#process(batch);
  }

  #process(batch: Batch): void | Promise<void> {
    let current: Batch = batch;
    try {
      for (let i = 0; i < this.#processing.length; i++) {
        const next = this.#processing[i]!.process!(current);
        if (next instanceof Promise) return this.#processLater(next, i + 1, batch);
        if (next === null) return undefined;
        current = next;
      }
      const writing = this.#write(current);
      if (writing) return this.#writeLater(writing, current, batch);
    } catch (error) {
      return this.#options.onRefused(error, batch);
    }
    return this.#showSent(current);
  }

  async #processLater(
    waiting: Promise<Batch | null>,
    index: number,
    batch: Batch,
  ): Promise<void> {
    let current: Batch | null;
    try {
      current = await waiting;
      for (let i = index; i < this.#processing.length && current; i++) {
        current = await this.#processing[i]!.process!(current);
      }
      if (current === null) return;
      await this.#write(current);
    } catch (error) {
      return this.#options.onRefused(error, batch);
    }
    await this.#showSent(current);
  }

  async #writeLater(writing: Promise<void>, current: Batch, batch: Batch): Promise<void> {
    try {
      await writing;
    } catch (error) {
      return this.#options.onRefused(error, batch);
    }
    await this.#showSent(current);
  }

  #write(batch: Batch): void | Promise<void> {
    const destinations = this.#destinations;
    if (destinations.length === 1) return destinations[0]!.write(batch);
    const waiting = destinations.map((node) => node.write(batch)).filter((promise) => promise);
    if (waiting.length > 0) return Promise.all(waiting).then(() => {});
  }

  #showSent(batch: Batch): void | Promise<void> {
    let waiting: Promise<void>[] | undefined;
    for (let i = 0; i < this.#sentTaps.length; i++) {
      const shown = this.#sentTaps[i]!(batch);
      if (shown) (waiting ??= []).push(shown);
    }
    if (waiting) return Promise.all(waiting).then(() => {});
  }
}
