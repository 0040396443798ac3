import { messageOf } from "../../errors.ts";
import { formatAddress, type HostPort } from "../address/address.ts";
import { bindStream, type StreamSocket } from "./bind.ts";
import { ClientVerifier } from "./client_verifier.ts";
import { delay, within } from "../../time/deadline.ts";
import type { ForeignProtocol } from "./first_bytes_gate.ts";
import { IdleClock } from "../../time/idle_timer.ts";
import { closeWhenAborted, notify } from "../../time/lifecycle.ts";
import { Limit } from "../../time/limit.ts";
import type {
  ListenStreamOptions,
  StreamListenerStats,
  StreamProblem,
} from "./listener_options.ts";
import { type GraceOptions, hostPort, StreamConnection } from "./connection.ts";
import type { RawConnection, StreamConnectionOptions } from "./connection_options.ts";

export type { ListenStreamOptions, StreamListenerStats, StreamProblem };

/** Seconds after which accepting is tried again when the system was out of resources. */
const ACCEPT_PAUSE = 0.05;
/** How many connections beyond the limit may be informed of it at a time; more are just closed. */
const TOLD_AT_ONCE = 64;

/** How refused connections are counted and reported. */
const FOREIGN = {
  http: {
    counter: "refusedAsHttp",
    what: "an HTTP request",
    why: "a web page may have sent it",
  },
  tls: {
    counter: "refusedAsTls",
    what: "TLS",
    why: "this server does not use TLS, and a web page may have tried it",
  },
  stun: {
    counter: "refusedAsStun",
    what: "a STUN request (WebRTC)",
    why: "a web page may have sent it",
  },
} as const;

/**
 * Listens for TCP or TLS connections.
 *
 * `localhost` is served on 127.0.0.1 and ::1, on the same port, or on the one that the computer has. A client that disconnects, does
 * not speak TLS or stays silent does not end or delay any other.
 *
 * @param options Where and how.
 * @returns The listener.
 * @throws {UsageError} If the address cannot be bound, or certificate and key cannot be used.
 *
 * @example Echo
 * ```ts
 * import { connectStream, listenStream } from "@labwire/labwire/net";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = listenStream({
 *   port: 0,
 *   onConnection: async (connection) => {
 *     for await (const chunk of connection) await connection.write(chunk);
 *   },
 * });
 * await using connection = await connectStream({ port: listener.addr.port });
 * await connection.write(new TextEncoder().encode("Hello, world"));
 * assertEquals(await connection.read(), new TextEncoder().encode("Hello, world"));
 * ```
 */
export function listenStream(options: ListenStreamOptions): StreamListener {
  const { host = "localhost", port, tls } = options;
  const verifier = tls?.clientCa === undefined ? null : new ClientVerifier(tls, tls.clientCa);
  return new StreamListener(bindStream(host, port, tls), options, verifier);
}

