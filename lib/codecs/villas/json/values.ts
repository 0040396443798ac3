/**
 * What VILLASnode's formats of JSON are made of: values, sequence numbers and times.
 *
 * @module
 */

import type { JsonValue } from "../../json/reader.ts";
import { Unfit } from "./forms.ts";
import { type JsonStyle, writeString } from "./text.ts";
import type { Timestamp, Value } from "../sample.ts";
import type { Signal, SignalKind } from "../signals.ts";
import { isTimePart, sequenceText } from "../text_format.ts";

/** What formats that name their values carry otherwise than others. */
export const BY_NAME = { newFrame: false, notFinite: false, exact: false, named: true } as const;

/** The members of a JSON object. None that is asked for is a name that every object has. */
export type Members = Record<string, JsonValue | undefined>;

/** @throws {Unfit} If the JSON is no object. */
export function membersOf(what: string, json: JsonValue | undefined): Members {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw unfit(what, json, "an object");
  }
  return json;
}

/** Sequence numbers from here on are negative ones in JSON. */
const NEGATIVE = 2n ** 63n;

/** Writes a sequence number as VILLASnode does. */
export function writeSequence(sequence: bigint): string {
  return sequenceText(sequence < NEGATIVE ? sequence : BigInt.asIntN(64, sequence));
}

/** A sequence number. VILLASnode writes those from 2^63 on as negative ones. */
export function readSequence(json: JsonValue): bigint {
  if (typeof json !== "bigint" || json >= 2n ** 64n || json < -(2n ** 63n)) {
    throw unfit("sequence", json, "an integer from 0 to 2^64 - 1");
  }
  return BigInt.asUintN(64, json);
}

/**
 * Reads a value.
 *
 * @param json What stands for it.
 * @param what What it is to a person.
 * @param kind What it is to be, if that was stated; an integer will do for a float.
 * @throws {Unfit} If it is no such value.
 */
export function readJsonValue(json: JsonValue, what: string, kind?: SignalKind): Value {
  const value = valueOf(json, what);
  if (kind === undefined || value === null || KINDS[typeof value] === kind) return value;
  if (kind === "float" && typeof value === "bigint") {
    if (BigInt(Number(value)) === value) return Number(value);
  }
  throw unfit(what, json, `${kind === "integer" ? "an" : "a"} ${kind}, as the signal is stated`);
}

const KINDS: Readonly<Record<string, SignalKind>> = {
  number: "float",
  bigint: "integer",
  boolean: "boolean",
  object: "complex",
};

function valueOf(json: JsonValue, what: string): Value {
  if (typeof json === "number" || typeof json === "boolean" || json === null) return json;
  if (typeof json === "bigint" && BigInt.asIntN(64, json) === json) return json;
  if (typeof json === "object" && !Array.isArray(json)) {
    const { real, imag } = membersOf(what, json);
    if (isNumber(real) && isNumber(imag)) return { real: Number(real), imag: Number(imag) };
  }
  throw unfit(what, json, 'a number of at most 64 bits, true, false, or {"real": R, "imag": I}');
}

/** Whether JSON is a number. */
export function isNumber(json: JsonValue | undefined): json is number | bigint {
  return typeof json === "number" || typeof json === "bigint";
}

/** Says what of a sample does not fit. */
export function unfit(what: string, json: JsonValue | undefined, wanted: string): Unfit {
  const text = typeof json === "bigint"
    ? String(json)
    : Deno.inspect(json, { depth: 1, compact: true, breakLength: Infinity });
  const shown = text.length > 80 ? `${text.slice(0, 79)}…` : text;
  return new Unfit(`${what} ${shown}, expected ${wanted}`);
}

/** The last millisecond of the last second that a time can have. */
const LAST_MILLIS = 2 ** 32 * 1000 - 1;

/**
 * A time in milliseconds, cut as VILLASnode cuts it, but for the last of all, which it rounds up to one that there is not.
 *
 * @param origin The time.
 * @param throughSeconds Whether VILLASnode makes seconds of it first, in one number, and milliseconds of these.
 */
export function writeMillis({ sec, nsec }: Timestamp, throughSeconds: boolean): string {
  const whole = nsec % 1e6 === 0;
  const millis = throughSeconds && !whole ? (sec + nsec * 1e-9) * 1e3 : sec * 1e3 + nsec / 1e6;
  return String(Math.min(Math.trunc(millis), LAST_MILLIS));
}

/** The time that some milliseconds are. */
export function readMillis(what: string, json: JsonValue | undefined): Timestamp {
  const millis = isNumber(json) ? Math.trunc(Number(json)) : NaN;
  const sec = Math.floor(millis / 1000);
  if (!isTimePart(sec)) throw unfit(what, json, "milliseconds since 1970");
  return { sec, nsec: (millis - sec * 1000) * 1e6 };
}

