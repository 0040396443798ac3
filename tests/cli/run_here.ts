/** Runs a command line inside this process, in a world of its own: no terminal, no signals, its own standard streams. */

import type { Environment } from "../../lib/cli/environment.ts";
import { run } from "../../lib/cli/run.ts";
import { registry } from "../../lib/commands/registry.ts";
import { systemClock } from "../../lib/time/clock.ts";

/** What came of a command line. */
export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** What differs from two pipes, without environment variables and signals. */
export interface World extends Partial<Omit<Environment, "stdin">> {
  /** Standard input: nothing at all by default, or `"piped"` to write to it. */
  stdin?: "null" | "piped";
  /** What there is on standard input from the beginning. */
  input?: string | Uint8Array;
  /** Whether standard output and error are terminals. */
  terminal?: boolean;
}

/** What a running program has written so far, which can be waited for. */
export class Written {
  stdout = "";
  stderr = "";
  #ended = false;
  #wake: (() => void)[] = [];
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  /** Whether nothing more comes. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Takes what was written. */
  add(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    this[stream] += this.#decoders[stream].decode(bytes, { stream: true });
    this.#notify();
  }

  /** Says that nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** Waits until what was written so far matches, and returns the match; a minute of silence is an error. */
  async until(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> {
    for (let silent = false;;) {
      const match = pattern.exec(this[stream]);
      if (match) return match;
      if (this.#ended || silent) {
        const what = silent ? "wrote nothing for a minute" : "ended";
        throw new Error(
          `The program ${what} before ${stream} matched ${pattern}\n${this.stdout}\n${this.stderr}`,
        );
      }
      silent = !await this.#writes();
    }
  }

  #notify() {
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** Whether the program writes something, or ends, within a minute. */
  async #writes(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#wake.push(() => resolve(true));
    const timer = setTimeout(() => resolve(false), 60_000);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A program that runs: a process of its own, or a function call in this one. */
export interface Running extends AsyncDisposable {
  /** What it has written to standard output so far. */
  readonly stdout: string;
  /** What it has written to standard error so far. */
  readonly stderr: string;
  /** Waits until what was written so far matches, and returns the match; a minute of silence is an error. */
  until(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray>;
  /** Writes to standard input. */
  write(data: string | Uint8Array): Promise<void>;
  /** Ends standard input. */
  closeInput(): Promise<void>;
  /** Sends Ctrl-C. */
  interrupt(): void;
  /** Resolves when it has ended. */
  result(): Promise<Result>;
}

/**
 * Starts a command line in this process, as {@linkcode runHere} runs one.
 *
 * @param args The arguments.
 * @param world The world to run it in.
 * @returns The running program. Disposing of it ends it with Ctrl-C.
 */
export function startHere(args: readonly string[], world: World = {}): Running {
  const { stdin = "null", input = "", terminal = false, ...others } = world;
  const pipe = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>(
    undefined,
    undefined,
    new ByteLengthQueuingStrategy({ highWaterMark: 1 << 16 }), // what a pipe holds while nobody reads
  );
  const writer = pipe.writable.getWriter();
  const readable = stdin === "piped" ? pipe.readable : new Blob([input as BlobPart]).stream();
  const written = new Written();
  const sink = (stream: "stdout" | "stderr") => {
    const writeSync = (bytes: Uint8Array) => {
      written.add(stream, bytes);
      return bytes.length;
    };
    return {
      writeSync,
      write: (bytes: Uint8Array) => Promise.resolve(writeSync(bytes)),
      isTerminal: () => terminal,
    };
  };
  const listeners: (() => void)[] = [];
  const early = Promise.withResolvers<number>();
  const running = run(args, {
    stdin: { readable, isTerminal: () => false },
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    clock: systemClock,
    signals: {
      names: ["SIGINT"],
      add: (_name, listener) => void listeners.push(listener),
      remove: (_name, listener) => void listeners.splice(listeners.indexOf(listener), 1),
      watch: () => Promise.resolve(undefined),
    },
    variable: () => undefined,
    columns: () => 80,
    onUnhandled: () => ({ [Symbol.dispose]() {} }),
    exit: early.resolve,
    ...others,
  }, registry);
  const result = Promise.race([running, early.promise]).then((code) => {
    written.end();
    return { code, stdout: written.stdout, stderr: written.stderr };
  });
  const interrupt = () => {
    for (const listener of [...listeners]) listener();
  };
  return {
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    until: (stream, pattern) => written.until(stream, pattern),
    write: (data) =>
      writer.write(typeof data === "string" ? new TextEncoder().encode(data) : data.slice()),
    closeInput: () => writer.close().catch(() => {}), // it reads no more
    interrupt,
    result: () => result,
    async [Symbol.asyncDispose]() {
      if (!written.ended) interrupt();
      await running;
    },
  };
}

/**
 * Runs a command line to its end.
 *
 * @param args The arguments.
 * @param world The world to run it in.
 * @returns The exit code and what was written.
 */
export async function runHere(args: readonly string[], world: World = {}): Promise<Result> {
  const exit = (code: number) => {
    throw new Error(`Ended at once with ${code}`);
  };
  return await startHere(args, { exit, ...world }).result();
}
