import type { Format } from "../codecs/villas/format.ts";
import { villasProtobuf } from "../codecs/villas/protobuf.ts";
import type { Sample, Timestamp } from "../codecs/villas/sample.ts";
import { asNode } from "../codecs/villas/sides.ts";
import { CodecError, messageOf, UsageError } from "../errors.ts";
import { type Endpoint, formatAddress, parseEndpoint } from "../net/address/address.ts";
import { MAX_PAYLOAD } from "../net/datagram/transport.ts";
import { after, timerDelay, within } from "../time/deadline.ts";
import { notify, whenAborted } from "../time/lifecycle.ts";
import { timestampClock } from "../time/timestamp.ts";
import { Returns } from "./hooks/returns.ts";
import { SignalNode } from "./nodes/signal.ts";
import { SignalGenerator, type SignalGeneratorOptions } from "./nodes/signal_generator.ts";
import type { EndpointNode, EndpointProblem } from "./nodes/endpoint.ts";
import { openEndpoint } from "./nodes/open_endpoint.ts";
import { type Batch, batchOf, type Pace, type SourceNode } from "./node.ts";
import { Path } from "./path.ts";
import type { VillasSignalOptions, VillasSignalStats } from "./signal_source_options.ts";

/** Datagrams on the way at most when samples are not paced by a timer, as long as the other end answers at all. */
const WINDOW = 32;
/** How long the last samples are waited for after the source was stopped, in s. */
const STOP_WAIT = 1;
/** How long an unpaced source waits for room in that window, in ms, as long as nothing has ever come back. */
const WINDOW_WAIT_MS = 20;
/** The same when the other end does answer: it may only be busy, and what is sent to it meanwhile could be lost. */
const ANSWER_WAIT_MS = 200;

/** How samples are sent and checked, wherever they come from. */
export type SendingOptions = Omit<VillasSignalOptions, keyof SignalGeneratorOptions>;

/**
 * Sends generated or recorded samples and checks what comes back. Made by {@linkcode startVillasSignal} and
 * {@linkcode startVillasReplay}. It is two paths: from a signal node or a file node to a socket node, and from the socket node to a
 * comparison with what was sent.
 */
export class SignalSource implements AsyncDisposable {
  /** The address that is really bound; that of `to` with `layer: "tcp-client"`. */
  readonly addr: Endpoint;
  /** The same; a server at `localhost` has two. */
  readonly addrs: readonly Endpoint[];
  /** Bytes that the system keeps of UDP while the program is busy; undefined where the system does not say. */
  readonly receiveBuffer: number | undefined;
  /** Resolves when the limit is reached and the last samples have come back or were waited for, or after `close()`. */
  readonly finished: Promise<void>;
  readonly #node: EndpointNode;
  readonly #to: Endpoint;
  readonly #options: SendingOptions;
  readonly #signal: SourceNode;
  readonly #returns: Returns;
  /** Samples handed to the node. */
  #given = 0;
  /** Samples that the format cannot carry. */
  #refused = 0;
  /** When all must be over after the source was stopped, by `performance.now()`. */
  #deadline = Infinity;
  readonly #over = Promise.withResolvers<void>();
  /** Samples that were waited for in vain: they take no room in the window. */
  #missing = 0;
  #draining = false;
  #wake: (() => void) | undefined;
  #stopping: Disposable | undefined;