/** Accepts connections; made by {@linkcode listenStream}. */
export class StreamListener implements AsyncDisposable {
  /** The bound addresses: two for `localhost`, else one. */
  readonly addrs: readonly HostPort[];
  /** Resolves when the listener and all its connections are closed. */
  readonly finished: Promise<void>;
  readonly #options: ListenStreamOptions;
  readonly #idleClock: IdleClock;
  readonly #messageClock: IdleClock;
  readonly #connectionOptions: StreamConnectionOptions;
  readonly #verifier: ClientVerifier | null;
  readonly #sockets: readonly StreamSocket[];
  readonly #stopping = new AbortController();
  /** An array: where connections come and go, a `Set` costs more. */
  readonly #connections: StreamConnection[] = [];
  /** How many tasks are under way, and what resolves when none is; made where somebody waits. */
  #tasks = 0;
  #idle: PromiseWithResolvers<void> | null = null;
  readonly #stats = {
    accepted: 0,
    refusedByAllow: 0,
    refusedByLimit: 0,
    refusedAsHttp: 0,
    refusedAsTls: 0,
    refusedAsStun: 0,
  };
  /** Connections for the loops over this listener, and what resolves when there are more or it closes. */
  readonly #arrived: StreamConnection[] = [];
  #arrival: PromiseWithResolvers<void> | null = null;
  /** Connections that cannot be closed, as their TLS handshakes hang. */
  readonly #hanging = new Set<Deno.TlsConn>();
  /** Resolves when there is room for connections again; null while there is. */
  #room: PromiseWithResolvers<void> | null = null;
  #open = 0;
  #telling = 0;
  #closing: Promise<void> | null = null;
  readonly #finish: () => void;

  /**
   * Use {@linkcode listenStream}.
   *
   * @param sockets The bound sockets, which belong to the new object from now on.
   * @param options As for {@linkcode listenStream}.
   * @param verifier Adds TLS to the connections of plain sockets.
   *
   * @internal
   */
  constructor(
    sockets: readonly StreamSocket[],
    options: ListenStreamOptions,
    verifier: ClientVerifier | null = null,
  ) {
    this.#options = options;
    this.#verifier = verifier;
    const { idleTimeout = Infinity, messageTimeout = Infinity, clock } = options;
    this.#idleClock = new IdleClock(idleTimeout, { lasting: true, clock });
    this.#messageClock = new IdleClock(messageTimeout, { lasting: true, clock });
    this.#connectionOptions = {
      idleClock: this.#idleClock,
      messageClock: this.#messageClock,
      clock,
      onForeign: options.allowHttp ? undefined : (protocol, from) => this.#refuse(protocol, from),
    };
    this.#sockets = sockets;
    this.addrs = sockets.map(({ addr }) => addr as Deno.NetAddr)
      .map(({ hostname, port }) => ({ hostname, port }));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
    for (const socket of sockets) void this.#acceptFrom(socket);
    closeWhenAborted(options.signal, this.finished, () => void this.close());
  }

  /** The bound address, the IPv4 one where there are two. */
  get addr(): HostPort {
    return this.addrs[0]!;
  }

  /** Aborted when the listener begins to close. */
  get closing(): AbortSignal {
    return this.#stopping.signal;
  }

  /** What was done so far. */
  get stats(): StreamListenerStats {
    return { ...this.#stats, open: this.#open, hanging: this.#hanging.size };
  }

  /** The connections that are open now. */
  get connections(): Iterable<StreamConnection> {
    return [...this.#connections];
  }

  /**
   * Stops accepting and ends all connections: their reads end, so that handlers can finish; connections that are still open after the
   * grace are aborted.
   *
   * @param options Maximum time for the handlers in seconds; by default that of the listener.
   * @returns Resolves when nothing is left open. May be called any number of times.
   */
  close(options: GraceOptions = {}): Promise<void> {
    return this.#closing ??= this.#close(options.grace ?? this.#options.grace ?? 5);
  }

  /** Closes the listener. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * The connections that arrive, if there is no `onConnection`; the caller closes them.
   *
   * @returns Connections, until the listener is closed.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<StreamConnection, void, void> {
    for (;;) {
      const connection = this.#arrived.shift();
      if (connection) yield connection;
      else if (this.#stopping.signal.aborted) return;
      else await (this.#arrival ??= Promise.withResolvers()).promise;
    }
  }

  /** Accepts connections until the listener is closed; never rejects. */
  async #acceptFrom(socket: StreamSocket): Promise<void> {
    this.#tasks++;
    while (!this.#stopping.signal.aborted) {
      try {
        if (this.#room !== null) await this.#room.promise;
        if (this.#stopping.signal.aborted) break;
        this.#admit(await socket.accept());
      } catch (error) {
        if (this.#stopping.signal.aborted) break;
        if (isClientGone(error)) continue;
        // Too many open files, for example, must not end the listener.
        this.#tell({
          kind: "accept",
          message: `Cannot accept a connection: ${messageOf(error)}`,
          error,
        });
        await delay(ACCEPT_PAUSE, this.#stopping.signal).catch(() => {});
      }
    }
    this.#endTask();
  }

  #admit(conn: Deno.Conn): void {
    const { allow, maxConnections = Infinity, onConnection } = this.#options;
    if (allow && !allow.matches(hostPort(conn.remoteAddr).hostname, this.#localName(conn))) {
      this.#stats.refusedByAllow++;
      this.#giveUp(conn);
      this.#tellRefused("not-allowed", conn, "not in the allow list");
    } else if (this.#open >= maxConnections) {
      this.#stats.refusedByLimit++;
      const open = maxConnections === 1 ? "1 connection is" : `${maxConnections} connections are`;
      this.#tellRefused("too-many", conn, `${open} open already`);
      this.#turnAway(conn);
    } else {
      this.#stats.accepted++;
      this.#open++;
      this.#serve(conn, onConnection, this.#onServed);
    }
  }

  /** Informs a connection beyond the limit. */
  #turnAway(conn: Deno.Conn): void {
    const { onTooMany } = this.#options;
    if (!onTooMany || this.#telling >= TOLD_AT_ONCE) return this.#giveUp(conn);
    this.#telling++;
    const tell = async (connection: StreamConnection) => {
      await onTooMany(connection);
      await connection.end();
    };
    this.#serve(conn, tell, () => this.#telling--);
  }

  #tellRefused(kind: StreamProblem["kind"], conn: Deno.Conn, why: string): void {
    const from = hostPort(conn.remoteAddr);
    this.#tell({ kind, from, message: `Refused ${formatAddress(from)}: ${why}` });
  }

  /** The local address of a connection, with the zone if the listener has one. */
  #localName(conn: Deno.Conn): string {
    const { host } = this.#options;
    return host?.includes("%") ? host : hostPort(conn.localAddr).hostname;
  }

  /** Serves a connection until it is closed; never rejects. */
  #serve(
    accepted: Deno.Conn,
    handler: ListenStreamOptions["onConnection"],
    onOver: () => void,
  ): void {
    this.#tasks++;
    if (!this.#verifier && (accepted as Partial<Deno.TlsConn>).handshake === undefined) {
      return void this.#attend(accepted, handler, onOver);
    }
    void this.#secure(accepted).then((conn) => {
      if (conn !== null) return this.#attend(conn, handler, onOver);
      onOver();
      this.#endTask();
    });
  }

  /** Serves a connection that may be served; never rejects. */
  async #attend(
    conn: RawConnection,
    handler: ListenStreamOptions["onConnection"],
    onOver: () => void,
  ): Promise<void> {
    const connection = this.#connect(conn);
    if (handler) {
      try {
        await handler(connection);
      } catch (error) {
        this.#tellFailed(connection, error);
      }
      await connection.close();
    } else {
      this.#arrived.push(connection);
      this.#wake();
      await connection.finished;
    }
    const last = this.#connections.pop()!;
    if (last !== connection) this.#connections[this.#connections.indexOf(connection)] = last;
    onOver();
    this.#endTask();
  }

  #connect(conn: RawConnection): StreamConnection {
    const connection = new StreamConnection(conn, this.#connectionOptions);
    this.#connections.push(connection);
    if (this.#stopping.signal.aborted) connection.stopReading();
    return connection;
  }

  #tellFailed({ remoteAddr: from }: StreamConnection, error: unknown): void {
    const message = `Serving ${formatAddress(from)} failed: ${messageOf(error)}`;
    this.#tell({ kind: "handler", from, message, error });
  }

  /** Counts a connection that began with an HTTP request, TLS or STUN, and reports the first of each kind. */
  #refuse(protocol: ForeignProtocol, from: HostPort): void {
    const { counter, what, why } = FOREIGN[protocol];
    if (this.#stats[counter]++ > 0) return;
    const message = `Refused ${what} from ${
      formatAddress(from)
    }: ${why}; further ones are only counted`;
    this.#tell({ kind: protocol, from, message });
  }

  /** Performs the TLS handshake; null if that fails. */
  async #secure(conn: Deno.Conn): Promise<RawConnection | null> {
    const { handshakeTimeout = 10, clock } = this.#options;
    const late = new Error(`no TLS handshake in ${handshakeTimeout} s`);
    using limit = new Limit(handshakeTimeout, late, this.#stopping.signal, clock);
    try {
      if (this.#verifier) return await limit.wait(this.#verifier.secure(conn as Deno.TcpConn));
      await limit.wait((conn as Deno.TlsConn).handshake());
      return conn;
    } catch (error) {
      const from = hostPort(conn.remoteAddr);
      this.#giveUp(conn);
      const message = `TLS with ${formatAddress(from)} failed: ${messageOf(error)}`;
      this.#tell({ kind: "tls", from, message, error });
      return null;
    }
  }

  /** Closes a connection that is not served, at once or, as Deno closes none in a TLS handshake, when that has ended. */
  #giveUp(conn: Deno.Conn): void {
    if (this.#verifier || !("handshake" in conn) || this.#stopping.signal.aborted) {
      return close(conn);
    }
    const hanging = conn as Deno.TlsConn;
    this.#hanging.add(hanging);
    const { maxHanging = 256 } = this.#options;
    if (this.#hanging.size >= maxHanging && this.#room === null) {
      this.#room = Promise.withResolvers();
      this.#tell({
        kind: "accept",
        message: `Cannot accept more connections: ${maxHanging} peers connected and did not ` +
          "complete a TLS handshake; waiting for some of them to disconnect",
      });
    }
    const over = () => {
      close(conn);
      this.#hanging.delete(hanging);
      if (this.#hanging.size < maxHanging) this.#makeRoom();
    };
    hanging.handshake().then(over, over);
  }

  /** Has the loops over the connections look again. */
  #wake(): void {
    this.#arrival?.resolve();
    this.#arrival = null;
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = null;
  }

  async #close(grace: number): Promise<void> {
    this.#stopping.abort();
    this.#makeRoom();
    for (const conn of this.#hanging) close(conn);
    for (const socket of this.#sockets) socket.close();
    for (const connection of this.#connections) connection.stopReading();
    this.#wake();
    // They will not be served any more.
    for (const connection of this.#arrived.splice(0)) void connection.abort();
    await within(this.#settled(), grace);
    if (this.#tasks > 0) notify(this.#options.onGraceOver);
    await Promise.all(this.#connections.map((connection) => connection.abort()));
    // Handlers that continue without their connection are not waited for.
    await within(this.#settled(), 0.2);
    this.#idleClock.stop();
    this.#messageClock.stop();
    this.#finish();
  }

  readonly #onServed = (): void => {
    this.#open--;
  };

  #endTask(): void {
    if (--this.#tasks > 0) return;
    this.#idle?.resolve();
    this.#idle = null;
  }

  async #settled(): Promise<void> {
    while (this.#tasks > 0) await (this.#idle ??= Promise.withResolvers()).promise;
  }

  #tell(problem: StreamProblem): void {
    if (!this.#stopping.signal.aborted) notify(this.#options.onProblem, problem);
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // it is closed already
  }
}

/** Whether a client disconnected before it was accepted, which is not a problem and no reason to pause. */
function isClientGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}
