/**
 * What a bench is, and how one is run: all contestants run at the same time but are measured in turn, several rounds, since only
 * figures of one run can be compared.
 *
 * @module
 */

import { busyShare } from "./machine.ts";

/** What was measured, by name: `rate`, `p50`, … */
export type Figures = Readonly<Record<string, number>>;

/** A program that takes part. */
export interface Contestant {
  /** Its name; those of labwire begin with `labwire`. */
  readonly name: string;
  /** Starts it. */
  start(): Promise<Running>;
}

/** A contestant that runs, and waits to be measured. */
export interface Running extends AsyncDisposable {
  /** Measures it once. */
  measure(warmUp: boolean): Promise<Figures>;
}

/** What labwire is to reach. */
export interface Goal {
  /** Which figure. */
  readonly figure: string;
  /** The least that it may be. */
  readonly least?: number;
  /** The most that it may be. */
  readonly most?: number;
  /** The contestant whose figure that is a multiple of; without one the limit is the figure's own. */
  readonly times?: string;
}

/** How benches are run. */
export interface Settings {
  /** Rounds of each contestant. */
  readonly rounds: number;
  /** Shorter, to see whether something is wrong. */
  readonly quick: boolean;
  /** The executable `villas-node`, if there is one. */
  readonly villasNode?: string;
}

/** One line of the table: contestants, and what is wanted of labwire beside them. */
export interface Bench {
  /** A word for the command line. */
  readonly name: string;
  /** What is measured, for a person. */
  readonly title: string;
  /** The unit of each figure. */
  readonly units: Readonly<Record<string, string>>;
  /** What labwire is to reach, in every form of it that takes part. */
  readonly goals: readonly Goal[];
  /** Whether one round is enough, as it takes long. */
  readonly once?: boolean;
  /** Says what is missing to run it; undefined where nothing is. */
  needs?(settings: Settings): string | undefined;
  /** Who takes part. */
  contestants(settings: Settings): readonly Contestant[];
}

/** Whether a goal was reached by one contestant. */
export interface Verdict {
  readonly contestant: string;
  readonly goal: Goal;
  /** The figure, or its ratio to that of the other contestant. */
  readonly value: number;
  readonly met: boolean;
}

/** What came of a bench. */
export interface Outcome {
  readonly bench: string;
  readonly title: string;
  readonly units: Readonly<Record<string, string>>;
  /** What it needs that is not here, so that it did not run. */
  readonly skipped?: string;
  /** What went wrong. */
  readonly failed?: string;
  /** What part of the processors others used before it began, 0 to 1. */
  readonly busy?: number;
  readonly rounds: number;
  /** All rounds, by contestant and figure. */
  readonly measured: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly verdicts: readonly Verdict[];
}

/**
 * The middle of some numbers.
 *
 * @param values At least one.
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/**
 * Runs a bench.
 *
 * @param bench Which.
 * @param settings How.
 */
export async function runBench(bench: Bench, settings: Settings): Promise<Outcome> {
  const { name, title, units, goals } = bench;
  const rounds = bench.once ? 1 : settings.rounds;
  const outcome = { bench: name, title, units, rounds, measured: {}, verdicts: [] };
  const skipped = bench.needs?.(settings);
  if (skipped !== undefined) return { ...outcome, skipped };
  const busy = await busyShare();
  try {
    const measured = await measureAll(bench, rounds, settings);
    return { ...outcome, busy, measured, verdicts: verdictsOf(goals, measured) };
  } catch (error) {
    return { ...outcome, busy, failed: error instanceof Error ? error.message : String(error) };
  }
}

async function measureAll(
  bench: Bench,
  rounds: number,
  settings: Settings,
): Promise<Outcome["measured"]> {
  const contestants = bench.contestants(settings);
  const measured: Record<string, Record<string, number[]>> = {};
  await using stack = new AsyncDisposableStack();
  const running: Running[] = [];
  for (const contestant of contestants) {
    running.push(stack.use(await contestant.start()));
    measured[contestant.name] = {};
  }
  if (!bench.once) { for (const one of running) await one.measure(true); }
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < running.length; i++) {
      // Who comes first changes, too.
      const at = (i + round) % running.length;
      const figures = await running[at]!.measure(false);
      const all = measured[contestants[at]!.name]!;
      for (const [figure, value] of Object.entries(figures)) (all[figure] ??= []).push(value);
    }
  }
  return measured;
}

function verdictsOf(goals: readonly Goal[], measured: Outcome["measured"]): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const [contestant, figures] of Object.entries(measured)) {
    if (!contestant.startsWith("labwire")) continue;
    for (const goal of goals) {
      const { figure, least = -Infinity, most = Infinity, times } = goal;
      const own = median(figures[figure] ?? [NaN]);
      const other = times === undefined ? 1 : measured[times]?.[figure];
      if (other === undefined) continue; // that contestant is not on this computer
      const value = own / (typeof other === "number" ? other : median(other));
      verdicts.push({ contestant, goal, value, met: value >= least && value <= most });
    }
  }
  return verdicts;
}
