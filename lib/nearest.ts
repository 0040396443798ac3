/**
 * Finds the word that somebody probably meant.
 *
 * @param word What was written.
 * @param candidates What could have been written.
 * @returns The candidate with the fewest edits from `word`, or undefined if none is near enough: at most a third of
 * its letters, or being the start of exactly one candidate.
 *
 * @example A typing error
 * ```ts
 * import { nearest } from "./nearest.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nearest("vilas-eco", ["villas-echo", "json-server"]), "villas-echo");
 * assertEquals(nearest("frobnicate", ["villas-echo", "json-server"]), undefined);
 * ```
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Infinity;
  const starts: string[] = [];
  for (const candidate of candidates) {
    if (word.length > 1 && candidate.startsWith(word)) starts.push(candidate);
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest && edits <= Math.max(1, Math.ceil(candidate.length / 3))) {
      best = candidate;
      fewest = edits;
    }
  }
  return starts.length === 1 ? starts[0] : best;
}

/** Levenshtein distance: insertions, deletions and replacements that turn `a` into `b`. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
