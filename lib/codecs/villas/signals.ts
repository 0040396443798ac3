import { UsageError } from "../../errors.ts";
import type { ValueKind } from "./sample.ts";

/** The type of a signal, which is the kind of all its values. */
export type SignalKind = Exclude<ValueKind, "unset">;

/** What is known of a signal: what its values mean in every sample. */
export interface Signal {
  /** Its name; empty where it has none. */
  readonly name: string;
  /** The kind of its values. */
  readonly type: SignalKind;
  /** What its values are measured in, such as `V`; empty where that was not said. */
  readonly unit: string;
}

/** Signals in any notation that this library takes. */
export type SignalsLike = string | readonly (SignalKind | Signal)[];

/** The types that a signal can have, as VILLASnode writes them. */
export const SIGNAL_KINDS: readonly SignalKind[] = ["float", "integer", "boolean", "complex"];

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
 * Reads signals in one of two notations.
 *
 * - VILLASnode's: letters, each with a count before it where there are several. `f` is a float, `i` an integer, `b` a boolean, `c` a
 *   complex number. The names are `signal0`, `signal1` and so on, as VILLASnode has them.
 * - A list with commas of `NAME:TYPE` or `NAME:TYPE:UNIT`, the type being `float`, `integer`, `boolean` or `complex`.
 *
 * @param text The notation, as `signals = "5f1i"` in a node's configuration has it, or such as `voltage:float:V,count:integer`.
 * @returns The signals in their order.
 * @throws {UsageError} If the text is not of that form.
 *
 * @example Both notations
 * ```ts
 * import { parseSignals } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseSignals("2fi").map(({ type }) => type), ["float", "float", "integer"]);
 * assertEquals(parseSignals("voltage:float:V,on:boolean"), [
 *   { name: "voltage", type: "float", unit: "V" },
 *   { name: "on", type: "boolean", unit: "" },
 * ]);
 * ```
 */
export function parseSignals(text: string): Signal[] {
  return text.includes(":") ? parseList(text) : parseLetters(text);
}

/**
 * The signals that somebody stated.
 *
 * @param signals In one of the notations of {@linkcode parseSignals}, or one type or signal for each.
 * @throws {UsageError} If a text is not of that form.
 */
export function signalsOf(signals: SignalsLike): readonly Signal[] {
  if (typeof signals === "string") return parseSignals(signals);
  return signals.map((signal, i) => typeof signal === "string" ? numbered(signal, i) : signal);
}

/** So many floats with VILLASnode's names: what it takes the signals for that nobody described. */
export function floatSignals(count: number): Signal[] {
  return Array.from({ length: count }, (_, i) => numbered("float", i));
}

function numbered(type: SignalKind, index: number): Signal {
  return { name: `signal${index}`, type, unit: "" };
}

function parseLetters(text: string): Signal[] {
  const signals: Signal[] = [];
  for (const [, count, letter] of text.matchAll(/(\d*)(.?)/gsu)) {
    if (count === "" && letter === "") break; // the end
    const kind = Object.hasOwn(LETTERS, letter!) ? LETTERS[letter!] : undefined;
    const times = count === "" ? 1 : Number(count);
    if (kind === undefined || times === 0) throw malformed(text);
    if (signals.length + times > MOST_SIGNALS) throw tooMany(text);
    for (let i = 0; i < times; i++) signals.push(numbered(kind, signals.length));
  }
  if (signals.length === 0) throw malformed(text);
  return signals;
}

function parseList(text: string): Signal[] {
  const parts = text.split(",");
  if (parts.length > MOST_SIGNALS) throw tooMany(text);
  return parts.map((part) => {
    const [name = "", type = "", ...unit] = part.split(":");
    const kind = SIGNAL_KINDS.find((kind) => kind === type.trim());
    if (kind === undefined) {
      throw new UsageError(
        `Cannot read signal "${part}": expected NAME:TYPE or NAME:TYPE:UNIT, TYPE being ${
          SIGNAL_KINDS.join(", ")
        }, such as voltage:float:V`,
      );
    }
    return { name: name.trim(), type: kind, unit: unit.join(":").trim() };
  });
}

function tooMany(text: string): UsageError {
  return new UsageError(`Cannot read signals "${text}": expected at most ${MOST_SIGNALS}`);
}

function malformed(text: string): UsageError {
  return new UsageError(
    `Cannot read signals "${text}": expected VILLASnode's notation, ` +
      `such as 5f1i for five floats and an integer (f float, i integer, b boolean, c complex), or names with their types, such as voltage:float:V,on:boolean`,
  );
}
