import type { Codec } from "../codecs/codec.ts";
import { sameSample, type Sample, type Timestamp } from "../codecs/villas/sample.ts";
import { villasProtobuf } from "../codecs/villas/protobuf.ts";
import { CodecError, messageOf, UsageError } from "../errors.ts";
import { type Endpoint, formatAddress } from "../net/address/address.ts";
import { isOwnAddress, sameEndpoint } from "../net/address/same.ts";
import { bindDatagram, type DatagramSocket } from "../net/datagram/datagram.ts";
import { delay, within } from "../time/deadline.ts";
import { LatencyRecorder } from "../time/latency.ts";
import { resolvePair } from "../net/address/pair.ts";
import { timestampClock, timestampOf } from "../time/timestamp.ts";
import { Strangers } from "./strangers.ts";
import { SignalGenerator } from "./nodes/signal_generator.ts";
import type { VillasSignalOptions, VillasSignalStats } from "./signal_source_options.ts";
import { type Tick, ticks } from "../time/ticker.ts";

/** Samples that may be on the way; beyond them the oldest counts as lost. */
const MAX_OUTSTANDING = 65536;
/** Bytes that a datagram takes over IPv4. */
const MAX_PAYLOAD = 65_507;
/** Datagrams on the way at most when samples are not paced by a timer, as long as the other end answers at all. */
const WINDOW = 32;
/** How long the last samples are waited for after somebody has stopped the source, in s. */
const STOP_WAIT = 1;
/** How long an unpaced source waits for room in that window, in ms. */
const WINDOW_WAIT_MS = 20;

