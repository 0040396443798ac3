import type { Format } from "../../codecs/villas/format.ts";
import { villasProtobuf } from "../../codecs/villas/protobuf.ts";
import type { Sample } from "../../codecs/villas/sample.ts";
import { CodecError } from "../../errors.ts";
import type { HostPort } from "../../net/address/address.ts";
import { within } from "../../time/deadline.ts";
import { notify } from "../../time/lifecycle.ts";
import type { Batch } from "../../villas/node.ts";
import type { Tap } from "../../villas/path.ts";
import type { LaneDescription } from "../feed.ts";
import type { PlotSize } from "../plot/plot.ts";
import type { ScopeControl } from "../scope.ts";
import type { SignalInfo } from "../store/lane.ts";
import type { Statistic } from "../viewer.ts";
import { errorOf, type Fault, faultOf } from "./fault.ts";
import type { FromThread, ToThread } from "./messages.ts";
import { ringMemory, RingWriter } from "./ring.ts";
import { threadName, workerUrl } from "./worker.ts";

/** Bytes that may be on their way: two seconds of 64 signals at 10,000 samples/s. */
const ROOM = 2 ** 24;
/** To look at the clock takes longer than to copy a message: of those that go back at once, one in so many is looked at. */
const LOOK_EVERY = 16;
/** Seconds that the thread has to close its connections. */
const GRACE = 1;

/** How a scope in a thread of its own works. */
export interface ScopeThreadOptions {
  /** What there is to see. */
  readonly lanes: readonly LaneDescription[];
  /** Names and units of the signals. */
  readonly signals?: readonly SignalInfo[];
  /** Seconds of which every sample is kept. Default: 60. */
  readonly history?: number;
  /** Where to serve the page. Default: nowhere. */
  readonly listen?: HostPort;
  /** What is shown, for the page's title. */
  readonly title?: string;
  /** The format of the batches' messages: those of protobuf that are known to be whole are read by the other thread. */
  readonly format?: Format;
  /** Numbers that are shown beside the traces. */
  readonly statistics?: () => readonly Statistic[];
  /** What may be changed from the page. Default: nothing. */
  readonly control?: ScopeControl;
  /** Called with what went wrong with a browser; the scope goes on. */
  readonly onProblem?: (kind: string, message: string) => void;
}

/**
 * A scope in a thread of its own, which costs the one that has the samples no more than a copy of each message; made by
 * {@linkcode startScopeThread}. Where samples come faster than they can be shown, some are not shown, and the page says so.
 */
export class ScopeThread implements AsyncDisposable {
  /** The address that is really bound, where a page is served. */
  readonly addr: HostPort | undefined;
  /** What to open in a browser, where a page is served. */
  readonly url: string | undefined;
  /** Resolves when everything is closed. */
  readonly finished: Promise<void>;
  readonly #worker: Worker;
  readonly #options: ScopeThreadOptions;
  readonly #ring: RingWriter;
  readonly #isReadable: boolean;
  readonly #drawn: ((lines: string[]) => void)[] = [];
  #last: Batch | undefined;
  #lastBytes: Uint8Array | undefined;
  /** When that came, and how much later such a message was sent when that was looked at last. */
  #time = NaN;
  #delay = 0;
  #count = 0;
  #resolveFinished: () => void;
  #closing: Promise<void> | undefined;

