import { messageOf, UsageError } from "../errors.ts";

/**
 * Loads a user's module.
 *
 * @param file Its path, as given on the command line.
 * @returns What it exports.
 * @throws {UsageError} If there is no such file, it does not load, or it is TypeScript and this is the compiled program.
 */
export async function loadModule(file: string): Promise<Record<string, unknown>> {
  if (Deno.build.standalone && /\.[cm]?tsx?$/.test(file)) {
    throw new UsageError(
      `Cannot load handler "${file}": the compiled program runs JavaScript only; rename it to .js, without type annotations`,
    );
  }
  let url: string;
  try {
    const { pathToFileURL } = await import("node:url");
    url = pathToFileURL(await Deno.realPath(file)).href;
  } catch (cause) {
    throw new UsageError(`Cannot load handler "${file}": no such file`, { cause });
  }
  try {
    // Written so that tools which read this see that nothing but a local file can be meant.
    return await import(`file://${url.slice("file://".length)}`);
  } catch (cause) {
    const reason = messageOf(cause).replace(
      /\n\s+at /g,
      " at ",
    );
    throw new UsageError(`Cannot load handler "${file}": ${reason}`, { cause });
  }
}

/**
 * Loads a user's module whose default export is a function.
 *
 * @typeParam F The function's type; it is taken at its word.
 * @param file Its path, as given on the command line.
 * @param form How the export should look, for the error message.
 * @returns The function.
 * @throws {UsageError} If the module does not load or has no such export.
 */
// deno-lint-ignore no-explicit-any
export async function loadHandler<F extends (...args: any[]) => unknown>(
  file: string,
  form: string,
): Promise<F> {
  const module = await loadModule(file);
  if (typeof module.default !== "function") {
    throw new UsageError(`Cannot use handler "${file}": expected "export default ${form}"`);
  }
  return module.default as F;
}