/** Sends generated samples and checks what comes back. Made by {@linkcode startVillasSignal}. */
export class SignalSource implements AsyncDisposable {
  /** The address that is really bound. */
  readonly addr: Endpoint;
  /** Resolves when the limit is reached and the last samples have come back or were waited for, or after `close()`. */
  readonly finished: Promise<void>;
  readonly #socket: DatagramSocket;
  readonly #to: Endpoint;
  readonly #options: VillasSignalOptions;
  readonly #codec: Codec<Sample[]>;
  readonly #generator: SignalGenerator;
  readonly #now: () => Timestamp;
  readonly #outstanding = new Map<bigint, { sample: Sample; sentAt: number }>();
  readonly #roundTrip = new LatencyRecorder();
  readonly #sending = new AbortController();
  readonly #counters = {
    sent: 0,
    returned: 0,
    changed: 0,
    unexpected: 0,
    invalid: 0,
    ignored: 0,
    unsent: 0,
    missedSteps: 0,
  };
  readonly #strangers = new Strangers();
  #batch: Sample[] = [];
  #draining = false;
  #wake: (() => void) | undefined;

  /** Use {@linkcode startVillasSignal}. */
  constructor(socket: DatagramSocket, to: Endpoint, options: VillasSignalOptions) {
    this.addr = socket.addr;
    this.#socket = socket;
    this.#to = to;
    this.#options = options;
    this.#codec = options.codec ?? villasProtobuf;
    this.#generator = new SignalGenerator(options);
    this.#now = options.now ?? timestampClock();
    this.finished = Promise.resolve().then(() => this.#run());
    this.finished.catch(() => {}); // whoever awaits it sees the error; nobody has to
  }

  /** What was counted so far. */
  get stats(): VillasSignalStats {
    const { sent, returned } = this.#counters;
    return { ...this.#counters, lost: sent - returned, roundTrip: this.#roundTrip.summary() };
  }

  /** Stops sending; what is on the way is still waited for, at most one second. Called again, it ends the wait. */
  stop(): void {
    const again = this.#sending.signal.aborted || this.#draining;
    this.#sending.abort();
    if (again) void this.#socket.close();
  }

  /** Ends the source at once. May be called again. */
  async close(): Promise<void> {
    this.stop();
    await this.#socket.close();
    await this.finished.catch(() => {});
  }

  /** Ends the source at once. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#options;
    const onAbort = () => void this.close();
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    const receiving = this.#receive();
    try {
      await Promise.race([this.#send(), receiving]);
      await this.#drain();
    } finally {
      this.#sending.abort();
      signal?.removeEventListener("abort", onAbort);
      await this.#socket.close();
      await within(receiving, STOP_WAIT); // a callback that never ends must not hold up the end
    }
  }

  /** Sends until the limit or the end. */
  async #send(): Promise<void> {
    const { realtime = true, limit = Infinity } = this.#options;
    const { signal } = this.#sending;
    let last = -1;
    for await (const { step, late } of realtime ? this.#paced() : this.#unpaced()) {
      this.#counters.missedSteps += step - last - 1;
      last = step;
      this.#batch.push(this.#sample(step, late));
      if (this.#batch.length >= (this.#options.vectorize ?? 1)) await this.#flush();
    }
    if (!signal.aborted && Number.isFinite(limit)) this.#counters.missedSteps += limit - 1 - last;
    await this.#flush();
  }

  #paced(): AsyncIterable<Tick> {
    const { rate = 10, limit } = this.#options;
    return ticks({ rate, limit, signal: this.#sending.signal });
  }

  /** Steps as fast as the other end answers; without a limit to what is on the way, most would be lost on the way. */
  async *#unpaced(): AsyncGenerator<Tick, void, void> {
    const { limit = Infinity, vectorize = 1 } = this.#options;
    const { signal } = this.#sending;
    for (let step = 0; step < limit && !signal.aborted; step++) {
      if (step % (WINDOW * vectorize) === 0 && step > 0) await this.#room(vectorize);
      yield { step, late: 0 };
    }
  }

  /** Waits until half of the window has come back, or a little while. */
  async #room(vectorize: number): Promise<void> {
    const end = performance.now() + WINDOW_WAIT_MS;
    while (
      this.#outstanding.size > WINDOW * vectorize / 2 && performance.now() < end &&
      !this.#sending.signal.aborted
    ) {
      await this.#returnOr(this.#counters.returned > 0 ? WINDOW_WAIT_MS : 1);
    }
  }

  #sample(step: number, late: number): Sample {
    const { rate = 10 } = this.#options;
    const { sec, nsec } = this.#now();
    return {
      type: "data",
      sequence: BigInt(step),
      origin: late === 0 ? { sec, nsec } : timestampOf(sec * 1000 + nsec / 1e6 - late),
      values: this.#generator.next(step / rate, step),
    };
  }

  async #flush(): Promise<void> {
    const samples = this.#batch;
    if (samples.length === 0) return;
    this.#batch = [];
    const sentAt = performance.now();
    if (this.#options.returns !== false) {
      for (const sample of samples) this.#outstanding.set(sample.sequence!, { sample, sentAt });
    }
    while (this.#outstanding.size > MAX_OUTSTANDING) {
      this.#outstanding.delete(this.#outstanding.keys().next().value!);
    }
    this.#counters.sent += samples.length;
    try {
      await this.#socket.send(this.#codec.encode(samples), this.#to);
    } catch (error) {
      if (this.#sending.signal.aborted) return;
      this.#counters.unsent++;
      const reason = messageOf(error);
      this.#options.onProblem?.(`Cannot send to ${formatAddress(this.#to)}: ${reason}`, "send");
    }
  }

  /** Waits for what is on the way. */
  async #drain(): Promise<void> {
    const { wait: patience = 1 } = this.#options;
    const wait = this.#sending.signal.aborted ? Math.min(patience, STOP_WAIT) : patience;
    this.#draining = true;
    const end = performance.now() + wait * 1000;
    for (
      let left = wait * 1000;
      this.#outstanding.size > 0 && left > 0;
      left = end - performance.now()
    ) {
      await this.#returnOr(left);
    }
  }

  /** Resolves when something comes back, the socket is closed, or after so many ms. */
  async #returnOr(ms: number): Promise<void> {
    const waiting = new AbortController();
    this.#wake = () => waiting.abort();
    await delay(ms / 1000, waiting.signal).catch(() => {}); // aborted: something came back
    this.#wake = undefined;
  }

  async #receive(): Promise<void> {
    for await (const { bytes, from } of this.#socket) {
      if (this.#options.returns === false || !this.#accepts(from)) continue;
      const received = this.#now();
      const at = performance.now();
      try {
        for (const sample of this.#codec.decode(bytes)) await this.#returned(sample, received, at);
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        this.#counters.invalid++;
        this.#options.onProblem?.(`${error.message} (from ${formatAddress(from)})`, "invalid");
      }
      this.#wake?.();
    }
    this.#outstanding.clear(); // nothing comes any more: nothing to wait for
    this.#wake?.();
  }

  #accepts(from: Endpoint): boolean {
    const own = isOwnAddress(this.#socket.addr, from);
    if (!own && (this.#options.anySource || sameEndpoint(from, this.#to))) return true;
    this.#counters.ignored++;
    if (this.#strangers.isNew(from)) {
      const reason = own
        ? "that is this program's own address"
        : `samples are sent to ${formatAddress(this.#to)}`;
      const message = `Ignored datagrams from ${formatAddress(from)}: ${reason}`;
      this.#options.onProblem?.(message, own ? "own" : "ignored");
    }
    return false;
  }

  async #returned(sample: Sample, received: Timestamp, at: number): Promise<void> {
    const sent = sample.sequence === undefined ? undefined : this.#outstanding.get(sample.sequence);
    let unchanged = false;
    if (sent === undefined) {
      this.#counters.unexpected++;
    } else {
      this.#outstanding.delete(sample.sequence!);
      this.#counters.returned++;
      this.#roundTrip.record((at - sent.sentAt) * 1000);
      unchanged = sameSample(sample, sent.sample);
      if (!unchanged) this.#counters.changed++;
    }
    await this.#options.onReturn?.({ sample, received, unchanged });
  }
}

/** Checks that as many samples as wanted find room in a datagram. */
function checkFits(values: Sample["values"], options: VillasSignalOptions): void {
  const { vectorize = 1, limit = Infinity, codec = villasProtobuf } = options;
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
 * import { startVillasEcho, startVillasSignal } from "@labwire/labwire";
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
  const { local, remote } = await resolvePair({
    local: options.listen,
    remote: options.to ?? "127.0.0.1:12001",
    port: 12000,
    remotePort: 12001,
  });
  if ("path" in local) {
    // Deno lets nobody send on a unix datagram socket while a receive is under way.
    throw new UsageError(`Cannot send signals from "${local.path}": expected UDP addresses`);
  }
  const socket = await bindDatagram({ listen: local });
  return new SignalSource(socket, remote, options);
}
