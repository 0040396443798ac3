import type { Format, MessageScanner } from "../../codecs/villas/format.ts";
import type { Sample, Timestamp } from "../../codecs/villas/sample.ts";
import type { Signal } from "../../codecs/villas/signals.ts";
import { withSignals } from "../../codecs/villas/with_signals.ts";
import { CodecError, messageOf } from "../../errors.ts";
import { type Endpoint, formatAddress } from "../../net/address/address.ts";
import { isOwnAddress, sameEndpoint } from "../../net/address/same.ts";
import { bindDatagram, type DatagramIo, type DatagramSocket } from "../../net/datagram/datagram.ts";
import { isMulticast, type MulticastOptions } from "../../net/datagram/multicast.ts";
import { socketFile } from "../../net/datagram/socket_file.ts";
import type { ArrivalClock, UnsentDatagram } from "../../net/datagram/transport.ts";
import { notify } from "../../time/lifecycle.ts";
import { type Batch, type SampleNode, sequencesOf } from "../node.ts";
import { Strangers } from "./strangers.ts";

/** Something that went wrong with one datagram; the node goes on. */
export interface SocketNodeProblem {
  /**
   * `invalid`: it did not decode. `ignored`: the first datagram from an address that is not the remote. `own`: the first that seems to
   * come from the node itself. `send`: the system did not take it. `waiting`: the remote's unix socket does not exist yet; reported
   * once a second.
   */
  readonly kind: "invalid" | "ignored" | "own" | "send" | "waiting";
  /** What happened, for a person. */
  readonly message: string;
  /** The other end: the sender, or the address that was to receive. */
  readonly from: Endpoint;
  /** What the system said, if it did. */
  readonly error?: unknown;
}

/** How a socket node works. */
export interface SocketNodeOptions {
  /** Where to bind. */
  readonly listen: Endpoint;
  /** The other end: what is written goes there, and only what comes from there is handed on. */
  readonly remote: Endpoint;
  /** A multicast group to join. */
  readonly multicast?: MulticastOptions;
  /** The system calls that UDP datagrams are received and sent by. Default: those for many at once, where they work. */
  readonly io?: DatagramIo;
  /** Bytes that the system is to keep while the program is busy. Default: 4 MiB where there is a call for that. */
  readonly receiveBuffer?: number;
  /** Whether to ask the system when datagrams arrive. Default: false. */
  readonly times?: boolean;
  /** Milliseconds to wait for the next datagram without letting anything else in this process run. Default: 0. */
  readonly linger?: number;
  /** Called before what was written since the last time is given to the system, where that is done for many datagrams at once. */
  readonly onSend?: () => void;
  /** The form of the messages. */
  readonly format: Format;
  /** The signals of the messages; batches with others are not plain. Default: any. */
  readonly signals?: readonly Signal[];
  /** Whether to recognise plain messages without decoding them; in vain where all samples are looked at. Default: true. */
  readonly scan?: boolean;
  /** Whether to hand on datagrams from every address. Default: false. */
  readonly anySource?: boolean;
  /** Whether what is written goes to the address that the batch is an answer to, rather than to the remote. Default: false. */
  readonly replyToSender?: boolean;
  /** What the remote is to a person. Default: `the remote is`. */
  readonly remoteIs?: string;
  /** Called with each problem. */
  readonly onProblem?: (problem: SocketNodeProblem) => void;
  /** The wall clock. */
  readonly now: () => Timestamp;
}

/** How messages are read, whatever brings them. */
export type ReadingOptions = Pick<SocketNodeOptions, "format" | "signals" | "scan" | "now">;

/** What a socket node has counted so far. */
export interface SocketNodeCounters {
  /** Datagrams that did not decode. */
  readonly invalid: number;
  /** Datagrams from addresses other than the remote, and from the node's own. */
  readonly ignored: number;
  /** Datagrams that the system took. */
  readonly sent: number;
  /** Datagrams that the system did not take. */
  readonly unsent: number;
  /** Datagrams that this computer threw away, as the receive buffer was full; undefined where the system does not say. */
  readonly dropped?: number;
}

/** VILLASnode's `socket` node: samples in datagrams. Made by {@linkcode openSocketNode}. */
export class SocketNode implements SampleNode {
  readonly #transport: DatagramSocket;
  readonly #options: SocketNodeOptions;
  readonly #own: Endpoint;
  readonly #batch: ArrivedBatch;
  readonly #strangers = new Strangers();
  readonly #ended = new AbortController();
  readonly #waiting: Promise<boolean> | undefined;
  #invalid = 0;
  #ignored = 0;

  /** Use {@linkcode openSocketNode}. */
  constructor(transport: DatagramSocket, options: SocketNodeOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#own = transport.addr;
    this.#batch = new ArrivedBatch(options);
    const { remote } = options;
    if ("path" in remote) this.#waiting = this.#awaitFile(remote.path);
  }

  /** The address that is really bound. */
  get addr(): Endpoint {
    return this.#transport.addr;
  }

  get finished(): Promise<void> {
    return this.#transport.finished;
  }

  /** Bytes that the system keeps while the program is busy; undefined where the system does not say. */
  get receiveBuffer(): number | undefined {
    return this.#transport.receiveBuffer;
  }

  /** When datagrams arrive, where that was asked for and the system says it. */
  get clock(): ArrivalClock | undefined {
    return this.#transport.clock;
  }

