import type { Format } from "../codecs/villas/format.ts";
import { villasProtobuf } from "../codecs/villas/protobuf.ts";
import { asPeer } from "../codecs/villas/sides.ts";
import { floatSignals, type Signal, signalsOf } from "../codecs/villas/signals.ts";
import { CodecError, messageOf, UsageError } from "../errors.ts";
import type { Endpoint } from "../net/address/address.ts";
import { isMulticast } from "../net/datagram/multicast.ts";
import { timerDelay } from "../time/deadline.ts";
import { notify, whenAborted } from "../time/lifecycle.ts";
import { timestampClock } from "../time/timestamp.ts";
import type { VillasEchoOptions, VillasEchoProblem, VillasEchoStats } from "./echo_options.ts";
import { EchoCheck } from "./hooks/check_echo.ts";
import { BatchedReplies, type BatchHandler } from "./hooks/batch_handler.ts";
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
  readonly #path: Path;
  readonly #statistics = new Statistics();
  /** What makes the replies, where it answers later. */
  readonly #batched: BatchedReplies | undefined;
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
        if (this.#batched) queueMicrotask(() => this.#end()); // once this message has been taken
        else node.end();
      },
    };
    this.#batched = options.batchHandler && this.#batchedReplies(options.batchHandler, remote);
    const reply = this.#batched ?? replyOf(remote, options);
    this.#path = new Path({
      hooks: [
        this.#statistics,
        ...count < Infinity ? [last] : [],
        ...leftOutOf(options),
        reply,
      ],
      taps: onMessage ? [tapOf(onMessage), ...taps] : taps,
      destinations: [node],
      sentTaps,
      onRefused: (error, { from }) => this.#unanswered(error, from!),
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
    return this.#batched?.answered();
  }

  /** Ends the echo: a message that is being handled is answered, within the grace. May be called again. */
  async close(): Promise<void> {
    this.#end();
    const { grace = GRACE } = this.#options;
    const timer = setTimeout(() => void this.#node.close(), timerDelay(grace));
    try {
      await this.finished.catch(() => {});
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the echo. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the node, once all replies have been sent that come later. */
  #end(): void {
    if (!this.#batched) return this.#node.end();
    void this.#batched.close().then(() => this.#node.end());
  }

  async #run(): Promise<void> {
    using _aborting = whenAborted(this.#options.signal, () => void this.close());
    try {
      await this.#path.run(this.#node);
    } finally {
      await this.#node.close();
    }
  }

  /** Makes what collects samples for a handler that takes many at once; replies take a path of their own to the node. */
  #batchedReplies(handler: BatchHandler, remote: Endpoint): BatchedReplies {
    const { codec: format = villasProtobuf, layer, sentTaps } = this.#options;
    const isStream = layer === "tcp-client" || layer === "tcp-server";
    // Deno cannot send on a unix datagram socket while it receives on it.
    const waits = "path" in this.addr ? "each" : isStream ? "full" : "never";
    const onFailed = (error: unknown, from: Endpoint | undefined) =>
      this.#unanswered(error, from ?? remote);
    const replies = new Path({
      destinations: [this.#node],
      sentTaps,
      onRefused: (error, { from }) => onFailed(error, from),
    });
    return new BatchedReplies({
      handler,
      expectations: expectationsOf(remote, this.#options),
      format,
      waits,
      send: (batch) => replies.lead(batch),
      // A connection sends by itself, and a peer that does not read must not keep the others waiting.
      flush: () => isStream ? Promise.resolve() : this.#node.flush(),
      onFailed,
      onDropped: (from, why) => this.#drop(from ?? remote, why),
    });
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
  const format = asPeer(signals && codec.withSignals ? codec.withSignals(signals) : codec);
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
  const { count = Infinity } = options;
  if (!(count >= 1)) {
    throw new UsageError(`Cannot end after ${count} messages: expected at least 1`);
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
