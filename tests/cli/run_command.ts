/** Runs one command inside this process, for tables of cases that would take a child process each. */

import type { Command } from "../../lib/cli/command.ts";
import { Output } from "../../lib/cli/output.ts";
import { globalOptions, parseOptions } from "../../lib/cli/parse.ts";
import { Reporter } from "../../lib/cli/reporter.ts";

/**
 * Runs a command to its end.
 *
 * @param command The command.
 * @param argv What stands behind its name on the command line.
 * @param input Standard input.
 * @returns What it printed.
 * @throws What the command throws.
 */
export async function runCommand(command: Command, argv: string[], input = ""): Promise<string> {
  const chunks: Uint8Array[] = [];
  const out = new Output({
    write(bytes) {
      chunks.push(bytes.slice());
      return Promise.resolve(bytes.length);
    },
  });
  const say = new Reporter({ writeSync: (bytes) => bytes.length, isTerminal: () => false });
  const { options, args, given } = parseOptions(
    { ...command.options, ...globalOptions },
    argv,
    command.positionals?.some(({ isNumber }) => isNumber),
  );
  const readable = new Blob([input]).stream();
  const stdin = { readable, isTerminal: () => false };
  const { signal } = new AbortController();
  const context = {
    out,
    say,
    signal,
    describeOpenWork() {},
    onReopen: () => ({ [Symbol.dispose]() {} }),
    debug: false,
    quiet: true,
    stdin,
    columns: () => 80,
    given,
  };
  await command.run(context, options, args);
  await out.flush();
  return await new Blob(chunks as BlobPart[]).text();
}
