import { connectStream } from "../net/stream/connect.ts";
import { delay, within } from "../time/deadline.ts";
import { whenAborted } from "../time/lifecycle.ts";
import type { StreamConnection } from "../net/stream/connection.ts";
import {
  DEFAULT_PORT,
  type LineConnectOptions,
  type LineEnd,
  type ServeConnection,
} from "./line_options.ts";

/**
 * Connects to the peer of a line, and reconnects if that is requested.
 *
 * @param options Where and how.
 * @param closing Ends the attempts.
 * @param serve Serves each connection.
 * @returns The connecting end of the line.
 * @throws {ConnectError} If the last attempt fails.
 */
export async function connectLine<F extends string>(
  options: LineConnectOptions<F>,
  closing: AbortSignal,
  serve: ServeConnection,
): Promise<LineEnd> {
  const { reconnect = false } = options;
  let current = await connect(options, closing);
  const addrs = [current.localAddr];
  const keepUp = async () => {
    for (;;) {
      await serve(current);
      if (!reconnect || closing.aborted) return;
      const next = await connectAgain(options, closing);
      if (next === null) return;
      current = next;
    }
  };
  const finished = keepUp();
  const over = finished.catch(() => {}); // reported by `finished`
  return {
    addrs,
    finished,
    isClient: true,
    reconnects: reconnect,
    refused: 0,
    refusedAsHttp: 0,
    async close(grace) {
      await within(over, grace);
      await current.abort();
      // Actions that continue without their connection are not waited for.
      await within(over, 0.2);
    },
  };
}

async function connectAgain<F extends string>(
  options: LineConnectOptions<F>,
  closing: AbortSignal,
): Promise<StreamConnection | null> {
  try {
    await delay(options.retryDelay ?? 1, closing);
    return await connect(options, closing);
  } catch (error) {
    if (closing.aborted) return null;
    throw error;
  }
}

async function connect<F extends string>(
  options: LineConnectOptions<F>,
  closing: AbortSignal,
): Promise<StreamConnection> {
  const { host, port = DEFAULT_PORT, retryDelay, timeout, onAttemptFailed } = options;
  const { tls, ca, identity } = options;
  const { attempts = options.reconnect ? Infinity : 5 } = options;
  // The signal must end the attempts, but not break the connection that one of them makes.
  const connecting = new AbortController();
  using _ = whenAborted(closing, () => connecting.abort(closing.reason));
  return await connectStream({
    host,
    port,
    attempts,
    retryDelay,
    timeout,
    tls,
    ca,
    identity,
    onAttemptFailed,
    signal: connecting.signal,
  });
}
