import { messageOf, UsageError } from "../errors.ts";
import { formatAddress, type HostPort } from "../net/address/address.ts";
import { isLoopback } from "../net/address/localhost.ts";
import type { StreamConnection } from "../net/stream/connection.ts";
import { listenStream, type StreamListener } from "../net/stream/listener.ts";
import { notify } from "../time/lifecycle.ts";
import type { Feed } from "./feed.ts";
import { MOST_CHANNELS } from "./store/lane.ts";
import { parseView } from "./view.ts";
import { type Statistic, Viewer } from "./viewer.ts";
import { writeCsv } from "./web/csv.ts";
import { admit, makeToken } from "./web/guard.ts";
import { answerHead, readRequest, securityHeaders, type WebRequest } from "./web/request.ts";
import { acceptWebSocket, type WebSocketConnection } from "./web/websocket.ts";

/** Seconds between two looks at whether there is something to send. */
const TICK_SECONDS = 1 / 90;
/** Seconds without a byte after which a connection is closed. */
const IDLE_SECONDS = 30;
/** Seconds that a request may take to arrive. */
const REQUEST_SECONDS = 5;

/** A control that the page may change, such as a generator's. */
export interface ScopeControl {
  /** What there is to change now. */
  describe(): Record<string, unknown> | Promise<Record<string, unknown>>;
  /**
   * Changes something.
   *
   * @param change What the page sent.
   * @throws {UsageError} If it is out of range; the page shows the message.
   */
  change(change: Record<string, unknown>): void | Promise<void>;
}

/** How a scope works. */
export interface ScopeOptions {
  /** What there is to see. */
  readonly feed: Feed;
  /** Where to listen; anything but this computer's own addresses needs a token. Default: `127.0.0.1:8080`. */
  readonly listen?: HostPort;
  /** What is shown, for the page's title. */
  readonly title?: string;
  /** Whether it is a recording, which does not follow anything. */
  readonly isRecording?: boolean;
  /** Numbers that are told beside the traces. */
  readonly statistics?: () => readonly Statistic[];
  /** What may be changed from the page. Default: nothing. */
  readonly control?: ScopeControl;
  /** How far the reading of a recording is, from 0 to 1. */
  readonly progress?: () => number;
  /** Viewers at most. Default: 16. */
  readonly maxViewers?: number;
  /** Connections at most. Default: 64. */
  readonly maxConnections?: number;
  /** Called with what went wrong with a browser; the scope goes on. */
  readonly onProblem?: (kind: string, message: string) => void;
}

