import { ConnectError } from "../errors.ts";
import { formatAddress } from "../net/address/address.ts";
import type { StreamConnection } from "../net/stream/connection.ts";
import { delay } from "../time/deadline.ts";
import { notify, whenAborted } from "../time/lifecycle.ts";
import type { DatagramAnswer, DatagramClient } from "./datagram_client.ts";

/** Seconds of silence after the last answer that is due. */
const QUIET = 0.1;

/** When a conversation ends, once the input has. */
export interface ConversationOptions {
  /** Seconds of silence after which it ends. Default: 5. */
  timeout?: number;
  /** Seconds after which it ends, whatever comes. */
  wait?: number;
  /** Bytes, or datagrams, after which it ends even before the input does. */
  count?: number;
  /**
   * Seconds that the input may be silent once the other side of a connection has ended its half, which may still read; `Infinity` for
   * any time. Default: 0, what the input gives then is not sent.
   */
  inputSilence?: number;
  /** Called when it ends because the input was silent for as long. */
  onUnsent?: () => void;
  /** Ends it. */
  signal?: AbortSignal;
}

/**
 * Sends what comes from an input while it receives what the other side sends. The end of the input is the end of this side.
 *
 * @param connection The connection.
 * @param input What to send.
 * @param options When it ends.
 * @returns What arrives, piece by piece, each valid until the next one is asked for. The time in which the caller handles a piece does not
 * count as silence.
 * @throws {ConnectError} If the connection breaks.
 * @throws What reading the input throws.
 */
export async function* converse(
  connection: StreamConnection,
  input: AsyncIterable<Uint8Array>,
  options: ConversationOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const { timeout = 5, wait, count = Infinity, inputSilence = 0, onUnsent } = options;
  const over = new AbortController();
  /** When this side began to wait for what comes next; undefined while the caller handles a piece. */
  let waiting: number | undefined;
  /** When it began to wait for the input; undefined while a piece is being sent. */
  let asking: number | undefined = performance.now();
  /** Whether all of it was sent. */
  const sending = (async () => {
    for await (const piece of input) {
      asking = undefined;
      if (!await connection.write(piece)) return false;
      asking = performance.now();
    }
    await connection.closeWrite();
    return true;
  })();
  const ending = async () => {
    if (!await sending) return;
    if (wait === undefined) await silence(() => waiting, timeout, over.signal);
    else await delay(wait, over.signal);
    connection.stopReading();
  };
  let failure: { error: unknown } | undefined;
  ending().catch((error) => {
    if (over.signal.aborted) return; // the conversation is over, and what ends with it
    failure = { error };
    connection.stopReading();
  });
  try {
    for (let total = 0; total < count;) {
      waiting = performance.now();
      const chunk = await connection.read();
      waiting = undefined;
      if (chunk === null) break;
      const piece = chunk.subarray(0, count - total);
      total += piece.length;
      yield piece;
    }
    if (connection.readEnd === "ended" && inputSilence > 0) {
      const isSilent = silence(() => asking, inputSilence, over.signal).then(() => null);
      const isClosed = connection.finished.then(() => false);
      const isSent = await Promise.race([sending, isClosed, isSilent]);
      if (isSent === null) notify(onUnsent);
      else if (!isSent) throw lost(connection, " before all of the input was sent");
    }
  } finally {
    over.abort();
  }
  if (failure) throw failure.error;
  if (connection.readEnd === "lost") throw lost(connection);
}

function lost({ remoteAddr, error }: StreamConnection, when = ""): ConnectError {
  const why = error?.message ?? "the connection was reset";
  return new ConnectError(`Lost the connection to "${formatAddress(remoteAddr)}"${when}: ${why}`);
}

/** Resolves when nothing has come for so long, from now on. */
async function silence(
  waitingSince: () => number | undefined,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const start = performance.now();
  const left = () => {
    const now = performance.now();
    return seconds - (now - Math.max(start, waitingSince() ?? now)) / 1000;
  };
  while (left() > 0) {
    await delay(left(), signal);
    // A timer that fires late, as where the computer slept, has not seen what came meanwhile.
    if (left() <= 0) await delay(0, signal);
  }
}

/**
 * Sends what comes from an input, a datagram for each piece, while it receives datagrams. It ends when the input has ended and
 * as many datagrams as were sent have come back, or the time for that is over.
 *
 * @param client Where to send.
 * @param input What to send.
 * @param options When it ends.
 * @returns The datagrams as they arrive.
 * @throws {ConnectError} If a datagram cannot be sent, or nobody listens there.
 */
export async function* converseByDatagrams(
  client: DatagramClient,
  input: AsyncIterable<Uint8Array>,
  options: ConversationOptions = {},
): AsyncGenerator<DatagramAnswer, void, void> {
  const { timeout = 5, wait, count = Infinity, signal } = options;
  let [sent, received, inputEnd, last] = [0, 0, Infinity, 0];
  let failure: { error: unknown } | undefined;
  /** Resolves when something else than a datagram has come: how long is waited for that depends on it. */
  let change = Promise.withResolvers<void>();
  const sending = (async () => {
    for await (const piece of input) {
      sent++;
      await client.send(piece);
    }
    inputEnd = performance.now();
  })();
  sending.catch((error) => failure = { error }).finally(() => change.resolve());
  using _ = whenAborted(signal, () => change.resolve());
  /** Seconds until it ends, if no datagram comes. */
  const left = () => {
    if (inputEnd === Infinity) return Infinity;
    const now = performance.now();
    if (wait !== undefined) return wait - (now - inputEnd) / 1000;
    const patience = received < sent ? timeout : QUIET;
    return patience - (now - Math.max(inputEnd, last)) / 1000;
  };
  while (received < count && !signal?.aborted) {
    if (failure) throw failure.error;
    const seconds = left();
    if (seconds <= 0) return;
    const datagram = await client.receive(seconds, change.promise);
    change = Promise.withResolvers();
    if (!datagram) continue;
    received++;
    yield datagram;
    last = performance.now();
  }
}
