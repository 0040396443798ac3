import type { Command } from "./command.ts";
import type { Option, OptionTable } from "./options.ts";
import { aliases, globalOptions, kebab } from "./parse.ts";

/** What can stand where a value is expected. */
export type CompletionValue =
  | { readonly kind: "choices"; readonly choices: readonly string[] }
  | { readonly kind: "file" }
  | { readonly kind: "text" };

/** An option as a shell knows it. */
export interface CompletionOption {
  /** The name without hyphens. */
  readonly name: string;
  /** The letter that is short for it. */
  readonly short?: string;
  /** What it does. */
  readonly help: string;
  /** Stands for the value, where it has one. */
  readonly placeholder?: string;
  /** What its value can be; undefined for a flag. */
  readonly value?: CompletionValue;
  /** Whether it may be given several times. */
  readonly several?: boolean;
}

/** An argument as a shell knows it. */
export interface CompletionArgument {
  /** What stands for it in help. */
  readonly name: string;
  /** What it can be. */
  readonly value: CompletionValue;
  /** Whether it may be given again and again. */
  readonly variadic: boolean;
}

/** What may follow some words of a command line. */
export interface CompletionNode {
  /** The words, without the program's name; none at the root. */
  readonly words: readonly string[];
  /** The words that may come next, and what each means. */
  readonly next: readonly (readonly [word: string, help: string])[];
  /** The options there are. */
  readonly options: readonly CompletionOption[];
  /** The arguments in order. */
  readonly args: readonly CompletionArgument[];
}

/**
 * Lays out all command lines as a tree: a node for the program, for each first word of commands with two, for each
 * command, and for what `help` takes.
 *
 * @param commands The commands there are.
 * @returns The nodes, the root first.
 */
export function completionTree(commands: readonly Command[]): CompletionNode[] {
  const globals = optionsOf(globalOptions);
  const nodes: CompletionNode[] = [];
  const prefixes = new Set(["", ...commands.flatMap(({ name }) => name.split(" ").slice(0, -1))]);
  for (const prefix of prefixes) {
    const next = nextWords(commands, prefix);
    const isCommand = commands.some(({ name }) => name === prefix);
    const help = ["help", "Show what a command does and its options"] as const;
    if (!isCommand) {
      nodes.push({
        words: wordsOf(prefix),
        next: prefix === "" ? [...next, help] : next,
        options: globals,
        args: [],
      });
    }
    nodes.push({ words: ["help", ...wordsOf(prefix)], next, options: [], args: [] });
  }
  for (const { name, options, positionals = [] } of commands) {
    nodes.push({
      words: wordsOf(name),
      next: nextWords(commands, name),
      options: [...optionsOf(options), ...globals],
      args: positionals.map((positional) => ({
        name: positional.name,
        value: valueOf(positional),
        variadic: positional.variadic ?? false,
      })),
    });
  }
  return nodes;
}

function wordsOf(name: string): string[] {
  return name === "" ? [] : name.split(" ");
}

/** The words that may follow a command's first ones. */
function nextWords(commands: readonly Command[], before: string): [string, string][] {
  const depth = wordsOf(before).length;
  const next = new Map<string, string>();
  for (const { name, summary } of commands) {
    const words = wordsOf(name);
    if (words.length <= depth || words.slice(0, depth).join(" ") !== before) continue;
    const word = words[depth]!;
    const others = words.length > depth + 1 ? `${word} commands` : summary;
    if (!next.has(word) || words.length === depth + 1) next.set(word, others);
  }
  return [...next];
}

function optionsOf(table: OptionTable): CompletionOption[] {
  return Object.entries(table).map(([key, option]) => ({
    name: kebab(key),
    short: Object.keys(aliases).find((letter) => aliases[letter] === key),
    help: option.help,
    placeholder: option.placeholder,
    value: option.placeholder === undefined ? undefined : valueOf(option),
    several: option.several,
  }));
}

function valueOf(
  { choices, isFile }: Pick<Option<unknown>, "choices" | "isFile">,
): CompletionValue {
  if (choices !== undefined) return { kind: "choices", choices };
  return { kind: isFile ? "file" : "text" };
}
