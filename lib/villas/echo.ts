import type { Codec } from "../codecs/codec.ts";
import { kindOf, type Sample, type Timestamp, type ValueKind } from "../codecs/villas/sample.ts";
import { PlainScanner } from "../codecs/villas/protobuf_scan.ts";
import { villasProtobuf } from "../codecs/villas/protobuf.ts";
import { parseSignals, type SignalKind } from "../codecs/villas/signals.ts";
import { CodecError, messageOf, UsageError } from "../errors.ts";
import { type Endpoint, formatAddress } from "../net/address/address.ts";
import { isOwnAddress, sameEndpoint } from "../net/address/same.ts";
import { bindDatagram, type DatagramSocket } from "../net/datagram/datagram.ts";
import { timerDelay } from "../time/deadline.ts";
import { socketFile } from "../net/datagram/socket_file.ts";
import { timestampClock } from "../time/timestamp.ts";
import { resolvePair } from "../net/address/pair.ts";
import type { VillasEchoOptions, VillasEchoProblem, VillasEchoStats } from "./echo_options.ts";
import { Expected, Refusal } from "./expected.ts";
import { checkEcho, handled, withConstants } from "./reply.ts";
import { Strangers } from "./strangers.ts";
import { SourceStatistics } from "./hooks/source_statistics.ts";

/** The port that VILLASnode's Python client binds. */
const PORT = 12001;
/** Where that client expects VILLASnode. */
const REMOTE = { hostname: "127.0.0.1", port: 12000 };
/** Seconds that the message in hand may take after {@linkcode Echo.close}, unless an option says otherwise. */
const GRACE = 1;

/** The bytes of a reply, or why there are none. */
type Reply = Uint8Array | { readonly thrown: unknown };

/**
 * The client of VILLASnode's Lab 19: receives messages, and sends each back. Made by {@linkcode startVillasEcho}.
 */
