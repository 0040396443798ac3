import { messageOf, UsageError } from "../errors.ts";
import { formatAddress, type HostPort, resolveHost, unmapped } from "../net/address/address.ts";
import { type AllowList, isLinkLocal } from "../net/address/allow_list.ts";
import { isOwnAddress } from "../net/address/same.ts";
import { bindDatagram, type DatagramSocket } from "../net/datagram/datagram.ts";
import { within } from "../time/deadline.ts";
import { closeWhenAborted, notify } from "../time/lifecycle.ts";
import { isLocalhost, LOOPBACK } from "../net/address/localhost.ts";
import type { GraceOptions } from "../net/stream/connection.ts";
import { type Answerer, echo } from "./answer.ts";

/** How often a port that is free on both loopback addresses is looked for. */
const ATTEMPTS = 32;

/** Something that went wrong with one datagram; the server goes on. */
export interface DatagramServerProblem {
  /**
   * What it is: the sender is not allowed, the datagram seemed to come from the server itself, it could not be answered, or too many
   * were waiting for an answer, or its turn had not come when the server closed.
   */
  kind: "not-allowed" | "own" | "answer" | "dropped";
  /** What it is, to be shown to a person. */
  message: string;
  /** The address that the datagram came from. */
  from: HostPort;
  /** What was thrown, if anything was. */
  error?: unknown;
}

/** Where {@linkcode listenDatagrams} listens and what it answers. */
export interface ListenDatagramsOptions {
  /** Host name or IP address. Default: `localhost`, which is 127.0.0.1 and ::1. */
  host?: string;
  /** UDP port; 0 for one that is free. */
  port: number;
  /** Who is answered. Default: everybody. */
  allow?: AllowList;
  /** Answers a datagram. Default: it is sent back. */
  answer?: Answerer;
  /**
   * How many datagrams that came to one address may be answered at once, a function where that changes; further ones wait in the
   * system's buffer. Default: 1.
   */
  concurrency?: number | (() => number);
  /**
   * How many datagrams wait here for their answer rather than in the system's buffer, which drops them unseen: further ones are dropped,
   * and counted.
   */
  queue?: number;
  /** Called with what went wrong with one datagram. */
  onProblem?: (problem: DatagramServerProblem) => void;
  /** Seconds that datagrams which are being answered may take when the server closes. Default: 5. */
  grace?: number;
  /** Closes the server. */
  signal?: AbortSignal;
}

/** What a {@linkcode DatagramServer} has done so far. */
export interface DatagramServerStats {
  /** Datagrams that arrived and were let in. */
  received: number;
  /** Datagrams sent back. */
  answered: number;
  /** Datagrams that the allow list kept out. */
  refusedByAllow: number;
  /** Datagrams that seemed to come from the server itself, which would answer its own answers for ever. */
  ignored: number;
  /**
   * Datagrams that were dropped because too many were waiting, here or in the system's receive buffer, where it tells, or because the
   * server closed before their turn.
   */
  dropped: number;
}

