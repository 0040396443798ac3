import type { Format } from "../codecs/villas/format.ts";
import { villasProtobuf } from "../codecs/villas/protobuf.ts";
import { asPeer } from "../codecs/villas/sides.ts";
import { floatSignals, type Signal, signalsOf } from "../codecs/villas/signals.ts";
import { withSignals } from "../codecs/villas/with_signals.ts";
import { CodecError, messageOf, UsageError } from "../errors.ts";
import type { Endpoint } from "../net/address/address.ts";
import { isMulticast } from "../net/datagram/multicast.ts";
import { after, delay } from "../time/deadline.ts";
import { notify, whenAborted } from "../time/lifecycle.ts";
import { timestampClock } from "../time/timestamp.ts";
import type { VillasEchoOptions, VillasEchoProblem, VillasEchoStats } from "./echo_options.ts";
import { EchoCheck } from "./hooks/check_echo.ts";
import { BatchedReplies, type BatchHandler } from "./hooks/batch_handler.ts";
import { ConcurrentReplies, repliesOf } from "./hooks/concurrent.ts";
import { Constants } from "./hooks/constants.ts";
import { Expectations, Refusal } from "./hooks/expected.ts";
import { Handler } from "./hooks/handler.ts";
import { LeftOut } from "./hooks/left_out.ts";
import { Statistics } from "./hooks/statistics.ts";
import type { Batch } from "./node.ts";
import type { EndpointNode } from "./nodes/endpoint.ts";
import { openEndpoint } from "./nodes/open_endpoint.ts";
import { type Hook, Path, type Tap, watching } from "./path.ts";

/** The port that VILLASnode's Python client binds. */
const PORT = 12001;
/** Where that client expects VILLASnode. */
const REMOTE = { hostname: "127.0.0.1", port: 12000 };
/** Seconds that the message being handled may take after {@linkcode Echo.close}, unless an option says otherwise. */
const GRACE = 1;

/** How long messages that have arrived are counted as dropped at the end, in ms: more may come at any time. */
const REST_MS = 100;
/** As soon as none came for so long, in ms, there are no more. */
const QUIET_MS = 5;
/** Why they are dropped. */
const ENDED = "the echo ended before it was handled";

/** The options of an echo whose signals have been read. */
type EchoOptions = Omit<VillasEchoOptions, "signals"> & { signals?: readonly Signal[] };

/**
 * The client of VILLASnode's Lab 19: receives messages, and sends each back. Made by {@linkcode startVillasEcho}. It is a path from a
 * socket node through a reply back to the same node, with statistics, and a tap for `onMessage`.
 */
export class Echo implements AsyncDisposable {
  /** The address that is really bound; that of VILLASnode with `layer: "tcp-client"`. */
  readonly addr: Endpoint;
  /** The same; a server at `localhost` has two. */
  readonly addrs: readonly Endpoint[];
  /** Bytes that the system keeps of UDP while the program is busy; undefined where the system does not say. */
  readonly receiveBuffer: number | undefined;
  /** Resolves when the echo has ended; rejects if the socket failed. */
  readonly finished: Promise<void>;
  readonly #node: EndpointNode;
  readonly #options: EchoOptions;
  #path: Path;
  readonly #statistics = new Statistics();
  readonly #taps: readonly Tap[];
  /** What makes the replies, where it answers later. */
  readonly #later: BatchedReplies | ConcurrentReplies | undefined;
  /** Resolves when the message that the path waits for is done. */
  #inHand: Promise<void> | undefined;
  /** Whether the reply to that is there, and is only to be sent. */
  #isHandled = false;
  /** Let go of what is being handled when the grace is over. */
  readonly #letGo = new Set<() => void>();
  #abandoned = false;
  #ending: Promise<void> | undefined;
  #refused = 0;
  #failed = 0;
  #dropped = 0;

