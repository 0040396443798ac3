/**
 * Option tables: each option of a command is declared once, and parsing, validation, help and completions come
 * from the declaration. A key in camel case is the option in kebab case: `replyTo` is `--reply-to`.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import { nearest } from "../text/nearest.ts";
import { type Endpoint, parseEndpoint, parseHost } from "../net/address/address.ts";

/**
 * Finds the candidates for a word when TAB is pressed, by asking a server for the names it knows, for example. After a second
 * it is given up; if it fails, nothing is offered.
 *
 * @param words The words after the command's name, up to the one to complete, which is the last.
 * @returns All candidates, also those that do not begin like the word; each may be followed by a tab and its meaning.
 */
export type Completer = (words: readonly string[]) => Promise<readonly string[]>;

/** One option of a command. */
export interface Option<T> {
  /** What the option does, as a sentence without a period. */
  readonly help: string;
  /** A letter that stands for it too, as in another program of the same kind. */
  readonly short?: string;
  /** What the option is called in other commands of the same kind, which is understood, too. */
  readonly also?: string;
  /** Stands for the value in help; absent for a flag, which has none. */
  readonly placeholder?: string;
  /** The default as help shows it. */
  readonly defaultText?: string;
  /** All values there are, where they can be counted. */
  readonly choices?: readonly string[];
  /** Whether a shell should complete the value with file names. */
  readonly isFile?: boolean;
  /** Whether it may be given several times; its value is an array then, and `parse` gives one for each. */
  readonly several?: boolean;
  /** The text that stands for a value which is left out; without it a value has to follow. */
  readonly bare?: string;
  /** Whether the next word is the value, where it may be left out; what follows `=` always is. */
  readonly takes?: (text: string) => boolean;
  /** Finds candidates for the value when a shell completes it. */
  readonly complete?: Completer;
  /** The options, by their names in the table, without any of which this one has no effect; those that the table does not have do not count. */
  readonly needs?: readonly string[];
  /** The value where the option is not given. */
  readonly fallback: T;
  /** @throws {UsageError} If the text is no value for this option; the message starts at what was wanted. */
  parse(text: string): T;
}

/** The options of one command, by name in camel case. */
// deno-lint-ignore no-explicit-any
export type OptionTable = Readonly<Record<string, Option<any>>>;

/** What parsing gives for an option table. */
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never;
};

/** What every option with a value can be declared with. */
export interface ValueSpec<T> {
  /** What the option does, as a sentence without a period. */
  readonly help: string;
  /** Stands for the value in help. */
  readonly placeholder?: string;
  /** The value where the option is not given; without it that is undefined. */
  readonly default?: T;
  /** Finds candidates for the value when a shell completes it. */
  readonly complete?: Completer;
}

/** A number's bounds, both included. */
export interface Bounds {
  /** The least value. */
  readonly min?: number;
  /** The greatest value. */
  readonly max?: number;
}

/** The type of an option's value: never undefined where the declaration has a default. */
export type Parsed<T, S> = S extends { readonly default: T } ? T : T | undefined;

/** Declares an option of any type from a function that parses its text. */
export function value<T, S extends ValueSpec<T>>(
  spec: S,
  placeholder: string,
  parse: (text: string) => T,
  extra: Partial<Option<T>> & { show?: (value: T) => string } = {},
): Option<Parsed<T, S>> {
  const { show = String, ...rest } = extra;
  return {
    help: spec.help,
    placeholder: spec.placeholder ?? placeholder,
    ...(spec.default === undefined ? {} : { defaultText: show(spec.default) }),
    ...(spec.complete && { complete: spec.complete }),
    ...rest,
    fallback: spec.default as Parsed<T, S>,
    parse: parse as (text: string) => Parsed<T, S>,
  };
}

/** A switch: false unless given. */
export function flag(spec: { readonly help: string }): Option<boolean> {
  return { help: spec.help, fallback: false, parse: (text) => text !== "false" };
}

/** Any text, the empty one too. */
export function text<S extends ValueSpec<string>>(spec: S): Option<Parsed<string, S>> {
  return value<string, S>(spec, "TEXT", (text) => text);
}

/** The name of a file. */
export function file<S extends ValueSpec<string>>(spec: S): Option<Parsed<string, S>> {
  return value<string, S>(spec, "FILE", (text) => {
    if (text === "") throw new UsageError("expected a file name");
    return text;
  }, { isFile: true });
}

/** A number, such as `0.5`, `-3` or `1e3`. */
export function number<S extends ValueSpec<number> & Bounds>(spec: S): Option<Parsed<number, S>> {
  return value<number, S>(spec, "X", (text) => parseNumber(text, spec));
}

