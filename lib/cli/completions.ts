import type { Command } from "./command.ts";
import { bashCompletions } from "./completions_bash.ts";
import { fishCompletions } from "./completions_fish.ts";
import { powershellCompletions } from "./completions_powershell.ts";
import { zshCompletions } from "./completions_zsh.ts";
import { completionTree } from "./completion_tree.ts";

const generators = {
  bash: bashCompletions,
  zsh: zshCompletions,
  fish: fishCompletions,
  powershell: powershellCompletions,
};

/** A shell that completions are made for. */
export type Shell = keyof typeof generators;

/** The shells that completions are made for. */
export const SHELLS: readonly Shell[] = Object.keys(generators) as Shell[];

/**
 * Writes the script that makes a shell complete command lines of labwire.
 *
 * @param shell The shell.
 * @param commands The commands there are.
 * @returns The script, without a newline at the end.
 */
export function completions(shell: Shell, commands: readonly Command[]): string {
  return generators[shell](completionTree(commands));
}
