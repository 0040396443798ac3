import { exitCodes } from "../errors.ts";
import type { Command } from "./command.ts";
import { HELP, usageOf, wrap } from "./help.ts";
import type { Option, OptionTable } from "./options.ts";
import { globalOptions, kebab, shortOf } from "./parse.ts";

/** What a manual page says beside what the commands say. */
export interface ManPageOptions {
  /** The version of labwire. */
  version: string;
  /** The day, as `2026-01-31`. */
  date: string;
}

const ENVIRONMENT: readonly (readonly [name: string, use: string])[] = [
  ["NO_COLOR", "When set, nothing is coloured."],
  [
    "PATH",
    "Where programs are looked for that are named without a folder, those of --exec for example.",
  ],
  ["PATHEXT", "On Windows: the endings of files that are programs."],
];

/**
 * Writes the manual page, in the language of man(7).
 *
 * @param commands The commands there are.
 * @param options Version and date.
 * @returns The text of `labwire.1`.
 */
export function manPage(commands: readonly Command[], options: ManPageOptions): string {
  return [
    `.TH LABWIRE 1 ${options.date} ${quote(`labwire ${options.version}`)} "User Commands"`,
    ".SH NAME",
    fill("labwire - simulation signals and equipment commands over the network"),
    ".SH SYNOPSIS",
    ".B labwire",
    ".I COMMAND",
    roff("[options] [arguments]"),
    ".SH DESCRIPTION",
    fill(
      "labwire speaks the small protocols by which laboratory programs exchange signals and commands: VILLASnode samples " +
        "over UDP, JSON commands over TCP, packed structs over TCP, and plain bytes over either.",
    ),
    ".PP",
    fill("Data goes to standard output, one record per line; everything else to standard error."),
    ".SH COMMANDS",
    ...commands.flatMap(commandSection),
    '.SS "labwire help"',
    fill(capitalised(HELP.summary)),
    ".PP",
    ".B labwire help",
    `.I ${HELP.argument}`,
    ".SH OPTIONS OF EVERY COMMAND",
    ...optionRows(globalOptions),
    ".SH EXIT STATUS",
    ...exitCodes.flatMap(({ code, meaning }) => [".TP", `.B ${code}`, fill(capitalised(meaning))]),
    ".SH ENVIRONMENT",
    ...ENVIRONMENT.flatMap(([name, use]) => [".TP", `.B ${name}`, fill(use)]),
  ].join("\n") + "\n";
}

function commandSection(command: Command): string[] {
  const { name, summary, details = [], positionals = [], options, examples } = command;
  return [
    `.SS ${quote(`labwire ${name}`)}`,
    fill(capitalised(summary)),
    ".PP",
    `.B ${roff(`labwire ${name}`)}`,
    ...positionals.map((positional) => `.I ${roff(usageOf(positional))}`),
    roff("[options]"),
    ...details.flatMap((paragraph) => [".PP", fill(paragraph)]),
    ...positionals.flatMap(({ name, help }) => [".TP", `.I ${roff(name)}`, fill(`${help}.`)]),
    ...optionRows(options),
    ...examples.flatMap(({ text, command }) => [
      ".PP",
      fill(`${text}:`),
      ".PP",
      ".RS 4",
      ".EX",
      roff(command),
      ".EE",
      ".RE",
    ]),
  ];
}

function optionRows(table: OptionTable): string[] {
  return Object.entries(table).flatMap(([key, option]) => [
    ".TP",
    optionHead(key, option),
    fill(
      option.help + (option.defaultText === undefined ? "." : ` (default ${option.defaultText}).`),
    ),
  ]);
}

function optionHead(key: string, option: Option<unknown>): string {
  const { placeholder } = option;
  const short = shortOf(key, option);
  const names = [...short === undefined ? [] : [`-${short}`], `--${kebab(key)}`];
  if (placeholder === undefined) return `.B ${roff(names.join(", "))}`;
  return `.BI ${quote(`${names.join(", ")} `)} ${quote(placeholder)}`;
}

function capitalised(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

/** Characters that roff would change, or that are not in ASCII's reach. */
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  '"': "\\(dq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};

/** Text on one line, as it is. */
function roff(text: string): string {
  return escape(text).replace(/^\./, "\\&.");
}

function escape(text: string): string {
  return text.replace(/[^\x20-\x7e]|[-\\'"`^~]/gu, (character) =>
    ESCAPES[character] ??
      `\\[u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`);
}

/** A paragraph, in lines of at most 80 characters as they are written here. */
function fill(text: string): string {
  return wrap(escape(text), 78).map((line) => line.replace(/^\./, "\\&.")).join("\n");
}

/** An argument of a request. */
function quote(text: string): string {
  return `"${roff(text)}"`;
}
