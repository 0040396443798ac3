import { concat } from "@std/bytes/concat";
import type { Format, MessageSplitter, VillasFormat } from "../../codecs/villas/format.ts";
import { villasFormat } from "../../codecs/villas/formats.ts";
import { describeLikeness } from "../../codecs/villas/recognise.ts";
import { withSignals } from "../../codecs/villas/with_signals.ts";
import { CodecError } from "../../errors.ts";
import { type Endpoint, formatAddress, type HostPort } from "../../net/address/address.ts";
import type { AllowList } from "../../net/address/allow_list.ts";
import { AttemptNews } from "../../net/stream/attempt_news.ts";
import { connectStream } from "../../net/stream/connect.ts";
import type { StreamConnection } from "../../net/stream/connection.ts";
import { listenStream, type StreamListener } from "../../net/stream/listener.ts";
import type { Clock } from "../../time/clock.ts";
import { delay, within } from "../../time/deadline.ts";
import { notify, whenAborted } from "../../time/lifecycle.ts";
import type { Batch } from "../node.ts";
import type { EndpointNode, EndpointProblem } from "./endpoint.ts";
import { ArrivedBatch, type ReadingOptions, type SocketNodeCounters } from "./socket.ts";

/** Seconds between two attempts to connect. */
const RETRY = 1;
/** Bytes that may wait for a peer before it is waited for. */
const HIGH_WATER = 1 << 18;
/** Seconds after which a peer that reads nothing is disconnected, where others wait for it. */
const STALL = 10;
/** Connections at most. */
const MOST_PEERS = 256;
/** Seconds in which a peer that has ended its half may take what is on the way to it. */
const LAST_WORDS = 1;

/** How a TCP node works. */
export interface TcpNodeOptions extends ReadingOptions {
  /** Which side connects. */
  readonly side: "client" | "server";
  /** Where to connect to, or where to listen. */
  readonly address: HostPort;
  /** Who may connect to a server. Default: everybody. */
  readonly allow?: AllowList;
  /** Resolves when what was handed on is answered, where that is later; until then a peer that has ended its half is kept for a while. */
  readonly answered?: () => Promise<void> | undefined;
  /** Called with each problem, and when a connection is made or lost. */
  readonly onProblem?: (problem: EndpointProblem) => void;
  /** Measures for how long a peer reads nothing. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * VILLASnode's `socket` node with layer `tcp-client` or `tcp-server`: samples in a stream, one message after another with nothing between
 * them. A client connects again whenever the connection is lost. A server has any number of clients: what is an answer goes to the one
 * that it answers, anything else to all of them. Made by {@linkcode openTcpNode}.
 */
export class TcpNode implements EndpointNode {
  readonly finished: Promise<void>;
  readonly #options: TcpNodeOptions;
  readonly #ending = new AbortController();
  readonly #closing = new AbortController();
  readonly #links = new Map<Endpoint, Link>();
  readonly #attempts = new AttemptNews(RETRY);
  readonly #listener: StreamListener | undefined;
  /** What handles the batches; resolves when `serve()` is called. */
  readonly #handler = Promise.withResolvers<(batch: Batch) => void | Promise<void>>();
  /** The batch that is being handled: one at a time, whatever peer it comes from. */
  #busy: Promise<void> | undefined;
  #connected = Promise.withResolvers<void>();
  /** What handling a batch threw. */
  #failure: { readonly error: unknown } | undefined;
  #invalid = 0;
  #ignored = 0;
  #sent = 0;
  #unsent = 0;

