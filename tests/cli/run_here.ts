/** Runs a command line inside this process, in a world of its own: no terminal, no signals, its own standard streams. */

import type { Environment } from "../../lib/cli/environment.ts";
import { run } from "../../lib/cli/run.ts";
import { registry } from "../../lib/commands/registry.ts";
import { systemClock } from "../../lib/time/clock.ts";

/** What came of a command line. */
export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** What differs from two pipes, without environment variables and signals. */
export interface World extends Partial<Omit<Environment, "stdin">> {
  /** Standard input; nothing at all by default. */
  input?: string | Uint8Array;
  /** Whether standard output and error are terminals. */
  terminal?: boolean;
}

/** Bytes that were written to a pipe. */
function pipe(terminal: boolean) {
  const chunks: Uint8Array[] = [];
  const writeSync = (bytes: Uint8Array) => {
    chunks.push(bytes.slice());
    return bytes.length;
  };
  return {
    writeSync,
    write: (bytes: Uint8Array) => Promise.resolve(writeSync(bytes)),
    isTerminal: () => terminal,
    text: () => new Blob(chunks as BlobPart[]).text(),
  };
}

/**
 * Runs a command line to its end.
 *
 * @param args The arguments.
 * @param world The world to run it in.
 * @returns The exit code and what was written.
 */
export async function runHere(args: readonly string[], world: World = {}): Promise<Result> {
  const { input = "", terminal = false, ...others } = world;
  const [stdout, stderr] = [pipe(terminal), pipe(terminal)];
  const readable = new Blob([input as BlobPart]).stream();
  const code = await run(args, {
    stdin: { readable, isTerminal: () => false },
    stdout,
    stderr,
    clock: systemClock,
    signals: { names: [], add() {}, remove() {}, watch: () => Promise.resolve(undefined) },
    variable: () => undefined,
    columns: () => 80,
    onUnhandled: () => ({ [Symbol.dispose]() {} }),
    exit: (code) => {
      throw new Error(`Ended at once with ${code}`);
    },
    ...others,
  }, registry);
  return { code, stdout: await stdout.text(), stderr: await stderr.text() };
}
