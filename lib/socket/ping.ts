import { ConnectError } from "../errors.ts";
import { connectStream } from "../net/stream/connect.ts";
import type { StreamConnection } from "../net/stream/connection.ts";
import { delay } from "../time/deadline.ts";
import { LatencyRecorder, type LatencySummary } from "../time/latency.ts";
import { whenAborted } from "../time/lifecycle.ts";
import type { ConnectBytesOptions } from "./byte_client.ts";
import {
  connectDatagram,
  type DatagramAnswer,
  type DatagramClient,
  type DatagramClientOptions,
} from "./datagram_client.ts";

/** How often {@linkcode ping} asks. */
export interface PingOptions {
  /** How many messages to send. */
  repeat: number;
  /** Seconds from one message to the next. Default: 0, which is as soon as the answer has come. */
  interval?: number;
  /** Ends it early. */
  signal?: AbortSignal;
}

/** What happened to one message: an answer came, it had other bytes, none came, or the other side is gone. */
export type PingOutcome = "answered" | "altered" | "lost" | "ended";

/** How {@linkcode pingBytes} asks. */
export interface PingBytesOptions extends Omit<ConnectBytesOptions, "idleTimeout">, PingOptions {
  /** Bytes that make an answer. Default: as many as the message has. */
  count?: number;
  /** Ends it early; answers that were measured count. */
  signal?: AbortSignal;
}

/** How {@linkcode pingDatagrams} asks. */
export interface PingDatagramsOptions extends DatagramClientOptions, PingOptions {
  /** Seconds within which an answer must come. Default: 5. */
  timeout?: number;
  /** Ends it early; answers that were measured count. */
  signal?: AbortSignal;
}

/** What {@linkcode ping} found. */
export interface PingResult {
  /** Messages sent. */
  sent: number;
  /** Messages that were answered in time, altered ones too. */
  answered: number;
  /** Messages that were answered with other bytes. */
  altered: number;
  /** Messages that were not answered in time. */
  lost: number;
  /** Round-trip times of the answered ones, in microseconds. */
  latency: LatencySummary;
}

/**
 * Sends a message again and again, and measures the time to the answer.
 *
 * @param once Sends it, waits for the answer and says what happened to it.
 * @param options How often.
 * @param wait Called before every message but the first: waits for so many seconds, which may be 0, or until the signal is aborted.
 * @returns Counts and times.
 */
export async function ping(
  once: () => Promise<PingOutcome>,
  options: PingOptions,
  wait = (seconds: number): void | Promise<void> => {
    if (seconds > 0) return delay(seconds, options.signal).catch(() => {});
  },
): Promise<PingResult> {
  const { repeat, interval = 0, signal } = options;
  const latency = new LatencyRecorder();
  const result = { sent: 0, answered: 0, altered: 0, lost: 0 };
  let next = 0;
  while (result.sent < repeat && !signal?.aborted) {
    if (result.sent > 0) {
      await wait(interval > 0 ? Math.max(0, next - performance.now()) / 1000 : 0);
      if (signal?.aborted) break;
    }
    const start = performance.now();
    next = start + interval * 1000;
    const outcome = await once();
    const micros = (performance.now() - start) * 1000;
    result.sent++;
    if (outcome === "answered" || outcome === "altered") {
      result.answered++;
      if (outcome === "altered") result.altered++;
      latency.record(micros);
    } else result.lost++;
    if (outcome === "ended") break;
  }
  return { ...result, latency: latency.summary() };
}

/**
 * Sends a message again and again over one connection, and measures the time to the answer.
 *
 * @param message What to send.
 * @param options Where to and how often; the server's silence for `timeout` ends it.
 * @returns Counts and times.
 * @throws {ConnectError} If no connection is made.
 */
export async function pingBytes(
  message: Uint8Array,
  options: PingBytesOptions,
): Promise<PingResult> {
  const { count = message.length, timeout = 5, signal, ...connecting } = options;
  // Silence of the server ends the connection, so no timer is needed per message.
  await using connection = await connectStream({ ...connecting, timeout, idleTimeout: timeout });
  using _ = whenAborted(signal, () => connection.stopReading());
  return await ping(() => askStream(connection, message, count), options);
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

/**
 * Sends a datagram again and again, and measures the time to the answer. What arrives between an answer and the next message is dropped,
 * and so is what comes from another host than the last answer: where several are asked, as by a broadcast, the first to answer counts.
 *
 * @param message What to send.
 * @param options Where to and how often.
 * @returns Counts and times.
 * @throws {ConnectError} If there is no such host, or nobody has ever listened there.
 */
export async function pingDatagrams(
  message: Uint8Array,
  options: PingDatagramsOptions,
): Promise<PingResult> {
  const { timeout = 5 } = options;
  let client = await connectDatagram(options);
  let isKnown = false;
  /** Who has answered the last message. */
  let host: string | undefined;
  const once = async (): Promise<PingOutcome> => {
    try {
      const answer = await askDatagram(client, message, timeout, host);
      host = answer?.from.hostname;
      if (answer) {
        isKnown = true;
        return isSame(answer.bytes, message) ? "answered" : "altered";
      }
      // From a port of its own, so that a late answer is not taken for that to the next message.
      await client.close();
      client = await connectDatagram(options);
      return "lost";
    } catch (error) {
      // A server that was there once may come back.
      if (!isKnown || !(error instanceof ConnectError)) throw error;
      return "lost";
    }
  };
  const wait = async (seconds: number) => {
    const end = performance.now() + seconds * 1000;
    const left = () => (end - performance.now()) / 1000;
    try {
      while (left() > 0 && await client.receive(left()));
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error; // the next message shows whether somebody is there
    }
    if (left() > 0) await delay(left(), options.signal).catch(() => {});
    await client.dropArrived();
  };
  try {
    return await ping(once, options, wait);
  } finally {
    await client.close();
  }
}

async function askDatagram(
  client: DatagramClient,
  message: Uint8Array,
  timeout: number,
  host: string | undefined,
): Promise<DatagramAnswer | undefined> {
  await client.send(message);
  const end = performance.now() + timeout * 1000;
  let answer = await client.receive(timeout);
  while (answer && host !== undefined && answer.from.hostname !== host) {
    answer = await client.receive((end - performance.now()) / 1000);
  }
  return answer;
}

function isSame(bytes: Uint8Array, message: Uint8Array): boolean {
  return bytes.length === message.length && startsWith(message, 0, bytes);
}

/** Whether the bytes are those of the message from an offset on. */
function startsWith(message: Uint8Array, offset: number, bytes: Uint8Array): boolean {
  return bytes.every((byte, i) => byte === message[offset + i]);
}
