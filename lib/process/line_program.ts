import { CodecError, ConnectError, messageOf, RemoteError } from "../errors.ts";
import { encodeLine, LineDecoder } from "../text/lines.ts";
import { timerDelay, whenOverdue } from "../time/deadline.ts";
import { notify } from "../time/lifecycle.ts";
import { describeExit, type Program, startProgram } from "./program.ts";

/** What went wrong with a program that is kept running, beside a message. */
export interface ProgramProblem {
  /** What it is: the program has ended by itself, or printed a line that answers no message. */
  kind: "exit" | "unsolicited";
  /** What it is, to be shown to a person. */
  message: string;
}

/** How a {@linkcode LineProgram} is kept running. */
export interface LineProgramOptions {
  /** How long an answer may take, in seconds; after that the program is killed. Default: 30. */
  timeout?: number;
  /** How long to wait before the program is started again, in seconds. Default: 1. */
  restartDelay?: number;
  /** The longest line it may answer, in bytes. Default: 16 MiB. */
  maxLineBytes?: number;
  /** Called with what goes wrong beside a message. */
  onProblem?: (problem: ProgramProblem) => void;
  /** Called with what the program writes on its stderr, as it comes. */
  onStderr?: (bytes: Uint8Array) => void;
}

/** Who waits for the next line. */
interface Pending {
  resolve: (line: Uint8Array) => void;
  reject: (error: Error) => void;
}

/**
 * A program that is kept running and spoken to line by line: one line in, one line out, one at a time in the order
 * of the calls. When it dies, the message that it was handling fails and the program is started again after a delay; messages
 * that come in the meantime wait for that.
 *
 * The program must print nothing but its answers on stdout, and flush each (Python: `print(…, flush=True)`); what
 * it has to say to people belongs on stderr.
 *
 * @example Ask twice
 * ```ts
 * import { LineProgram } from "@labwire/labwire/process";
 * import { assertEquals } from "@std/assert";
 *
 * const script = `
 *   let count = 0;
 *   for await (const _ of Deno.stdin.readable) console.log(++count);
 * `;
 * await using program = new LineProgram([Deno.execPath(), "eval", script]);
 * assertEquals(await program.ask("next"), "1");
 * assertEquals(await program.ask("next"), "2");
 * ```
 */
export class LineProgram implements AsyncDisposable {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly #options: LineProgramOptions;
  readonly #name: string;
  #program: Program | null = null;
  #running: Promise<unknown> = Promise.resolve();
  #pending: Pending | null = null;
  #tail: Promise<unknown> = Promise.resolve();
  #restart: PromiseWithResolvers<void> | null = null;
  #restartTimer: ReturnType<typeof setTimeout> | undefined;
  #closing: Promise<void> | null = null;

  /**
   * Starts the program.
   *
   * @param command The program and its arguments, see {@linkcode splitCommandLine}.
   * @param options Timeouts, and what to call when something happens.
   * @throws {UsageError} If it cannot be started.
   */
  constructor(command: readonly string[], options: LineProgramOptions = {}) {
    this.command = command;
    this.#options = options;
    this.#name = JSON.stringify(command[0]);
    this.#start();
  }

  /** The process id, or `null` while the program is down. */
  get pid(): number | null {
    return this.#program?.pid ?? null;
  }

  /**
   * Sends a line and waits for the one that answers it.
   *
   * @param line The line, without the newline at its end.
   * @returns The answer, without the newline at its end.
   * @throws {CodecError} If there is a newline in the line.
   * @throws {RemoteError} If the program died before it answered this line.
   * @throws {ConnectError} If no answer came in time, or the program has been closed.
   */
  async ask(line: string): Promise<string> {
    return new TextDecoder().decode(await this.askBytes(new TextEncoder().encode(line)));
  }

