import { messageOf, UsageError } from "../errors.ts";
import { lastLine } from "./last_line.ts";

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

/** How long stderr is read on when the program has ended, in milliseconds. */
const STDERR_GRACE = 250;

/**
 * A running program as a transport: bytes go in on its stdin and come out on its stdout. Its stderr is read all
 * the time, so that it can never block on it, and the end of it is kept for error messages.
 *
 * Except on Windows the program is the leader of a process group of its own: Ctrl-C at the terminal is not for
 * it, so it can finish what it has in hand, and {@linkcode Program.kill} ends its children too.
 */
export class Program implements AsyncDisposable {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** What the program prints on stdout. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What the program reads on stdin; closing it is the end of its input. */
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when the program has ended and its stderr has been read. */
  readonly finished: Promise<ProgramExit>;
  readonly #child: Deno.ChildProcess;
  readonly #unlisten: () => void;
  #ended = false;
  #stderr: Uint8Array = new Uint8Array(0);
  readonly #stderrReader: ReadableStreamDefaultReader<Uint8Array>;

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
    this.readable = this.#child.stdout;
    this.writable = this.#child.stdin;
    this.#stderrReader = this.#child.stderr.getReader();
    const onAbort = () => this.kill();
    options.signal?.addEventListener("abort", onAbort);
    this.#unlisten = () => options.signal?.removeEventListener("abort", onAbort);
    this.finished = this.#finish(options.onStderr);
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

  /** Kills the program, and its children where the platform has process groups. Harmless once it has ended. */
  kill(): void {
    if (this.#ended) return;
    try {
      if (Deno.build.os === "windows") this.#child.kill("SIGKILL");
      else Deno.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // It has ended in the meantime.
    }
    this.#stopDraining();
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

  #stopDraining(): void {
    this.#stderrReader.cancel().catch(() => {});
  }

  async #finish(onStderr?: (bytes: Uint8Array) => void): Promise<ProgramExit> {
    const drained = this.#drain(onStderr);
    const { code, signal } = await this.#child.status;
    this.#ended = true;
    this.#unlisten();
    // A child that the program left behind may hold its stderr open for as long as it lives.
    const timer = setTimeout(() => this.#stopDraining(), STDERR_GRACE);
    await drained;
    clearTimeout(timer);
    return { code, signal };
  }

  async #drain(onStderr?: (bytes: Uint8Array) => void): Promise<void> {
    while (true) {
      const { value } = await this.#stderrReader.read().catch(() => ({ value: undefined }));
      if (value === undefined) return;
      const joined = new Uint8Array(this.#stderr.length + value.length);
      joined.set(this.#stderr);
      joined.set(value, this.#stderr.length);
      this.#stderr = joined.subarray(-KEPT_STDERR);
      onStderr?.(value);
    }
  }
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
