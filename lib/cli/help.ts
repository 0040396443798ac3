import { exitCodes } from "../errors.ts";
import type { Command, Positional } from "./command.ts";
import type { Option, OptionTable } from "./options.ts";
import { globalOptions, kebab, shortOf } from "./parse.ts";

/** Columns that help is set in. */
const WIDTH = 100;

/** The command `help`, which is `COMMAND --help` in other words. */
export const HELP = { argument: "COMMAND", summary: "show what a command does and its options" };

/**
 * Writes the help of one command.
 *
 * @param command The command.
 * @returns Several lines, without a newline at the end.
 */
export function commandHelp(command: Command): string {
  const args = (command.positionals ?? []).map(usageOf).join(" ");
  const lines = [
    `labwire ${command.name}: ${command.summary}`,
    "",
    `Usage: labwire ${command.name}${args === "" ? "" : ` ${args}`} [options]`,
  ];
  for (const paragraph of command.details ?? []) lines.push("", ...wrap(paragraph, WIDTH));
  if (command.positionals?.length) {
    lines.push("", "Arguments:", ...columns(command.positionals.map((p) => [p.name, p.help])));
  }
  if (Object.keys(command.options).length > 0) {
    lines.push("", "Options:", ...columns(rows(command.options)));
  }
  lines.push("", "Options of every command:", ...columns(rows(globalOptions)));
  lines.push("", "Examples:");
  for (const { text, command: line } of command.examples) lines.push(`  # ${text}`, `  ${line}`);
  return lines.join("\n");
}

/**
 * Writes the program's own help.
 *
 * @param commands All commands.
 * @returns Several lines, without a newline at the end.
 */
export function programHelp(commands: readonly Command[]): string {
  return [
    "labwire: simulation signals and equipment commands over the network, for laboratory PCs",
    "",
    "Usage: labwire COMMAND [options]",
    "",
    "Commands:",
    ...columns([
      ...commands.map(({ name, summary }): [string, string] => [name, summary]),
      [`help ${HELP.argument}`, HELP.summary],
    ]),
    "",
    "Options:",
    ...columns(rows(globalOptions)),
    "",
    "Exit codes:",
    ...columns(exitCodes.map(({ code, meaning }) => [String(code), meaning])),
    "",
    "labwire COMMAND --help shows more. First thing to try: labwire lab19",
  ].join("\n");
}

/**
 * Writes the help of commands that share their first word.
 *
 * @param word That word.
 * @param commands The commands.
 * @returns Several lines, without a newline at the end.
 */
export function familyHelp(word: string, commands: readonly Command[]): string {
  const seconds = commands.map(({ name }) => name.slice(word.length + 1));
  return [
    `Usage: labwire ${word} ${seconds.join("|")} [options]`,
    "",
    "Commands:",
    ...columns(commands.map((command) => [command.name, command.summary])),
    "",
    `labwire ${word} COMMAND --help shows more`,
  ].join("\n");
}

/** An argument as it stands in a command's usage: `FILE`, `[FILE]`, `[WORD…]`. */
export function usageOf({ name, required, variadic }: Positional): string {
  const word = variadic ? `${name}…` : name;
  return required ? word : `[${word}]`;
}

function rows(table: OptionTable): [string, string][] {
  return Object.entries(table).map((
    [name, option],
  ) => [optionUsage(name, option), describe(option)]);
}

/** An option as it is typed: `--listen ADDR`, `-h, --help`. */
function optionUsage(name: string, option: Option<unknown>): string {
  const short = shortOf(name, option);
  const flag = `${short === undefined ? "" : `-${short}, `}--${kebab(name)}`;
  return option.placeholder === undefined ? flag : `${flag} ${option.placeholder}`;
}

function describe({ help, also, defaultText }: Option<unknown>): string {
  const notes = [
    ...defaultText === undefined ? [] : [`default ${defaultText}`],
    ...also === undefined ? [] : [`also --${also}`],
  ];
  return notes.length === 0 ? help : `${help} (${notes.join(", ")})`;
}

/** Sets names and descriptions in two columns; a long name gets a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(28, Math.max(...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, text]) => {
    const [first = "", ...rest] = wrap(text, WIDTH - width - 4);
    const indent = " ".repeat(width + 4);
    const continued = rest.map((line) => indent + line);
    if (name.length > width) return [`  ${name}`, indent + first, ...continued];
    return [`  ${name.padEnd(width)}  ${first}`, ...continued];
  });
}

/** Breaks text between words into lines of at most `width` characters. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
