import { delay } from "./deadline.ts";

/** How much lateness is made up for, in ms; what is later than that is missed. */
const CATCH_UP_MS = 250;
/** Steps in one run at most: as many datagrams fit into the receive buffer that systems give a socket … */
const RUN_STEPS = 200;
/** … or so many ms of them, as timers may be late by so much. */
const RUN_MS = 5;
/** Steps per second above which there is no time to sleep between two runs that are due. */
const FAST = 25_000;

/** How {@linkcode ticks} runs. */
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
  /** Lets everything else in the program have its turn between two runs of many steps per second. Default: a sleep. */
  pass?: () => Promise<void>;
}

/** Steps of a timer that are due. */
export interface Run {
  /** Number of the first step, from 0. Numbers that are left out were missed. */
  readonly first: number;
  /** Number of the last one. */
  readonly last: number;
  /** When a step was due, in ms of the monotonic clock. */
  dueAt(step: number): number;
}

/**
 * Yields the steps of a timer at absolute deadlines: step n is due n / rate seconds after the first, however long the
 * earlier ones took, so the mean rate does not drift. Timers of JavaScript have a resolution of a millisecond or two; steps that
 * fell due meanwhile come together, at most 200 of them or 5 ms, the others after the next pause. Those that are late by more than a
 * quarter of a second are left out.
 *
 * @param options The rate and the end.
 * @returns The steps, as they fall due.
 */
export async function* ticks(options: TickOptions): AsyncGenerator<Run, void, void> {
  const { rate, limit = Infinity, signal, now = () => performance.now(), sleep = delay } = options;
  const rest = () => sleep(0.001, signal).catch(() => {}); // aborted: the loop ends
  const pause = (rate > FAST ? options.pass : undefined) ?? rest;
  const most = Math.max(
    RUN_STEPS,
    rate > FAST && options.pass ? 0 : Math.ceil(rate * RUN_MS / 1000),
  );
  const catchUp = rate * CATCH_UP_MS / 1000;
  const start = now();
  const dueAt = (step: number) => start + step * 1000 / rate;
  for (let next = 0; next < limit && !signal.aborted;) {
    const wait = dueAt(next) - now();
    if (wait > 0) {
      await sleep(Math.ceil(wait) / 1000, signal).catch(() => {}); // aborted: the loop ends
      continue;
    }
    const at = now();
    const latest = Math.max(next, Math.floor((at - start) * rate / 1000)); // rounding may take one away
    const first = Math.max(next, Math.min(latest, Math.ceil(latest - catchUp)));
    if (first >= limit) return;
    const last = Math.min(latest, first + most - 1, limit - 1);
    yield { first, last, dueAt };
    next = last + 1;
    if (last < latest && next < limit) await pause().catch(rest);
  }
}
