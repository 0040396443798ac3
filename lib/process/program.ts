import { messageOf, UsageError } from "../errors.ts";
import { lastLine } from "./last_line.ts";
import { ProgramInput } from "./program_input.ts";
import { ProgramOutput } from "./program_output.ts";

/** How {@linkcode startProgram} starts a program. */
export interface StartProgramOptions {
  /** Kills the program when it fires. */
  signal?: AbortSignal;
  /** Is given what the program writes on its stderr, as it comes. */
  onStderr?: (bytes: Uint8Array) => void;
}

/** How a program ended. */
export interface ProgramExit {
  /** The exit code. */
  code: number;
  /** The signal that ended it, or `null`. */
  signal: string | null;
}

/** How much of a program's stderr is kept, in bytes: enough for its last line. */
const KEPT_STDERR = 8192;

/** How long the output of what a program has left behind is waited for when it has ended, in milliseconds. */
const GRACE = 250;

/** The programs that run now, so that none of them outlives this one. */
const running = new Set<Program>();

/**
 * A running program as a transport: bytes go in on its stdin and come out on its stdout. Its stderr is read all
 * the time, so that it can never block on it, and the end of it is kept for error messages.
 *
 * Except on Windows the program is the leader of a process group of its own: Ctrl-C at the terminal is not for
 * it, so it can finish what it has in hand. The group lives as long as the program: what it left in the background
 * has a quarter of a second to finish its output and is then killed. What is meant to go on needs a session of its
 * own, as `setsid` makes one. On Windows {@linkcode Program.kill} kills the children of a program that runs; what one
 * that has ended left behind goes on.
 */
export class Program implements AsyncDisposable {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** What the program prints on stdout. It ends with the program, also where something left behind holds it open. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What the program reads on stdin; closing it is the end of its input. */
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when the program has ended, its stderr has been read, and nothing of its process group is left. */
  readonly finished: Promise<ProgramExit>;
  readonly #child: Deno.ChildProcess;
  readonly #unlisten: () => void;
  #ended = false;
  /** Whether its process group is gone as well. */
  #gone = false;
  #killing: Promise<unknown> | undefined;
  #stderr: Uint8Array = new Uint8Array(0);
  readonly #input: ProgramInput;
  readonly #outputs: readonly ProgramOutput[];

  /**
   * Starts the program.
   *
   * @param command The program and its arguments.
   * @param options When to kill it and who hears its complaints.
   * @throws {UsageError} If it cannot be started.
   */
  constructor(command: readonly string[], options: StartProgramOptions = {}) {
    this.command = command;
    this.#child = spawn(command);
    const stdout = new ProgramOutput(this.#child.stdout);
    const stderr = new ProgramOutput(this.#child.stderr);
    this.#outputs = [stdout, stderr];
    this.readable = stdout.readable();
    this.#input = new ProgramInput(this.#child.stdin);
    this.writable = this.#input.writable;
    running.add(this);
    if (running.size === 1) globalThis.addEventListener("unload", killAll);
    const onAbort = () => this.kill();
    options.signal?.addEventListener("abort", onAbort);
    this.#unlisten = () => options.signal?.removeEventListener("abort", onAbort);
    this.finished = this.#finish(this.#drain(stderr, options.onStderr));
    if (options.signal?.aborted) this.kill();
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** The last line, not blank, that the program wrote on its stderr until now; `""` where there is none. */
  get lastError(): string {
    return lastLine(this.#stderr);
  }

  /** Kills the program and its children. Harmless once it has ended. */
  kill(): void {
    if (this.#gone) return;
    if (Deno.build.os !== "windows") this.#killGroup();
    else if (!this.#ended) this.#killTree();
    this.#endOutputs();
  }

  /** Kills the program and waits until nothing of it is left open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await Promise.allSettled([
      this.readable.locked ? undefined : this.readable.cancel(),
      this.writable.locked ? undefined : this.writable.abort(),
      this.finished,
    ]);
  }

  /** Kills what is alive in the program's process group, which may be without the program. */
  #killGroup(): void {
    try {
      Deno.kill(-this.#child.pid, "SIGKILL");
    } catch (error) {
      // Without the permission to kill any process it is still allowed to kill this one.
      if (error instanceof Deno.errors.NotCapable) this.#killChild();
    }
  }

  /** On Windows, a process knows its parent only: the system's own program finds the children. */
  #killTree(): void {
    try {
      const args = ["/T", "/F", "/PID", `${this.#child.pid}`];
      const options = { args, stdin: "null", stdout: "null", stderr: "null" } as const;
      const taskkill = new Deno.Command("taskkill", options).spawn();
      this.#killing = taskkill.status.then(() => this.#killChild());
    } catch {
      this.#killChild();
    }
  }

  #killChild(): void {
    if (this.#ended) return;
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended in the meantime.
    }
  }

  #endOutputs(): void {
    for (const output of this.#outputs) output.end();
  }

  async #finish(drained: Promise<void>): Promise<ProgramExit> {
    const { code, signal } = await this.#child.status;
    this.#ended = true;
    this.#unlisten();
    await this.#endGroup();
    this.#gone = true;
    await this.#killing;
    running.delete(this);
    if (running.size === 0) globalThis.removeEventListener("unload", killAll);
    await drained;
    return { code, signal };
  }

  /** Ends what the program left behind, once that has finished its output or the time for it is over. */
  async #endGroup(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, GRACE);
    void Promise.all(this.#outputs.map(({ finished }) => finished)).then(() => resolve());
    await promise;
    clearTimeout(timer);
    if (Deno.build.os !== "windows") this.#killGroup();
    this.#endOutputs();
    this.#input.end();
  }

  async #drain(stderr: ProgramOutput, onStderr?: (bytes: Uint8Array) => void): Promise<void> {
    for (let bytes; (bytes = await stderr.read()) !== undefined;) {
      const joined = new Uint8Array(this.#stderr.length + bytes.length);
      joined.set(this.#stderr);
      joined.set(bytes, this.#stderr.length);
      this.#stderr = joined.subarray(-KEPT_STDERR);
      onStderr?.(bytes);
    }
  }
}

function killAll(): void {
  for (const program of running) program.kill();
}

/**
 * Starts a program without a shell.
 *
 * @param command The program and its arguments, see {@linkcode splitCommandLine}.
 * @param options When to kill it and who hears its complaints.
 * @returns The running program.
 * @throws {UsageError} If it cannot be started.
 *
 * @example A program that answers what it is given
 * ```ts
 * import { startProgram } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * await using program = startProgram([Deno.execPath(), "eval", "await Deno.stdin.readable.pipeTo(Deno.stdout.writable)"]);
 * const writer = program.writable.getWriter();
 * await writer.write(new TextEncoder().encode("MEASURE?"));
 * await writer.close();
 * assertEquals(await new Response(program.readable).text(), "MEASURE?");
 * assertEquals((await program.finished).code, 0);
 * ```
 */
export function startProgram(
  command: readonly string[],
  options: StartProgramOptions = {},
): Program {
  return new Program(command, options);
}

function spawn(command: readonly string[]): Deno.ChildProcess {
  const [program = "", ...args] = command;
  try {
    return new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: Deno.build.os !== "windows",
    }).spawn();
  } catch (error) {
    throw new UsageError(`Cannot start program ${JSON.stringify(program)}: ${why(error)}`, {
      cause: error,
    });
  }
}

function why(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    return "expected the path of a program, or the name of one in a folder of PATH";
  }
  if (error instanceof Deno.errors.PermissionDenied) return "the file is not executable";
  return messageOf(error);
}
