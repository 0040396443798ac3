import { connectStream } from "../net/connect_stream.ts";
import { delay, within } from "../net/deadline.ts";
import type { StreamConnection } from "../net/stream_connection.ts";
import {
  DEFAULT_PORT,
  type LineConnectOptions,
  type LineEnd,
  type LineWork,
} from "./line_options.ts";

/**
 * Connects to the peer of a line, and again where that is wanted.
 *
 * @param options Where and how.
 * @param closing Ends the attempts.
 * @param work What serves each connection.
 * @returns What to close.
 * @throws {ConnectError} If the last attempt fails.
 */
export async function connectLine<F extends string>(
  options: LineConnectOptions<F>,
  closing: AbortSignal,
  work: LineWork,
): Promise<LineEnd> {
  const { attempts = 5, reconnect = false } = options;
  let current = await connect(options, attempts, closing);
  const addrs = [current.localAddr];
  const keepUp = async () => {
    for (;;) {
      await work.serve(current);
      if (!reconnect || closing.aborted) return;
      const next = await connectAgain(options, closing);
      if (next === null) return;
      current = next;
    }
  };
  const finished = keepUp();
  return {
    addrs,
    finished,
    isClient: true,
    reconnects: reconnect,
    refused: 0,
    refusedAsHttp: 0,
    async close(grace) {
      await within(finished, grace);
      await current.abort();
      // An action that goes on without its connection is not waited for.
      await within(finished, 0.2);
    },
  };
}

async function connectAgain<F extends string>(
  options: LineConnectOptions<F>,
  closing: AbortSignal,
): Promise<StreamConnection | null> {
  try {
    await delay(options.retryDelay ?? 1, closing);
    return await connect(options, Infinity, closing);
  } catch (error) {
    if (closing.aborted) return null;
    throw error;
  }
}

async function connect<F extends string>(
  options: LineConnectOptions<F>,
  attempts: number,
  closing: AbortSignal,
): Promise<StreamConnection> {
  const { host, port = DEFAULT_PORT, retryDelay, timeout, onAttemptFailed } = options;
  const { tls, ca, identity } = options;
  // The signal must end the attempts but not break the connection that one of them makes.
  const connecting = new AbortController();
  const stop = () => connecting.abort(closing.reason);
  if (closing.aborted) stop();
  closing.addEventListener("abort", stop);
  try {
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
  } finally {
    closing.removeEventListener("abort", stop);
  }
}
