import type { Format, VillasFormat } from "../codecs/villas/format.ts";
import { villasProtobuf } from "../codecs/villas/protobuf.ts";
import { asNode, asPeer } from "../codecs/villas/sides.ts";
import { signalsOf } from "../codecs/villas/signals.ts";
import { withSignals } from "../codecs/villas/with_signals.ts";
import { type CodecError, messageOf, UsageError } from "../errors.ts";
import type { Endpoint } from "../net/address/address.ts";
import { delay, within } from "../time/deadline.ts";
import { notify, whenAborted } from "../time/lifecycle.ts";
import { timestampClock } from "../time/timestamp.ts";
import { Answers } from "./hooks/answers.ts";
import { harmless } from "./hooks/harmless.ts";
import { LeftOut } from "./hooks/left_out.ts";
import { type Batch, batchOf } from "./node.ts";
import type { EndpointNode } from "./nodes/endpoint.ts";
import { InputNode } from "./nodes/input.ts";
import { type OpenEndpoint, openEndpoint } from "./nodes/open_endpoint.ts";
import { Path, type Tap } from "./path.ts";
import type { VillasPipeOptions, VillasPipeStats } from "./pipe_options.ts";

/** The port of VILLASnode's Python client, and that of VILLASnode. */
const [PORT, REMOTE_PORT] = [12001, 12000];
/** Datagrams on the way at most, as long as the other end answers at all. */
const WINDOW = 32;
/** Datagrams between two pauses where none is answered: as many as fit into the receive buffer that systems give a socket. */
const BURST = 128;
/** How long there is a wait for room in that window, in ms, where answers have come and where none has. */
const [PATIENCE, PAUSE] = [200, 1];
/** How long a connection may take to end in order, in s. */
const LAST_WORDS = 2;

/**
 * Two paths: from a stream of bytes to a socket, and from the socket to a function. Made by {@linkcode startVillasPipe}.
 */
export class VillasPipe implements AsyncDisposable {
  /** The address that is really bound; that of the remote with `layer: "tcp-client"`. */
  readonly addr: Endpoint;
  /** The same; a server at `localhost` has two. */
  readonly addrs: readonly Endpoint[];
  /** Bytes that the system keeps of UDP while the program is busy; undefined where the system does not say. */
  readonly receiveBuffer: number | undefined;
  /** Resolves when the pipe has ended. */
  readonly finished: Promise<void>;
  readonly #options: VillasPipeOptions;
  readonly #receiver: OpenEndpoint;
  /** Where samples are sent: another socket only where one cannot do both. */
  readonly #sender: EndpointNode;
  readonly #input: InputNode | undefined;
  readonly #answers = new Answers();
  readonly #ending = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  /** Samples handed to the node that sends. */
  #given = 0;
  #received = 0;
  #refused = 0;
  #inputEnded = false;
  #wake: (() => void) | undefined;