/** A whole number. */
export function integer<S extends ValueSpec<number> & Bounds>(spec: S): Option<Parsed<number, S>> {
  return value<number, S>(spec, "N", (text) => parseInteger(text, spec));
}

/** The longest time that a timer of JavaScript can wait, 2³¹ − 1 ms, in whole seconds. */
const LONGEST_SECONDS = 2_147_483;

/** A duration in seconds, up to 24 days; fractions are fine. */
export function seconds<S extends ValueSpec<number> & Bounds>(spec: S): Option<Parsed<number, S>> {
  const bounds = { min: 0, max: LONGEST_SECONDS, ...spec };
  return value<number, S>(spec, "SECONDS", (text) => parseNumber(text, bounds));
}

/** One of a few words. */
export function choice<const C extends readonly string[], S extends ValueSpec<C[number]>>(
  choices: C,
  spec: S,
): Option<Parsed<C[number], S>> {
  return value<C[number], S>(spec, choices.join("|"), (text) => {
    if (choices.includes(text)) return text;
    const near = nearest(text, choices);
    const hint = near === undefined ? "" : `; did you mean "${near}"?`;
    throw new UsageError(`expected one of ${choices.join(", ")}${hint}`);
  }, { choices });
}

/** An option that may be given several times: its value has all of them in order, and is empty where there is none. */
export function several<T>(option: Option<T | undefined>): Option<readonly T[]> {
  return {
    ...option,
    help: `${option.help}; may be given several times`,
    several: true,
    fallback: [],
    parse: (text) => [option.parse(text) as T],
  };
}

/** Numbers with commas between them. */
export function numbers<S extends ValueSpec<readonly number[]>>(
  spec: S,
): Option<Parsed<readonly number[], S>> {
  return value<readonly number[], S>(
    spec,
    "X,X,…",
    (text) => text.split(",").map((part) => parseNumber(part.trim(), {})),
    { show: (numbers) => numbers.join(",") },
  );
}

/** Words with commas between them. */
export function list<S extends ValueSpec<readonly string[]>>(
  spec: S,
): Option<Parsed<readonly string[], S>> {
  return value<readonly string[], S>(
    spec,
    "A,B,…",
    (text) => text.split(",").map((part) => part.trim()).filter((part) => part !== ""),
    { show: (words) => words.join(",") },
  );
}

/**
 * A network address, or the path of a unix socket. The default is written as a user would write it; each part of an address that the
 * user leaves out is the default's.
 */
export function address<S extends ValueSpec<string>>(
  spec: S,
): Option<S extends { readonly default: string } ? Endpoint : Endpoint | undefined> {
  const own = spec.default === undefined ? undefined : parseEndpoint(spec.default);
  const parts = own && "hostname" in own ? { host: own.hostname, port: own.port } : {};
  return {
    help: spec.help,
    placeholder: spec.placeholder ?? "ADDR",
    ...(spec.default === undefined ? {} : { defaultText: spec.default }),
    fallback: own as Endpoint,
    parse: (text) => parseEndpoint(text, parts),
  };
}

/** An option that has an effect only beside one of others, by their names in the table. */
export function beside<T>(needs: readonly string[], option: Option<T>): Option<T> {
  return { ...option, needs };
}

/** A host for which there is an option with the port. */
export function host<S extends ValueSpec<string>>(spec: S): Option<Parsed<string, S>> {
  return value<string, S>(spec, "HOST", parseHost);
}

/** A TCP or UDP port; 0, which lets the system choose one, unless `min` is 1. */
export function port<S extends ValueSpec<number> & Pick<Bounds, "min">>(
  spec: S,
): Option<Parsed<number, S>> {
  const bounds = { min: spec.min ?? 0, max: 65535 };
  return value<number, S>(spec, "PORT", (text) => parseInteger(text, bounds));
}

function parseNumber(text: string, bounds: Bounds): number {
  const number = text.trim() === "" || /^[+-]?0[xob]/i.test(text) ? NaN : Number(text);
  if (!Number.isFinite(number) || !within(number, bounds)) {
    throw new UsageError(`expected a number${describe(bounds)}`);
  }
  return number;
}

function parseInteger(text: string, bounds: Bounds): number {
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(number) || !within(number, bounds)) {
    const exact = Math.abs(number) > Number.MAX_SAFE_INTEGER
      ? { max: Number.MAX_SAFE_INTEGER }
      : {};
    throw new UsageError(`expected a whole number${describe({ ...exact, ...bounds })}`);
  }
  return number;
}

function within(number: number, { min = -Infinity, max = Infinity }: Bounds): boolean {
  return number >= min && number <= max;
}

function describe({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? "" : ` of at most ${max}`;
}
