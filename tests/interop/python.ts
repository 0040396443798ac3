/**
 * Runs Python as a peer that was not written here.
 *
 * @module
 */

/** The interpreter for scripts that need nothing but Python's own library. */
export const PYTHON = Deno.build.os === "windows" ? "python" : "python3";

/** Debian's interpreter, which is the one that finds Debian's protobuf. */
const SYSTEM_PYTHON = "/usr/bin/python3";

/** The interpreter that has numpy; `undefined` where there is none. */
export const NUMPY: string | undefined = findNumpy();

function findNumpy(): string | undefined {
  return [SYSTEM_PYTHON, PYTHON].find((python) => {
    try {
      return new Deno.Command(python, { args: ["-c", "import numpy"] }).outputSync().success;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  });
}

/** The interpreter that has Google's protobuf, and which implementation of it; `undefined` where there is none. */
export const PROTOBUF: { python: string; implementation: string } | undefined = findProtobuf();

function findProtobuf(): { python: string; implementation: string } | undefined {
  const script =
    "from google.protobuf.internal import api_implementation as a; print(a.Type(), end='')";
  for (const python of [SYSTEM_PYTHON, PYTHON]) {
    try {
      const { success, stdout } = new Deno.Command(python, { args: ["-c", script] }).outputSync();
      if (success) return { python, implementation: new TextDecoder().decode(stdout) };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

/**
 * Runs a Python program on some lines of text.
 *
 * @param args The arguments of the interpreter, the script first.
 * @param lines What to write to its standard input.
 * @param python Which interpreter.
 * @returns The lines that it printed.
 */
export async function pythonLines(
  args: string[],
  lines: readonly string[],
  python: string = PYTHON,
): Promise<string[]> {
  const child = new Deno.Command(python, {
    args,
    env: { PYTHONDONTWRITEBYTECODE: "1", PYTHONIOENCODING: "utf-8" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output] = await Promise.all([
    child.output(),
    ReadableStream.from([new TextEncoder().encode(lines.map((line) => line + "\n").join(""))])
      .pipeTo(child.stdin),
  ]);
  if (!output.success) throw new Error(new TextDecoder().decode(output.stderr));
  return new TextDecoder().decode(output.stdout).split(/\r?\n/).slice(0, -1);
}
