/** Outcomes of benches for people: on the terminal, and as Markdown. */

import { type Goal, median, type Outcome, type Verdict } from "./bench.ts";
import type { Machine } from "./machine.ts";

/** A number with three digits that matter. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** What is wanted, as in `rate at least 0.95 × C`. */
export function goalText({ figure, least, most, times }: Goal): string {
  const limit = least ?? most!;
  const bound = least === undefined ? "at most" : "at least";
  return `${figure} ${bound} ${shown(limit)}${times === undefined ? "" : ` × ${times}`}`;
}

function verdictText({ goal, value, met }: Verdict): string {
  return `${met ? "met   " : "MISSED"}  ${goalText(goal)}: ${shown(value)}`;
}

/** From which part of the processors on others disturb what is measured. */
const DISTURBING = 0.2;

/** What is to be said of others that used the computer. */
function busyText(busy: number): string {
  const told = `others kept ${shown(100 * busy)} % of the processors busy before`;
  return busy > DISTURBING ? `${told}: too many to rely on it` : told;
}

/** An outcome as text of several lines. */
export function textOf(outcome: Outcome): string {
  const { bench, title, units, skipped, failed, busy = NaN, rounds, measured, verdicts } = outcome;
  const lines = [`${bench}: ${title}`];
  if (skipped !== undefined) return [...lines, `  not measured: it needs ${skipped}`].join("\n");
  if (failed !== undefined) return [...lines, `  FAILED  ${failed}`].join("\n");
  lines.push(`  medians of ${rounds} (least to most); ${busyText(busy)}`);
  for (const [contestant, figures] of Object.entries(measured)) {
    const told = Object.entries(figures).map(([figure, values]) => {
      const range = values.length > 1
        ? ` (${shown(Math.min(...values))} to ${shown(Math.max(...values))})`
        : "";
      return `${figure} ${shown(median(values))}${range} ${units[figure] ?? ""}`.trimEnd();
    });
    lines.push(`  ${contestant.padEnd(34)} ${told.join(", ")}`);
  }
  for (const verdict of verdicts) lines.push(`  ${verdictText(verdict)} (${verdict.contestant})`);
  return lines.join("\n");
}

/**
 * The file of results.
 *
 * @param outcomes What was measured.
 * @param machine Where.
 * @param when When.
 * @param load The load of the computer at the beginning and at the end.
 * @param quick Whether it was measured shortly.
 */
export function markdownOf(
  outcomes: readonly Outcome[],
  machine: Machine,
  when: Date,
  load: readonly [number, number],
  quick = false,
): string {
  const { processor, cores, system, memory, deno } = machine;
  const lines = [
    "# Benchmarks",
    "",
    "Made by `deno task bench --save`: do not edit. What is measured, and beside whom, is in",
    "`tests/bench/benches/`. Compare ratios: absolute figures are those of one computer and one hour.",
    "",
    `- Date: ${when.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    `- Computer: ${processor}, ${cores} cores, ${memory}, ${system}`,
    `- ${deno}`,
    `- Load: ${shown(load[0])} at the beginning, ${shown(load[1])} at the end`,
    ...quick
      ? ["- Measured with `--quick`: less exactly, and the long benches for a short while"]
      : [],
  ];
  for (const outcome of outcomes) {
    const { title, units, skipped, failed, busy = NaN, rounds, measured, verdicts } = outcome;
    lines.push("", `## ${title}`, "");
    if (skipped !== undefined) {
      lines.push(`Not measured: it needs ${skipped}.`);
      continue;
    }
    if (failed !== undefined) {
      lines.push("Not measured: it failed.");
      continue;
    }
    const names = [...new Set(Object.values(measured).flatMap((figures) => Object.keys(figures)))];
    const heads = names.map((name) => units[name] ? `${name}, ${units[name]}` : name);
    lines.push(
      `Medians of ${rounds}; ${busyText(busy)}.`,
      "",
      ...table(
        ["", ...heads],
        Object.entries(measured).map(([contestant, figures]) => [
          contestant,
          ...names.map((name) => figures[name] ? shown(median(figures[name])) : ""),
        ]),
      ),
    );
    if (verdicts.length === 0) continue;
    lines.push(
      "",
      ...table(
        ["goal", "reached", "by", ""],
        verdicts.map(({ goal, value, contestant, met }) => [
          goalText(goal),
          shown(value),
          contestant,
          met ? "met" : "**missed**",
        ]),
      ),
    );
  }
  return lines.join("\n") + "\n";
}

/** A table as `deno fmt` has it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((cell, i) =>
    Math.max(3, ...[cell, ...rows.map((row) => row[i]!)].map((text) => text.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [
    line(head),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...rows.map(line),
  ];
}
