import type { Context } from "../../cli/context.ts";
import { counted } from "../../text/wording.ts";
import type { LineStats } from "../../struct/line_options.ts";
import { httpCount } from "../serving/serving.ts";

/** What became of the records of standard input. */
export interface InputResult {
  /** Records that were to be sent. */
  sent: number;
  /** Those of them that nobody was there to take. */
  unsent: number;
  /** Lines that were no records. */
  refused: number;
}

/** Where nothing was read. */
export const nothingSent: Readonly<InputResult> = { sent: 0, unsent: 0, refused: 0 };

/**
 * Says what a line has done.
 *
 * @param say Where to.
 * @param line What it counted.
 * @param input What became of standard input.
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
