/**
 * Reads documents whose commands and programs are run by tests. The conventions, which a reader need not know:
 *
 * - A block marked `console` is a terminal. Lines behind `$ ` are typed, `> ` continues them, everything else is what
 *   appears. A last command that says "Ready. Ctrl-C to quit." goes on until the next heading, and so does one in a
 *   block marked `console listening`, whose program says nothing; what stands below appears until then. `^C` is Ctrl-C, `^D`
 *   Ctrl-D; what stands behind a prompt is typed.
 * - `…` stands for anything within a line, and on a line of its own for any lines. Times, durations, ports that the system chose
 *   and process numbers may be others.
 * - A block whose first line is a comment with a file name is that file.
 * - Other blocks are not run: `sh`, `powershell` and `bat` need a system that a test does not have, `ini` and the like are parts
 *   of files. Command lines of labwire in them are looked at, as are those in the text.
 *
 * @module
 */

/** A block of code. */
export interface Block {
  /** The word behind the fence. */
  readonly language: string;
  /** What stands behind that word. */
  readonly info: string;
  /** What is in it, with its last newline. */
  readonly text: string;
  /** The line of the document in which it begins, from 1. */
  readonly line: number;
  /** The name of the file that it is. */
  readonly file?: string;
}

/** What stands below a heading. */
export interface Section {
  /** The heading, without marks. */
  readonly heading: string;
  /** Its blocks of code, in order. */
  readonly blocks: readonly Block[];
}

/** A command on a terminal, and what is to appear. */
export interface Step {
  /** The command, maybe of several lines. */
  readonly command: string;
  /** What appears, with its last newline; empty where nothing does. */
  readonly output: string;
  /** The line of the document. */
  readonly line: number;
}

/**
 * Reads a document.
 *
 * @param markdown Its text.
 * @returns Its sections, those without code too.
 */
export function readSections(markdown: string): Section[] {
  const sections: { heading: string; blocks: Block[] }[] = [{ heading: "", blocks: [] }];
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const heading = /^#+ (.*)$/.exec(lines[at]!);
    if (heading) sections.push({ heading: heading[1]!.replaceAll("`", ""), blocks: [] });
    const fence = /^```(\w*) ?(.*)$/.exec(lines[at]!);
    if (!fence) continue;
    const end = lines.indexOf("```", at + 1);
    if (end < 0) throw new Error(`The block of line ${at + 1} has no end`);
    const text = lines.slice(at + 1, end).map((line) => `${line}\n`).join("");
    const [, language, info] = fence;
    const isTerminal = language === "console";
    const file = isTerminal ? undefined : fileNameOf(text);
    sections.at(-1)!.blocks.push({ language: language!, info: info!, text, line: at + 1, file });
    at = end;
  }
  return sections;
}

/** The name in a first line such as `// supply.js` or `# check.sh: what it does`. */
function fileNameOf(text: string): string | undefined {
  return /^(?:#!.*\n)?(?:\/\/|#|;|--|\/\*) ([\w./-]+\.\w+)(?=$|\n|:| \*\/)/.exec(text)?.[1];
}

/**
 * Reads what is typed on a terminal and what appears.
 *
 * @param block A block of the language `console`.
 * @returns The commands, in order.
 * @throws {Error} If it does not begin with a command.
 */
export function readSteps(block: Block): Step[] {
  const steps: { command: string; output: string; line: number }[] = [];
  for (const [i, line] of block.text.split("\n").slice(0, -1).entries()) {
    const step = steps.at(-1);
    if (line.startsWith("$ ")) {
      steps.push({ command: line.slice(2), output: "", line: block.line + 1 + i });
    } else if (!step) throw new Error(`Line ${block.line + 1}: expected a command behind "$ "`);
    else if (line.startsWith("> ") && step.output === "" && isOpen(step.command)) {
      step.command += `\n${line.slice(2)}`;
    } else step.output += `${line}\n`;
  }
  return steps;
}

/** Whether a shell asks for another line. */
function isOpen(command: string): boolean {
  const here = /<<-?'?(\w+)'?/.exec(command);
  if (here) return !new RegExp(`\n${here[1]}$`).test(command);
  return /(\\|\||&&|\bdo|\bthen)$/.test(command) || command.split("'").length % 2 === 0;
}

/** Words and numbers that differ from run to run: what they look like, and what may stand there instead. */
const VARYING: readonly [looks: RegExp, pattern: string][] = [
  [/\b1[6-9]\d{8}, \d+\b/, "\\d{10}, \\d+"], // a time as two numbers
  [/\b1[6-9]\d{8}(?:\.\d+)?\b/, "\\d{10}(?:\\.\\d+)?"], // a time
  [/[+-]\d\.\d{6}e[+-]\d\d/, "[+-]\\d\\.\\d{6}e[+-]\\d\\d"], // an offset of villas.human
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?/, "\\d{4}-\\d\\d-\\d\\d[T ][\\d:.]+Z?"],
  [/\b\d+(?:\.\d+)? ?(?:ns|µs|ms)\b/, "\\d+(?:\\.\\d+)? ?(?:ns|µs|ms|s)"],
  [/\b\d+\.\d+ ?s\b/, "\\d+(?:\\.\\d+)? ?(?:ns|µs|ms|s)"],
  [/"(?:duration|age)":\d[\d.e-]*/, '"(?:duration|age)":[\\d.e-]+'],
  [/(?<=:|', )(?:3[3-9]|[45]\d|6[0-4])\d{3}\b/, "\\d{4,5}"], // a port that the system chose
  [/\b(?:process|pid) \d+/, "(?:process|pid) \\d+"],
];
const varying = new RegExp(VARYING.map(([{ source }]) => `(${source})`).join("|"), "g");

/**
 * Makes the pattern of what is to appear.
 *
 * @param expected The text of a document.
 * @returns A pattern to stand in a regular expression.
 */
export function patternOf(expected: string): string {
  return expected.split(/(?<=\n)/).map((line) => {
    if (line.trim() === "…") return "(?:.*\\n)*?";
    let pattern = "";
    let at = 0;
    for (const match of line.matchAll(varying)) {
      pattern += literal(line.slice(at, match.index)) + VARYING[match.indexOf(match[0], 1) - 1]![1];
      at = match.index + match[0].length;
    }
    return pattern + literal(line.slice(at));
  }).join("");
}

function literal(text: string): string {
  return text.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join(".*");
}