/**
 * What of some signals a format that names its values cannot carry.
 *
 * @param signals The signals.
 * @param reserved Names that mean something else.
 * @returns Undefined if there is nothing.
 */
export function misnamed(
  signals: readonly Signal[],
  reserved: readonly string[],
): string | undefined {
  const seen = new Set<string>();
  for (const { name } of signals) {
    if (name === "") return "a signal has no name, and the format names its values";
    if (reserved.includes(name)) {
      return `a signal is called "${name}", which means something else there`;
    }
    if (seen.has(name)) {
      return `two signals are called "${name}", and the format tells them by their names`;
    }
    seen.add(name);
  }
  return undefined;
}

/** The signals' names as they begin a member of an object; undefined if they were not stated. */
export function memberNames(
  signals: readonly Signal[] | undefined,
  style: JsonStyle,
): string[] | undefined {
  return signals?.map(({ name }) => `${writeString(name, style)}: `);
}

/**
 * Reads JSON as JavaScript does, in less time, for signals that were stated: then it does not matter that floats and integers look the same.
 *
 * @returns What it is; null if it is no JSON object.
 */
export function parseQuickly(text: string): Record<string, unknown> | null {
  try {
    const json = JSON.parse(text);
    return typeof json === "object" ? json : null;
  } catch {
    return null;
  }
}

/**
 * The values of an object that has all signals and nothing that would have to be looked at closely.
 *
 * @returns Null if it is another one, be it valid or not.
 */
export function quickValues(
  object: Readonly<Record<string, unknown>>,
  signals: readonly Signal[],
): Value[] | null {
  const values = new Array<Value>(signals.length);
  for (let i = 0; i < signals.length; i++) {
    const { name, type } = signals[i]!;
    const found = object[name];
    const isNumber = typeof found === "number" && Math.abs(found) <= Number.MAX_SAFE_INTEGER;
    if (type === "float" && isNumber) values[i] = found;
    else if (type === "integer" && Number.isSafeInteger(found)) values[i] = BigInt(found as number);
    else if (type === "boolean" && typeof found === "boolean") values[i] = found;
    else return null;
  }
  return values;
}

/** An integer behind the name of a member; within a text, it may be found where there is none. */
const INTEGER = /":\s*-?\d+\s*[,}\]]/g;

/**
 * What messages showed of signals that nobody stated: the names of the last message that was read closely, if it had nothing but floats.
 * Another one with the same names can be read quickly, as long as its values are floats, too.
 */
export class ShownSignals {
  #signals: readonly Signal[] | undefined;

  /** The signals; undefined if they are not known. */
  get signals(): readonly Signal[] | undefined {
    return this.#signals;
  }

  /** Notes what a message showed. */
  note(names: readonly string[], values: readonly Value[]): void {
    this.#signals = values.length > 0 && values.every((value) => typeof value === "number")
      ? names.map((name) => ({ name, type: "float", unit: "" }))
      : undefined;
  }

  /**
   * Whether values that were read quickly are floats beyond doubt: whole numbers may have been written as integers.
   *
   * @param values The values.
   * @param text What they were read from.
   * @param others How many integers stand in it beside them.
   */
  areFloats(values: readonly Value[], text: string, others: number): boolean {
    for (let i = 0; i < values.length; i++) {
      if (Number.isInteger(values[i])) return text.match(INTEGER)?.length === others;
    }
    return true;
  }

  /**
   * Whether the members of an object are the signals in their order.
   *
   * @param object The object.
   * @param others Members that are none.
   */
  areIn(object: Readonly<Record<string, unknown>>, others: readonly string[]): boolean {
    let i = 0;
    for (const name in object) {
      if (this.#signals?.[i]?.name === name) i++;
      else if (!others.includes(name)) return false;
    }
    return i === this.#signals?.length;
  }
}

/** Puts values in the order of the signals; those that do not come are unset, the last ones missing. */
export class NamedValues {
  /** The values in the order of the signals. */
  readonly values: Value[] = [];
  readonly #signals: readonly Signal[] | undefined;

  /** @param signals The signals, if they were stated; otherwise the order is that in which the values come. */
  constructor(signals: readonly Signal[] | undefined) {
    this.#signals = signals;
  }

  /**
   * Which signal has a name.
   *
   * @param name The name; VILLASnode also takes `signal_N`.
   * @returns Its index; -1 if it is none of the signals.
   */
  indexOf(name: string): number {
    if (this.#signals === undefined) return this.values.length;
    const index = this.#signals.findIndex((signal) => signal.name === name);
    if (index >= 0) return index;
    const numbered = /^signal_(\d{1,5})$/.exec(name)?.[1];
    return numbered !== undefined && Number(numbered) < this.#signals.length
      ? Number(numbered)
      : -1;
  }

  /** Sets a value. */
  put(index: number, value: Value): void {
    while (this.values.length < index) this.values.push(null);
    this.values[index] = value;
  }
}