  /** Use {@linkcode openTcpNode}. */
  constructor(options: TcpNodeOptions) {
    this.#options = options;
    const { side, address: { hostname: host, port }, allow } = options;
    if (side === "server") {
      this.#listener = listenStream({
        host,
        port,
        allow,
        maxConnections: MOST_PEERS,
        onConnection: (connection) => this.#link(connection),
        onProblem: ({ message, from, error }) => {
          this.#ignored++;
          this.#tell("ignored", message, from ?? options.address, error);
        },
      });
    }
    this.finished = this.#listener?.finished ?? this.#connect();
    this.finished.catch(() => {}); // `serve()` passes it on
  }

  /** Where the server listens, or the client connects to. */
  get addr(): HostPort {
    return this.#listener?.addr ?? this.#options.address;
  }

  /** The same, twice for a server at `localhost`. */
  get addrs(): readonly HostPort[] {
    return this.#listener?.addrs ?? [this.addr];
  }

  get counters(): SocketNodeCounters {
    return {
      invalid: this.#invalid,
      ignored: this.#ignored,
      sent: this.#sent,
      unsent: this.#unsent,
    };
  }

  /** Resolves when somebody is connected, undefined if there is somebody; while nobody is, what is written is lost. */
  connected(): Promise<void> | undefined {
    return this.#links.size > 0 ? undefined : this.#connected.promise;
  }

  async serve(handle: (batch: Batch) => void | Promise<void>): Promise<void> {
    this.#handler.resolve(handle);
    await this.finished;
    if (this.#failure) throw this.#failure.error;
  }

  discard(): Promise<void> {
    return this.serve(() => {});
  }

  write(batch: Batch): void | Promise<void> {
    const bytes = this.#bytesOf(batch);
    const { from } = batch;
    if (from) {
      const link = this.#links.get(from);
      if (link) this.#send(link, bytes); // its own reading waits for it
      else this.#lose(from, "the connection is closed");
      return undefined;
    }
    if (this.#links.size === 0) return this.#lose(this.addr, "nobody is connected");
    const all = this.#links.size > 1 ? { left: this.#links.size, isTaken: false } : undefined;
    let waiting: Promise<void>[] | undefined;
    for (const link of this.#links.values()) {
      this.#send(link, bytes, all);
      if (link.isFull) (waiting ??= []).push(this.#room(link, HIGH_WATER));
    }
    if (waiting) return Promise.all(waiting).then(() => {});
  }

  /** A batch as it is on the wire, in memory of its own; several messages where the format has one sample in each. */
  #bytesOf({ bytes, samples, count }: Batch): Uint8Array {
    if (bytes) return bytes.slice();
    const { format } = this.#options;
    if (count <= (format.carried?.samples ?? Infinity)) return format.encode([...samples]).slice();
    return concat(samples.map((sample) => format.encode([sample]).slice()));
  }

  async flush(): Promise<void> {
    await Promise.all(Array.from(this.#links.values(), async (link) => {
      await this.#room(link, 0);
      await link.last;
    }));
  }

  end(): void {
    this.#ending.abort();
    this.#handler.resolve(() => {}); // in case nobody has served
    void this.#listener?.close();
    for (const { connection } of this.#links.values()) connection.stopReading();
    this.#connected.resolve();
  }

  async close(): Promise<void> {
    this.end();
    this.#closing.abort();
    await this.#listener?.close({ grace: 0 });
    await Promise.all(Array.from(this.#links.values(), ({ connection }) => connection.abort()));
    await this.finished.catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Connects, again and again. */
  async #connect(): Promise<void> {
    await null; // the node is not complete yet
    const { hostname: host, port } = this.addr;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      let connection: StreamConnection;
      const connecting = new AbortController(); // the end must not close what is connected: it has replies to send
      try {
        using _ending = whenAborted(signal, () => connecting.abort(signal.reason));
        connection = await connectStream({
          host,
          port,
          attempts: Infinity,
          retryDelay: RETRY,
          signal: connecting.signal,
          onAttemptFailed: (_, __, error) => {
            const news = this.#attempts.failed(error);
            if (news !== undefined) this.#tell("waiting", news, this.addr, error);
          },
        });
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      this.#attempts.succeeded();
      await using _connection = connection;
      using _closing = whenAborted(this.#closing.signal, () => void connection.abort());
      await this.#link(connection);
      await delay(RETRY, signal).catch(() => {}); // aborted: the loop ends
    }
  }

  /** Reads what a peer sends, to the end. */
  async #link(connection: StreamConnection): Promise<void> {
    const link = new Link(connection, this.#options);
    const { peer } = link;
    this.#links.set(peer, link);
    if (this.#ending.signal.aborted) connection.stopReading();
    this.#tell("connection", `Connected with ${formatAddress(peer)}`, peer);
    this.#connected.resolve();
    try {
      await this.#read(link);
    } finally {
      if (connection.readEnd === "ended") await within(this.#lastWords(link), LAST_WORDS);
      this.#links.delete(peer);
      if (this.#links.size === 0 && !this.#ending.signal.aborted) {
        this.#connected = Promise.withResolvers();
      }
    }
    // Nothing of a reply that was just written may be lost.
    if (!this.#closing.signal.aborted) await connection.end({ grace: LAST_WORDS });
    if (this.#ending.signal.aborted) return;
    const again = this.#listener ? "" : "; connecting again";
    this.#tell("connection", `Disconnected from ${formatAddress(peer)}${again}`, peer);
  }

  /** Waits until a peer has taken the answers to all that it has sent. */
  async #lastWords(link: Link): Promise<void> {
    await this.#options.answered?.();
    await link.last;
  }

  async #read(link: Link): Promise<void> {
    const handle = await this.#handler.promise;
    const { connection, splitter, peer } = link;
    /** What came first, until a message was found in it. */
    let first: Uint8Array | undefined;
    let isFound = false;
    try {
      for (let chunk; (chunk = await connection.read()) !== null;) {
        first = isFound ? undefined : first ?? chunk.slice();
        splitter.push(chunk);
        for (let bytes; (bytes = splitter.next()) !== null;) {
          isFound = true;
          const waiting = this.#hand(link, bytes, handle);
          if (waiting) await waiting;
          if (this.#ending.signal.aborted) return;
        }
        if (link.isFull) await link.last;
      }
      const last = connection.readEnd === "ended" ? splitter.end() : null;
      if (last) await this.#hand(link, last, handle);
    } catch (error) {
      if (!(error instanceof CodecError)) {
        this.#failure ??= { error };
        return this.end();
      }
      this.#invalid++;
      const likeness = isFound
        ? undefined
        : first && describeLikeness(first, this.#options.format.name);
      const message = `${error.message} (from ${formatAddress(peer)})` +
        (connection.readEnd === "open" ? "; closed the connection" : "") +
        (likeness === undefined ? "" : `; ${likeness}`);
      this.#tell("invalid", message, peer, error);
    }
  }

  /** Has one message handled, after those that other peers have sent before it. */
  #hand(
    link: Link,
    bytes: Uint8Array,
    handle: (batch: Batch) => void | Promise<void>,
  ): void | Promise<void> {
    if (this.#busy) {
      return this.#busy.catch(() => {}).then(() => this.#hand(link, bytes, handle));
    }
    const { batch } = link;
    batch.reset(bytes, link.peer);
    if (!batch.plain && !this.#decodes(batch)) return;
    if (batch.count === 0) return; // a comment
    const waiting = handle(batch);
    if (!waiting) return;
    this.#busy = waiting;
    return waiting.finally(() => this.#busy = undefined);
  }

  #decodes(batch: ArrivedBatch): boolean {
    try {
      void batch.samples;
      return true;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#invalid++;
      const { from } = batch;
      this.#tell("invalid", `${error.message} (from ${formatAddress(from)})`, from, error);
      return false;
    }
  }

  /** Sends a message; one to all peers is unsent only if none of them has taken it. */
  #send(link: Link, bytes: Uint8Array, all?: ToAll): void {
    link.last = link.connection.write(bytes).then((isTaken) => {
      if (!isTaken) this.#tellLoss(link.peer, "the connection is closed");
      if (all) {
        all.isTaken ||= isTaken;
        if (--all.left > 0) return;
      }
      if (all?.isTaken ?? isTaken) this.#sent++;
      else this.#unsent++;
    });
  }

  #lose(to: Endpoint, why: string): void {
    this.#unsent++;
    this.#tellLoss(to, why);
  }

  #tellLoss(to: Endpoint, why: string): void {
    if (this.#ending.signal.aborted) return;
    this.#tell("send", `Cannot send to ${formatAddress(to)}: ${why}`, to);
  }

  /** Waits until at most so many bytes wait for a peer, or disconnects it where others would have to wait too long. */
  async #room(link: Link, most: number): Promise<void> {
    const { connection, peer } = link;
    let before = -1;
    for (; connection.bytesQueued > most && !connection.broken; before = connection.bytesSent) {
      if (before === connection.bytesSent && this.#links.size > 1) {
        const message = `Disconnected ${formatAddress(peer)}: it has read nothing for ${STALL} s`;
        this.#tell("connection", message, peer);
        await connection.abort();
      } else await within(link.last, STALL, this.#options.clock);
    }
  }

  #tell(kind: EndpointProblem["kind"], message: string, from: Endpoint, error?: unknown): void {
    notify(this.#options.onProblem, { kind, message, from, error });
  }
}

/** What becomes of a message to all peers. */
interface ToAll {
  /** How many of them have neither taken nor lost it. */
  left: number;
  isTaken: boolean;
}

/** A connection, and what is known of it. */
class Link {
  readonly connection: StreamConnection;
  /** The peer, as the batches name it; another object for each connection. */
  readonly peer: HostPort;
  readonly batch: ArrivedBatch;
  readonly splitter: MessageSplitter;
  /** Resolves when the system has taken all that was written. */
  last: Promise<void> = Promise.resolve();

  constructor(connection: StreamConnection, options: TcpNodeOptions) {
    this.connection = connection;
    this.peer = { ...connection.remoteAddr };
    this.batch = new ArrivedBatch(options);
    this.splitter = splitterOf(options);
  }

  /** Whether so much waits for the peer that it should be waited for. */
  get isFull(): boolean {
    return this.connection.bytesQueued > HIGH_WATER;
  }
}

/** What cuts a stream into messages: a format shows where they end, or the signals say how long they are. */
function splitterOf({ format, signals }: ReadingOptions): MessageSplitter {
  const whole = isWhole(format) ? format : villasFormat(format.name);
  return withSignals(whole, signals).splitter();
}

function isWhole(format: Format): format is VillasFormat {
  return "splitter" in format;
}

/**
 * Opens a TCP node.
 *
 * @param options The side, the address and the format.
 * @throws {UsageError} If the server's address cannot be bound.
 * @throws {UsageError} Also if the format has messages that cannot be separated in a stream.
 */
export function openTcpNode(options: TcpNodeOptions): TcpNode {
  splitterOf(options); // before anything is bound
  return new TcpNode(options);
}