  /**
   * Use {@linkcode startVillasEcho}.
   *
   * @internal
   */
  constructor(node: EndpointNode, remote: Endpoint, options: EchoOptions) {
    this.addr = node.addr;
    this.addrs = node.addrs ?? [node.addr];
    this.receiveBuffer = node.receiveBuffer;
    this.#node = node;
    this.#options = options;
    const { count = Infinity, onMessage, taps = [], sentTaps } = options;
    const last: Hook = {
      prepare: () => {
        if (this.#statistics.messages < count) return;
        const later = this.#later;
        if (!later) return node.end();
        // once this message has been taken
        queueMicrotask(() => void (this.#ending ??= later.close().then(() => node.end())));
      },
    };
    this.#later = this.#laterReplies(remote);
    const reply = this.#later ?? replyOf(remote, options);
    const inTime: Hook = {
      process: (batch) => {
        if (this.#abandoned) return null; // it has been counted as dropped
        this.#isHandled = true;
        return batch;
      },
    };
    this.#taps = onMessage ? [tapOf(onMessage), ...taps] : taps;
    this.#path = new Path({
      hooks: [
        this.#statistics,
        ...count < Infinity ? [last] : [],
        ...leftOutOf(options),
        reply,
        ...options.handler && !this.#later ? [inTime] : [],
      ],
      taps: this.#taps,
      destinations: [node],
      sentTaps,
      onRefused: (error, { from }) => {
        if (!this.#abandoned) this.#unanswered(error, from!);
      },
    });
    this.finished = Promise.resolve().then(() => this.#run());
    this.finished.catch(() => {}); // an error is seen by callers that await it
  }

  /** What was counted so far. */
  get stats(): VillasEchoStats {
    const { invalid, ignored, sent, unsent, dropped: overflowed } = this.#node.counters;
    const [refused, failed] = [this.#refused, this.#failed];
    const dropped = (overflowed ?? 0) + this.#dropped;
    const { counts } = this.#statistics;
    return {
      ...counts,
      replies: sent,
      invalid,
      refused,
      ignored,
      failed,
      unsent,
      dropped,
      overflowed,
    };
  }

  /**
   * Resolves when what has arrived is answered; undefined where nothing is answered later.
   *
   * @internal
   */
  answered(): Promise<void> | undefined {
    return this.#later?.answered();
  }

  /** Ends the echo: messages that are being handled are answered, within the grace; others that have arrived are dropped. May be called again. */
  async close(): Promise<void> {
    this.#end();
    const { grace = GRACE } = this.#options;
    using _over = after(grace, () => this.#abandon());
    using _closing = after(grace + 2 * REST_MS / 1000, () => void this.#node.close()); // a write may never end
    await this.finished.catch(() => {});
  }

  /** Ends the echo. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #end(): void {
    if (this.#options.handler || this.#later) this.#ending ??= this.#endLater();
    else this.#node.end();
  }

  /** Ends the node when what is being handled is done; what else has arrived is counted as dropped. */
  async #endLater(): Promise<void> {
    if (!this.#later) {
      const process = ({ from }: Batch) => {
        this.#drop(from!, ENDED);
        return null;
      };
      const hooks = [this.#statistics, { process }];
      this.#path = new Path({ hooks, taps: this.#taps, onRefused: () => {} });
    }
    await (this.#later?.close() ?? this.#inHand?.catch(() => {})); // what it rejects with ends the path
    const end = performance.now() + REST_MS;
    let before: number;
    do {
      before = this.#statistics.messages;
      await delay(QUIET_MS / 1000);
    } while (before !== this.#statistics.messages && performance.now() < end);
    this.#node.end();
  }

  /** Lets go of what is being handled: it has taken too long. */
  #abandon(): void {
    this.#abandoned = true;
    if (this.#later instanceof ConcurrentReplies) this.#later.abandon(ENDED);
    for (const letGo of this.#letGo) letGo();
  }

  async #run(): Promise<void> {
    using _aborting = whenAborted(this.#options.signal, () => void this.close());
    try {
      await this.#node.serve((batch) => this.#lead(batch));
    } finally {
      await this.#node.close();
    }
  }

  /** Leads a batch along the path. */
  #lead(batch: Batch): void | Promise<void> {
    this.#isHandled = false;
    const waiting = this.#path.lead(batch);
    if (!waiting || !this.#options.handler || this.#later) return waiting;
    const { from } = batch;
    return this.#inHand = this.#orLetGo(waiting, () => {
      if (!this.#isHandled) this.#drop(from!, ENDED);
    });
  }

  /** Waits for something until the grace is over; what is then made in its place. */
  #orLetGo<T>(waiting: Promise<T>, instead: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const letGo = () => resolve(instead());
      this.#letGo.add(letGo);
      waiting.finally(() => this.#letGo.delete(letGo)).then(resolve, reject);
    });
  }

  /** Makes what answers later: a handler that takes many samples at once, or messages at once; replies take a path of their own to the node. */
  #laterReplies(remote: Endpoint): BatchedReplies | ConcurrentReplies | undefined {
    const { codec: format = villasProtobuf, layer, sentTaps, handler, batchHandler } =
      this.#options;
    const { concurrency = 1 } = this.#options;
    if (!batchHandler && (!handler || concurrency === 1)) return undefined;
    const expectations = expectationsOf(remote, this.#options);
    const onFailed = (error: unknown, from: Endpoint | undefined) => {
      if (error instanceof Abandoned) this.#drop(from ?? remote, ENDED);
      else this.#unanswered(error, from ?? remote);
    };
    const onDropped = (from: Endpoint | undefined, why: string) => this.#drop(from ?? remote, why);
    const replies = new Path({
      destinations: [this.#node],
      sentTaps,
      onRefused: (error, { from }) => onFailed(error, from),
    });
    const send = (batch: Batch) => replies.lead(batch);
    if (!batchHandler) {
      const reply = repliesOf(handler!, expectations, format);
      return new ConcurrentReplies({ concurrency, reply, send, onFailed, onDropped });
    }
    const isStream = layer === "tcp-client" || layer === "tcp-server";
    const shared = {
      ...{ expectations, format, onDropped },
      // Deno cannot send on a unix datagram socket while it receives on it.
      waits: "path" in this.addr ? "each" as const : isStream ? "full" as const : "never" as const,
      // A connection sends by itself, and a peer that does not read must not keep the others waiting.
      flush: () => isStream ? Promise.resolve() : this.#node.flush(),
    };
    if (concurrency === 1) {
      const handler: BatchHandler = (...samples) => {
        if (this.#abandoned) return Promise.reject(new Abandoned());
        return this.#orLetGo(batchHandler(...samples), () => Promise.reject(new Abandoned()));
      };
      return new BatchedReplies({ ...shared, handler, send, onFailed });
    }
    const reply = async (batch: Batch) => {
      let made: Batch | null = null;
      const one = new BatchedReplies({
        ...shared,
        handler: batchHandler,
        send: (replies) => void (made = replies),
        onFailed: (error, from) => this.#abandoned || onFailed(error, from),
      });
      one.prepare(batch);
      void one.process(batch);
      await one.close();
      return made;
    };
    return new ConcurrentReplies({ concurrency, reply, send, onFailed, onDropped });
  }

  #drop(from: Endpoint, why: string): void {
    this.#dropped++;
    notify(this.#options.onProblem, {
      kind: "dropped",
      message: `Dropped a message: ${why}`,
      from,
    });
  }

  #unanswered(error: unknown, from: Endpoint): void {
    const refusal = refusalOf(error);
    const message = messageOf(error);
    if (refusal) {
      this.#refused++;
      notify(this.#options.onProblem, { kind: "refused", message, from, error, ...refusal });
    } else {
      this.#failed++;
      const text = `The handler threw: ${message}`;
      notify(this.#options.onProblem, { kind: "handler", message: text, from, error });
    }
  }
}

/** What a handler is said to have failed with when the grace is over. */
class Abandoned extends Error {}

/** Refuses samples of which values are missing, where the answer depends on them. */
function leftOutOf({ codec = villasProtobuf, signals, constant }: EchoOptions): Hook[] {
  if (!LeftOut.concerns(codec) || constant && signals) return [];
  return [new LeftOut(codec.name, signals)];
}

/** What makes the replies. */
function replyOf(remote: Endpoint, options: EchoOptions): Hook {
  const { handler, constant } = options;
  const format: Format = options.codec ?? villasProtobuf;
  const expectations = expectationsOf(remote, options);
  if (handler) return new Handler(handler, expectations, format);
  if (constant) return new Constants(constant, expectations, format);
  return new EchoCheck(expectations, format);
}

/** What the replies may hold. */
function expectationsOf(remote: Endpoint, options: EchoOptions): Expectations {
  const { signals, anySource, replyTo, codec: { carried } = villasProtobuf } = options;
  const toGroup = "hostname" in remote && isMulticast(remote.hostname);
  const passesOn = anySource && replyTo !== "sender" && !toGroup;
  const kinds = signals?.map(({ type }) => type);
  return new Expectations({
    signals: kinds,
    passesOnTo: passesOn ? remote : undefined,
    uncounted: carried?.counted === false,
  });
}

/**
 * The format of an echo, on its side.
 *
 * @throws {UsageError} If VILLASnode could not read the replies, as far as that is known before anything has arrived.
 */
function formatOf(options: VillasEchoOptions, signals: readonly Signal[] | undefined): Format {
  const { codec = villasProtobuf, handler, batchHandler, constant } = options;
  const format = asPeer(withSignals(codec, signals));
  const { carried, name } = format;
  if (carried === undefined) return format;
  if (!carried.readByNode) {
    throw new UsageError(
      `Cannot answer in format ${name}: VILLASnode writes it, but does not read it; set another one in that node's configuration`,
    );
  }
  if (carried.named && signals === undefined && (handler || batchHandler || constant)) {
    throw new UsageError(
      `Cannot answer in format ${name} without knowing the signals: it names the values; ` +
        "state them, as in --signals voltage:float:V,on:boolean",
    );
  }
  format.check?.();
  if (constant) checkConstants(constant, format, signals);
  return format;
}

/** @throws {UsageError} If there is a constant that the format cannot carry. */
function checkConstants(
  constants: readonly (number | bigint)[],
  format: Format,
  signals: readonly Signal[] | undefined,
): void {
  for (const [i, constant] of constants.entries()) {
    const type = signals === undefined ? "float" : signals[i]?.type;
    if (type !== "float") continue; // whether it fits its kind is reported with the first reply
    const [signal] = signals?.slice(i, i + 1) ?? floatSignals(1);
    const one = format.withSignals?.([signal!]) ?? format;
    try {
      one.encode([{ type: "data", values: [Number(constant)] }]);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      throw new UsageError(`Cannot answer with constant ${constant}: ${error.message}`, {
        cause: error,
      });
    }
  }
}

function tapOf(onMessage: NonNullable<VillasEchoOptions["onMessage"]>): Tap {
  return watching(({ samples, received, bytes, from }: Batch) =>
    onMessage({ samples, received, bytes: bytes!, from: from! })
  );
}

/** Whether a reply is not to be sent, rather than that a handler failed; whatever a handler throws can be asked. */
function refusalOf(thrown: unknown): Pick<VillasEchoProblem, "unstated"> | undefined {
  try {
    if (thrown instanceof Refusal) return { unstated: thrown.unstated };
    return thrown instanceof CodecError ? {} : undefined;
  } catch {
    return undefined; // it does not let itself be looked at
  }
}

/**
 * Starts the client of VILLASnode's Lab 19: it receives VILLAS messages, reports each, and sends it back.
 *
 * The very bytes received go back unless `constant` or `handler` changes something. A datagram that does not decode is
 * counted and never answered. A reply that could make VILLASnode abort is counted as refused and not sent: one of another type
 * than DATA, with more values than were received, or with values of other kinds; `signals` says what else it takes.
 *
 * @param options The addresses, and what to reply. The defaults are those of VILLASnode's Python client.
 * @returns The running echo.
 * @throws {UsageError} If an address is malformed or cannot be bound.
 * @throws {ConnectError} If the remote's name cannot be resolved.
 *
 * @example An echo for one message
 * ```ts
 * import { bindDatagram } from "@labwire/labwire/net";
 * import { startVillasEcho } from "@labwire/labwire/villas";
 * import { villasProtobuf } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
 * await using echo = await startVillasEcho({ listen: "127.0.0.1:0", remote: node.addr });
 * const message = villasProtobuf.encode([{ type: "data", sequence: 0n, values: [1.5] }]);
 * await node.send(message, echo.addr);
 * assertEquals((await node.receive())?.bytes, message);
 * assertEquals(echo.stats.samples, 1);
 * ```
 */
export async function startVillasEcho(options: VillasEchoOptions = {}): Promise<Echo> {
  const { count = Infinity, concurrency = 1 } = options;
  if (!(count >= 1)) {
    throw new UsageError(`Cannot end after ${count} messages: expected at least 1`);
  }
  if (!(concurrency >= 1)) {
    throw new UsageError(`Cannot handle ${concurrency} messages at once: expected at least 1`);
  }
  if (concurrency > 1 && options.layer === "unix") {
    throw new UsageError(
      `Cannot handle ${concurrency} messages at once over a unix socket: expected 1, as Deno does not send on one while it receives`,
    );
  }
  const signals = options.signals === undefined ? undefined : signalsOf(options.signals);
  const { replyTo, onMessage, handler, batchHandler, constant } = options;
  const format = formatOf(options, signals);
  let echo: Echo | undefined;
  const { node, remote, isStream } = await openEndpoint({
    ...options,
    remote: options.remote ?? REMOTE,
    port: PORT,
    remotePort: REMOTE.port,
    format,
    signals,
    scan: !onMessage && !handler && !batchHandler && !constant,
    replyToSender: replyTo === "sender",
    answered: () => echo?.answered(),
    now: options.now ?? timestampClock(),
  });
  // Who is connected is known by the connection: the answer goes back on it.
  const ends = isStream ? { anySource: true, replyTo: "sender" } as const : {};
  return echo = new Echo(node, remote, { ...options, ...ends, signals, codec: format });
}
