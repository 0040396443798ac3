import { concat } from "@std/bytes/concat";
import { messageOf, UsageError } from "../errors.ts";
import { closeWhenAborted, notify } from "../time/lifecycle.ts";
import { ProgramInput, ProgramOutput } from "./pipes.ts";

/** How {@linkcode startProgram} starts a program. */
export interface StartProgramOptions {
  /** Kills the program when it fires. */
  signal?: AbortSignal;
  /** Called with what the program writes on its stderr, as it comes. */
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

/** How long to wait, when a program has ended, for the output of what it has left behind, in milliseconds. */
const GRACE = 250;

/** The programs that run now, so that none of them outlives this one. */
const running = new Set<Program>();

/**
 * A running program, to be read and written as a connection is: what is written goes to its stdin, what is read comes from its
 * stdout. Its stderr is read all the time, so that the program never waits for it, and the end of it is kept for error messages.
 *
 * Except on Windows the program is the leader of a process group of its own, so that Ctrl-C at the terminal does not reach it and
 * it can finish what it is doing. The group lives as long as the program: what it left in the background has a quarter of a
 * second to finish its output and is then killed. What is meant to go on needs a session of its own, as `setsid` makes one. On
 * Windows {@linkcode Program.kill} kills the children of a program that runs; what one that has ended left behind goes on.
 */
export class Program implements AsyncDisposable {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Resolves when the program has ended, its stderr has been read, and nothing of its process group is left. */
  readonly finished: Promise<ProgramExit>;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: ProgramInput;
  readonly #stdout: ProgramOutput;
  readonly #stderr: ProgramOutput;
  /** The end of what was written on stderr. */
  #complaints: Uint8Array = new Uint8Array(0);
  #ended = false;
  /** Whether its process group is gone as well. */
  #gone = false;
  #killing: Promise<unknown> | undefined;

  /**
   * Starts the program.
   *
   * @param command The program and its arguments.
   * @param options When to kill it, and who gets its stderr.
   * @throws {UsageError} If it cannot be started.
   *
   * @internal
   */
  constructor(command: readonly string[], options: StartProgramOptions = {}) {
    this.command = command;
    this.#child = spawn(command);
    this.#stdin = new ProgramInput(this.#child.stdin);
    this.#stdout = new ProgramOutput(this.#child.stdout);
    this.#stderr = new ProgramOutput(this.#child.stderr);
    running.add(this);
    if (running.size === 1) globalThis.addEventListener("unload", killAll);
    this.finished = this.#finish(this.#drain(options.onStderr));
    closeWhenAborted(options.signal, this.finished, () => this.kill());
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** The last line, not blank, that the program wrote on its stderr until now; `""` where there is none. */
  get lastError(): string {
    return new TextDecoder().decode(this.#complaints).trimEnd().split("\n").at(-1)!.trim();
  }

  /**
   * Reads what the program prints next; one read at a time.
   *
   * @returns One or more bytes; null at the end, which is that of the program, also where something left behind holds its stdout
   * open.
   */
  read(): Promise<Uint8Array | null> {
    return this.#stdout.read();
  }

  /** What the program prints, to the end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for (let bytes; (bytes = await this.read()) !== null;) yield bytes;
  }

  /** Reads no more: a read that is waited for returns null. */
  async stopReading(): Promise<void> {
    await this.#stdout.cancel();
  }

  /**
   * Writes to the program's stdin, and waits as long as the program does not read it.
   *
   * @param bytes What to write; not to be changed before the promise resolves.
   * @returns Whether the program took it; false once it has closed its stdin or ended.
   */
  write(bytes: Uint8Array): Promise<boolean> {
    return this.#stdin.write(bytes);
  }

  /** Ends the program's input, after what is being written. */
  async closeWrite(): Promise<void> {
    await this.#stdin.close();
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
    await Promise.all([this.#stdout.cancel(), this.finished]);
    await this.#stdin.end();
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
    this.#stdout.end();
    this.#stderr.end();
  }

  async #finish(drained: Promise<void>): Promise<ProgramExit> {
    const { code, signal } = await this.#child.status;
    this.#ended = true;
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
    void Promise.all([this.#stdout.finished, this.#stderr.finished]).then(() => resolve());
    await promise;
    clearTimeout(timer);
    if (Deno.build.os !== "windows") this.#killGroup();
    this.#endOutputs();
    void this.#stdin.end();
  }

  async #drain(onStderr?: (bytes: Uint8Array) => void): Promise<void> {
    for (let bytes; (bytes = await this.#stderr.read()) !== null;) {
      this.#complaints = concat([this.#complaints, bytes]).subarray(-KEPT_STDERR);
      notify(onStderr, bytes);
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
 * @param options When to kill it, and who gets its stderr.
 * @returns The running program.
 * @throws {UsageError} If it cannot be started.
 *
 * @example A program that answers what it is given
 * ```ts
 * import { startProgram } from "@labwire/labwire/process";
 * import { assertEquals } from "@std/assert";
 *
 * await using program = startProgram([Deno.execPath(), "eval", "await Deno.stdin.readable.pipeTo(Deno.stdout.writable)"]);
 * await program.write(new TextEncoder().encode("MEASURE?"));
 * await program.closeWrite();
 * assertEquals(new TextDecoder().decode((await program.read())!), "MEASURE?");
 * assertEquals((await program.finished).code, 0);
 * ```
 */
export function startProgram(
  command: readonly string[],
  options: StartProgramOptions = {},
): Program {
  return new Program(command, options);
}

/**
 * Describes how a program ended, for an error message.
 *
 * @param program The program.
 * @param exit How it ended.
 * @returns For example `Program "x.py" ended with exit code 3`.
 */
export function describeExit({ command }: Program, { code, signal }: ProgramExit): string {
  const name = `Program ${JSON.stringify(command[0])}`;
  return signal === null
    ? `${name} ended with exit code ${code}`
    : `${name} was ended by ${signal}`;
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
    const message = `Cannot start program ${JSON.stringify(program)}: ${why(error)}`;
    // It has no place in the user's code: nobody need look for one in its stack, which Deno 2.9 may panic at where too many files are open.
    throw Object.assign(new UsageError(message, { cause: error }), { place: undefined });
  }
}

function why(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    return "expected the path of a program, or the name of one in a folder of PATH";
  }
  if (error instanceof Deno.errors.PermissionDenied) return "the file is not executable";
  return messageOf(error);
}
