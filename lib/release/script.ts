import { UsageError } from "../errors.ts";

/**
 * Runs one of the scripts here with the command line. When it fails, stderr says why, without a stack trace, and the
 * exit code is 2 for a wrong command line and 1 otherwise.
 *
 * @param script What to do.
 */
export async function runScript(script: (args: readonly string[]) => Promise<void>): Promise<void> {
  try {
    await script(Deno.args);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

/**
 * Finds the executable that a script is to work with.
 *
 * @param file Its name.
 * @returns Its whole path.
 * @throws {UsageError} If there is no such file.
 */
export async function executablePath(file: string): Promise<string> {
  try {
    const path = await Deno.realPath(file);
    if ((await Deno.stat(path)).isFile) return path;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new UsageError(`Cannot try "${file}": expected an executable, found no such file`);
}

/**
 * Tells why a subcommand of Deno failed.
 *
 * @param output What it said.
 * @returns Its causes on one line, without the ends that come of themselves.
 */
export function causeOf(output: string): string {
  const causes: string[] = [];
  for (const line of output.replace(/^Stack backtrace:[^]*/m, "").split("\n")) {
    const cause = line.trim().replace(/^(error|Caused by|\d+):\s*/, "").replace(/\.$/, "");
    if (!causes.some((earlier) => earlier.includes(cause))) causes.push(cause);
  }
  return causes.filter((cause) => cause !== "").slice(0, 5).join(": ");
}
