import { compileStruct, type Struct } from "../codecs/struct/struct.ts";
import type { StructInputs, StructValues } from "../codecs/struct/types.ts";
import { CodecError, ConnectError, messageOf } from "../errors.ts";
import type { HostPort } from "../net/address/address.ts";
import type { GraceOptions, StreamConnection } from "../net/stream/connection.ts";
import type { Clock } from "../time/clock.ts";
import { closeWhenAborted, notify } from "../time/lifecycle.ts";
import { actOnBlock, type Actor } from "./act_on_block.ts";
import { Broadcast } from "./broadcast.ts";
import { checkRecordSize } from "./check_record_size.ts";
import { connectionFault } from "./connection_fault.ts";
import { connectLine } from "./connect_line.ts";
import { listenLine } from "./listen_line.ts";
import { LineConnection } from "./line_connection.ts";
import {
  DEFAULT_FORMAT,
  type DefaultFormat,
  type LineConnectOptions,
  type LineEnd,
  type LineListenOptions,
  type LineOptions,
  type LineStats,
} from "./line_options.ts";
import type { LinePeer } from "./peer.ts";
import { RecordQueue } from "./record_queue.ts";

/**
 * A duplex line of structs over TCP or TLS: only records of one format, one after another, in both directions. Both ends are alike
 * once connected; a listening end may have several peers: it receives the records of all, and `send()` sends to all.
 *
 * Records are passed to the `action`, those of each peer one after another. Without an action, records and peers wait until the line
 * is iterated. The iteration of a line that connected ends with an error if the connection was lost or ended inside a record.
 *
 * @typeParam F The format of the records; a literal gives typed records.
 *
 * @example A server that answers, and a client
 * ```ts
 * import { Line } from "@labwire/labwire/struct";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = Line.listen({
 *   format: "!I30sd",
 *   port: 0,
 *   action: ([repetitions, text, pause], peer) => peer.send([repetitions + 1, text, pause]),
 * });
 *
 * await using client = await Line.connect({ format: "!I30sd", port: server.addr.port });
 * await client.send([1, "hello", 0.5]);
 * for await (const [repetitions, , pause] of client) {
 *   assertEquals([repetitions, pause], [2, 0.5]);
 *   break;
 * }
 * ```
 */
