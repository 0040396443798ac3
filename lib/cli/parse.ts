import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "../errors.ts";
import { nearest } from "../text/nearest.ts";
import { flag, type Option, type OptionTable, type OptionValues } from "./options.ts";

/** The options that every command has. */
export const globalOptions = {
  help: flag({ help: "Show what the command does and its options" }),
  version: flag({ help: "Show the version of labwire and of what it runs on" }),
  debug: flag({ help: "Show stack traces and internal messages" }),
  quiet: flag({ help: "Say nothing on stderr but errors" }),
} satisfies OptionTable;

/** One-letter forms of global options. */
export const aliases: Readonly<Record<string, string>> = { h: "help", q: "quiet", V: "version" };

/** The letter that stands for an option, if there is one. */
export function shortOf(name: string, { short }: Option<unknown>): string | undefined {
  return short ?? Object.keys(aliases).find((letter) => aliases[letter] === name);
}

/** A command line taken apart. */
export interface ParsedArguments<T extends OptionTable> {
  /** The value of every option in the table. */
  readonly options: OptionValues<T>;
  /** The arguments that belong to no option, in order. */
  readonly args: string[];
  /** The names, in camel case, of the options that were given. */
  readonly given: ReadonlySet<string>;
}

/** Turns a name in the table into the name on the command line: `replyTo` → `reply-to`. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Parses a command line by an option table.
 *
 * A value may follow its option as the next argument or after `=`; it may start with `-`, as negative numbers do. After `--`
 * everything is an argument. Of an option given twice the last counts, unless it may be given several times.
 *
 * @param table The options there are.
 * @param argv The command line without the command.
 * @param hasNumbers Whether what looks like a negative number and follows no option is an argument.
 * @returns Typed option values and the remaining arguments.
 * @throws {UsageError} If an option is unknown, lacks its value or has one that does not fit, or has no effect.
 */
export function parseOptions<T extends OptionTable>(
  table: T,
  argv: readonly string[],
  hasNumbers = false,
): ParsedArguments<T> {
  const byFlag = new Map(Object.entries(table).map(([name, option]) => [kebab(name), option]));
  const isFlag = (name: string) => byFlag.get(name)?.placeholder === undefined;
  const parsed = parseArgs(joinValues(argv, byFlag, hasNumbers), {
    boolean: [...byFlag.keys()].filter(isFlag),
    string: [...byFlag.keys()].filter((name) => !isFlag(name)),
    collect: [...byFlag.keys()].filter((name) => !isFlag(name)),
    alias: { ...aliases },
    "--": true,
    unknown: (arg) => {
      throw new UsageError(unknownOption(arg, byFlag.keys()));
    },
  }) as Record<string, unknown>;
  const options: Record<string, unknown> = {};
  const given = new Set<string>();
  for (const [name, option] of Object.entries(table)) {
    const raw = parsed[kebab(name)];
    const texts: string[] = Array.isArray(raw) ? raw : raw === true ? ["true"] : [];
    if (texts.length > 0) given.add(name);
    options[name] = texts.length === 0
      ? option.fallback
      : option.several
      ? texts.flatMap((text) => parseValue(name, option, text))
      : parseValue(name, option, texts.at(-1)!);
  }
  for (const name of given) checkNeeds(name, table, given);
  return { options: options as OptionValues<T>, args: parsed["--"] as string[], given };
}

/** Refuses an option that has no effect, as none of those is given that it needs. */
function checkNeeds(name: string, table: OptionTable, given: ReadonlySet<string>): void {
  const needs = table[name]?.needs?.filter((other) => Object.hasOwn(table, other)) ?? [];
  if (needs.length === 0 || needs.some((other) => given.has(other))) return;
  const others = needs.map((other) => `--${kebab(other)}`).join(" or ");
  throw new UsageError(
    `Cannot use --${kebab(name)} without ${others}: expected ${
      needs.length === 1 ? "both" : "one of them"
    }`,
  );
}

/** Writes `--name value` as `--name=value`, and arguments after `--`, so that nothing is left to guess. */
function joinValues(
  argv: readonly string[],
  byFlag: Map<string, Option<unknown>>,
  hasNumbers: boolean,
): string[] {
  const options: string[] = [];
  const args: string[] = [];
  const others = new Map(
    [...byFlag].flatMap(([name, { short, also }]) => [
      ...short === undefined ? [] : [[`-${short}`, name]],
      ...also === undefined ? [] : [[`--${also}`, name]],
    ]) as [string, string][],
  );
  for (let i = 0; i < argv.length; i++) {
    const [word = ""] = argv[i]!.split("=", 1);
    const long = others.get(word);
    const arg = long === undefined ? argv[i]! : `--${long}${argv[i]!.slice(word.length)}`;
    if (arg === "--") {
      args.push(...argv.slice(i + 1));
      break;
    }
    const option = arg.startsWith("--") ? byFlag.get(arg.slice(2)) : undefined;
    if (option?.placeholder !== undefined) {
      const value = argv[++i];
      const { bare, takes } = option;
      if (bare !== undefined && (value === undefined || !takes?.(value))) {
        options.push(`${arg}=${bare}`);
        i--;
        continue;
      }
      if (value === undefined || value.startsWith("--")) {
        throw new UsageError(`Cannot read option ${arg}: expected ${arg} ${option.placeholder}`);
      }
      options.push(`${arg}=${value}`);
    } else if (option === undefined && isFlagWithValue(arg, byFlag)) {
      const [name, value] = arg.split("=") as [string, string];
      if (!["true", "false"].includes(value)) {
        throw new UsageError(`Cannot read ${name} "${value}": expected true, false, or nothing`);
      }
      if (value === "true") options.push(name);
    } else if (arg === "-" || !arg.startsWith("-")) {
      args.push(arg);
    } else if (hasNumbers && /^-(\d|\.\d|inf|nan)/i.test(arg)) {
      args.push(arg);
    } else if (/^-[^-]/.test(arg) && ![...arg.slice(1)].every((letter) => letter in aliases)) {
      throw new UsageError(unknownOption(arg, byFlag.keys()));
    } else {
      options.push(arg);
    }
  }
  return [...options, "--", ...args];
}

/** Whether a word of a command line is an option, and neither `-` nor what looks like a negative number. */
export function isOption(word: string): boolean {
  return word.startsWith("-") && word !== "-" && !/^-(\d|\.\d|inf|nan)/i.test(word);
}

/** Whether an argument is a flag that is given a value: `--stats=false`. */
function isFlagWithValue(arg: string, byFlag: Map<string, Option<unknown>>): boolean {
  const match = /^--([^=]+)=/.exec(arg);
  const option = match ? byFlag.get(match[1]!) : undefined;
  return option !== undefined && option.placeholder === undefined;
}

function parseValue(name: string, option: Option<unknown>, text: string): unknown {
  try {
    return option.parse(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (error.message.startsWith("Cannot ")) throw error;
    throw new UsageError(`Cannot read --${kebab(name)} "${text}": ${error.message}`);
  }
}

function unknownOption(arg: string, names: Iterable<string>): string {
  const written = arg.replace(/=.*/s, "");
  const near = nearest(written.replace(/^-+/, ""), names);
  if (near !== undefined) return `Unknown option "${written}": did you mean "--${near}"?`;
  const hint = /^-[^-]/.test(arg) ? '; an argument that begins with "-" is written after "--"' : "";
  return `Unknown option "${written}": see --help for those there are${hint}`;
}