  /**
   * Use {@linkcode startVillasPipe}.
   *
   * @internal
   */
  constructor(receiver: OpenEndpoint, sender: EndpointNode, options: VillasPipeOptions) {
    this.#options = options;
    this.#receiver = receiver;
    this.#sender = sender;
    this.addr = receiver.node.addr;
    this.addrs = receiver.node.addrs ?? [this.addr];
    this.receiveBuffer = receiver.node.receiveBuffer;
    const { input, vectorize, realtime, limitSent, codec, now = timestampClock() } = options;
    this.#input = input && new InputNode({
      ...input,
      ...{ vectorize, realtime, limit: limitSent, completed: codec?.carried, now },
      onBatch: () => this.#room(),
      onBad: (error) => this.#bad(error),
    });
    this.finished = Promise.resolve().then(() => this.#run());
    this.finished.catch(() => {}); // an error is seen by callers that await it
  }

  /** What was counted so far. */
  get stats(): VillasPipeStats {
    const { node } = this.#receiver;
    const { invalid, ignored, dropped } = node.counters;
    const unsent = node.counters.unsent +
      (this.#sender === node ? 0 : this.#sender.counters.unsent);
    // A message that the system did not take counts as a full one.
    const sent = Math.max(0, this.#given - unsent * (this.#options.vectorize ?? 1));
    const [received, refused] = [this.#received, this.#refused];
    return {
      sent,
      received,
      bad: this.#input?.bad ?? 0,
      refused,
      invalid,
      ignored,
      unsent,
      dropped,
    };
  }

  /** Whether the input came to its end, and had something in it, but not one sample. */
  get isBarren(): boolean {
    const input = this.#input;
    return this.#inputEnded && input !== undefined && input.bytes > 0 && input.given === 0;
  }

  /** Ends the pipe: what is being handled is finished. May be called again. */
  async close(): Promise<void> {
    this.#end();
    await this.finished.catch(() => {});
  }

  /** Ends the pipe. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #end(): void {
    this.#ending.abort();
    this.#ended.resolve();
    this.#input?.end();
    this.#receiver.node.end();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    using _aborting = whenAborted(this.#options.signal, () => this.#end());
    const receiving = this.#receive();
    try {
      if (this.#input) await Promise.race([this.#send(this.#input), receiving]);
      else await receiving;
    } finally {
      this.#end();
      await within(this.#sender.flush(), LAST_WORDS); // a peer may not read
      await within(this.#receiver.node.finished, LAST_WORDS); // a connection ends in order
      await this.#receiver.node.close();
      await this.#sender.close();
    }
    await receiving;
  }

  /** Sends to the end of the input, and waits for what it brings about. */
  async #send(input: InputNode): Promise<void> {
    const { signals, asNode: isNode } = this.#options;
    const stated = signals === undefined ? undefined : signalsOf(signals);
    const path: Path = new Path({
      hooks: [
        ...this.#options.onBatch ? [this.#answers.sent] : [],
        ...isNode ? [] : [harmless(stated)],
      ],
      destinations: [this.#sender],
      sentTaps: [({ count }) => void (this.#given += count), ...this.#options.sentTaps ?? []],
      onRefused: (error, batch) => this.#refuse(error, batch, path),
    });
    await path.run(input);
    this.#inputEnded = !this.#ending.signal.aborted;
    const { onBatch, limitReceived } = this.#options;
    if (!onBatch || this.#ending.signal.aborted) return;
    if (limitReceived !== undefined || input.bytes === 0) return await this.#ended.promise;
    await this.#drain();
  }

  async #receive(): Promise<void> {
    const { onBatch, taps = [] } = this.#options;
    const { node } = this.#receiver;
    if (!onBatch) return await node.discard();
    const path = new Path({
      taps: [
        this.#answers.back,
        ...this.#leftOut(),
        (batch) => this.#take(batch, onBatch),
        ...taps,
      ],
      onRefused: () => {}, // there is no hook that could refuse
    });
    await path.run(node);
  }

  /** Says of which samples values are missing. */
  #leftOut(): Tap[] {
    const { codec = villasProtobuf, signals } = this.#options;
    if (!LeftOut.concerns(codec)) return [];
    const known = (codec as VillasFormat).signals;
    const finder = new LeftOut(codec.name, signals === undefined ? known : signalsOf(signals));
    return [(batch) => {
      const reason = finder.find(batch);
      if (reason === undefined) return;
      notify(this.#options.onProblem, {
        kind: "leftOut",
        message: `A sample lacks values: ${reason}`,
      });
    }];
  }

  /** Hands on what arrives, as far as it is wanted. */
  #take(batch: Batch, onBatch: Tap): void | Promise<void> {
    const left = (this.#options.limitReceived ?? Infinity) - this.#received;
    if (left <= 0) return;
    const { count, received, from } = batch;
    const wanted = count <= left
      ? batch
      : batchOf(batch.samples.slice(0, left), { received, ...(from && { from }) });
    this.#received += wanted.count;
    const waiting = onBatch(wanted);
    if (count >= left) this.#end();
    else this.#wake?.();
    return waiting;
  }

  #bad(error: CodecError): void {
    notify(this.#options.onProblem, { kind: "bad", message: error.message, error });
  }

  /** Sends the others of several samples, each by itself. */
  async #refuse(error: unknown, { count, samples }: Batch, path: Path): Promise<void> {
    this.#answers.forget(samples);
    if (count > 1) {
      for (const sample of samples) await path.lead(batchOf([sample]));
      return;
    }
    this.#refused++;
    const which = samples[0]?.sequence === undefined ? "" : ` (sequence ${samples[0].sequence})`;
    const message = `Cannot send a sample${which}: ${messageOf(error)}`;
    notify(this.#options.onProblem, { kind: "refused", message, error });
  }

  /**
   * Waits until samples can be sent: until somebody is connected; and for datagrams that are not paced, until half of those on the way were
   * answered, or a little while: else most would be lost.
   */
  async #room(): Promise<void> {
    const connected = this.#sender.connected?.();
    if (connected) await connected; // the end of the node ends this, too
    const { realtime, vectorize = 1, onBatch } = this.#options;
    if (realtime || this.#receiver.isStream) return;
    if (!onBatch) {
      if (this.#given > 0 && this.#given % (BURST * vectorize) === 0) await this.#pause(PAUSE);
      return;
    }
    if (this.#answers.outstanding < WINDOW * vectorize) return;
    const end = performance.now() + (this.#answers.any ? PATIENCE : PAUSE);
    while (this.#answers.outstanding > WINDOW * vectorize / 2) {
      const left = end - performance.now();
      if (left <= 0 || this.#ending.signal.aborted) break;
      await this.#pause(left);
    }
    // What was waited for in vain is lost, or whoever is there does not answer.
    if (this.#answers.outstanding > WINDOW * vectorize / 2) this.#answers.forgetAll();
  }

  /** Waits for answers to what was sent, as long as they keep coming. */
  async #drain(): Promise<void> {
    const { wait = 1 } = this.#options;
    for (let before = -1; this.#answers.outstanding > 0;) {
      const end = performance.now() + wait * 1000;
      if (before === this.#answers.outstanding) return;
      before = this.#answers.outstanding;
      while (this.#answers.outstanding === before) {
        const left = end - performance.now();
        if (left <= 0 || this.#ending.signal.aborted) return;
        await this.#pause(left);
      }
    }
  }

  /** Resolves when something comes, the pipe ends, or after so many ms. */
  async #pause(ms: number): Promise<void> {
    const waiting = new AbortController();
    this.#wake = () => waiting.abort();
    await delay(ms / 1000, waiting.signal).catch(() => {}); // aborted: something came
    this.#wake = undefined;
  }
}

/**
 * The format of a pipe: it reads what VILLASnode writes, and writes what VILLASnode reads.
 *
 * @throws {UsageError} If the format cannot carry what is to be sent, as far as that is known before there is any.
 */
function formatOf(options: VillasPipeOptions): Format {
  const { codec = villasProtobuf, signals, input, vectorize = 1, asNode: isNode } = options;
  const format = withSignals(codec, signals);
  const { carried, name } = format;
  if (input) {
    format.check?.();
    if (carried?.readByNode === false && !isNode) {
      throw new UsageError(
        `Cannot send in format ${name}: VILLASnode writes it, but does not read it; only receive, with --receive-only`,
      );
    }
    if (vectorize > (carried?.samples ?? Infinity)) {
      throw new UsageError(
        `Cannot send ${vectorize} samples per message: VILLASnode reads one in format ${name}`,
      );
    }
  }
  return isNode ? asNode(format) : asPeer(format);
}

/**
 * Starts what VILLASnode's `villas pipe` does: sends the samples of a stream of bytes, and hands on those that arrive.
 *
 * The pipe ends when its input is at its end and what was sent is answered, or no further answer comes for a while. With `limitReceived` it
 * ends when it has as many, and where the input was empty, without a byte, only when it is closed.
 *
 * @param options Input, addresses and limits.
 * @returns The running pipe.
 * @throws {UsageError} If an option does not fit or an address cannot be bound.
 * @throws {ConnectError} If the name of the remote cannot be resolved.
 *
 * @example A line there and back
 * ```ts
 * import { startVillasEcho, startVillasPipe } from "@labwire/labwire/villas";
 * import { villasFormat } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * await using echo = await startVillasEcho({ listen: "127.0.0.1:0", anySource: true, replyTo: "sender" });
 * const line = new TextEncoder().encode("1.000000000(1)\t0.5\n");
 * const values: unknown[] = [];
 * await using pipe = await startVillasPipe({
 *   listen: "127.0.0.1:0",
 *   remote: echo.addr,
 *   input: { chunks: ReadableStream.from([line]), decoder: villasFormat("villas.human").stream.decoder() },
 *   onBatch: ({ samples }) => void values.push(...samples[0]!.values),
 * });
 * await pipe.finished;
 * assertEquals(values, [0.5]);
 * ```
 */
export async function startVillasPipe(options: VillasPipeOptions = {}): Promise<VillasPipe> {
  const { input, onBatch, limitSent = Infinity, limitReceived = Infinity, vectorize = 1 } = options;
  if (!input && !onBatch) {
    throw new UsageError("Cannot run a pipe that neither sends nor receives: expected one of them");
  }
  for (const limit of [limitSent, limitReceived, vectorize]) {
    if (limit === Infinity || Number.isSafeInteger(limit) && limit >= 1) continue;
    throw new UsageError(`Cannot use limit ${limit}: expected a whole number of at least 1`);
  }
  const { signals, remote, now = timestampClock() } = options;
  const codec = formatOf(options);
  const endpoint = {
    ...options,
    remote: remote ?? { hostname: "127.0.0.1", port: REMOTE_PORT },
    port: PORT,
    remotePort: REMOTE_PORT,
    format: codec,
    signals: signals === undefined ? undefined : signalsOf(signals),
    scan: false,
    now,
  };
  const receiver = await openEndpoint(endpoint);
  const { addr } = receiver.node;
  let sender = receiver.node;
  if ("path" in addr && input) {
    // Deno cannot send on a unix datagram socket while it receives on it.
    try {
      ({ node: sender } = await openEndpoint({
        ...endpoint,
        listen: { path: `${addr.path}.send` },
      }));
    } catch (error) {
      await receiver.node.close();
      throw error;
    }
  }
  return new VillasPipe(receiver, sender, { ...options, codec, now });
}
