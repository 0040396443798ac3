import { concat } from "@std/bytes/concat";
import { ConnectError, RemoteError } from "../errors.ts";
import { whenOverdue } from "../time/deadline.ts";
import { whenAborted } from "../time/lifecycle.ts";
import { describeExit, type Program, startProgram, type StartProgramOptions } from "./program.ts";

/** How {@linkcode runProgram} runs a program. */
export interface RunProgramOptions extends StartProgramOptions {
  /** How long it may take, in seconds. Default: 30. */
  timeout?: number;
  /** How much it may print, in bytes. Default: 16 MiB. */
  maxOutputBytes?: number;
}

/**
 * Runs a program once: gives it its whole input, and returns what it printed once it has ended with exit code 0.
 *
 * @param command The program and its arguments, see {@linkcode splitCommandLine}.
 * @param input What it reads on stdin, to the end. It need not read it.
 * @param options How long it may take, how much it may print, and what stops it.
 * @returns What it printed on stdout.
 * @throws {UsageError} If it cannot be started.
 * @throws {RemoteError} If it ended with an exit code other than 0, with the last line of its stderr as the
 * message where there is one; or if it printed too much.
 * @throws {ConnectError} If it did not end in time, or was aborted. It has been killed then.
 *
 * @example Ask a program
 * ```ts
 * import { runProgram } from "@labwire/labwire/process";
 * import { assertEquals } from "@std/assert";
 *
 * const script = "console.log((await new Response(Deno.stdin.readable).text()).length)";
 * const output = await runProgram([Deno.execPath(), "eval", script], new TextEncoder().encode("12345"));
 * assertEquals(new TextDecoder().decode(output).trim(), "5");
 * ```
 */
export async function runProgram(
  command: readonly string[],
  input: Uint8Array,
  options: RunProgramOptions = {},
): Promise<Uint8Array> {
  const { timeout = 30, maxOutputBytes = 16 * 1024 * 1024, signal } = options;
  const name = JSON.stringify(command[0]);
  await using program = startProgram(command, options);
  let stopped: Error | undefined;
  const stop = (error: Error) => {
    stopped ??= error;
    program.kill();
    void program.stopReading();
  };
  using _ = whenAborted(signal, () => stop(new ConnectError(`Program ${name} was stopped`)));
  const late = () => stop(new ConnectError(`No answer from program ${name} within ${timeout} s`));
  using _timer = whenOverdue(timeout, late);
  const fed = program.write(input).then(() => program.closeWrite());
  const output = await readAll(program, maxOutputBytes);
  if (!output) stop(new RemoteError(`Program ${name} printed more than ${maxOutputBytes} bytes`));
  const exit = await program.finished;
  await fed;
  if (stopped) throw stopped;
  if (exit.code !== 0) throw new RemoteError(program.lastError || describeExit(program, exit));
  return output!;
}

/** Everything that a program prints; undefined if that is too much. */
async function readAll(program: Program, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of program) {
    length += chunk.length;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  return concat(chunks);
}