export class Echo implements AsyncDisposable {
  /** The address that is really bound. */
  readonly addr: Endpoint;
  /** Resolves when the echo has ended; rejects if the socket failed. */
  readonly finished: Promise<void>;
  readonly #socket: DatagramSocket;
  readonly #remote: Endpoint;
  readonly #options: VillasEchoOptions;
  readonly #codec: Codec<Sample[]>;
  readonly #now: () => Timestamp;
  readonly #scanner: PlainScanner | undefined;
  /** What every reply may hold, where that was stated. */
  readonly #stated: Expected | undefined;
  /** Whether replies to one sender go to another. */
  readonly #passesOn: boolean;
  /** The kinds of values that the remote has sent last. */
  #shown: readonly ValueKind[] | undefined;
  readonly #sources = new SourceStatistics();
  readonly #strangers = new Strangers();
  readonly #counters = {
    messages: 0,
    samples: 0,
    bytes: 0,
    replies: 0,
    invalid: 0,
    refused: 0,
    ignored: 0,
    failed: 0,
    unsent: 0,
  };
  readonly #onSent = () => {
    this.#counters.replies++;
  };
  readonly #ended = new AbortController();
  readonly #waiting: Promise<boolean> | undefined;
  #first: number | undefined;

  /** Use {@linkcode startVillasEcho}. */
  constructor(
    socket: DatagramSocket,
    remote: Endpoint,
    options: VillasEchoOptions & { signals?: readonly SignalKind[] },
  ) {
    this.addr = socket.addr;
    this.#socket = socket;
    this.#remote = remote;
    this.#options = options;
    this.#codec = options.codec ?? villasProtobuf;
    this.#now = options.now ?? timestampClock();
    const { onMessage, handler, constant, signals, anySource = false, replyTo } = options;
    if (signals) this.#stated = Expected.stated(signals);
    this.#passesOn = anySource && replyTo !== "sender" && !signals;
    const unchanged = !onMessage && !handler && !constant && !this.#passesOn;
    if (unchanged && this.#codec === villasProtobuf) this.#scanner = new PlainScanner(signals);
    if ("path" in remote) this.#waiting = this.#awaitRemote(remote.path);
    this.finished = Promise.resolve().then(() => this.#run());
    this.finished.catch(() => {}); // whoever awaits it sees the error; nobody has to
  }

  /** What was counted so far. */
  get stats(): VillasEchoStats {
    const seconds = this.#first === undefined ? 0 : (performance.now() - this.#first) / 1000;
    return { ...this.#counters, ...this.#sources.counts, seconds };
  }

  /** Ends the echo: a message in hand is answered, within the grace. May be called again. */
  async close(): Promise<void> {
    this.#socket.end();
    const { grace = GRACE } = this.#options;
    const timer = setTimeout(() => void this.#socket.close(), timerDelay(grace));
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

  async #run(): Promise<void> {
    const { signal, count = Infinity } = this.#options;
    const onAbort = () => void this.close();
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    try {
      await this.#socket.serve((bytes, from) => {
        if (!this.#accepts(from)) return;
        const answering = this.#answer(bytes, from);
        if (this.#counters.messages >= count) this.#socket.end();
        return answering;
      });
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#ended.abort();
      await this.#socket.close();
      await this.#waiting;
    }
  }

  #awaitRemote(path: string): Promise<boolean> {
    const { signal } = this.#ended;
    const onRetry = () => this.#problem("waiting", "Not connected. Retrying in 1 s", { path });
    return socketFile(path, { signal, onRetry });
  }

  #accepts(from: Endpoint): boolean {
    const own = isOwnAddress(this.#socket.addr, from);
    if (!own && (this.#options.anySource || sameEndpoint(from, this.#remote))) return true;
    this.#counters.ignored++;
    if (this.#strangers.isNew(from)) {
      const reason = own
        ? "that is this program's own address"
        : `the remote is ${formatAddress(this.#remote)}`;
      const message = `Ignored datagrams from ${formatAddress(from)}: ${reason}`;
      this.#problem(own ? "own" : "ignored", message, from);
    }
    return false;
  }

  /** Handles a message; what it returns, if anything, is to be waited for. */
  #answer(bytes: Uint8Array, from: Endpoint): Promise<void> | undefined {
    if (this.#scanner && this.#isPlain(this.#scanner, bytes, from)) return this.#send(bytes, from);
    const samples = this.#decode(bytes, from);
    if (samples === null) return undefined;
    const { onMessage, handler } = this.#options;
    // Both before anybody sees the samples, who might change them.
    const expected = this.#expect(samples, from);
    const reply = handler ? undefined : this.#reply(bytes, samples, expected);
    const told = onMessage?.({ samples, received: this.#now(), bytes, from });
    if (reply === undefined) return this.#answerLater(told, bytes, samples, expected!, from);
    return told ? told.then(() => this.#conclude(reply, from)) : this.#conclude(reply, from);
  }

  /** The same where a handler has to be waited for. */
  async #answerLater(
    told: void | Promise<void>,
    bytes: Uint8Array,
    samples: Sample[],
    expected: readonly Expected[],
    from: Endpoint,
  ): Promise<void> {
    await told;
    try {
      const { handler } = this.#options;
      const reply = await handled(bytes, samples, handler!, this.#codec, expected);
      if (reply !== null) await this.#send(reply, from);
    } catch (error) {
      this.#unanswered(error, from);
    }
  }

  /** What the reply to each sample may hold; undefined where a sample may go back because it came from there. */
  #expect(samples: readonly Sample[], from: Endpoint): readonly Expected[] | undefined {
    const stated = this.#stated;
    if (stated) return samples.map(() => stated);
    const { handler, constant } = this.#options;
    if (!this.#passesOn || sameEndpoint(from, this.#remote)) {
      const last = samples.at(-1);
      if (this.#passesOn && last?.type === "data") this.#shown = last.values.map(kindOf);
      return handler || constant ? samples.map(Expected.received) : undefined;
    }
    const shown = Expected.shown(this.#shown, formatAddress(this.#remote));
    return samples.map(() => shown);
  }

  #unanswered(error: unknown, from: Endpoint): void {
    const refusal = refusalOf(error);
    this.#counters[refusal ? "refused" : "failed"]++;
    const message = messageOf(error);
    if (refusal) this.#tell({ kind: "refused", message, from, error, ...refusal });
    else this.#tell({ kind: "handler", message: `The handler threw: ${message}`, from, error });
  }

  /** Counts a message that goes back as it came, and that nobody wants to look into. */
  #isPlain(scanner: PlainScanner, bytes: Uint8Array, from: Endpoint): boolean {
    const samples = scanner.scan(bytes);
    if (samples < 0) return false;
    this.#count(samples, bytes.length);
    for (const sequence of scanner.sequences) this.#sources.add(from, sequence);
    return true;
  }

  #count(samples: number, bytes: number): void {
    this.#first ??= performance.now();
    this.#counters.messages++;
    this.#counters.samples += samples;
    this.#counters.bytes += bytes;
  }

  #decode(bytes: Uint8Array, from: Endpoint): Sample[] | null {
    try {
      const samples = this.#codec.decode(bytes);
      this.#count(samples.length, bytes.length);
      for (const { sequence } of samples) {
        if (sequence !== undefined) this.#sources.add(from, sequence);
      }
      return samples;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#counters.invalid++;
      this.#problem("invalid", `${error.message} (from ${formatAddress(from)})`, from);
      return null;
    }
  }

  /** The bytes to send back, or what speaks against it. Those received, unless there are constants to send instead. */
  #reply(
    bytes: Uint8Array,
    samples: readonly Sample[],
    expected: readonly Expected[] | undefined,
  ): Reply {
    const { constant } = this.#options;
    try {
      if (!constant) {
        checkEcho(samples, expected);
        return bytes;
      }
      return this.#codec.encode(
        samples.map((sample, i) => withConstants(sample, constant, expected![i]!)),
      );
    } catch (thrown) {
      return { thrown };
    }
  }

  #conclude(reply: Reply, from: Endpoint): Promise<void> | undefined {
    if ("thrown" in reply) this.#unanswered(reply.thrown, from);
    else return this.#send(reply, from);
  }

  #send(reply: Uint8Array, from: Endpoint): Promise<void> {
    const to = this.#options.replyTo === "sender" ? from : this.#remote;
    return this.#socket.send(reply, to).then(this.#onSent, (error) => {
      this.#counters.unsent++;
      const reason = messageOf(error);
      const message = `Cannot send ${reply.length} bytes to ${formatAddress(to)}: ${reason}`;
      this.#problem("send", message, from);
    });
  }

  #problem(kind: VillasEchoProblem["kind"], message: string, from: Endpoint): void {
    this.#tell({ kind, message, from });
  }

  #tell(problem: VillasEchoProblem): void {
    this.#options.onProblem?.(problem);
  }
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
 * Starts the client of VILLASnode's Lab 19: it receives VILLAS messages, tells of each, and sends it back.
 *
 * The very bytes received go back unless `constant` or `handler` changes something. A datagram that does not decode is
 * counted and never answered. A reply that could make VILLASnode abort is counted as refused and not sent: one of another type
 * than DATA, with more values than were received, or with values of other kinds; `signals` says what else it takes.
 *
 * @param options Where, with whom, and what to reply. The defaults are those of VILLASnode's Python client.
 * @returns The running echo.
 * @throws {UsageError} If an address is malformed or cannot be bound.
 * @throws {ConnectError} If the remote's name cannot be resolved.
 *
 * @example An echo for one message
 * ```ts
 * import { bindDatagram, startVillasEcho, villasProtobuf } from "@labwire/labwire";
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
  const { local, remote } = await resolvePair({
    local: options.listen,
    remote: options.remote ?? REMOTE,
    port: PORT,
    remotePort: REMOTE.port,
  });
  const signals = typeof options.signals === "string"
    ? parseSignals(options.signals)
    : options.signals;
  const socket = await bindDatagram({ listen: local });
  return new Echo(socket, remote, { ...options, signals });
}
