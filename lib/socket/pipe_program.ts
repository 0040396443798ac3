import { type Program, startProgram, type StartProgramOptions } from "../process/program.ts";
import type { StreamConnection } from "../net/stream/connection.ts";
import { notify } from "../time/lifecycle.ts";

/** How {@linkcode pipeProgram} runs the program. */
export interface PipeProgramOptions extends StartProgramOptions {
  /** Called with what the client sends, before the program gets it; a promise is waited for. */
  onInput?: (bytes: Uint8Array) => void | Promise<void>;
  /** Called with what the program prints, before the client gets it. */
  onOutput?: (bytes: Uint8Array) => void;
}

/**
 * Starts a program for a client and connects the two, as `socat` does: what the client sends is the program's standard input, what the
 * program prints goes to the client. The client's end is the end of the input; the program's end is the end of the connection. A
 * program whose client is gone is killed.
 *
 * @param connection The client.
 * @param command The program and its arguments.
 * @param options What to call with input and stderr.
 * @returns Resolves when the program has ended and everything was sent.
 * @throws {UsageError} If the program cannot be started.
 * @throws What `onInput` throws, once the program is killed.
 */
export async function pipeProgram(
  connection: StreamConnection,
  command: readonly string[],
  options: PipeProgramOptions = {},
): Promise<void> {
  await using program = startProgram(command, options);
  const gone = connection.finished.then(() => program.kill());
  let failure: { error: unknown } | undefined;
  const feeding = feed(connection, program, options.onInput).then(() => {
    if (connection.readEnd === "lost") program.kill();
  }, (error) => {
    failure = { error };
    program.kill();
  });
  for await (const chunk of program) {
    notify(options.onOutput, chunk);
    if (!await connection.write(chunk)) program.kill();
  }
  // The program may have closed its output and go on; its exit is the end.
  await program.finished;
  await connection.closeWrite();
  const ending = connection.end();
  await feeding;
  await ending;
  await gone;
  if (failure) throw failure.error;
}

/** Gives the program what the client sends, as long as it reads. */
async function feed(
  connection: StreamConnection,
  program: Program,
  onInput?: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  for await (const chunk of connection) {
    await onInput?.(chunk);
    if (!await program.write(chunk.slice())) return;
  }
  await program.closeWrite();
}
