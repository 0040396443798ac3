/**
 * The one place where `--handler`, `--exec` and `--exec-persistent` become something that can be called. A module may be JavaScript
 * or Python: its functions are called alike, under the same names.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import { findCommand } from "../process/find_program.ts";
import { openJavaScript } from "./javascript.ts";
import type { HandlerEvents, HandlerUse, ModuleHandler, ModuleValues } from "./module_handler.ts";
import { after } from "../time/deadline.ts";
import { PrintedLines } from "./printed.ts";
import { persistentProgram, type ProgramHandler, programPerMessage } from "./program.ts";

export type {
  CommandDescription,
  HandlerEvents,
  HandlerPeer,
  HandlerProblem,
  HandlerUse,
  ModuleCounters,
  ModuleHandler,
  ModuleValues,
} from "./module_handler.ts";

/** A user's code that handles messages. */
export type Handler = ModuleHandler | ProgramHandler;

/** What a command line says about who handles messages: one of the three at most. */
export interface HandlerValues extends ModuleValues {
  /** The path of a module. */
  readonly handler?: string;
  /** The command line of a program to start for each message. */
  readonly exec?: string;
  /** The command line of a program to keep running for all of them. */
  readonly execPersistent?: string;
  /** Seconds that a program may take for a message. Default: 30. */
  readonly execTimeout?: number;
}

/** Seconds after which a module that is still being loaded may have a loop outside its functions. */
const LONG_LOAD = 5;

/** The endings of files that are modules in Python. */
const PYTHON = /\.pyw?$/i;

/**
 * Opens the handler that a command line describes.
 *
 * @param values The options' values.
 * @param use What a module's functions get.
 * @param events What to call.
 * @returns The handler, to be disposed of; undefined if there is none of the options.
 * @throws {UsageError} If there are several, the module cannot be loaded, or the program cannot be found or started.
 */
export async function openHandler(
  values: HandlerValues,
  use: HandlerUse,
  events: HandlerEvents = {},
): Promise<Handler | undefined> {
  const { handler, exec, execPersistent, execTimeout: timeout } = values;
  if ([handler, exec, execPersistent].filter((value) => value !== undefined).length > 1) {
    throw new UsageError(
      "Cannot use several of --handler, --exec and --exec-persistent: expected one",
    );
  }
  if (handler !== undefined) return await openModule(handler, use, values, events);
  checkNoModule(values);
  if (exec !== undefined) return programPerMessage(await findCommand(exec), { timeout });
  if (execPersistent === undefined) return undefined;
  return keptRunning(await findCommand(execPersistent), timeout, events);
}

/** A program that is kept running; what it writes for people is shown as that of a module in Python is. */
function keptRunning(
  command: readonly string[],
  timeout: number | undefined,
  { onProblem, onStderr }: HandlerEvents,
): ProgramHandler {
  const printed = new PrintedLines((lines) => onStderr?.(lines));
  const program = persistentProgram(command, {
    timeout,
    onStderr: (bytes) => printed.push(bytes),
    onProblem(problem) {
      if (problem.kind === "exit") printed.end();
      onProblem?.(problem);
    },
  });
  const close = () => program.close().finally(() => printed.end());
  return { ...program, close, [Symbol.asyncDispose]: close };
}

/** @throws {UsageError} If an option is given that means nothing without a module. */
function checkNoModule({ python, handlerArg = [], reload }: HandlerValues): void {
  const option = python !== undefined
    ? "--python"
    : handlerArg.length > 0
    ? "--handler-arg"
    : reload
    ? "--reload"
    : undefined;
  if (option !== undefined) {
    throw new UsageError(`Cannot use ${option} without a module: expected --handler FILE`);
  }
}

/**
 * Opens a user's module, and calls its `setup()`.
 *
 * @param file Its path, as given on the command line.
 * @param use What its functions get.
 * @param values How to open it.
 * @param events What to call.
 * @returns The module, to be disposed of.
 * @throws {UsageError} If it cannot be loaded, or its `setup()` fails.
 */
export async function openModule(
  file: string,
  use: HandlerUse,
  values: ModuleValues = {},
  events: HandlerEvents = {},
): Promise<ModuleHandler> {
  using _slow = after(LONG_LOAD, () =>
    events.onProblem?.({
      kind: "loading",
      message: `Handler "${file}" has been loading for ${LONG_LOAD} s: ` +
        "nothing is served before what stands outside its functions, and setup(), have ended",
    }), events.clock);
  if (!PYTHON.test(file)) return await openJavaScript(file, use, values, events);
  const { openPython } = await import("./python/module.ts");
  return await openPython(file, use, values, events);
}

/**
 * Gives a function that a module exports, whichever version of it is loaded when it is called.
 *
 * @typeParam F The function's type, which is not checked.
 * @param module The module.
 * @param names The names under which it may be exported, the first one there counts.
 * @param form How the export should look, for the error message, as in `function handle(sample) { … }`.
 * @param onWait Called with the arguments of a call that has to wait until the module is loaded; what it returns is called right before
 * the function is.
 * @returns The function.
 * @throws {UsageError} If there is no such export.
 */
// deno-lint-ignore no-explicit-any
export function exportedFunction<F extends (...args: any[]) => unknown>(
  module: ModuleHandler,
  names: readonly string[],
  form: string,
  onWait?: (...args: Parameters<F>) => () => void,
): F {
  const find = (): F => {
    for (const name of names) {
      const found = module.exports[name];
      if (typeof found === "function") return found as F;
    }
    throw new UsageError(`Cannot use handler "${module.file}": expected "${form}"`);
  };
  find();
  if (!module.refresh) return ((...args: Parameters<F>) => find()(...args)) as F;
  return ((...args: Parameters<F>) => {
    const loading = module.refresh!();
    if (!loading) return find()(...args);
    const ready = onWait?.(...args);
    return loading.then(() => {
      ready?.();
      return find()(...args);
    });
  }) as F;
}

/**
 * Gives the function that a module exports by default, or as `handle`.
 *
 * @typeParam F The function's type, which is not checked.
 * @param module The module.
 * @param form How the default export of JavaScript should look, for the error message.
 * @param onWait As of {@linkcode exportedFunction}.
 * @returns The function.
 * @throws {UsageError} If there is no such export.
 */
// deno-lint-ignore no-explicit-any
export function defaultFunction<F extends (...args: any[]) => unknown>(
  module: ModuleHandler,
  form: string,
  onWait?: (...args: Parameters<F>) => () => void,
): F {
  return exportedFunction<F>(module, ["default", "handle"], `export default ${form}`, onWait);
}
