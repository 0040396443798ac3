import { UsageError } from "../../errors.ts";
import { environmentVariable, findProgram } from "../../process/find_program.ts";
import { runProgram } from "../../process/run_program.ts";

/** The oldest Python that runs a handler. */
export const OLDEST = "3.8";

/** Where Python comes from. */
const INSTALL =
  `install Python ${OLDEST} or later (Windows and macOS: python.org, Debian and Ubuntu: apt install python3), or name it with --python PATH`;

/**
 * Finds the interpreters that may run a handler, the best one first.
 *
 * @param given The path that the user has given, if any.
 * @returns Command lines. That one is there does not mean that it is Python: on Windows there are programs that only say where to buy it.
 * @throws {UsageError} If there is none.
 */
export async function findPython(given?: string): Promise<string[][]> {
  const windows = Deno.build.os === "windows";
  if (given !== undefined) return [[await findProgram(given)]];
  const environment = environmentVariable("VIRTUAL_ENV") || undefined;
  if (environment !== undefined) {
    const path = windows ? `${environment}\\Scripts\\python.exe` : `${environment}/bin/python`;
    try {
      return [[await findProgram(path)]];
    } catch (cause) {
      const why = `there is no ${path}`;
      throw new UsageError(
        `Cannot use the Python of VIRTUAL_ENV "${environment}": ${why}; make the environment again, or name a Python with --python PATH`,
        { cause },
      );
    }
  }
  const found: string[][] = [];
  for (const [name, ...args] of [["python3"], ["python"], ...windows ? [["py", "-3"]] : []]) {
    try {
      found.push([await findProgram(name!), ...args]);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
  }
  if (found.length > 0) return found;
  throw new UsageError(`Cannot find Python as ${windows ? "python or py" : "python3"}: ${INSTALL}`);
}

/**
 * Says that none of the interpreters can run a handler.
 *
 * @param tried What was tried, and what came of it, as in `python3 is 3.6.15`.
 */
export function noPython(tried: readonly string[]): UsageError {
  return new UsageError(
    `Cannot run a handler in Python, which needs ${OLDEST} or later: ${
      tried.join(", ")
    }; ${INSTALL}`,
  );
}

/**
 * Asks an interpreter for its version, in words that even Python 2 understands.
 *
 * @param interpreter Its command line.
 * @returns As in `3.6.15`; undefined if it has none.
 */
export async function versionOf(interpreter: readonly string[]): Promise<string | undefined> {
  const script = "import sys;sys.stdout.write(sys.version.split()[0])";
  try {
    const output = await runProgram([...interpreter, "-c", script], new Uint8Array());
    return /^\d+\.\d+[\w.+]*$/.exec(new TextDecoder().decode(output))?.[0];
  } catch {
    return undefined; // it is no Python
  }
}

/** Whether a version is too old to run a handler. */
export function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 3 || (major === 3 && minor < 8);
}
