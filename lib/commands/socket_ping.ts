import type { Context } from "../cli/context.ts";
import { ConnectError, UsageError } from "../errors.ts";
import { formatAddress } from "../net/address.ts";
import { connectStream } from "../net/connect_stream.ts";
import type { StreamConnection } from "../net/stream_connection.ts";
import { connectDatagram, type DatagramClient } from "../socket/datagram_client.ts";
import { ping, type PingOptions, type PingOutcome, type PingResult } from "../socket/ping.ts";
import type { ClientValues } from "./socket_exchange.ts";
import { wholeMessage } from "./socket_message.ts";

/**
 * Sends one message many times and reports round-trip times.
 *
 * @param context Where the report goes.
 * @param values The options' values.
 * @param pieces The message.
 * @returns The exit code.
 * @throws {ConnectError} If nobody is there, or nothing was answered.
 */
export async function pingServer(
  context: Context,
  values: ClientValues & PingOptions,
  pieces: AsyncIterable<Uint8Array>,
): Promise<number> {
  const { host, port, timeout } = values;
  const message = await wholeMessage(pieces);
  if (message.length === 0) {
    throw new UsageError("Cannot repeat an empty message: expected a byte at least");
  }
  const result = values.udp ? await byDatagrams(message, values) : await byStream(message, values);
  context.out.text(report(result));
  if (result.answered > 0 || values.signal.aborted) return 0;
  const where = formatAddress({ hostname: host, port });
  throw new ConnectError(`No answer from "${where}" in ${timeout} s`);
}

async function byStream(
  message: Uint8Array,
  values: ClientValues & PingOptions,
): Promise<PingResult> {
  // Silence of the server ends the connection, so no timer is needed per message.
  const { timeout, count = message.length, signal: _, ...options } = values;
  await using connection = await connectStream({ ...options, timeout, idleTimeout: timeout });
  const stop = () => connection.stopReading();
  values.signal.addEventListener("abort", stop, { once: true });
  try {
    return await ping(() => askStream(connection, message, count), values);
  } finally {
    values.signal.removeEventListener("abort", stop);
  }
}

async function askStream(
  connection: StreamConnection,
  message: Uint8Array,
  count: number,
): Promise<PingOutcome> {
  // Not waited for: an echo may send back the beginning of a large message before it takes the rest.
  void connection.write(message);
  let same = true;
  let total = 0;
  while (total < count) {
    const chunk = await connection.read();
    if (chunk === null) return "ended";
    same &&= startsWith(message, total, chunk);
    total += chunk.length;
  }
  return same && total === message.length ? "answered" : "altered";
}

async function byDatagrams(
  message: Uint8Array,
  values: ClientValues & PingOptions,
): Promise<PingResult> {
  let client = await connectDatagram(values);
  let isKnown = false;
  const once = async (): Promise<PingOutcome> => {
    try {
      const outcome = await askDatagram(client, message, values.timeout);
      isKnown ||= outcome !== "lost";
      // From a port of its own, so that the answer, should it be late, is not taken for that to the next message.
      if (outcome === "lost") client = await reconnected(client, values);
      return outcome;
    } catch (error) {
      // A server that was there once may come back.
      if (!isKnown || !(error instanceof ConnectError)) throw error;
      return "lost";
    }
  };
  try {
    return await ping(once, values);
  } finally {
    await client.close();
  }
}

async function reconnected(client: DatagramClient, values: ClientValues): Promise<DatagramClient> {
  await client.close();
  return await connectDatagram(values);
}

async function askDatagram(
  client: DatagramClient,
  message: Uint8Array,
  timeout: number,
): Promise<PingOutcome> {
  await client.send(message);
  const datagram = await client.receive(timeout);
  if (!datagram) return "lost";
  const { bytes } = datagram;
  const same = bytes.length === message.length && startsWith(message, 0, bytes);
  return same ? "answered" : "altered";
}

/** Whether the bytes are those of the message from an offset on. */
function startsWith(message: Uint8Array, offset: number, bytes: Uint8Array): boolean {
  return bytes.every((byte, i) => byte === message[offset + i]);
}

function report({ sent, answered, altered, lost, latency }: PingResult): string {
  const counts = [`${sent} sent`, `${answered} answered`, `${lost} lost`];
  if (altered > 0) counts.push(`${altered} answered with other bytes`);
  const { count, min, median, p99, max } = latency;
  const micros = [["min", min], ["median", median], ["p99", p99], ["max", max]] as const;
  const times = micros.map(([name, time]) => `${name} ${time.toFixed(1)} µs`).join(", ");
  return counts.join(", ") + (count > 0 ? `\nround trip: ${times}` : "");
}
