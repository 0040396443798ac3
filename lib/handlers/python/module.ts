import { UsageError } from "../../errors.ts";
import type { HandlerEvents, HandlerUse, ModuleHandler, ModuleValues } from "../module_handler.ts";

/**
 * Opens a user's module in Python: starts an interpreter that loads it and is kept running.
 *
 * @param file Its path, as given on the command line.
 * @param use What its functions get.
 * @param values How to open it.
 * @param events What to call.
 * @returns The module, to be disposed of.
 * @throws {UsageError} If there is no interpreter, or the module cannot be loaded.
 */
export function openPython(
  file: string,
  _use: HandlerUse,
  _values: ModuleValues,
  _events: HandlerEvents,
): Promise<ModuleHandler> {
  return Promise.reject(new UsageError(`Cannot load handler "${file}": not built yet`));
}
