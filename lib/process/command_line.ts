import { UsageError } from "../errors.ts";

/** How {@linkcode splitCommandLine} reads a command line. */
export interface SplitCommandLineOptions {
  /** Read it by the rules of Windows rather than those of a POSIX shell. Default: whether this is Windows. */
  windows?: boolean;
}

/**
 * Splits a command line into a program and its arguments, as a person expects, without a shell: nothing is
 * expanded, and `|`, `>`, `*`, `$` and `;` are characters like any other.
 *
 * Blanks separate arguments; single or double quotes keep an argument with blanks together, and `""` is an
 * empty one. A backslash means what it means on the platform:
 *
 * - On Linux and macOS it takes the next character literally; inside double quotes it does so before `"`,
 *   `\`, `$` and a backquote only, and inside single quotes it is a backslash.
 * - On Windows it is a backslash, so that paths need no care. Only directly before a double quote does it
 *   count: `\"` is a literal quote and `\\"` a backslash at the end of a quoted argument, as Windows programs
 *   read their own command lines. A single quote opens a quoted argument only where an argument starts, so
 *   that `C:\Users\O'Brien` stays what it is.
 *
 * @param text The command line.
 * @param options Which platform's rules to use.
 * @returns The program and its arguments: one string at least.
 * @throws {UsageError} If there is no program, or a quote is not closed.
 *
 * @example Linux and Windows
 * ```ts
 * import { splitCommandLine } from "@labwire/labwire/process";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(splitCommandLine(`python3 "my script.py" --gain 3`, { windows: false }), [
 *   "python3",
 *   "my script.py",
 *   "--gain",
 *   "3",
 * ]);
 * assertEquals(splitCommandLine(String.raw`py "C:\lab 2\set.py" C:\data\ `, { windows: true }), [
 *   "py",
 *   String.raw`C:\lab 2\set.py`,
 *   "C:\\data\\",
 * ]);
 * ```
 */
export function splitCommandLine(
  text: string,
  options: SplitCommandLineOptions = {},
): [string, ...string[]] {
  const windows = options.windows ?? Deno.build.os === "windows";
  const words: string[] = [];
  let at = skipBlanks(text, 0);
  while (at < text.length) {
    const [word, end] = readWord(text, at, windows);
    words.push(word);
    at = skipBlanks(text, end);
  }
  const [program, ...rest] = words;
  if (!program) {
    throw new UsageError(
      `Cannot read command line ${JSON.stringify(text)}: expected "PROGRAM ARG…"`,
    );
  }
  return [program, ...rest];
}

const BLANK = /\s/;

function skipBlanks(text: string, at: number): number {
  while (at < text.length && BLANK.test(text[at]!)) at++;
  return at;
}

/** Reads the argument that starts at `at` and returns it with the index after it. */
function readWord(text: string, at: number, windows: boolean): [string, number] {
  const start = at;
  let word = "";
  while (at < text.length && !BLANK.test(text[at]!)) {
    const char = text[at]!;
    const quotes = char === '"' || (char === "'" && (!windows || at === start));
    let part: string;
    if (quotes) [part, at] = readQuoted(text, at, windows);
    else if (char === "\\") [part, at] = readBackslashes(text, at, windows);
    else [part, at] = [char, at + 1];
    word += part;
  }
  return [word, at];
}

/** Reads the quoted part whose opening quote is at `open`. */
function readQuoted(text: string, open: number, windows: boolean): [string, number] {
  const quote = text[open]!;
  let part = "";
  let at = open + 1;
  while (at < text.length) {
    const char = text[at]!;
    if (char === quote) return [part, at + 1];
    let piece: string;
    if (char !== "\\" || quote === "'") [piece, at] = [char, at + 1];
    else if (windows) [piece, at] = readBackslashes(text, at, true);
    else if (/["\\$`]/.test(text[at + 1] ?? "")) [piece, at] = [text[at + 1]!, at + 2];
    else [piece, at] = [char, at + 1];
    part += piece;
  }
  throw new UsageError(
    `Cannot read command line ${JSON.stringify(text)}: the ${quote} at character ${
      open + 1
    } is not closed`,
  );
}

/** Reads the run of backslashes at `at` and what it makes of the character after it. */
function readBackslashes(text: string, at: number, windows: boolean): [string, number] {
  if (!windows) {
    return at + 1 < text.length ? [text[at + 1]!, at + 2] : ["\\", at + 1];
  }
  let end = at;
  while (text[end] === "\\") end++;
  const count = end - at;
  if (text[end] !== '"') return ["\\".repeat(count), end];
  const kept = "\\".repeat(count >> 1);
  return count % 2 === 1 ? [kept + '"', end + 1] : [kept, end];
}
