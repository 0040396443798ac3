import { ConnectError, UsageError } from "../errors.ts";
import { formatAddress, type HostPort } from "../net/address/address.ts";
import { type AllowList, allowListOf } from "../net/address/allow_list.ts";
import type { TlsServing } from "../net/stream/bind.ts";
import type { Clock } from "../time/clock.ts";
import { timerDelay } from "../time/deadline.ts";
import { closeWhenAborted, notify, whenAborted } from "../time/lifecycle.ts";
import { lineFraming } from "../net/framing/line.ts";
import type { GraceOptions, StreamConnection } from "../net/stream/connection.ts";
import { listenStream, type StreamListener, type StreamProblem } from "../net/stream/listener.ts";
import { refusedOf } from "../net/stream/listener_options.ts";
import { interactWithCommands } from "./commands.ts";
import {
  type Commands,
  DEFAULT_HOST,
  DEFAULT_MAX_BYTES,
  DEFAULT_PORT,
  type FailStatus,
  type Interact,
} from "./protocol.ts";
import { type Handled, Responder } from "./responder.ts";
import { serveConnection, type ServeConnectionOptions } from "./serve_connection.ts";

/** Seconds for a handler to react when its time is over, and then for its answer to be sent. */
const LAST_WORDS = 0.2;

/** Maximum number of clients whose missing newlines are reported. */
const WARNED = 1000;

/** Something that went wrong with one client; the server continues. */
export interface JsonServerProblem extends Omit<StreamProblem, "kind"> {
  /**
   * What it is: a problem of the listener, a message that was not handled because its client had disconnected, the first message that had
   * to wait for others for more than a second, or the first one of a client without a newline at its end.
   */
  kind: StreamProblem["kind"] | "dropped" | "delayed" | "unended";
}

/** Where and how {@linkcode startJsonServer} serves. The first two and their defaults are the template's. */
export interface JsonServerOptions {
  /** Host name or IP address to listen on. Default: `127.0.0.1`. */
  host?: string;
  /** TCP port; 0 for one that is free. Default: 65432. */
  port?: number;
  /** Handles every message. Default: every message is answered with success. */
  interact?: Interact;
  /** Handles messages by their `command_id`, instead of `interact`. */
  commands?: Commands;
  /** How many messages may be handled at once. Default: 1, since equipment rarely supports more. */
  concurrency?: number;
  /**
   * Maximum time to handle a message in seconds, for handlers that return promises. After that the message is answered with a failure,
   * its handler's signal is aborted, and the next message has its turn even if the handler continues. Default: no limit.
   */
  handlerTimeout?: number;
  /** The `status` of a failure. Default: `"error"`; the template's server writes `"failed"`. */
  failStatus?: FailStatus;
  /** Longest message in bytes. Default: 1,048,576. */
  maxBytes?: number;
  /**
   * Seconds of silence after which a complete JSON value counts as a message although no newline ended it; `Infinity` for never.
   * Default: 0.1.
   */
  completeAfter?: number;
  /** Maximum number of connections. Default: 256. */
  maxConnections?: number;
  /** Seconds without a byte after which a connection is closed. Default: 30. */
  idleTimeout?: number;
  /** Seconds within which a message must be complete, from its first byte on. Default: 30. */
  messageTimeout?: number;
  /**
   * Whether to accept HTTP requests, as in `listenStream()`: any web page open in a browser on this computer could then send commands.
   * Default: false.
   */
  allowHttp?: boolean;
  /** Who may connect: addresses and networks such as `192.168.1.0/24`. Default: everybody. */
  allow?: AllowList | readonly string[];
  /** Certificate and key, to serve TLS. */
  tls?: TlsServing;
  /** Seconds for the messages being handled when the server closes. Default: 5. */
  grace?: number;
  /** Called when that time is over, and messages that are not handled yet are answered with a failure. */
  onGraceOver?: () => void;
  /** Closes the server. */
  signal?: AbortSignal;
  /** Called with each message that was answered. */
  onMessage?: (handled: Handled) => void;
  /** Called with each of these that was answered with a failure, after `onMessage`. */
  onFailure?: (handled: Handled) => void;
  /** Called with each problem with a client. */
  onProblem?: (problem: JsonServerProblem) => void;
  /** Called with what a handler threw. */
  onHandlerError?: (error: unknown) => void;
  /** Called at each step with what happens; `console.error` makes it the template's `debug=True`. */
  debug?: (message: string) => void;
  /**
   * Measures all times but `grace`. Default: this computer's clock.
   *
   * @internal
   */
  clock?: Clock;
}