  /**
   * Like {@linkcode LineProgram.ask}, on bytes.
   *
   * @param line The line, without the newline at its end; copied at once.
   * @param signal Where it is aborted before the line's turn, the program does not get the line.
   * @returns The answer, without the newline at its end.
   * @throws {CodecError} If there is a newline in the line.
   * @throws {RemoteError} If the program died before it answered this line.
   * @throws {ConnectError} If no answer came in time, or the program has been closed.
   * @throws The signal's reason, if the line was not sent because of it.
   */
  async askBytes(line: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    const message = encodeLine(line);
    const answer = this.#tail.then(() => this.#ask(message, signal));
    this.#tail = answer.catch(() => {});
    return await answer;
  }

  /**
   * Ends the input of the program, waits for it to end by itself, and kills it if it does not.
   *
   * @param options How long that may take: `grace` in seconds, 2 by default.
   * @returns When nothing of it is left.
   */
  close(options: { grace?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.grace ?? 2);
    return this.#closing;
  }

  /** Same as {@linkcode LineProgram.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(grace: number): Promise<void> {
    clearTimeout(this.#restartTimer);
    this.#restart?.resolve();
    this.#fail(new ConnectError(`Program ${this.#name} was stopped`));
    const timer = setTimeout(() => this.#program?.kill(), timerDelay(grace));
    void this.#program?.closeWrite();
    await this.#running;
    clearTimeout(timer);
  }

  #start(): void {
    const program = startProgram(this.command, { onStderr: this.#options.onStderr });
    this.#program = program;
    this.#running = this.#run(program);
  }

  async #run(program: Program): Promise<void> {
    const ended = program.finished.then(() => program.stopReading());
    try {
      await this.#readLines(program);
    } finally {
      this.#stop();
      const exit = await program.finished;
      await ended;
      this.#program = null;
      const reason = describeExit(program, exit);
      this.#died(program.lastError === "" ? reason : `${reason}: ${program.lastError}`);
    }
  }

  async #readLines(program: Program): Promise<void> {
    const { maxLineBytes = 16 * 1024 * 1024 } = this.#options;
    const decoder = new LineDecoder(maxLineBytes, false);
    try {
      for await (const chunk of program) {
        decoder.push(chunk);
        for (let line; (line = decoder.next()) !== null;) this.#onLine(line);
      }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      const message = `Program ${this.#name} printed a line of more than ${maxLineBytes} bytes`;
      this.#fail(new RemoteError(message));
    }
  }

  #onLine(line: Uint8Array): void {
    const pending = this.#pending;
    this.#pending = null;
    if (pending) return pending.resolve(line.slice());
    const text = new TextDecoder().decode(line);
    const message = `Program ${this.#name} printed an unsolicited line: ${text}`;
    notify(this.#options.onProblem, { kind: "unsolicited", message });
  }

  #fail(error: Error): void {
    const pending = this.#pending;
    this.#pending = null;
    pending?.reject(error);
  }

  /** Kills the program; from now on messages wait for the next start. */
  #stop(): void {
    this.#restart ??= Promise.withResolvers();
    this.#program?.kill();
  }

  #died(reason: string): void {
    this.#fail(new RemoteError(reason));
    if (this.#closing) return;
    notify(this.#options.onProblem, {
      kind: "exit",
      message: `${reason}; starting it again`,
    });
    this.#restartTimer = setTimeout(
      () => this.#startAgain(),
      timerDelay(this.#options.restartDelay ?? 1),
    );
  }

  #startAgain(): void {
    const restart = this.#restart!;
    try {
      this.#start();
    } catch (error) {
      return this.#died(messageOf(error));
    }
    this.#restart = null;
    restart.resolve();
  }

  async #ask(line: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    while (this.#restart && !this.#closing) await this.#restart.promise;
    signal?.throwIfAborted();
    if (this.#closing) throw new ConnectError(`Program ${this.#name} was stopped`);
    const { timeout = 30 } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#pending = { resolve, reject };
    // A late answer would be taken for that of the next message: so the program is started again.
    using _ = whenOverdue(timeout, () => {
      this.#fail(
        new ConnectError(`No answer from program ${this.#name} within ${timeout} s`),
      );
      this.#stop();
    });
    void this.#program?.write(line);
    return await promise;
  }
}
