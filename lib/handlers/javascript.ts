import type { HandlerEvents, HandlerUse, ModuleHandler, ModuleValues } from "./module_handler.ts";
import { loadModule } from "./load_module.ts";

/**
 * Opens a user's module in JavaScript.
 *
 * @param file Its path, as given on the command line.
 * @param use What its functions get.
 * @param values How to open it.
 * @param events What to call.
 * @returns The module, to be disposed of.
 * @throws {UsageError} If it cannot be loaded.
 */
export async function openJavaScript(
  file: string,
  _use: HandlerUse,
  { concurrency = 1 }: ModuleValues,
  _events: HandlerEvents,
): Promise<ModuleHandler> {
  const exports = await loadModule(file);
  const close = () => Promise.resolve();
  return {
    kind: "module",
    language: "javascript",
    file,
    exports,
    depth: concurrency,
    counters: { restarts: 0 },
    describe: () => Promise.resolve([]),
    release() {},
    close,
    [Symbol.asyncDispose]: close,
  };
}
