import { PYTHON } from "./python.ts";

/** A Python that is on this computer. */
export interface Interpreter {
  /** How it is started. */
  readonly path: string;
  /** Its version, as in `3.11.2`. */
  readonly version: string;
}

/** Finds every Python from 3.8 on: that on the PATH, the system's, and those that pyenv has installed. */
export function pythons(): Interpreter[] {
  const pyenv = Deno.env.get("PYENV_ROOT") ?? `${Deno.env.get("HOME")}/.pyenv`;
  const paths = [PYTHON, "/usr/bin/python3"];
  try {
    for (const { name } of Deno.readDirSync(`${pyenv}/versions`)) {
      paths.push(`${pyenv}/versions/${name}/bin/python3`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const found = new Map<string, Interpreter>();
  for (const path of paths) {
    const [executable, version] = ask(path) ?? [];
    if (version === undefined || !/^3\.([89]|\d\d)/.test(version)) continue;
    if (!found.has(executable!)) found.set(executable!, { path, version });
  }
  return [...found.values()].sort((a, b) => a.version < b.version ? -1 : 1);
}

/** The real path and the version of an interpreter; undefined where there is none. */
function ask(path: string): string[] | undefined {
  const script = "import os, platform, sys; print(os.path.realpath(sys.executable)); " +
    "print(platform.python_version())";
  try {
    const { success, stdout } = new Deno.Command(path, { args: ["-c", script] }).outputSync();
    return success ? new TextDecoder().decode(stdout).trim().split(/\r?\n/) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
