/**
 * Runs the real program as a child process: `deno run -A main.ts`, or the executable in `LABWIRE_BIN`. The executable
 * gets a world like that of a lab PC: an empty working directory, an empty HOME, no Deno on PATH, no other variables.
 * Command lines that need no process of their own run inside this one, unless there is an executable to test.
 */

import { type Result, runHere, type Running, startHere, Written } from "./run_here.ts";

const main = new URL("../../main.ts", import.meta.url);

/** How a child is started. */
export interface StartOptions {
  /** Working directory. */
  cwd?: string;
  /** Environment variables on top of the present ones. */
  env?: Record<string, string>;
  /** Standard input: nothing at all by default, or `"piped"` to write to it. */
  stdin?: "null" | "piped";
}

export type { Result, Running } from "./run_here.ts";

/** How a command line is run to its end. */
export interface RunOptions extends StartOptions {
  /** Standard input. */
  input?: string | Uint8Array;
  /** Whether it needs a process of its own, as a handler does that writes to the console. */
  ownProcess?: boolean;
}

/** The program and the arguments that come before the user's own. */
export function programCommand(): [string, string[]] {
  const bin = Deno.env.get("LABWIRE_BIN");
  return bin ? [bin, []] : [Deno.execPath(), ["run", "-A", "--quiet", main.href]];
}

/** What the world of the executable is: made once, removed at the end. */
let bareWorld: { cwd: string; env: Record<string, string> } | undefined;

function bare(): { cwd: string; env: Record<string, string> } {
  if (bareWorld) return bareWorld;
  const folder = Deno.makeTempDirSync({ prefix: "labwire-bare-" });
  addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  const [cwd, home] = [`${folder}/empty`, `${folder}/home`];
  Deno.mkdirSync(cwd);
  Deno.mkdirSync(home);
  const windows = Deno.build.os === "windows";
  const hasDeno = (path: string) => {
    try {
      return Deno.statSync(`${path}/${windows ? "deno.exe" : "deno"}`).isFile;
    } catch {
      return false;
    }
  };
  const separator = windows ? ";" : ":";
  const path = (Deno.env.get("PATH") ?? "").split(separator).filter((part) => !hasDeno(part));
  const env: Record<string, string> = { HOME: home, PATH: path.join(separator) };
  for (const name of ["SystemRoot", "TEMP", "TMP", "TMPDIR", "PATHEXT"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return bareWorld = { cwd, env };
}

/** A running child whose output can be waited for. */
export class Child implements Running {
  readonly process: Deno.ChildProcess;
  readonly #written = new Written();
  readonly #done: Promise<Result>;

  constructor(process: Deno.ChildProcess) {
    this.process = process;
    const collect = async (stream: ReadableStream<Uint8Array>, name: "stdout" | "stderr") => {
      for await (const bytes of stream) this.#written.add(name, bytes);
    };
    this.#done = Promise.all([collect(process.stdout, "stdout"), collect(process.stderr, "stderr")])
      .then(() => process.status)
      .then((status) => {
        this.#written.end();
        return { code: status.code, stdout: this.stdout, stderr: this.stderr };
      });
  }

  get stdout(): string {
    return this.#written.stdout;
  }

  get stderr(): string {
    return this.#written.stderr;
  }

  until(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> {
    return this.#written.until(stream, pattern);
  }

  /** Writes to standard input. */
  async write(data: string | Uint8Array) {
    const writer = this.process.stdin.getWriter();
    await writer.write(typeof data === "string" ? new TextEncoder().encode(data) : data);
    writer.releaseLock();
  }

  /** Sends Ctrl-C. */
  interrupt() {
    this.process.kill("SIGINT");
  }

  /** Resolves when the program has ended. */
  result(): Promise<Result> {
    return this.#done;
  }

  async [Symbol.asyncDispose]() {
    if (!this.#written.ended) {
      try {
        this.process.kill("SIGKILL");
      } catch {
        // it has just ended
      }
    }
    await this.#done;
    await this.closeInput();
  }

  /** Ends standard input; Deno counts an open end as leaked, though nobody reads from it any more. */
  async closeInput() {
    try {
      await this.process.stdin.close();
    } catch {
      // it is not piped, or closed already
    }
  }
}

/** Starts the program. */
export function start(args: string[], options: StartOptions = {}): Child {
  const [program, before] = programCommand();
  const { stdin = "null", cwd, env } = options;
  const world = before.length === 0 ? bare() : undefined;
  const command = new Deno.Command(program, {
    args: [...before, ...args],
    stdin,
    stdout: "piped",
    stderr: "piped",
    cwd: cwd ?? world?.cwd,
    clearEnv: world !== undefined,
    env: { ...world?.env, NO_COLOR: "1", ...env },
  });
  return new Child(command.spawn());
}

/**
 * Starts what goes on until it is ended: in this process, unless there is an executable to test, a working directory or environment
 * variables are given, or a handler in JavaScript writes to the console of its process. Its output can be waited for and Ctrl-C sent, as
 * those of {@linkcode start}.
 */
export function startServer(args: string[], options: StartOptions = {}): Running {
  const { cwd, env, stdin } = options;
  const writesToConsole = /\.m?[jt]s$/.test(args[args.indexOf("--handler") + 1] ?? "");
  return cwd || env || writesToConsole || Deno.env.has("LABWIRE_BIN")
    ? start(args, options)
    : startHere(args, { stdin });
}

/**
 * Runs the program to its end: in this process, unless there is an executable to test or the case needs a process of its own,
 * as each does that has a working directory or environment variables.
 */
export async function labwire(
  args: string[],
  { input, ownProcess = false, ...options }: RunOptions = {},
): Promise<Result> {
  const { cwd, env } = options;
  if (!ownProcess && !cwd && !env && !Deno.env.has("LABWIRE_BIN")) {
    return await runHere(args, { input });
  }
  await using child = start(args, { ...options, stdin: input === undefined ? "null" : "piped" });
  if (input !== undefined) {
    await child.write(input);
    await child.process.stdin.close();
  }
  return await child.result();
}
