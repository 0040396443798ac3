import type { Block, Section, Step } from "./document.ts";
import { patternOf, readSteps } from "./document.ts";
import type { Terminal, Terminals } from "./terminals.ts";

const READY = "Ready. Ctrl-C to quit.\n";

/** How long a file may take that a program elsewhere is writing. */
const PATIENCE_MS = 10_000;

/** A command that goes on while others are typed elsewhere. */
interface Running {
  readonly terminal: Terminal;
  readonly step: Step;
}

/**
 * Tries out a section of a document: writes its files, types its commands, and compares what appears.
 *
 * @param section The section.
 * @param folder Where its files go.
 * @param terminals Where its commands are typed.
 * @throws {Error} If something else appears.
 */
export async function runSection(
  section: Section,
  folder: string,
  terminals: Terminals,
): Promise<void> {
  const running: Running[] = [];
  try {
    for (const block of section.blocks) {
      if (block.file !== undefined) await writeFile(folder, block);
      else if (block.language === "console") running.push(...await runBlock(block, terminals));
    }
    for (const { terminal, step } of running.toReversed()) await endServer(terminal, step);
  } finally {
    await terminals.interrupt();
  }
}

/** Writes the file that a block is. */
export async function writeFile(folder: string, { file, text }: Block): Promise<void> {
  const path = `${folder}/${file!.split("/").at(-1)}`;
  await Deno.writeTextFile(path, text);
  if (text.startsWith("#!")) await Deno.chmod(path, 0o755);
}

/** Types the commands of one terminal. */
async function runBlock(block: Block, terminals: Terminals): Promise<Running[]> {
  const terminal = terminals.open();
  const steps = readSteps(block);
  for (const [i, step] of steps.entries()) {
    if (block.info === "listening" && i === steps.length - 1) {
      const before = await terminals.listening();
      terminal.run(step.command);
      while (await terminals.listening() <= before && terminal.code === undefined);
      return [{ terminal, step }];
    }
    terminal.run(step.command);
    if (step.output.includes(READY) && i === steps.length - 1) {
      await begin(terminal, step, READY);
      return [{ terminal, step }];
    }
    if (/^\^C$/m.test(step.output)) {
      await endServer(terminal, step);
      continue;
    }
    await converse(terminal, step);
    const giveUp = performance.now() + PATIENCE_MS;
    while (isReading(step) && !isTrue(terminal, step) && performance.now() < giveUp) {
      terminal.run(step.command);
      await converse(terminal, step);
    }
    check(terminal, step, steps[i + 1]);
  }
  return [];
}

/** Waits until something appeared that a document has, too. */
async function begin(terminal: Terminal, step: Step, text: string): Promise<void> {
  const seen = () => terminal.text.includes(text) || terminal.code !== undefined;
  await terminal.until(seen, `"${text.trim()}" of line ${step.line}`);
  const before = step.output.slice(0, step.output.indexOf(text) + text.length);
  const pattern = new RegExp(`^${patternOf(before)}`);
  if (!pattern.test(terminal.text)) throw difference(terminal, step);
}

/** Answers what a program asks until it has ended. */
async function converse(terminal: Terminal, step: Step): Promise<void> {
  const expected = step.output.split(/(?<=\n)/);
  let answered = -1;
  await terminal.until(() => {
    if (terminal.code !== undefined) return true;
    const prompt = terminal.text.split("\n").at(-1)!;
    if (!/[:>?] $/.test(prompt)) return false;
    const at = expected.findIndex((line, i) =>
      i > answered && line.startsWith(prompt) && line !== `${prompt}\n` &&
      new RegExp(`^${patternOf(expected.slice(0, i).join("") + prompt)}$`).test(terminal.text)
    );
    if (at < 0) return false;
    answered = at;
    const answer = expected[at]!.slice(prompt.length).trimEnd();
    terminal.type(answer === "^D" ? "\x04" : `${answer}\r`);
    return false;
  }, `the end of line ${step.line}: ${step.command}`);
}

/** Whether a command only shows a file, which a program elsewhere may not have written yet. */
function isReading({ command }: Step): boolean {
  return /^(cat|head|jq|ls|tail|wc) (?!.*[<>|;])/.test(command);
}

/** Whether a command that has ended has left what a document has. */
function isTrue(terminal: Terminal, step: Step): boolean {
  const expected = step.output.replace(/\^D$/gm, "");
  // Empty lines at the end, or no newline there, are nothing to speak of.
  const shown = terminal.text.replace(/\n*$/, expected === "" ? "" : "\n");
  return new RegExp(`^${patternOf(expected)}$`).test(shown);
}

/** Compares what a command that has ended has left, and its exit code. */
function check(terminal: Terminal, step: Step, next?: Step): void {
  if (!isTrue(terminal, step)) throw difference(terminal, step);
  const isTold = /error|refused|traceback|fail/i.test(step.output) ||
    /\$\?/.test(next?.command ?? "");
  if (terminal.code !== 0 && !isTold) {
    throw new Error(`Line ${step.line}: exit code ${terminal.code} of: ${step.command}`);
  }
}

/** Waits until everything has appeared, and ends the command with Ctrl-C. */
async function endServer(terminal: Terminal, step: Step): Promise<void> {
  const [before, after] = step.output.split(/^\^C\n/m);
  const pattern = new RegExp(`^${patternOf(before!)}$`);
  const seen = () => pattern.test(terminal.text) || terminal.code !== undefined;
  await terminal.until(seen, `what line ${step.line} is to show:\n${before}\n`);
  if (!pattern.test(terminal.text)) throw difference(terminal, step);
  if (terminal.code === undefined) terminal.type("\x03");
  await terminal.until(() => terminal.code !== undefined, `the end of line ${step.line}`);
  if (after === undefined) return;
  const whole = new RegExp(`^${patternOf(before!)}\\^C\\n?${patternOf(after)}$`);
  if (!whole.test(terminal.text)) throw difference(terminal, step);
}

function difference(terminal: Terminal, { line, command, output }: Step): Error {
  return new Error(
    `Line ${line} is not true: ${command}\n--- expected\n${output}--- appeared\n${terminal.text}\n--- exit code ${terminal.code}`,
  );
}