/** What a {@linkcode JsonServer} has done so far. */
export interface JsonServerStats {
  /** Connections let in. */
  connections: number;
  /** Connections refused: not allowed, too many, STUN, or TLS where it is not served. */
  refused: number;
  /** Connections closed because they began with an HTTP request. */
  refusedAsHttp: number;
  /** Connections open now. */
  open: number;
  /** Messages answered, with success or failure. */
  messages: number;
  /** Messages answered with success. */
  successes: number;
  /** Messages answered with a failure. */
  failures: number;
  /** Failures that are messages which could not be parsed. */
  invalid: number;
  /** Answers that did not reach their client. */
  unanswered: number;
  /** Messages that were not handled because their client had disconnected; these are not answered. */
  dropped: number;
  /** Messages that are being handled or wait for it. */
  pending: number;
}

/**
 * Starts a server that answers JSON messages, one per line: the template's `start_server`.
 *
 * Each message is given to `interact`, or to the one of `commands` that its `command_id` names, and answered in one line:
 * `{"status":"success"}`, with the `result` that was returned, or `{"status":"error","error":"…"}` if an error was
 * thrown. The `id` of a message comes back in its answer. Connections stay open for further messages; those of one connection are
 * answered in their order. Unless `concurrency` says otherwise, no two messages are handled at the same time, whichever
 * connections they come from.
 *
 * @param options Where and how.
 * @returns The running server.
 * @throws {UsageError} If the address cannot be bound, or an option does not fit.
 *
 * @example A power supply
 * ```ts
 * import { sendJson, startJsonServer } from "@labwire/labwire/json";
 * import { assertEquals } from "@std/assert";
 *
 * let volts = 0;
 * await using server = startJsonServer({
 *   port: 0,
 *   commands: {
 *     set_voltage(data) {
 *       if (data.volts > 30) throw new Error("30 V is the limit");
 *       volts = data.volts;
 *     },
 *     get_voltage: () => volts,
 *   },
 * });
 *
 * const { port } = server.addr;
 * await sendJson({ command_id: "set_voltage", volts: 12.5 }, { port });
 * const answer = await sendJson({ command_id: "get_voltage" }, { port });
 * assertEquals(answer.outcome === "success" && answer.result, 12.5);
 *
 * const refused = await sendJson({ command_id: "set_voltage", volts: 400 }, { port });
 * assertEquals(refused.outcome === "fail" && refused.error, "30 V is the limit");
 * ```
 */
export function startJsonServer(options: JsonServerOptions = {}): JsonServer {
  return new JsonServer(options);
}

/** Answers JSON messages; made by {@linkcode startJsonServer}. */
export class JsonServer implements AsyncDisposable {
  /** Resolves when the server and all its connections are closed. */
  readonly finished: Promise<void>;
  readonly #options: JsonServerOptions;
  readonly #listener: StreamListener;
  readonly #responder: Responder;
  /** Aborts the handlers' signal when the grace is over. */
  readonly #overdue = new AbortController();
  /** Ends the wait for handlers that ignored it. */
  readonly #givenUp = new AbortController();
  /** The addresses of clients whose missing newlines have been reported. */
  readonly #warned = new Set<string>();
  #unanswered = 0;
  #isDelayed = false;
  #closing: Promise<void> | null = null;

