import type { Context } from "../../cli/context.ts";
import { counted } from "../../text/wording.ts";
import type { LineStats } from "../../struct/line_options.ts";
import { httpCount } from "../serving/serving.ts";

/** What happened to the records of standard input. */
export interface InputResult {
  /** Records that were to be sent. */
  sent: number;
  /** Those for which no peer was connected. */
  unsent: number;
  /** Lines that were not records. */
  refused: number;
}

/** The result if nothing was read. */
export const nothingSent: Readonly<InputResult> = { sent: 0, unsent: 0, refused: 0 };

/**
 * Prints the summary of a line.
 *
 * @param say Where to.
 * @param line The counters of the line.
 * @param input What happened to standard input.
 */
export function sayStats(
  say: Context["say"],
  line: LineStats,
  { unsent, refused }: Readonly<InputResult>,
): void {
  const stats = { ...line, unsent };
  const rare = (["failed", "unsent", "cut", "lost", "refused"] as const)
    .filter((name) => stats[name] > 0);
  say.summary(
    [
      `${counted(stats.received, "record")} received, ${stats.sent} sent`,
      counted(stats.connections, "connection"),
      ...rare.map((name) => `${stats[name]} ${name}`),
      ...httpCount(stats),
      ...(refused > 0 ? [counted(refused, "bad line")] : []),
    ].join(", "),
  );
}
