/**
 * A number with its noun: `1 message`, `2 messages`.
 *
 * @param count How many.
 * @param noun What, in the singular.
 * @param plural What, in the plural, where that is not the singular with an `s`.
 *
 * @example
 * ```ts
 * import { counted } from "./counted.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([0, 1, 2].map((n) => counted(n, "message")), ["0 messages", "1 message", "2 messages"]);
 * assertEquals(counted(2, "reply", "replies"), "2 replies");
 * ```
 */
export function counted(count: number | bigint, noun: string, plural = `${noun}s`): string {
  return `${count} ${Number(count) === 1 ? noun : plural}`;
}