  /**
   * Starts to serve; same as `startJsonServer()`.
   *
   * @param options As for {@linkcode startJsonServer}.
   *
   * @internal
   */
  constructor(options: JsonServerOptions = {}) {
    this.#options = options;
    const { concurrency = 1, failStatus = "error", onMessage, onHandlerError } = options;
    if (!(concurrency >= 1)) {
      throw new UsageError(`Cannot handle ${concurrency} messages at once: expected at least 1`);
    }
    const interact = interactOf(options);
    this.#responder = new Responder({
      interact,
      concurrency,
      handlerTimeout: options.handlerTimeout ?? Infinity,
      clock: options.clock,
      failStatus,
      signal: this.#overdue.signal,
      givenUp: this.#givenUp.signal,
      onMessage: this.#telling(onMessage),
      onFailure: options.onFailure,
      onHandlerError,
      onDropped: (from) => this.#dropped(from),
      onDelayed: (from, seconds) => this.#delayed(from, seconds),
    });
    this.#listener = this.#listen();
    this.finished = this.#listener.finished;
    closeWhenAborted(options.signal, this.finished, () => void this.close());
  }

  /** The bound address. */
  get addr(): HostPort {
    return this.#listener.addr;
  }

  /** The bound addresses: two for `localhost`, else one. */
  get addrs(): readonly HostPort[] {
    return this.#listener.addrs;
  }

  /** What was done so far. */
  get stats(): JsonServerStats {
    const { stats } = this.#listener;
    const { accepted, refusedAsHttp, open } = stats;
    const { successes, failures, invalid, dropped, pending } = this.#responder;
    return {
      connections: accepted,
      refused: refusedOf(stats),
      refusedAsHttp,
      open,
      messages: successes + failures,
      successes,
      failures,
      invalid,
      unanswered: this.#unanswered,
      dropped,
      pending,
    };
  }

  /**
   * Closes the server: accepts no more connections, reads no more messages, and answers those already read.
   *
   * @param options Maximum time for that in seconds; by default that of the server. Handlers that take longer have their signal aborted,
   * and their messages are answered with a failure.
   * @returns Resolves when nothing is left open. May be called any number of times.
   */
  close(options: GraceOptions = {}): Promise<void> {
    return this.#closing ??= this.#close(options.grace ?? this.#options.grace ?? 5);
  }

  /** Closes the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(grace: number): Promise<void> {
    const reason = new ConnectError("The server was closed before the message was handled");
    const timers = [this.#overdue, this.#givenUp].map((controller, i) =>
      setTimeout(() => controller.abort(reason), timerDelay(grace + i * LAST_WORDS))
    );
    const { onGraceOver } = this.#options;
    const ended = whenAborted(this.#givenUp.signal, () => notify(onGraceOver));
    await this.#listener.close({ grace: grace + 2 * LAST_WORDS });
    ended[Symbol.dispose]();
    for (const timer of timers) clearTimeout(timer);
    this.#overdue.abort(reason);
    this.#givenUp.abort(reason);
  }

  #listen(): StreamListener {
    const { host = DEFAULT_HOST, port = DEFAULT_PORT, maxConnections = 256 } = this.#options;
    const { idleTimeout = 30, maxBytes = DEFAULT_MAX_BYTES, tls, debug } = this.#options;
    const { messageTimeout = 30, allowHttp, clock } = this.#options;
    const serving: ServeConnectionOptions = {
      responder: this.#responder,
      framing: lineFraming({ maxBytes }),
      completeAfter: this.#options.completeAfter ?? 0.1,
      clock,
      onUnended: (from) => this.#unended(from),
      onUnanswered: (count) => this.#unanswered += count,
    };
    return listenStream({
      host,
      port,
      tls,
      allow: allowListOf(this.#options.allow),
      maxConnections,
      idleTimeout,
      messageTimeout,
      allowHttp,
      clock,
      onProblem: (problem) => this.#tell(problem),
      onTooMany: async (connection) => {
        const open = maxConnections === 1 ? "1 is" : `${maxConnections} are`;
        const why = `Too many connections: ${open} open already`;
        await connection.write(this.#responder.refusal(why));
      },
      onConnection: (connection) => {
        if (debug) return serveTelling(connection, serving, debug);
        return serveConnection(connection, serving);
      },
    });
  }

  #tell(problem: JsonServerProblem): void {
    notify(this.#options.debug, problem.message);
    notify(this.#options.onProblem, problem);
  }

  #dropped(from: HostPort): void {
    const why = this.#listener.closing.aborted ? "the server was closed" : "it disconnected";
    const message = `Did not handle a message from ${formatAddress(from)}: ${why} before its turn`;
    this.#tell({ kind: "dropped", from, message });
  }

  /** Reports once that messages arrive faster than they are handled: whoever sends them is slowed down. */
  #delayed(from: HostPort, seconds: number): void {
    if (this.#isDelayed) return;
    this.#isDelayed = true;
    const message =
      `A message from ${formatAddress(from)} waited ${seconds.toFixed(1)} s for others: ` +
      "the handler is slower than messages arrive, so clients have to wait; this is not reported again";
    this.#tell({ kind: "delayed", from, message });
  }

  /** Reports once for each client that a newline should end its messages. */
  #unended(from: HostPort): void {
    if (this.#warned.has(from.hostname) || this.#warned.size >= WARNED) return;
    this.#warned.add(from.hostname);
    const { completeAfter = 0.1 } = this.#options;
    const message =
      `A message from ${formatAddress(from)} had no newline at its end, and was taken as ` +
      `complete after ${completeAfter} s of silence: have the client send "\\n" after each message`;
    this.#tell({ kind: "unended", from, message });
  }

  /** Adds debug output for each message. */
  #telling(onMessage: JsonServerOptions["onMessage"]): JsonServerOptions["onMessage"] {
    const { debug } = this.#options;
    if (!debug) return onMessage;
    return (handled) => {
      const client = formatAddress(handled.remoteAddr);
      notify(debug, `${client} sent ${handled.text ?? "an unreadable message"}`);
      notify(debug, `${client} was answered ${handled.answerText}`);
      onMessage?.(handled);
    };
  }
}

function interactOf({ interact, commands }: JsonServerOptions): Interact {
  if (interact && commands) {
    throw new UsageError('Cannot use both "interact" and "commands": expected one of them');
  }
  if (commands) return interactWithCommands(commands);
  return interact ?? (() => {});
}

async function serveTelling(
  connection: StreamConnection,
  options: ServeConnectionOptions,
  tell: (message: string) => void,
): Promise<void> {
  const client = formatAddress(connection.remoteAddr);
  notify(tell, `Connected with ${client}`);
  await serveConnection(connection, options);
  notify(tell, `Connection with ${client} closed: ${connection.closeReason ?? "closed"}`);
}