  private constructor(
    node: EndpointNode,
    to: Endpoint,
    options: SendingOptions,
    source: (pace: Pace) => SourceNode,
    now: () => Timestamp,
  ) {
    this.addr = node.addr;
    this.addrs = node.addrs ?? [node.addr];
    this.receiveBuffer = node.receiveBuffer;
    this.#node = node;
    this.#to = to;
    this.#options = options;
    const { onReturn, codec = villasProtobuf } = options;
    this.#signal = source({ now, onStep: (step) => this.#room(step) });
    const onMessage = () => this.#wake?.();
    this.#returns = new Returns({ onReturn, onMessage, carry: carrier(codec), clock: node.clock });
    this.finished = Promise.resolve().then(() => this.#run());
    this.finished.catch(() => {}); // an error is seen by callers that await it
  }

  /**
   * Use {@linkcode startVillasSignal} or {@linkcode startVillasReplay}.
   *
   * @internal
   */
  static async open(
    options: SendingOptions,
    from: (pace: Pace) => SourceNode,
  ): Promise<SignalSource> {
    const { codec = villasProtobuf, to, now = timestampClock() } = options;
    const format = asNode(formatFor(codec, options));
    for (const end of [options.listen, to]) {
      const path = pathOf(end);
      if (path === undefined) continue;
      // Deno cannot send on a unix datagram socket while it receives on it.
      throw new UsageError(
        `Cannot send samples from or to "${path}": expected UDP or TCP addresses`,
      );
    }
    let source: SignalSource | undefined;
    const { node, remote } = await openEndpoint({
      ...options,
      remote: to ?? "127.0.0.1:12001",
      port: 12000,
      remotePort: 12001,
      format,
      scan: false,
      times: options.returns !== false,
      onSend: () => void (source && source.#returns.leave()),
      remoteIs: "samples are sent to",
      onProblem: (problem) => void (source && source.#problem(problem)),
      now,
    });
    return source = new SignalSource(node, remote, options, from, now);
  }

  /** What was counted so far. */
  get stats(): VillasSignalStats {
    const { invalid, ignored, dropped, unsent: untaken } = this.#node.counters;
    // A datagram that the system did not take counts as a full one.
    const sent = Math.max(0, this.#given - untaken * (this.#options.vectorize ?? 1));
    const { returned, changed, unexpected, roundTrip } = this.#returns.counts;
    return {
      ...{
        sent,
        returned,
        lost: Math.max(0, sent - returned),
        changed,
        unexpected,
        invalid,
        ignored,
      },
      ...{
        unsent: this.#refused + untaken,
        missedSteps: this.#signal.missedSteps,
        dropped,
        roundTrip,
      },
    };
  }

  /** What is generated now; nothing of a recording. */
  get generator(): SignalGeneratorOptions {
    return this.#signal instanceof SignalNode ? this.#signal.generator : {};
  }

  /**
   * Generates something else from the next sample on.
   *
   * @param change What is different: type, frequency, amplitude and so on, but not the number of values or the rate.
   * @throws {UsageError} If it is out of range, or a recording is sent; the source goes on as before.
   */
  change(change: Omit<SignalGeneratorOptions, "values" | "rate">): void {
    if (!(this.#signal instanceof SignalNode)) {
      throw new UsageError("Cannot change the signal: a recording is being sent");
    }
    this.#signal.change(change);
  }

  /** Stops sending; what is on the way is still waited for, at most one second. Called again, it ends the wait. */
  stop(): void {
    const again = this.#signal.isEnded || this.#draining;
    this.#signal.end();
    // Where nobody is connected, there is nothing on the way.
    if (again || this.#node.connected?.()) void this.#node.close();
    if (this.#deadline < Infinity) return;
    this.#deadline = performance.now() + STOP_WAIT * 1000;
    this.#stopping = after(STOP_WAIT, this.#over.resolve);
  }

  /** Ends the source at once. May be called again. */
  async close(): Promise<void> {
    this.stop();
    await this.#node.close();
    await this.finished.catch(() => {});
  }

  /** Ends the source at once. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    using _aborting = whenAborted(this.#options.signal, () => void this.close());
    const receiving = this.#receive();
    try {
      await this.#node.connected?.();
      await Promise.race([this.#send(), receiving, this.#over.promise]); // a peer may not read
      await this.#drain();
    } finally {
      this.#signal.end();
      this.#node.end();
      await within(this.#node.finished, STOP_WAIT); // a connection ends in order
      await this.#node.close();
      await within(receiving, STOP_WAIT); // a callback that never ends must not hold up the end
      this.#stopping?.[Symbol.dispose]();
    }
  }

  /** Sends until the limit or the end. */
  async #send(): Promise<void> {
    const path: Path = new Path({
      hooks: this.#options.returns === false ? [] : [this.#returns.sent],
      taps: [({ count }) => void (this.#given += count)],
      destinations: [this.#node],
      sentTaps: this.#options.sentTaps,
      onRefused: (error, batch) => this.#refuse(error, batch, path), // the format cannot carry a value
    });
    // What was written leaves when all that was due is written, or at once: no need to flush it each time.
    await this.#signal.serve((batch) => path.lead(batch));
    await this.#node.flush();
  }

  async #receive(): Promise<void> {
    const path = new Path({
      hooks: [this.#returns.arrived],
      taps: [this.#returns.back, ...this.#options.taps ?? []],
      onRefused: () => {}, // there is no hook that could refuse
    });
    await (this.#options.returns === false ? this.#node.discard() : path.run(this.#node));
    this.#returns.forget(); // nothing comes any more: nothing to wait for
    this.#wake?.();
  }

  #problem(problem: EndpointProblem): void {
    const { kind, from, error } = problem;
    if (kind !== "send") notify(this.#options.onProblem, problem);
    else if (error !== undefined) this.#tellUnsent(from, error);
    else if (!this.#signal.isEnded) notify(this.#options.onProblem, problem);
  }

  /** Sends the others of several samples, each by itself. */
  async #refuse(error: unknown, { count, samples }: Batch, path: Path): Promise<void> {
    this.#given -= count;
    this.#returns.forgetLast(count);
    if (count > 1) {
      for (const sample of samples) await path.lead(batchOf([sample]));
      return;
    }
    this.#refused++;
    this.#tellUnsent(this.#to, error);
  }

  #tellUnsent(to: Endpoint, error: unknown): void {
    if (this.#signal.isEnded) return;
    const message = `Cannot send to ${formatAddress(to)}: ${messageOf(error)}`;
    notify(this.#options.onProblem, { kind: "send", message, from: to, error });
  }

  /** Without the clock's pace, waits until half of the window has come back, or a little while: else most would be lost on the way. */
  #room(step: number): Promise<void> | undefined {
    const { vectorize = 1 } = this.#options;
    return step > 0 && step % (WINDOW * vectorize) === 0 ? this.#half(vectorize) : undefined;
  }

  async #half(vectorize: number): Promise<void> {
    const returns = this.#returns;
    const patience = returns.anyReturned ? ANSWER_WAIT_MS : WINDOW_WAIT_MS;
    const end = performance.now() + patience;
    this.#missing = Math.min(this.#missing, returns.outstanding);
    while (returns.outstanding - this.#missing > WINDOW * vectorize / 2 && !this.#signal.isEnded) {
      if (performance.now() >= end) {
        this.#missing = returns.outstanding;
        return;
      }
      await this.#returnOr(returns.anyReturned ? patience : 1);
    }
  }

  /** Waits for what is on the way. */
  async #drain(): Promise<void> {
    const { wait: patience = 1 } = this.#options;
    this.#draining = true;
    const end = Math.min(performance.now() + patience * 1000, this.#deadline);
    while (this.#returns.outstanding > 0) {
      const left = end - performance.now();
      if (left <= 0) return;
      await this.#returnOr(left);
    }
  }

  /** Resolves when something comes back, the socket is closed, or after so many ms. */
  async #returnOr(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, timerDelay(ms / 1000));
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }
}

/**
 * The format in which samples are sent.
 *
 * @throws {UsageError} If what comes back could not be matched by its sequence number.
 */
function formatFor(codec: Format, { returns, vectorize = 1 }: SendingOptions): Format {
  const { carried, name } = codec;
  codec.check?.();
  if (carried === undefined) return codec;
  if (vectorize > carried.samples) {
    throw new UsageError(
      `Cannot send ${vectorize} samples per datagram: VILLASnode reads one in format ${name}`,
    );
  }
  if (carried.sequence) return codec;
  if (returns !== false) {
    throw new UsageError(
      `Cannot match what comes back in format ${name}: it carries no sequence number; only send, with --no-return` +
        (name === "raw" || name === "gtnet" ? `, or use ${name},fake=true` : ""),
    );
  }
  return {
    ...codec,
    encode: (samples) => codec.encode(samples.map(({ sequence: _, ...sample }) => sample)),
  };
}

/** What becomes of a sample in a format that rounds it, or drops some of it; undefined where it stays what it is. */
function carrier({ carried, encode, decode }: Format): ((sample: Sample) => Sample) | undefined {
  if (carried === undefined || carried.exact && carried.origin) return undefined;
  return (sample) => {
    try {
      return decode(encode([sample]))[0] ?? sample;
    } catch (error) {
      if (error instanceof CodecError) return sample; // it will not be sent either
      throw error;
    }
  };
}

/** The path that an address is; undefined if it is none. */
function pathOf(address: string | Endpoint | undefined): string | undefined {
  if (address === undefined) return undefined;
  const endpoint = typeof address === "string" ? parseEndpoint(address, { port: 0 }) : address;
  return "path" in endpoint ? endpoint.path : undefined;
}

/** Checks that as many samples as wanted find room in a datagram. */
function checkFits(values: Sample["values"], options: VillasSignalOptions): void {
  const { vectorize = 1, limit = Infinity } = options;
  const codec = formatFor(options.codec ?? villasProtobuf, options);
  const origin = { sec: 2 ** 31, nsec: 999_999_999 };
  const sequence = BigInt(Math.min(limit, 2 ** 40));
  const { length } = codec.encode([{ type: "data", sequence, origin, values }]);
  const most = Math.floor(MAX_PAYLOAD / length);
  if (Math.min(vectorize, limit) > most) {
    const each = `of ${length} bytes each, and a datagram takes ${MAX_PAYLOAD}`;
    throw new UsageError(
      `Cannot send ${vectorize} samples per datagram: at most ${most} fit, ${each}`,
    );
  }
}

/**
 * Starts what stands in for VILLASnode's `signal` node behind a `socket` node: generates samples, sends them, and takes
 * what comes back.
 *
 * @param options The signal, the addresses and the end.
 * @returns The running source.
 * @throws {UsageError} If an option does not fit or an address cannot be bound.
 * @throws {ConnectError} If the name of `to` cannot be resolved.
 *
 * @example Three samples to an echo and back
 * ```ts
 * import { startVillasEcho, startVillasSignal } from "@labwire/labwire/villas";
 * import { assertEquals } from "@std/assert";
 *
 * await using echo = await startVillasEcho({ listen: "127.0.0.1:0", anySource: true, replyTo: "sender" });
 * await using source = await startVillasSignal({ listen: "127.0.0.1:0", to: echo.addr, values: 5, rate: 100, limit: 3 });
 * await source.finished;
 * assertEquals(source.stats.returned, 3);
 * assertEquals(source.stats.changed, 0);
 * ```
 */
export async function startVillasSignal(options: VillasSignalOptions = {}): Promise<SignalSource> {
  const { vectorize = 1, limit = Infinity, wait = 1 } = options;
  if (!Number.isSafeInteger(vectorize) || vectorize < 1) {
    throw new UsageError(
      `Cannot send ${vectorize} samples per datagram: expected a whole number of at least 1`,
    );
  }
  if (!(Number.isSafeInteger(limit) || limit === Infinity) || limit < 0) {
    throw new UsageError(`Cannot send ${limit} samples: expected a whole number of at least 0`);
  }
  if (!(wait >= 0)) throw new UsageError(`Cannot wait for ${wait} s: expected at least 0`);
  const values = new SignalGenerator(options).next(0, 0); // its options are checked before anything is bound
  checkFits(values, options);
  return await SignalSource.open(options, (pace) => new SignalNode({ ...options, ...pace }));
}
