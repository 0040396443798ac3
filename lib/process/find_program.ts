import { UsageError } from "../errors.ts";
import { splitCommandLine } from "./command_line.ts";

/**
 * Reads a command line and makes sure that its program can be found.
 *
 * @param text The command line, see {@linkcode splitCommandLine}.
 * @returns The path of the program, and its arguments.
 * @throws {UsageError} If it is no command line, there is no such program, or it may not be executed.
 */
export async function findCommand(text: string): Promise<string[]> {
  const [program, ...args] = splitCommandLine(text);
  return [await findProgram(program), ...args];
}

/**
 * Makes sure that a program can be found, so that a typing error shows when a server starts and not at its first message.
 *
 * @param program Its path, or its name in one of the folders of `PATH`.
 * @returns The path under which it was found.
 * @throws {UsageError} If there is no such program, or it may not be executed.
 */
export async function findProgram(program: string): Promise<string> {
  const windows = Deno.build.os === "windows";
  const endings = windows
    ? ["", ...(Deno.env.get("PATHEXT") ?? ".EXE;.CMD;.BAT").split(";")]
    : [""];
  const name = JSON.stringify(program);
  const isPath = program.includes("/") || (windows && program.includes("\\"));
  const path = environmentVariable("PATH");
  // Without permission to look, starting it shows whether it is there.
  if (path === undefined && !isPath) return program;
  const folders = isPath
    ? [""]
    : path!.split(windows ? ";" : ":").filter((folder) => folder !== "");
  // Windows looks in the current folder first.
  if (windows && !isPath) folders.unshift(".");
  for (const folder of folders) {
    for (const ending of endings) {
      const candidate = (folder === "" ? program : `${folder}/${program}`) + ending;
      const found = await look(candidate);
      if (found === "program") return candidate;
      if (found === "file" && isPath) {
        throw new UsageError(`Cannot run program ${name}: the file is not executable`);
      }
    }
  }
  const expected = isPath
    ? "there is no such file"
    : "expected its path, or its name in a folder of PATH";
  throw new UsageError(`Cannot find program ${name}: ${expected}`);
}

/** Reads an environment variable; undefined where it is not set, or may not be read. */
export function environmentVariable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** What is at a path: a file that may be executed, another file, or nothing to run. */
async function look(path: string): Promise<"program" | "file" | undefined> {
  try {
    const { isFile, mode } = await Deno.stat(path);
    if (!isFile) return undefined;
    return Deno.build.os === "windows" || mode === null || mode & 0o111 ? "program" : "file";
  } catch {
    return undefined;
  }
}