/** Serves datagrams; made by {@linkcode listenDatagrams}. */
export class DatagramServer implements AsyncDisposable {
  /** The bound addresses: two for `localhost`, else one. */
  readonly addrs: readonly HostPort[];
  /** Resolves when the server is closed; rejects if the system takes the socket away. */
  readonly finished: Promise<void>;
  readonly #options: ListenDatagramsOptions;
  readonly #endpoints: readonly DatagramSocket[];
  readonly #stats: DatagramServerStats = {
    received: 0,
    answered: 0,
    refusedByAllow: 0,
    ignored: 0,
    dropped: 0,
  };
  readonly #answering = new Set<Promise<void>>();
  readonly #waiting: { readonly from: HostPort; readonly answer: () => Promise<void> }[] = [];
  #closing: Promise<void> | null = null;

  /**
   * Use {@linkcode listenDatagrams}.
   *
   * @internal
   */
  constructor(endpoints: readonly DatagramSocket[], options: ListenDatagramsOptions) {
    this.#options = options;
    this.#endpoints = endpoints;
    this.addrs = endpoints.map(({ addr }) => addr as HostPort)
      .map(({ hostname, port }) => ({ hostname, port }));
    this.finished = Promise.all(endpoints.map((endpoint) => this.#serve(endpoint))).then(() => {});
    closeWhenAborted(options.signal, this.finished, () => void this.close());
  }

  /** The bound address, the IPv4 one where there are two. */
  get addr(): HostPort {
    return this.addrs[0]!;
  }

  /** What was done so far. */
  get stats(): DatagramServerStats {
    const overflowed = this.#endpoints.reduce(
      (sum, { counters }) => sum + (counters.dropped ?? 0),
      0,
    );
    return { ...this.#stats, dropped: this.#stats.dropped + overflowed };
  }

  /** Datagrams that are being answered, or wait for it. */
  get pending(): number {
    return this.#answering.size + this.#waiting.length;
  }

  /**
   * Closes the server when the datagrams that have arrived are answered.
   *
   * @param options Most seconds for that; by default those of the server.
   * @returns Resolves when nothing is left open. May be called any number of times.
   */
  close(options: GraceOptions = {}): Promise<void> {
    return this.#closing ??= this.#close(options.grace ?? this.#options.grace ?? 5);
  }

  async #close(grace: number): Promise<void> {
    await null; // an answer that has called this counts as begun when it has returned
    await within(this.#allAnswered(), grace);
    for (const { from } of this.#waiting.splice(0)) {
      this.#drop(from, "its turn had not come when the server closed");
    }
    for (const endpoint of this.#endpoints) await endpoint.close();
    await this.finished;
  }

  async #allAnswered(): Promise<void> {
    while (this.#answering.size > 0) await Promise.race(this.#answering);
  }

  /** Closes the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #serve(endpoint: DatagramSocket): Promise<void> {
    return endpoint.serve((bytes, from) => this.#take(endpoint, bytes, from as HostPort));
  }

  /** Takes one datagram; what it returns, if anything, is to be waited for before the next one. */
  #take(endpoint: DatagramSocket, bytes: Uint8Array, from: HostPort): Promise<void> | undefined {
    const { allow, queue } = this.#options;
    if (this.#closing) return this.#drop(from, "the server is closing");
    if (isOwnAddress(endpoint.addr, from)) {
      this.#stats.ignored++;
      return this.#report(
        "own",
        "Ignored a datagram from",
        from,
        "that is the server's own address",
      );
    }
    if (allow && !allow.matches(from.hostname, this.#options.host)) {
      this.#stats.refusedByAllow++;
      return this.#report("not-allowed", "Refused", from, "not in the allow list");
    }
    this.#stats.received++;
    if (queue !== undefined) return this.#enqueue(endpoint, bytes, from, queue);
    const concurrency = this.#concurrency;
    if (concurrency === 1) return this.#track(this.#answer(endpoint, bytes, from));
    void this.#track(this.#answer(endpoint, bytes.slice(), from));
    return this.#answering.size < concurrency ? undefined : this.#room(concurrency);
  }

  get #concurrency(): number {
    const { concurrency = 1 } = this.#options;
    return typeof concurrency === "number" ? concurrency : concurrency();
  }

  /** Answers a datagram when its turn has come, or drops it. */
  #enqueue(endpoint: DatagramSocket, bytes: Uint8Array, from: HostPort, most: number): undefined {
    if (this.#waiting.length >= most) {
      return this.#drop(from, `${most} are waiting; the handler is too slow`);
    }
    const copy = bytes.slice();
    this.#waiting.push({ from, answer: () => this.#answer(endpoint, copy, from) });
    this.#beginWaiting();
  }

  /** Begins to answer what waits, in the order of arrival. */
  #beginWaiting(): void {
    while (this.#waiting.length > 0 && this.#answering.size < this.#concurrency) {
      const task: Promise<void> = this.#waiting.shift()!.answer().then(() => {
        this.#answering.delete(task);
        this.#beginWaiting();
      });
      this.#answering.add(task);
    }
  }

  #drop(from: HostPort, why: string): undefined {
    this.#stats.dropped++;
    return this.#report("dropped", "Dropped a datagram from", from, why);
  }

  /** Resolves when fewer datagrams than the concurrency are being answered. */
  async #room(concurrency: number): Promise<void> {
    while (this.#answering.size >= concurrency) await Promise.race(this.#answering);
  }

  async #answer(endpoint: DatagramSocket, bytes: Uint8Array, to: HostPort): Promise<void> {
    const { answer = echo } = this.#options;
    try {
      const { hostname, port } = to;
      const reply = await answer(bytes, { hostname: unmapped(hostname), port }, {
        remoteAddr: { hostname: unmapped(hostname), port },
        bytesQueued: 0,
        write: (bytes) => endpoint.send(bytes, to).then(() => true, () => false),
      });
      if (reply === null) return;
      await endpoint.send(reply, to);
      this.#stats.answered++;
    } catch (error) {
      this.#report("answer", "Cannot answer", to, messageOf(error), error);
    }
  }

  #track(task: Promise<void>): Promise<void> {
    this.#answering.add(task);
    return task.finally(() => this.#answering.delete(task));
  }

  #report(
    kind: DatagramServerProblem["kind"],
    what: string,
    { hostname, port }: HostPort,
    why: string,
    error?: unknown,
  ): undefined {
    const from = { hostname: unmapped(hostname), port };
    const message = `${what} ${formatAddress(from)}: ${why}`;
    notify(this.#options.onProblem, { kind, message, from, error });
  }
}

