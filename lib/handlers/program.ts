import { LineProgram, type LineProgramOptions } from "../process/line_program.ts";
import { runProgram, type RunProgramOptions } from "../process/run_program.ts";
import { encodeLine } from "../text/lines.ts";

/** A program that handles messages: it reads each as a line on stdin, and what it prints on stdout is the answer. */
export interface ProgramHandler extends AsyncDisposable {
  /** What kind of handler this is. */
  readonly kind: "program";
  /** Whether one process handles all messages, a line for a line, so that it cannot report a failure by its exit code. */
  readonly persistent: boolean;
  /**
   * Has a message handled.
   *
   * @param message The message, without a newline in it or at its end; copied at once.
   * @param signal Kills a program that handles this message alone; any other does not get a message whose turn has not come by then.
   * @returns What the program printed: a line without its newline, or all of it where the program handles this message alone.
   * @throws {RemoteError} If the program failed.
   * @throws {ConnectError} If it did not answer in time, or was stopped.
   */
  handle(message: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
  /** Ends the program. */
  close(): Promise<void>;
}

/**
 * Has each message handled by a program that is started for it.
 *
 * @param command The program and its arguments.
 * @param options How long it may take and how much it may print.
 * @returns The handler.
 */
export function programPerMessage(
  command: readonly string[],
  options: Omit<RunProgramOptions, "signal"> = {},
): ProgramHandler {
  const close = () => Promise.resolve();
  return {
    kind: "program",
    persistent: false,
    handle: (message, signal) => runProgram(command, encodeLine(message), { ...options, signal }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * Has all messages handled by one program that is kept running.
 *
 * @param command The program and its arguments.
 * @param options Timeouts, and what to call when something happens.
 * @returns The handler, to be closed at the end.
 * @throws {UsageError} If the program cannot be started.
 */
export function persistentProgram(
  command: readonly string[],
  options: LineProgramOptions = {},
): ProgramHandler {
  const program = new LineProgram(command, options);
  const close = () => program.close();
  return {
    kind: "program",
    persistent: true,
    handle: (message, signal) => program.askBytes(message, signal),
    close,
    [Symbol.asyncDispose]: close,
  };
}
