/**
 * `labwire __complete INDEX WORD…` lists what may stand at one word of a command line. The scripts of `labwire completions`
 * call it when TAB is pressed. No help lists it, it writes nothing to stderr, and it never fails.
 *
 * @module
 */

import type { Command, Positional, Registry } from "./command.ts";
import type { Completer, Option, OptionTable } from "./options.ts";
import { globalOptions, isOption, kebab, shortOf } from "./parse.ts";

/** How long a {@linkcode Completer} may take, in ms. */
const PATIENCE_MS = 1000;
/** A word without control characters, and a tab and its meaning if it has one. */
// deno-lint-ignore no-control-regex
const CANDIDATE = /^[^\x00-\x1f\x7f-\x9f]+(\t[^\x00-\x1f\x7f-\x9f]*)?$/;
/** First line of an answer that is a list of words. */
const WORDS = "words";
const helpCommand = ["help", "Show what a command does and its options"] as const;

/**
 * Completes a command line.
 *
 * @param argv The index of the word to complete, 0 for the first one after `labwire`; then all words after `labwire`. If the
 * word to complete is empty it may be missing, because Windows PowerShell drops empty arguments.
 * @param registry The commands there are.
 * @returns The lines to print. If the first is `words`, each line after it is a candidate, followed by a tab and its meaning
 * if it has one; the shell keeps those that begin like the word. Otherwise the first line is `files`, a tab, and the part of
 * the word before the file name, `--input=` for example; the shell completes file names.
 */
export async function complete(argv: readonly string[], registry: Registry): Promise<string[]> {
  try {
    const [index, ...words] = argv;
    const at = Number(index);
    return await candidates(words.slice(0, at), words[at] ?? "", registry);
  } catch {
    return [WORDS]; // an error message would only disturb the line being typed
  }
}

async function candidates(
  before: readonly string[],
  current: string,
  registry: Registry,
): Promise<string[]> {
  const first = before.findIndex((word) => !isOption(word));
  const isHelp = before[first] === "help";
  const { name, rest } = takeCommand(isHelp ? before.slice(first + 1) : before, registry);
  const command = Object.hasOwn(registry, name) ? await registry[name]!() : undefined;
  const table: OptionTable = isHelp ? {} : { ...command?.options, ...globalOptions };
  const place = locate(rest, table);
  if (!command && place.args > 0) return [WORDS]; // there is no such command
  const words = [...rest, current];
  if (place.option) return await valuesOf(place.option, "", words);
  if (!place.ended && current.startsWith("-")) {
    const [assignment, flag] = /^(--[^=]+)=/.exec(current) ?? [];
    const option = optionOf(table, flag);
    return option ? await valuesOf(option, assignment!, words) : [WORDS, ...optionLines(table)];
  }
  const next = await nextWords(name, registry);
  if (name === "" && !isHelp) next.push(helpCommand);
  if (next.length > 0 && place.args === 0) return [WORDS, ...next.map((word) => word.join("\t"))];
  const positional = isHelp ? undefined : positionalAt(command, place.args);
  return positional ? await valuesOf(positional, "", words) : [WORDS];
}

/** Splits off the words that name a command, or that begin the names of several. */
function takeCommand(
  words: readonly string[],
  registry: Registry,
): { name: string; rest: readonly string[] } {
  let name = "";
  let end = 0;
  for (const [i, word] of words.entries()) {
    if (isOption(word)) continue;
    const longer = name === "" ? word : `${name} ${word}`;
    if (!Object.keys(registry).some((other) => `${other} `.startsWith(`${longer} `))) break;
    name = longer;
    end = i + 1;
  }
  return { name, rest: words.slice(end) };
}

/** Where the word to complete stands. */
interface Place {
  /** The option whose value it is. */
  readonly option?: Option<unknown>;
  /** How many arguments precede it. */
  readonly args: number;
  /** Whether `--` precedes it, so that it is no option. */
  readonly ended: boolean;
}

function locate(words: readonly string[], table: OptionTable): Place {
  let args = 0;
  let option: Option<unknown> | undefined;
  for (const [i, word] of words.entries()) {
    if (option) option = undefined;
    else if (word === "--") return { args: args + words.length - i - 1, ended: true };
    else if (isOption(word)) option = optionOf(table, word);
    else args++;
  }
  return { option, args, ended: false };
}

/** The option of this name, if it takes a value. */
function optionOf(table: OptionTable, word: string | undefined): Option<unknown> | undefined {
  const found = Object.entries(table).find(([name]) => `--${kebab(name)}` === word)?.[1];
  return found?.placeholder === undefined ? undefined : found;
}

function optionLines(table: OptionTable): string[] {
  return [
    ...Object.entries(table).map(([name, { help }]) => `--${kebab(name)}\t${help}`),
    ...Object.entries(table).flatMap(([name, option]) => {
      const short = shortOf(name, option);
      return short === undefined ? [] : [`-${short}\t${option.help}`];
    }),
  ];
}

/** The words that may follow the first words of a command, and their meanings. */
async function nextWords(
  before: string,
  registry: Registry,
): Promise<(readonly [word: string, help: string])[]> {
  const start = before === "" ? "" : `${before} `;
  const next = new Map<string, string>();
  for (const [name, load] of Object.entries(registry)) {
    if (!name.startsWith(start)) continue;
    const [word = "", ...others] = name.slice(start.length).split(" ");
    if (others.length === 0) next.set(word, (await load()).summary);
    else if (!next.has(word)) next.set(word, `${word} commands`);
  }
  return [...next];
}

function positionalAt(command: Command | undefined, index: number): Positional | undefined {
  const { positionals = [] } = command ?? {};
  const last = positionals.at(-1);
  return positionals[index] ?? (last?.variadic ? last : undefined);
}

/** What an option's value or an argument can be. */
async function valuesOf(
  { isFile, choices = [], complete }: Pick<Option<unknown>, "isFile" | "choices" | "complete">,
  prefix: string,
  words: readonly string[],
): Promise<string[]> {
  if (isFile) return [`files\t${prefix}`];
  const values = complete ? await inTime(complete(words)) : choices;
  return [WORDS, ...values.map((value) => prefix + value)];
}

/** The candidates of a {@linkcode Completer} that fit on a line; none if it is late. */
async function inTime(answer: ReturnType<Completer>): Promise<readonly string[]> {
  const late = Promise.withResolvers<readonly string[]>();
  const timer = setTimeout(late.resolve, PATIENCE_MS, []);
  try {
    const values = await Promise.race([answer, late.promise]);
    return values.filter((value) => CANDIDATE.test(value));
  } finally {
    clearTimeout(timer);
  }
}
