import { delay } from "./deadline.ts";

/** How much lateness is made up for by steps in quick succession, in ms; what is later than that is missed. */
const CATCH_UP_MS = 250;
/** Steps in quick succession at most: as many datagrams fit into the receive buffer that systems give a socket. */
const CATCH_UP_STEPS = 200;

/** How a {@linkcode ticks} runs. */
export interface TickOptions {
  /** Steps per second. */
  rate: number;
  /** Number of steps. Default: endless. */
  limit?: number;
  /** Ends the steps when aborted. */
  signal: AbortSignal;
  /** Monotonic clock in ms. Default: `performance.now`. */
  now?: () => number;
  /** Waits for so many seconds; may reject when aborted. Default: a timer. */
  sleep?: (seconds: number, signal: AbortSignal) => Promise<void>;
}

/** One step of a timer. */
export interface Tick {
  /** Number of the step, from 0. Numbers that are left out were missed. */
  readonly step: number;
  /** How long ago it was due, in ms. */
  readonly late: number;
}

/**
 * Yields the steps of a timer at absolute deadlines: step n is due n / rate seconds after the first, however long the
 * earlier ones took, so the mean rate does not drift. Timers of JavaScript have a resolution of a millisecond; steps that
 * fell due meanwhile follow at once, at most 200 of them, or a quarter of a second. Earlier ones are left out.
 *
 * @param options The rate and the end.
 * @returns The steps, as they fall due.
 */
export async function* ticks(options: TickOptions): AsyncGenerator<Tick, void, void> {
  const catchUp = Math.min(CATCH_UP_STEPS, options.rate * CATCH_UP_MS / 1000);
  const { rate, limit = Infinity, signal, now = () => performance.now(), sleep = delay } = options;
  const start = now();
  const dueAt = (step: number) => start + step * 1000 / rate;
  let next = 0;
  while (next < limit && !signal.aborted) {
    const wait = dueAt(next) - now();
    if (wait > 0) {
      await sleep(Math.ceil(wait) / 1000, signal).catch(() => {}); // aborted: the loop ends
      continue;
    }
    const latest = Math.max(next, Math.floor((now() - start) * rate / 1000)); // rounding may take one away
    const oldest = Math.min(latest, Math.ceil(latest - catchUp));
    for (next = Math.max(next, oldest); next <= latest && next < limit && !signal.aborted; next++) {
      yield { step: next, late: Math.max(0, now() - dueAt(next)) };
    }
  }
}
