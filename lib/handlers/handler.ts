/**
 * The one place where `--handler`, `--exec` and `--exec-persistent` become something that can be called. Another language for
 * `--handler FILE` goes into {@linkcode openModule}: whatever it is, its functions are called as those of JavaScript are.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import { findCommand } from "../process/find_program.ts";
import type { ProgramProblem } from "../process/line_program.ts";
import { loadModule } from "./load_module.ts";
import { persistentProgram, type ProgramHandler, programPerMessage } from "./program.ts";

/** A module that handles messages by what it exports. */
export interface ModuleHandler extends AsyncDisposable {
  /** What kind of handler this is. */
  readonly kind: "module";
  /** Its path, as the user wrote it. */
  readonly file: string;
  /** What it exports, by name. */
  readonly exports: Readonly<Record<string, unknown>>;
  /** Ends what runs it, if anything does. */
  close(): Promise<void>;
}

/** A user's code that handles messages. */
export type Handler = ModuleHandler | ProgramHandler;

/** What a command line says about who handles messages: one of the three at most. */
export interface HandlerValues {
  /** The path of a module. */
  readonly handler?: string;
  /** The command line of a program to start for each message. */
  readonly exec?: string;
  /** The command line of a program to keep running for all of them. */
  readonly execPersistent?: string;
  /** Seconds that a program may take for a message. Default: 30. */
  readonly execTimeout?: number;
}

/** What to call while a handler is open. */
export interface HandlerEvents {
  /** Called with what goes wrong beside a message. */
  onProblem?: (problem: ProgramProblem) => void;
  /** Called with what a program that is kept running writes on its stderr, as it comes. */
  onStderr?: (bytes: Uint8Array) => void;
}

/**
 * Opens the handler that a command line describes.
 *
 * @param values The options' values.
 * @param events What to call.
 * @returns The handler, to be disposed of; undefined if there is none of the options.
 * @throws {UsageError} If the module cannot be loaded, or the program cannot be found or started.
 */
export async function openHandler(
  { handler, exec, execPersistent, execTimeout: timeout }: HandlerValues,
  events: HandlerEvents = {},
): Promise<Handler | undefined> {
  if (handler !== undefined) return await openModule(handler);
  if (exec !== undefined) return programPerMessage(await findCommand(exec), { timeout });
  if (execPersistent === undefined) return undefined;
  return persistentProgram(await findCommand(execPersistent), { timeout, ...events });
}

/**
 * Opens a user's module.
 *
 * @param file Its path, as given on the command line.
 * @returns The module, to be disposed of.
 * @throws {UsageError} If it cannot be loaded.
 */
export async function openModule(file: string): Promise<ModuleHandler> {
  const exports = await loadModule(file);
  const close = () => Promise.resolve();
  return { kind: "module", file, exports, close, [Symbol.asyncDispose]: close };
}

/**
 * Gives the function that a module exports by default.
 *
 * @typeParam F The function's type, which is not checked.
 * @param module The module.
 * @param form How the export should look, for the error message.
 * @returns The function.
 * @throws {UsageError} If there is no such export.
 */
// deno-lint-ignore no-explicit-any
export function defaultFunction<F extends (...args: any[]) => unknown>(
  { file, exports }: ModuleHandler,
  form: string,
): F {
  if (typeof exports.default === "function") return exports.default as F;
  throw new UsageError(`Cannot use handler "${file}": expected "export default ${form}"`);
}