  /**
   * Use {@linkcode startScopeThread}.
   *
   * @internal
   */
  constructor(
    worker: Worker,
    memory: SharedArrayBuffer,
    started: FromThread & { type: "started" },
    options: ScopeThreadOptions,
  ) {
    this.#worker = worker;
    this.#options = options;
    this.addr = started.addr;
    this.url = started.url;
    this.#isReadable = options.format?.name === villasProtobuf.name;
    this.#ring = new RingWriter(memory, () => this.#say({ type: "wake" }));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#resolveFinished = resolve;
    worker.onmessage = ({ data }) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      notify(
        options.onProblem,
        "thread",
        `The scope has stopped: ${event.message}; everything else goes on`,
      );
      void this.close();
    };
  }

  /**
   * What shows samples to a lane: a tap for a path.
   *
   * @param index The lane.
   */
  tap(index: number): Tap {
    return (batch) => {
      const { bytes } = batch;
      if (!this.#isReadable || !batch.plain || !bytes) return this.add(index, batch.samples);
      // What goes back as it came is the same message.
      if (index !== 0 && batch === this.#last && bytes === this.#lastBytes) {
        if (this.#count++ % LOOK_EVERY === 0) this.#delay = now() - this.#time;
        this.#ring.again(index, this.#time + this.#delay);
        return;
      }
      this.#time = now();
      this.#last = this.#ring.put(index, this.#time, bytes) ? batch : undefined;
      this.#lastBytes = bytes;
    };
  }

  /**
   * Shows samples to a lane; they are copied. What does not fit into a message of protobuf is not shown, and the page says how many.
   *
   * @param index The lane.
   * @param samples The samples.
   */
  add(index: number, samples: readonly Sample[]): void {
    this.#last = undefined;
    let bytes: Uint8Array;
    try {
      bytes = villasProtobuf.encode([...samples]);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#ring.lose(index);
      return;
    }
    this.#ring.put(index, now(), bytes);
  }

  /**
   * Draws the traces with characters.
   *
   * @param size How large.
   * @returns The lines; empty when it is closed.
   */
  draw(size: PlotSize): Promise<string[]> {
    if (this.#closing) return Promise.resolve([]);
    this.#say({ type: "draw", size });
    return new Promise((resolve) => this.#drawn.push(resolve));
  }

  /** Does what a key stands for in what {@linkcode ScopeThread.draw} draws. */
  press(key: string): void {
    this.#say({ type: "press", key });
  }

  /** Closes everything; may be called again. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** Closes everything. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#say({ type: "close" });
    await within(this.finished, GRACE);
    this.#worker.terminate();
    this.#resolveFinished();
    for (const resolve of this.#drawn.splice(0)) resolve([]);
  }

  #say(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromThread): void {
    const { statistics, control, onProblem } = this.#options;
    if (message.type === "problem") notify(onProblem, message.kind, message.message);
    else if (message.type === "statistics") {
      this.#say({ type: "statistics", statistics: statistics?.() ?? [] });
    } else if (message.type === "describe") {
      this.#answer(message.id, () => control!.describe());
    } else if (message.type === "change") {
      this.#answer(message.id, () => control!.change(message.change));
    } else if (message.type === "drawn") this.#drawn.shift()?.(message.lines);
    else if (message.type === "closed") this.#resolveFinished();
  }

  async #answer(id: number, act: () => unknown): Promise<void> {
    let error: Fault | undefined;
    let value: unknown;
    try {
      value = await act();
    } catch (thrown) {
      error = faultOf(thrown);
    }
    this.#say({ type: "answer", id, value, error });
  }
}

/** The wall clock in s, to the microsecond. */
function now(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}

/**
 * Starts a scope in a thread of its own. It does what {@linkcode startScope} does, and whoever has the samples is not slowed by it.
 *
 * @param options What to show, and where.
 * @returns The running scope.
 * @throws {UsageError} If the address cannot be bound.
 * @throws If no thread can be started: it has to be permitted to read the modules of this library.
 *
 * @example An echo that is looked at
 * ```ts
 * import { startScopeThread } from "@labwire/labwire/scope";
 * import { assertMatch } from "@std/assert";
 *
 * await using scope = await startScopeThread({
 *   lanes: [{ name: "received" }],
 *   listen: { hostname: "127.0.0.1", port: 0 },
 * });
 * scope.add(0, [{ type: "data", sequence: 0n, values: [Math.sin(1)] }]);
 * assertMatch(await (await fetch(scope.url!)).text(), /<title>/);
 * ```
 */
export async function startScopeThread(options: ScopeThreadOptions): Promise<ScopeThread> {
  const { lanes, signals, history, listen, title } = options;
  const memory = ringMemory(ROOM);
  const worker = new Worker(workerUrl, { type: "module", name: threadName });
  const { promise, resolve, reject } = Promise.withResolvers<FromThread & { type: "started" }>();
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(`Cannot start the scope's thread: ${event.message}`));
  };
  const start = { memory, lanes, signals, history, listen, title, hasControl: !!options.control };
  worker.onmessage = ({ data }: MessageEvent<FromThread>) => {
    if (data.type === "loaded") worker.postMessage({ type: "start", start } satisfies ToThread);
    else if (data.type === "started") resolve(data);
    else if (data.type === "failed") reject(errorOf(data.error));
  };
  try {
    return new ScopeThread(worker, memory, await promise, options);
  } catch (error) {
    worker.terminate();
    throw error;
  }
}
