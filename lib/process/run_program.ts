import { ConnectError, RemoteError } from "../errors.ts";
import { timerDelay } from "../time/deadline.ts";
import { type Program, startProgram, type StartProgramOptions } from "./program.ts";

/** How {@linkcode runProgram} runs a program. */
export interface RunProgramOptions extends StartProgramOptions {
  /** How long it may take, in seconds. Default: 30. */
  timeout?: number;
  /** How much it may print, in bytes. Default: 16 MiB. */
  maxOutputBytes?: number;
}

/**
 * Runs a program once: gives it its whole input, and returns what it printed when it has ended well.
 *
 * @param command The program and its arguments, see {@linkcode splitCommandLine}.
 * @param input What it reads on stdin, to the end. It need not read it.
 * @param options How long it may take and how much it may print.
 * @returns What it printed on stdout.
 * @throws {UsageError} If it cannot be started.
 * @throws {RemoteError} If it ended with an exit code other than 0, with the last line of its stderr as the
 * message where there is one; or if it printed too much.
 * @throws {ConnectError} If it did not end in time, or was aborted. It has been killed then.
 *
 * @example Ask a program
 * ```ts
 * import { runProgram } from "@labwire/labwire";
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
  const { timeout = 30, maxOutputBytes = 16 * 1024 * 1024 } = options;
  const name = JSON.stringify(command[0]);
  await using program = startProgram(command, options);
  const reader = program.readable.getReader();
  let stopped: Error | undefined;
  const stop = (error: Error) => {
    stopped ??= error;
    program.kill();
    reader.cancel().catch(() => {});
  };
  const late = new ConnectError(`No answer from program ${name} within ${timeout} s`);
  const timer = setTimeout(() => stop(late), timerDelay(timeout));
  const onAbort = () => stop(new ConnectError(`Program ${name} was stopped`));
  options.signal?.addEventListener("abort", onAbort);
  try {
    const fed = feed(program, input);
    const output = await readAll(reader, maxOutputBytes, () => {
      stop(new RemoteError(`Program ${name} printed more than ${maxOutputBytes} bytes`));
    });
    const exit = await program.finished;
    await fed;
    if (stopped) throw stopped;
    if (exit.code !== 0) throw new RemoteError(program.lastError || describeExit(name, exit));
    return output;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * Says how a program ended, for an error message.
 *
 * @param name The program, quoted.
 * @param exit How it ended.
 * @returns For example `Program "x.py" ended with exit code 3`.
 */
export function describeExit(name: string, exit: { code: number; signal: string | null }): string {
  return exit.signal === null
    ? `Program ${name} ended with exit code ${exit.code}`
    : `Program ${name} was ended by ${exit.signal}`;
}

/** Writes the input; a program that does not want it closes its stdin, which is its right. */
async function feed(program: Program, input: Uint8Array): Promise<void> {
  const writer = program.writable.getWriter();
  const written = writer.write(input);
  const closed = writer.close();
  await Promise.race([Promise.allSettled([written, closed]), program.finished]);
  await writer.abort().catch(() => {});
  await Promise.allSettled([written, closed, writer.closed]);
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limit: number,
  onExcess: () => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (true) {
    const { value } = await reader.read();
    if (value === undefined) break;
    length += value.length;
    if (length > limit) {
      onExcess();
      break;
    }
    chunks.push(value);
  }
  const output = new Uint8Array(Math.min(length, limit));
  let at = 0;
  for (const chunk of chunks) {
    output.set(chunk, at);
    at += chunk.length;
  }
  return output;
}
