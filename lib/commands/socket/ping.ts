import type { Context } from "../../cli/context.ts";
import { stringifyJson } from "../../codecs/json/json.ts";
import { ConnectError, UsageError } from "../../errors.ts";
import { formatAddress } from "../../net/address/address.ts";
import { connectStream } from "../../net/stream/connect.ts";
import type { StreamConnection } from "../../net/stream/connection.ts";
import { connectDatagram, type DatagramClient } from "../../socket/datagram_client.ts";
import { ping, type PingOptions, type PingOutcome, type PingResult } from "../../socket/ping.ts";
import type { ClientValues } from "./exchange.ts";
import { wholeMessage } from "./message.ts";

/**
 * Sends one message many times and reports round-trip times.
 *
 * @param context Where the report goes.
 * @param values The options' values.
 * @param pieces The message.
 * @returns Whether anything was answered; false only if it was ended before.
 * @throws {ConnectError} If nobody is there, or nothing was answered.
 */
export async function pingServer(
  context: Context,
  values: ClientValues & PingOptions,
  pieces: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const { host, port, timeout, output } = values;
  const message = await wholeMessage(pieces);
  if (message.length === 0) {
    throw new UsageError("Cannot repeat an empty message: expected a byte at least");
  }
  const result = values.udp ? await byDatagrams(message, values) : await byStream(message, values);
  if (output === "json") context.out.json(record(result));
  else if (output !== "none") context.out.text(report(result).join("\n"));
  if (result.answered > 0 || values.signal.aborted) return result.answered > 0;
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

function report({ sent, answered, altered, lost, latency }: PingResult): string[] {
  const counts = [`${sent} sent`, `${answered} answered`, `${lost} lost`];
  if (altered > 0) counts.push(`${altered} answered with other bytes`);
  const lines = [counts.join(", ")];
  if (latency.count === 0) return lines;
  const { min, median, p99, max } = latency;
  const times = Object.entries({ min, median, p99, max })
    .map(([name, micros]) => `${name} ${micros.toFixed(1)} µs`);
  return [...lines, `round trip: ${times.join(", ")}`];
}

/** The record of `--output json`, with times in seconds, as in the records of the other commands. */
function record({ latency, ...counts }: PingResult): string {
  const { min, median, p99, max } = latency;
  const seconds = (micros: number) => Math.round(micros * 1e3) / 1e9;
  return stringifyJson({
    ...counts,
    roundTrip: latency.count === 0
      ? null
      : { min: seconds(min), median: seconds(median), p99: seconds(p99), max: seconds(max) },
  });
}