  /** What was counted so far. */
  get counters(): SocketNodeCounters {
    const { sent, unsent, dropped } = this.#transport.counters;
    return { invalid: this.#invalid, ignored: this.#ignored, sent, unsent, dropped };
  }

  serve(handle: (batch: Batch) => void | Promise<void>): Promise<void> {
    return this.#transport.serve((bytes, from) => {
      if (!this.#accepts(from)) return undefined;
      const batch = this.#batch;
      batch.reset(bytes, from);
      if (batch.plain || this.#decodes(batch)) return handle(batch);
    });
  }

  /** Receives what comes, and drops it. */
  discard(): Promise<void> {
    return this.#transport.serve(() => {});
  }

  write(batch: Batch): void | Promise<void> {
    const { format, remote, replyToSender } = this.#options;
    const to = replyToSender ? batch.from ?? remote : remote;
    if (batch.bytes === undefined && batch.count > (format.carried?.samples ?? Infinity)) {
      return this.#writeEach(batch.samples.map((sample) => format.encode([sample])), to);
    }
    const bytes = batch.bytes ?? format.encode([...batch.samples]);
    return this.#transport.write(bytes, to);
  }

  /** Sends each sample in a datagram of its own, where the format has one in each. */
  async #writeEach(messages: readonly Uint8Array[], to: Endpoint): Promise<void> {
    for (const message of messages) await this.#transport.write(message, to);
  }

  flush(): Promise<void> {
    return this.#transport.flush();
  }

  end(): void {
    this.#transport.end();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#transport.close();
    await this.#waiting;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Reports a datagram that the system did not take. */
  reportUnsent({ bytes, to, error }: UnsentDatagram): void {
    const reason = messageOf(error);
    const hint = "hostname" in to && isMulticast(to.hostname) && /unreachable/.test(reason)
      ? "; no route leads to the group: bind the address of the network interface, with --listen"
      : "";
    const message = `Cannot send ${bytes.length} bytes to ${formatAddress(to)}: ${reason}${hint}`;
    notify(this.#options.onProblem, { kind: "send", message, from: to, error });
  }

  #accepts(from: Endpoint): boolean {
    const { anySource, remote, remoteIs = "the remote is" } = this.#options;
    const own = isOwnAddress(this.#own, from);
    if (!own && (anySource || sameEndpoint(from, remote))) return true;
    this.#ignored++;
    if (this.#strangers.isNew(from)) {
      const reason = own
        ? "that is this program's own address"
        : `${remoteIs} ${formatAddress(remote)}`;
      const message = `Ignored datagrams from ${formatAddress(from)}: ${reason}`;
      notify(this.#options.onProblem, { kind: own ? "own" : "ignored", message, from });
    }
    return false;
  }

  #decodes(batch: ArrivedBatch): boolean {
    try {
      void batch.samples;
      return true;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#invalid++;
      const message = `${error.message} (from ${formatAddress(batch.from)})`;
      notify(this.#options.onProblem, { kind: "invalid", message, from: batch.from });
      return false;
    }
  }

  #awaitFile(path: string): Promise<boolean> {
    const { onProblem } = this.#options;
    return socketFile(path, {
      signal: this.#ended.signal,
      onRetry: () =>
        notify(onProblem, {
          kind: "waiting",
          message: "Not connected. Retrying in 1 s",
          from: { path },
        }),
    });
  }
}

/** The samples of one datagram, decoded when they are asked for; used again for the next datagram. */
export class ArrivedBatch implements Batch {
  bytes: Uint8Array = new Uint8Array();
  from: Endpoint = { path: "" };
  readonly #format: Format;
  readonly #scanner: MessageScanner | undefined;
  readonly #now: () => Timestamp;
  /** How many samples the scanner found; -1 where it does not know the message. */
  #scanned = -1;
  #samples: Sample[] | undefined;
  #received: Timestamp | undefined;

  constructor({ format, signals, scan = true, now }: ReadingOptions) {
    this.#format = withSignals(format, signals);
    if (scan) this.#scanner = format.scanner?.(signals?.map(({ type }) => type));
    this.#now = now;
  }

  /** Takes another datagram. */
  reset(bytes: Uint8Array, from: Endpoint): void {
    this.bytes = bytes;
    this.from = from;
    this.#samples = undefined;
    this.#received = undefined;
    this.#scanned = this.#scanner ? this.#scanner.scan(bytes) : -1;
  }

  get plain(): boolean {
    return this.#scanned >= 0;
  }

  get count(): number {
    return this.plain ? this.#scanned : this.samples.length;
  }

  get sequences(): readonly (number | bigint)[] {
    return this.plain ? this.#scanner!.sequences : sequencesOf(this.samples);
  }

  /** @throws {CodecError} If the datagram does not decode; the node hands on none such. */
  get samples(): Sample[] {
    return this.#samples ??= this.#format.decode(this.bytes);
  }

  get received(): Timestamp {
    return this.#received ??= this.#now();
  }
}

/**
 * Binds a socket node.
 *
 * @param options The addresses and the format.
 * @throws {UsageError} If the address cannot be bound.
 */
export async function openSocketNode(options: SocketNodeOptions): Promise<SocketNode> {
  const transport = await bindDatagram({
    listen: options.listen,
    multicast: options.multicast,
    io: options.io,
    receiveBuffer: options.receiveBuffer,
    times: options.times,
    linger: options.linger,
    onSend: options.onSend,
    onUnsent: (datagram) => node.reportUnsent(datagram),
  });
  const node = new SocketNode(transport, options);
  return node;
}
