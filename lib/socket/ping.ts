import { delay } from "../time/deadline.ts";
import { LatencyRecorder, type LatencySummary } from "../time/latency.ts";

/** How often {@linkcode ping} asks. */
export interface PingOptions {
  /** How many messages to send. */
  repeat: number;
  /** Seconds from one message to the next. Default: 0, which is as soon as the answer has come. */
  interval?: number;
  /** Ends it early. */
  signal?: AbortSignal;
}

/** What became of one message: an answer came, another one than was sent, none came, or there is nobody any more. */
export type PingOutcome = "answered" | "altered" | "lost" | "ended";

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
 * @param once Sends it, waits for the answer and says what became of it.
 * @param options How often.
 * @returns Counts and times.
 */
export async function ping(
  once: () => Promise<PingOutcome>,
  options: PingOptions,
): Promise<PingResult> {
  const { repeat, interval = 0, signal } = options;
  const latency = new LatencyRecorder();
  const result = { sent: 0, answered: 0, altered: 0, lost: 0 };
  let next = 0;
  while (result.sent < repeat && !signal?.aborted) {
    if (interval > 0 && result.sent > 0) {
      const early = next - performance.now();
      if (early > 0) await delay(early / 1000, signal).catch(() => {});
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
