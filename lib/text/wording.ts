/**
 * What messages are worded with.
 *
 * @module
 */

/**
 * A number of things: `1 byte`, `2 bytes`.
 *
 * @param count How many.
 * @param noun What one of them is called.
 * @param plural What several of them are called, where that is not the same with an s.
 */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/**
 * Counters that are 0 most of the time, as a summary has them: `3 dropped`, and nothing for those that are 0.
 *
 * @param stats The counters.
 * @param names Which of them, in order.
 */
export function rareCounts<N extends string>(
  stats: Readonly<Record<N, number>>,
  names: readonly N[],
): string[] {
  return names.filter((name) => stats[name] > 0).map((name) => `${stats[name]} ${name}`);
}

/**
 * Cuts text that is too long for a message, between characters.
 *
 * @param text Any text.
 * @param length Most characters of it, in UTF-16.
 */
export function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length).replace(/[\ud800-\udbff]$/, "")}…` : text;
}

/**
 * Puts text into quotation marks, shortened.
 *
 * @param text Any text.
 * @param length Most characters of it.
 */
export function quoted(text: string, length = 60): string {
  return JSON.stringify(shorten(text, length));
}

/**
 * Says which lines of some input were not sent.
 *
 * @param count How many.
 * @param from The number of the first of them.
 * @param isAll Whether the input was read to its end, so that there are no more.
 */
export function notSent(count: number, from: number, isAll: boolean): string {
  const were = `${counted(count, "line")} ${
    count === 1 ? "was" : "were"
  } not sent, from line ${from}`;
  return isAll ? were : `At least ${were}`;
}