/**
 * Serves datagrams over UDP: an echo by default.
 *
 * @param options Where to listen and what to answer.
 * @returns What listens. `localhost` is served on 127.0.0.1 and ::1, on the same port, or on the one of them that the computer
 * has.
 * @throws {UsageError} If the address cannot be bound, or there is no such host.
 *
 * @example Datagrams that come back in capitals
 * ```ts
 * import { exchangeDatagram, listenDatagrams } from "@labwire/labwire/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
 * await using server = await listenDatagrams({
 *   port: 0,
 *   answer: (message) => encoder.encode(decoder.decode(message).toUpperCase()),
 * });
 * const { port } = server.addr;
 * const { bytes } = await exchangeDatagram(encoder.encode("hello"), { port });
 * assertEquals(decoder.decode(bytes), "HELLO");
 * ```
 */
export async function listenDatagrams(options: ListenDatagramsOptions): Promise<DatagramServer> {
  const { host = "localhost", port, allow } = options;
  if (allow?.hasZones && !isLinkLocal(host)) {
    throw new UsageError(
      `Cannot tell through which interface datagrams come to "${host}": expected a link-local address to listen on, or no ` +
        "interface in the list of those allowed",
    );
  }
  if (isLocalhost(host)) return new DatagramServer(await bindLoopback(port), options);
  const [hostname] = await resolveHost(host).catch((cause) => {
    const where = formatAddress({ hostname: host, port });
    throw new UsageError(`Cannot listen on "${where}": no such host name`, { cause });
  });
  const endpoint = await bindDatagram({ listen: { hostname: hostname!, port } });
  return new DatagramServer([endpoint], options);
}

async function bindLoopback(port: number): Promise<DatagramSocket[]> {
  const [v4, v6] = LOOPBACK as [string, string];
  for (let attempt = 1;; attempt++) {
    const first = await bindDatagram({ listen: { hostname: v4, port } });
    try {
      const { port: same } = first.addr as HostPort;
      return [first, await bindDatagram({ listen: { hostname: v6, port: same } })];
    } catch (error) {
      if (isMissing(error)) return [first];
      await first.close();
      if (port !== 0 || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Whether the computer does not have an address. */
function isMissing(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause ?? error : error;
  return cause instanceof Deno.errors.AddrNotAvailable ||
    cause instanceof Error && "code" in cause && cause.code === "EAFNOSUPPORT";
}
