/**
 * The settings of formats: VILLASnode's names, each with a value that is checked.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { suggestions } from "../../text/nearest.ts";

/** One setting: its default, and how a value is read. */
export interface Setting<T> {
  /** The value where none is given. */
  readonly default: T;
  /** What its values are, for a person. */
  readonly expected: string;
  /** The value that a text (of an option) or a value (of a configuration) stands for; undefined if it is none. */
  read(given: unknown): T | undefined;
}

/** The settings of a format by their names. */
export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;

/** The values of a table of settings. */
export type SettingsOf<Table extends SettingsTable> = {
  readonly [Name in keyof Table]: Table[Name]["default"];
};

/** A setting that is on or off. */
export function flag(fallback: boolean): Setting<boolean> {
  return {
    default: fallback,
    expected: "true or false",
    read: (given) =>
      given === true || given === "true"
        ? true
        : given === false || given === "false"
        ? false
        : undefined,
  };
}

/** A whole number. */
export function whole(fallback: number, min: number, max: number): Setting<number> {
  return {
    default: fallback,
    expected: `a whole number from ${min} to ${max}`,
    read(given) {
      const number = typeof given === "string" && /^\d+$/.test(given) ? Number(given) : given;
      return Number.isInteger(number) && (number as number) >= min && (number as number) <= max
        ? number as number
        : undefined;
    },
  };
}

/** One of some values. */
export function oneOf<T extends string | number, Fallback extends string | number>(
  fallback: Fallback,
  choices: readonly T[],
): Setting<T | Fallback> {
  return {
    default: fallback,
    expected: choices.join(", ").replace(/, ([^,]*)$/, " or $1"),
    read: (given) => choices.find((choice) => choice === given || String(choice) === given),
  };
}

/** A single character; `\t`, `\n`, `\r` and `\\` stand for what they do in C. */
export function character(fallback: string): Setting<string> {
  return {
    default: fallback,
    expected: "one character of ASCII, such as ; or \\t",
    read(given) {
      const escaped = { "\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\" }[String(given)];
      const text = escaped ?? given;
      // deno-lint-ignore no-control-regex
      return typeof text === "string" && /^[\x01-\x7f]$/.test(text) ? text : undefined;
    },
  };
}

/** A group of further settings, which only a configuration or JSON can give. */
export function group(): Setting<Readonly<Record<string, unknown>> | null> {
  return {
    default: null,
    expected: 'a group, such as {"type": "struct"}',
    read: (given) =>
      typeof given === "object" && given !== null && !Array.isArray(given)
        ? given as Record<string, unknown>
        : undefined,
  };
}

/** What every format has in VILLASnode; where a format has no place for a field, leaving it out changes nothing. */
export const COMMON = {
  ts_origin: flag(true),
  ts_received: flag(true),
  sequence: flag(true),
  data: flag(true),
  offset: flag(true),
  real_precision: whole(17, 0, 31),
} as const;

/**
 * Reads settings.
 *
 * @param format The format's name.
 * @param table Its settings.
 * @param given What was given: texts, or the values of a configuration.
 * @throws {UsageError} If there is no setting of that name, or it has no such value.
 */
export function readSettings<Table extends SettingsTable>(
  format: string,
  table: Table,
  given: Readonly<Record<string, unknown>>,
): SettingsOf<Table> {
  const settings: Record<string, unknown> = {};
  for (const [name, { default: fallback }] of Object.entries(table)) settings[name] = fallback;
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(table, name)) throw unknownSetting(format, name, Object.keys(table));
    const read = table[name]!.read(value);
    if (read === undefined) {
      const shown = typeof value === "string" ? `"${value}"` : Deno.inspect(value);
      throw new UsageError(
        `Cannot use ${shown} for setting "${name}" of format ${format}: expected ${
          table[name]!.expected
        }`,
      );
    }
    settings[name] = read;
  }
  return settings as SettingsOf<Table>;
}

function unknownSetting(format: string, name: string, names: readonly string[]): UsageError {
  const [near] = suggestions(name, names);
  return new UsageError(
    `Cannot use setting "${name}" of format ${format}: it has ${names.join(", ")}` +
      (near === undefined ? "" : `; did you mean "${near}"?`),
  );
}

/** How settings are written on a command line: those that are not the default ones, each with a comma before it. */
export function settingsNotation(
  table: SettingsTable,
  settings: Readonly<Record<string, unknown>>,
): string {
  return Object.entries(table).filter(([name, { default: fallback }]) =>
    settings[name] !== fallback && typeof settings[name] !== "object"
  ).map(([name]) => {
    const text = { "\t": "\\t", "\n": "\\n", "\r": "\\r" }[String(settings[name])];
    return `,${name}=${text ?? settings[name]}`;
  }).join("");
}
