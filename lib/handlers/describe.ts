import type { CommandDescription } from "./module_handler.ts";

/** Longest part of a function's text in which its arguments are looked for, in characters. */
const LONGEST = 2000;

/**
 * Describes the commands of a module in JavaScript: what their arguments are called, and the comment above each.
 *
 * @param commands What it exports as `commands`.
 * @param file The module, for the comments; none unless it is given.
 * @returns A description of each function.
 */
export async function describeCommands(
  commands: unknown,
  file?: string,
): Promise<CommandDescription[]> {
  if (typeof commands !== "object" || commands === null) return [];
  const source = file === undefined ? "" : await Deno.readTextFile(file).catch(() => "");
  return Object.entries(commands).flatMap(([name, command]) =>
    typeof command === "function"
      ? [{ name, signature: name + argumentsOf(String(command)), doc: commentOn(name, source) }]
      : []
  );
}

/** The arguments of a function from its text, in parentheses: what is between the first that belong together. */
function argumentsOf(text: string): string {
  const head = text.slice(0, LONGEST).replace(/^async\b\s*/, "");
  const single = /^([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=>/u.exec(head)?.[1];
  if (single !== undefined) return `(${single})`;
  const start = head.indexOf("(");
  let depth = 0;
  let quote = "";
  for (let at = start; at >= 0 && at < head.length; at++) {
    const char = head[at]!;
    if (quote !== "") {
      if (char === "\\") at++;
      else if (char === quote) quote = "";
    } else if (`"'\``.includes(char)) quote = char;
    else if ("([{".includes(char)) depth++;
    else if (")]}".includes(char) && --depth === 0) {
      return head.slice(start, at + 1).replace(/\s+/g, " ");
    }
  }
  return "(…)";
}

/** The comment above a command: where its name begins a line, as a member of an object, a function or a constant. */
function commentOn(name: string, source: string): string {
  const word = name.replace(/[^\w]/g, "\\$&");
  const declared = new RegExp(
    String.raw`((?:^[ \t]*//.*\r?\n)+|^[ \t]*/\*(?:(?!\*/)[^])*\*/[ \t]*\r?\n)` +
      String
        .raw`[ \t]*(?:export\s+)?(?:async\s+)?(?:(?:function|const|let)\s+)?\*?["']?${word}["']?\s*[(:=]`,
    "m",
  ).exec(source);
  return (declared?.[1] ?? "")
    .replace(/\*\/\s*$/, "")
    .split(/\r?\n/)
    .map((line) => line.replace(/^[ \t]*(?:\/\/+|\/\*+|\*+)?[ \t]?/, "").trimEnd())
    .join("\n")
    .trim();
}