export class Line<F extends string = string>
  implements AsyncDisposable, AsyncIterable<StructValues<F>> {
  /** Packs and unpacks the records. */
  readonly struct: Struct<F>;
  /** Resolves when there is a first peer; immediately on a line that connected. */
  readonly connected: Promise<void>;
  readonly #options: LineOptions<F>;
  /** Seconds for which a peer may read nothing when it has to. */
  readonly #patience: number;
  readonly #clock: Clock | undefined;
  /** The peers that can be sent to. */
  readonly #peers = new Set<LineConnection<F>>();
  readonly #broadcast: Broadcast<F>;
  readonly #queue: RecordQueue<StructValues<F>> | null;
  readonly #closing = new AbortController();
  readonly #stats = { received: 0, sent: 0, connections: 0, cut: 0, lost: 0, failed: 0 };
  #end!: LineEnd;
  /** Records that were sent while there was no peer, which there will be again. */
  readonly #waiting: {
    record: Uint8Array;
    resolve: (taken: boolean | Promise<boolean>) => void;
  }[] = [];
  readonly #arrival: PromiseWithResolvers<void> = Promise.withResolvers();
  #closed: Promise<void> | null = null;
  #stopped = false;
  #failure: unknown;
  #finished!: Promise<void>;

  private constructor(options: LineOptions<F>, stallTimeout = 10, clock?: Clock) {
    this.#options = options;
    this.#patience = stallTimeout;
    this.#clock = clock;
    const { format = DEFAULT_FORMAT as string as F, platform, truncate, fields, action } = options;
    this.struct = compileStruct(format, { platform, truncate, fields });
    checkRecordSize(this.struct);
    this.#broadcast = new Broadcast(this.#peers, stallTimeout, clock);
    this.#queue = action ? null : new RecordQueue(this.struct, () => this.#stats.received++);
    this.connected = this.#arrival.promise;
  }

  /**
   * Listens for the other ends of a line.
   *
   * @typeParam F The format of the records.
   * @param options Where and how.
   * @returns The line, which has no peer yet.
   * @throws {UsageError} If the address cannot be bound, or an option does not fit.
   * @throws {CodecError} If the format is wrong.
   */
  static listen<F extends string = DefaultFormat>(options: LineListenOptions<F> = {}): Line<F> {
    const line = new Line<F>(options, options.stallTimeout, options.clock);
    line.#start(listenLine(options, (connection) => line.#serve(connection, false)));
    return line;
  }

  /**
   * Connects to the other end of a line.
   *
   * @typeParam F The format of the records.
   * @param options Where and how.
   * @returns The line, connected.
   * @throws {ConnectError} If the last attempt fails; with `reconnect` there is none unless `attempts` is given.
   * @throws {UsageError} At once, if the port is none, or the certificate or key of `identity` cannot be used.
   * @throws {CodecError} If the format is wrong.
   */
  static async connect<F extends string = DefaultFormat>(
    options: LineConnectOptions<F> = {},
  ): Promise<Line<F>> {
    const line = new Line<F>(options);
    const closing = AbortSignal.any([line.#closing.signal, options.signal ?? []].flat());
    const { halfOpen = false } = options;
    line.#start(
      await connectLine(options, closing, (connection) => line.#serve(connection, halfOpen)),
    );
    return line;
  }

  /** The format of the records. */
  get format(): F {
    return this.struct.format;
  }

  /** The bound address, or this side's address of the first connection. */
  get addr(): HostPort {
    return this.#end.addrs[0]!;
  }

  /** The bound addresses, two for `localhost`; or this side's address of the first connection. */
  get addrs(): readonly HostPort[] {
    return this.#end.addrs;
  }

  /** The peers that are connected now. */
  get peers(): readonly LinePeer<F>[] {
    return [...this.#peers];
  }

  /** What the line has done so far. */
  get stats(): LineStats {
    let { sent } = this.#stats;
    for (const peer of this.#peers) sent += peer.sent;
    const { refused, refusedAsHttp } = this.#end;
    return { ...this.#stats, sent, open: this.#peers.size, refused, refusedAsHttp };
  }

  /**
   * Resolves when the line is closed; a line that connected closes when the other end does. Rejects with what the action threw if there
   * is no `onProblem`, and when all attempts to reconnect have failed.
   */
  get finished(): Promise<void> {
    return this.#finished;
  }

  /**
   * Sends a record to every peer. Records sent in the same turn of the event loop are written together. Await each, or one in every
   * few thousand, to keep memory bounded when a peer reads slowly.
   *
   * @param values The record; packed at once.
   * @returns Whether the system has accepted it for at least one peer; false if there is none. A line that reconnects waits until it
   * has.
   * @throws {CodecError} Immediately, if the values do not fit the format.
   */
  send(values: StructInputs<F>): Promise<boolean> {
    const peers = this.#peers;
    if (peers.size > 1) return this.#broadcast.send(values);
    if (peers.size === 1 && this.#waiting.length === 0) {
      for (const peer of peers) return peer.send(values);
    }
    return this.#sendLater(this.struct.pack(values));
  }

  /** Sends a record to the next peer, if there may be one. */
  #sendLater(record: Uint8Array): Promise<boolean> {
    if (!this.#end.reconnects || this.#stopped) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push({ record, resolve });
    return promise;
  }

  /** Sends what has waited for a peer; nothing of it is taken where there will be none any more. */
  #sendWaiting(peer?: LineConnection<F>): void {
    for (const { record, resolve } of this.#waiting.splice(0)) {
      resolve(peer?.sendBytes(record) ?? false);
    }
  }

  /** Ends this side's half towards every peer after everything sent so far: they read the end, and may still send. */
  async closeWrite(): Promise<void> {
    await Promise.all(this.peers.map((peer) => peer.closeWrite()));
  }

  /**
   * Closes the line: sends what is queued, handles no more records, and waits for the running action. Do not await it in an action.
   *
   * @param options Maximum time for that in seconds; by default that of the line.
   * @returns Resolves when nothing is left open. May be called any number of times.
   */
  close(options: GraceOptions = {}): Promise<void> {
    return this.#closed ??= this.#close(options.grace ?? this.#options.grace ?? 5);
  }

  /** Closes the line. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * The records that arrive from all peers, until the line ends. Leaving the loop does not close the line, and another loop continues
   * with the next record.
   *
   * @returns The records.
   * @throws {TypeError} If the line has an action.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<StructValues<F>> {
    if (this.#queue === null) {
      throw new TypeError("Cannot iterate over the records of a line that has an action");
    }
    return this.#queue;
  }

  #start(end: LineEnd): void {
    this.#end = end;
    this.#finished = this.#finish(end);
    closeWhenAborted(this.#options.signal, this.#finished, () => void this.close());
  }

  async #finish(end: LineEnd): Promise<void> {
    try {
      await end.finished;
    } catch (error) {
      this.#failure ??= error; // it could not connect again
    }
    this.#stopped = true;
    this.#queue?.end(this.#failure instanceof ConnectError ? this.#failure : undefined);
    this.#sendWaiting();
    this.#arrival.resolve();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #close(grace: number): Promise<void> {
    this.#stopped = true;
    this.#closing.abort();
    this.#queue?.end();
    for (const peer of this.#peers) peer.stop();
    await this.#end.close(grace);
  }

  /** Serves a connection to its end. */
  async #serve(connection: StreamConnection, halfOpen: boolean): Promise<void> {
    const { onConnect, onEnd, onSent } = this.#options;
    const peer = new LineConnection(connection, this.struct, onSent, this.#clock);
    if (this.#stopped) peer.stop();
    this.#peers.add(peer);
    this.#stats.connections++;
    this.#arrival.resolve();
    let fault: Error | undefined;
    try {
      notify(onConnect, peer);
      this.#sendWaiting(peer);
      fault = await this.#receive(peer);
      if (fault === undefined && !this.#stopped) {
        notify(onEnd, peer);
        if (halfOpen) await peer.sendEnd;
      }
    } finally {
      await this.#release(peer, fault);
    }
  }

  /** Closes a connection from which nothing more is received. */
  async #release(peer: LineConnection<F>, fault?: Error): Promise<void> {
    // What is sent from now on is not for this connection.
    this.#peers.delete(peer);
    const { sent } = peer;
    this.#stats.sent += sent;
    await peer.close(this.#patience);
    this.#stats.sent += peer.sent - sent;
    if (peer.closeReason === "idle") fault ??= this.#check(peer);
    if (fault && this.#end.isClient && !this.#end.reconnects) this.#queue?.end(fault);
    notify(this.#options.onDisconnect, peer);
  }

  /** Receives records until the connection ends, and reports an error there. */
  async #receive(peer: LineConnection<F>): Promise<Error | undefined> {
    const actor = this.#queue ? null : this.#actor(peer);
    let cut: CodecError | undefined;
    try {
      for await (const block of peer.blocks()) {
        peer.stampArrival();
        await (actor ? actOnBlock(block, actor) : this.#queue!.push(block));
        if (this.#stopped) return;
      }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      cut = error;
    } finally {
      await Promise.all(actor?.running ?? []);
    }
    return this.#check(peer, cut);
  }

  /** Reports and counts how a connection ended, if that was with an error. */
  #check(peer: LineConnection<F>, cut?: CodecError): Error | undefined {
    const fault = connectionFault(peer, cut);
    if (!fault) return;
    this.#stats[fault.kind]++;
    notify(this.#options.onProblem, fault);
    return fault.error;
  }

  #actor(peer: LineConnection<F>): Actor<F> {
    const { action, concurrency = 1 } = this.#options as Required<LineOptions<F>>;
    return {
      struct: this.struct,
      act: (values, block, at) => {
        this.#stats.received++;
        peer.point(block, at);
        return action(values, peer);
      },
      onError: (error) => this.#fail(error, peer),
      stopped: () => this.#stopped,
      most: () => typeof concurrency === "number" ? concurrency : concurrency(),
      running: [],
    };
  }

  #fail(error: unknown, { remoteAddr: from }: LinePeer<F>): void {
    this.#stats.failed++;
    const { onProblem } = this.#options;
    if (onProblem) {
      return notify(onProblem, { kind: "action", message: messageOf(error), from, error });
    }
    this.#failure ??= error;
    void this.close();
  }
}
