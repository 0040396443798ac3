/** Words that are longer than this are near to none. */
const LONGEST = 100;

/**
 * Finds the word that somebody probably meant.
 *
 * @param word What was written.
 * @param candidates What could have been written.
 * @returns The candidate with the fewest edits from `word`, or undefined if none is near enough: one, or at most a
 * third of its letters, rounded up where both begin alike; or the start of exactly one candidate.
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
  const words = [...candidates];
  const starts = beginningWith(word, words);
  if (starts.length === 1) return starts[0];
  let best: string | undefined;
  let fewest = Infinity;
  for (const candidate of words) {
    const third = candidate.length / 3;
    const most = word[0] === candidate[0] ? Math.ceil(third) : Math.max(1, Math.floor(third));
    // Each letter more or less is an edit. Words come from outside, and comparing takes the product of both lengths.
    if (candidate.length > LONGEST || Math.abs(word.length - candidate.length) > most) continue;
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest && edits <= most) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

/**
 * Finds the words that somebody may have meant: those that begin so, or else the nearest one.
 *
 * @param word What was written.
 * @param candidates What could have been written.
 * @returns The candidates, none if none is near enough.
 *
 * @example The beginning of several words
 * ```ts
 * import { suggestions } from "./nearest.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(suggestions("json", ["json-server", "json-client"]), ["json-server", "json-client"]);
 * assertEquals(suggestions("jsno-server", ["json-server", "json-client"]), ["json-server"]);
 * ```
 */
export function suggestions(word: string, candidates: Iterable<string>): string[] {
  const words = [...candidates];
  const starts = beginningWith(word, words);
  if (starts.length > 0) return starts;
  const near = nearest(word, words);
  return near === undefined ? [] : [near];
}

/** The candidates that a word of two letters or more is the beginning of. */
function beginningWith(word: string, candidates: readonly string[]): string[] {
  return word.length < 2 ? [] : candidates.filter((candidate) => candidate.startsWith(word));
}

/** Edits that turn `a` into `b`: insertions, deletions, replacements, and neighbours that change places. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
        ? before[j - 2]! + 1
        : Infinity;
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1, swapped));
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
