/**
 * Looks at the command lines of labwire that documents only show.
 *
 * @module
 */

import type { Command } from "../../lib/cli/command.ts";
import { globalOptions, kebab, parseOptions } from "../../lib/cli/parse.ts";
import { all } from "../../lib/commands/registry.ts";
import { splitCommandLine } from "../../mod.ts";

const commands = await all();

/** Every option that there is, as it is typed. */
const options = new Set(
  [globalOptions, ...commands.map((command) => command.options)]
    .flatMap((table) => Object.keys(table).map((name) => `--${kebab(name)}`)),
);

/**
 * Finds the command lines of labwire, in the text and in blocks of code that are not run.
 *
 * @param markdown A document.
 * @returns What stands behind `labwire`, up to what is the shell's.
 */
export function commandLines(markdown: string): string[] {
  const shown = markdown
    .replace(/^```(?:console|[cjpt][sy]?)\b[^]*?^```$/gm, "") // these are run
    .replace(/"?\$\([^()]*\)"?|\(Get-Content [^()]*\)/g, "1"); // a value that is worked out
  const joined = shown.replace(/\\\n *| `\n +/g, " ");
  const lines: string[] = [];
  let fenced = false;
  for (const line of joined.split("\n")) {
    if (line.startsWith("```")) fenced = !fenced;
    const places = fenced
      ? line.matchAll(/(?:^|[\s("=\\/])labwire(?:\.exe)?"? (?<rest>.+)/g)
      : line.matchAll(/`(?:[^`]* )?labwire (?<rest>[^`]+)`/g);
    for (const { groups } of places) lines.push(upToOperator(groups!.rest!));
  }
  return lines.filter((line) => /^(?:[a-z]|--)/.test(line));
}

/** Cuts off what a shell would not pass on. */
function upToOperator(text: string): string {
  let quote = "";
  for (const [i, char] of [...text].entries()) {
    if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === "'" || char === '"') {
      // A quotation mark at the end of a word closes what was opened before labwire.
      if (![...text].slice(i + 1).includes(char)) return [...text].slice(0, i).join("");
      quote = char;
    } else if (/[|<>;&)]/.test(char) || (char === "#" && text[i - 1] === " ")) {
      return [...text].slice(0, i).join("").replace(/ \d$/, "").trim();
    }
  }
  return text.trim();
}

/**
 * Says what is wrong with a command line.
 *
 * @param line What stands behind `labwire`.
 * @returns Undefined if such a command exists, and takes this.
 */
export function faultOf(line: string): string | undefined {
  const [first = "", second = "", ...rest] = splitCommandLine(line, { windows: false });
  if (first === "help" || first.startsWith("--")) return undefined;
  const find = (name: string) => commands.find((command) => command.name === name);
  const two = find(`${first} ${second}`);
  const command: Command | undefined = two ?? find(first);
  if (!command) {
    const isFamily = second === "" && commands.some(({ name }) => name.startsWith(`${first} `));
    return isFamily ? undefined : `there is no command "${first}"`;
  }
  try {
    const argv = two ? rest : [second, ...rest].filter((word) => word !== "");
    const { args } = parseOptions({ ...command.options, ...globalOptions }, argv);
    const positionals = command.positionals ?? [];
    if (args.length > positionals.length && !positionals.at(-1)?.variadic) {
      return `unexpected argument "${args.at(-1)}"`;
    }
    const choices = positionals[0]?.choices;
    if (choices && args[0] && args[0] !== positionals[0]!.name && !choices.includes(args[0])) {
      return `unexpected argument "${args[0]}"`;
    }
  } catch (error) {
    return (error as Error).message;
  }
}

/** Options of other programs that documents speak of. */
const OTHERS: readonly string[] = [];

/**
 * Finds options in the text that no command has.
 *
 * @param markdown A document.
 * @returns Their names.
 */
export function unknownOptions(markdown: string): string[] {
  const text = markdown.replace(/^```[^]*?^```$/gm, "");
  const named = text.matchAll(/`(--[a-z][\w-]*)(?:[ =][^`]*)?`/g);
  return [...named].map(([, name]) => name!).filter((name) =>
    !options.has(name) && !OTHERS.includes(name)
  );
}