/** A live oscilloscope for browsers; made by {@linkcode startScope}. */
export class Scope implements AsyncDisposable {
  /** Resolves when everything is closed. */
  readonly finished: Promise<void>;
  readonly #options: ScopeOptions;
  readonly #listener: StreamListener;
  readonly #host: string;
  readonly #token: string | undefined;
  readonly #viewers = new Set<Viewer>();
  readonly #sockets = new Set<WebSocketConnection>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Use {@linkcode startScope}.
   *
   * @internal
   */
  constructor(options: ScopeOptions) {
    const { hostname, port } = options.listen ?? { hostname: "127.0.0.1", port: 8080 };
    this.#options = options;
    this.#host = hostname;
    this.#token = isLoopback(hostname) ? undefined : makeToken();
    this.#listener = listenStream({
      host: hostname,
      port,
      allowHttp: true,
      maxConnections: options.maxConnections ?? 64,
      idleTimeout: IDLE_SECONDS,
      messageTimeout: REQUEST_SECONDS,
      grace: 0,
      onConnection: (connection) => this.#serve(connection),
      onProblem: ({ kind, message }) => notify(options.onProblem, kind, message),
    });
    this.finished = this.#listener.finished;
  }

  /** The address that is really bound. */
  get addr(): HostPort {
    return this.#listener.addr;
  }

  /** What to open in a browser; everybody who knows it may look, where there is a token in it. */
  get url(): string {
    const { hostname, port } = this.addr;
    const isAny = hostname === "0.0.0.0" || hostname === "::";
    const host = formatAddress({ hostname: isAny ? "127.0.0.1" : hostname, port });
    return `http://${host}/${this.#token === undefined ? "" : `${this.#token}/`}`;
  }

  /** How many are looking. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /** Closes everything; may be called again. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) void socket.close(1001);
    await this.#listener.close({ grace: 0 });
  }

  /** Closes everything. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #serve(connection: StreamConnection): Promise<void> {
    let rest: Uint8Array = new Uint8Array();
    while (true) {
      const request = await readRequest(connection, rest);
      if (request === null) return;
      if (request === undefined) return void await refuse(connection, 400, "Not understood");
      const isKept = await this.#answer(connection, request);
      if (!isKept) return;
      rest = request.rest;
    }
  }

  /** Answers a request, and says whether another one may follow. */
  async #answer(connection: StreamConnection, request: WebRequest): Promise<boolean> {
    const admitted = admit(request, { host: this.#host, token: this.#token });
    if ("refused" in admitted) {
      notify(this.#options.onProblem, "scope", `Refused a browser: ${admitted.refused}`);
      await refuse(connection, 403, `Refused: ${admitted.refused}`);
      return false;
    }
    const { path, query } = admitted;
    if (request.method !== "GET") {
      await refuse(connection, 405, "Only GET is served");
      return false;
    }
    if (path === "/stream") {
      await this.#watch(connection, request);
      return false;
    }
    if (path === "/data.csv") {
      const isChunked = request.version === "1.1";
      const { feed } = this.#options;
      if (!await writeCsv(connection, feed, query, headersOf(request), isChunked)) {
        notify(
          this.#options.onProblem,
          "scope",
          "Cannot write all of a CSV: samples were let go of before the browser took them; --history keeps more",
        );
      }
      return false;
    }
    if (path === "") return await redirect(connection, `${request.target}/`);
    const asset = await this.#asset(path);
    if (!asset) {
      await refuse(connection, 404, "There is nothing here");
      return false;
    }
    const body = new TextEncoder().encode(asset.body);
    const head = answerHead(200, {
      ...headersOf(request),
      "content-type": asset.type,
      "content-length": String(body.length),
    });
    return await connection.write(head) && await connection.write(body);
  }

  async #asset(path: string) {
    const { assets } = await import("./web/assets.ts");
    return Object.hasOwn(assets, path) ? assets[path] : undefined;
  }

  async #watch(connection: StreamConnection, request: WebRequest): Promise<void> {
    if (this.#viewers.size >= (this.#options.maxViewers ?? 16)) {
      return await refuse(connection, 503, "There are too many viewers already");
    }
    const { feed, statistics = () => [] } = this.#options;
    const socketOf = Promise.withResolvers<WebSocketConnection | undefined>();
    const viewer = new Viewer({
      feed,
      statistics,
      progress: this.#options.progress,
      describe: () => this.#describe(),
      send: async (message) => await (await socketOf.promise)?.send(message) ?? false,
    });
    this.#viewers.add(viewer); // before anything is waited for: the limit holds for those who come at once
    const socket = await acceptWebSocket(connection, request).finally(() =>
      this.#viewers.delete(viewer)
    );
    socketOf.resolve(socket);
    if (!socket) return await refuse(connection, 426, "A WebSocket is served here");
    this.#viewers.add(viewer);
    this.#sockets.add(socket);
    this.#timer ??= setInterval(() => this.#tick(), TICK_SECONDS * 1000);
    try {
      await socket.serve((text) => void this.#receive(text, viewer, socket));
    } finally {
      this.#viewers.delete(viewer);
      this.#sockets.delete(socket);
      if (this.#viewers.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    }
  }

  #tick(): void {
    for (const viewer of this.#viewers) this.#serveFrame(viewer);
  }

  #serveFrame(viewer: Viewer): void {
    viewer.tick(performance.now() / 1000)
      .catch((error) => notify(this.#options.onProblem, "scope", messageOf(error)));
  }

  async #receive(text: string, viewer: Viewer, socket: WebSocketConnection): Promise<void> {
    const message = parseFields(text);
    if (message?.type === "ready") {
      viewer.ready();
      // What waits for the next tick would miss the browser's next picture.
      this.#serveFrame(viewer);
    } else if (message?.type === "view") {
      const view = parseView(message);
      if (view) viewer.show(view);
    } else if (message?.type === "control") {
      const { control } = this.#options;
      try {
        if (!control) {
          throw new UsageError("Nothing can be changed from here: start with --scope-control");
        }
        await control.change(message);
        void socket.send(JSON.stringify({ type: "control", ...await control.describe() }));
      } catch (error) {
        void socket.send(JSON.stringify({ type: "problem", message: messageOf(error) }));
      }
    }
  }

  async #describe(): Promise<Record<string, unknown>> {
    const { feed, title = "labwire", isRecording = false, control } = this.#options;
    return {
      title,
      zero: feed.zero,
      isRecording,
      signals: feed.signals.slice(0, MOST_CHANNELS),
      control: await control?.describe() ?? null,
      lanes: feed.lanes.map(({ channels }, i) => ({ ...feed.descriptions[i]!, channels })),
    };
  }
}

function parseFields(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function headersOf(request: WebRequest): Record<string, string> {
  return securityHeaders(request.headers.get("host")!);
}

/** Answers with a sentence for a person. */
async function refuse(connection: StreamConnection, status: number, text: string): Promise<void> {
  const body = new TextEncoder().encode(`${text}.\n`);
  await connection.write(answerHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(body.length),
    "connection": "close",
    "x-content-type-options": "nosniff",
  }));
  await connection.write(body);
}

async function redirect(connection: StreamConnection, location: string): Promise<boolean> {
  return await connection.write(answerHead(301, { location, "content-length": "0" }));
}

/**
 * Starts a scope.
 *
 * @param options What to show, and where.
 * @returns The running scope.
 * @throws {UsageError} If the address cannot be bound.
 *
 * @example A sine, for whoever opens the address
 * ```ts
 * import { Feed, startScope } from "@labwire/labwire/scope";
 * import { assertMatch } from "@std/assert";
 *
 * const feed = new Feed({ lanes: [{ name: "received" }], signals: [{ name: "voltage", unit: "V" }] });
 * await using scope = startScope({ feed, listen: { hostname: "127.0.0.1", port: 0 } });
 * feed.add(0, [{ type: "data", sequence: 0n, values: [Math.sin(1)] }]);
 * assertMatch(await (await fetch(scope.url)).text(), /<title>/);
 * ```
 */
export function startScope(options: ScopeOptions): Scope {
  return new Scope(options);
}
