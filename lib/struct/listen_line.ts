import { allowListOf } from "../net/address/allow_list.ts";
import { listenStream } from "../net/stream/listener.ts";
import { refusedOf } from "../net/stream/listener_options.ts";
import {
  DEFAULT_PORT,
  type LineEnd,
  type LineListenOptions,
  type ServeConnection,
} from "./line_options.ts";

/**
 * Listens for the peers of a line.
 *
 * @param options Where and how.
 * @param serve Serves each connection.
 * @returns The listening end of the line.
 * @throws {UsageError} If the address cannot be bound.
 */
export function listenLine<F extends string>(
  options: LineListenOptions<F>,
  serve: ServeConnection,
): LineEnd {
  const { host, port = DEFAULT_PORT, maxConnections = 64, allow, tls } = options;
  const { messageTimeout = 30, allowHttp, clock, onProblem, onGraceOver } = options;
  const listener = listenStream({
    host,
    port,
    maxConnections,
    tls,
    messageTimeout,
    allowHttp,
    clock,
    allow: allowListOf(allow),
    onConnection: serve,
    onProblem,
    onGraceOver,
  });
  return {
    addrs: listener.addrs,
    finished: listener.finished,
    isClient: false,
    reconnects: false,
    get refused() {
      return refusedOf(listener.stats);
    },
    get refusedAsHttp() {
      return listener.stats.refusedAsHttp;
    },
    close: (grace) => listener.close({ grace }),
  };
}
