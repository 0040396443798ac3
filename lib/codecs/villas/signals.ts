import { UsageError } from "../../errors.ts";
import type { ValueKind } from "./sample.ts";

/** The type of a signal, which is the kind of all its values. */
export type SignalKind = Exclude<ValueKind, "unset">;

/** The letters of VILLASnode's notation. */
const LETTERS: Readonly<Record<string, SignalKind>> = {
  f: "float",
  i: "integer",
  b: "boolean",
  c: "complex",
};

/** Signals at most: no datagram takes more values. */
const MOST_SIGNALS = 65_507;

/**
 * Reads signals in VILLASnode's notation: letters, each with a count before it where there are several. `f` is a float, `i` an
 * integer, `b` a boolean, `c` a complex number.
 *
 * @param text The notation, as in `signals = "5f1i"` of a node's configuration.
 * @returns The type of each signal.
 * @throws {UsageError} If the text is not of that form.
 *
 * @example Five floats and an integer
 * ```ts
 * import { parseSignals } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseSignals("2fi"), ["float", "float", "integer"]);
 * ```
 */
export function parseSignals(text: string): SignalKind[] {
  const kinds: SignalKind[] = [];
  for (const [, count, letter] of text.matchAll(/(\d*)(.?)/gsu)) {
    if (count === "" && letter === "") break; // the end
    const kind = Object.hasOwn(LETTERS, letter!) ? LETTERS[letter!] : undefined;
    const times = count === "" ? 1 : Number(count);
    if (kind === undefined || times === 0) throw malformed(text);
    if (kinds.length + times > MOST_SIGNALS) {
      throw new UsageError(`Cannot read signals "${text}": expected at most ${MOST_SIGNALS}`);
    }
    for (let i = 0; i < times; i++) kinds.push(kind);
  }
  if (kinds.length === 0) throw malformed(text);
  return kinds;
}

function malformed(text: string): UsageError {
  return new UsageError(
    `Cannot read signals "${text}": expected VILLASnode's notation, ` +
      `such as 5f1i for five floats and an integer (f float, i integer, b boolean, c complex)`,
  );
}
