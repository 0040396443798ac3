import { RemoteError } from "../../errors.ts";
import { type Program, type ProgramExit, startProgram } from "../../process/program.ts";
import { timerDelay } from "../../time/deadline.ts";
import { type Answer, FrameReader, FrameWriter } from "./frames.ts";
import { PrintedLines } from "../printed.ts";

/** What an interpreter does first: reads the host program, whose length it is told, and runs it. Python 2 understands it as well. */
const LOADER = "import sys,os;sys.version_info>=(3,8)or os._exit(1);n=int(sys.argv[1]);" +
  "r=lambda s:s if len(s)==n else r(s+(os.read(0,n-len(s))or os._exit(0)));exec(compile(r(b''),'<labwire>','exec'))";

/** What the host program has to know. */
export interface HostConfig {
  /** The module's path. */
  readonly file: string;
  /** What its functions get. */
  readonly use: unknown;
  /** What `setup()` gets, by name. */
  readonly options: Readonly<Record<string, string>>;
  /** How many calls may run at once. */
  readonly concurrency: number;
  /** The longest answer in bytes. */
  readonly limit: number;
  /** Whether files that are imported later are to be told as well. */
  readonly reload: boolean;
  /** This process, whose end is the host's on Windows. */
  readonly labwire: number;
}

/** What the host program says of a module that it has loaded. */
export interface Loaded {
  /** The commands that it has. */
  readonly commands: readonly {
    readonly name: string;
    readonly signature: string;
    readonly doc: string;
  }[];
  /** Which of the functions with a meaning it has. */
  readonly functions: readonly string[];
  /** The files that it consists of. */
  readonly files: readonly string[];
}

/** What was raised in Python. */
export interface Fault {
  readonly message: string;
  /** File and line. */
  readonly place?: string | null;
  /** The traceback. */
  readonly trace?: string;
}

/** What came of a start: the module is there, it does not load, or this is no interpreter for it. */
export type Start =
  | { readonly kind: "loaded"; readonly loaded: Loaded }
  | { readonly kind: "failed"; readonly fault: Fault }
  | { readonly kind: "unfit"; readonly why: string };

/** What to call while a process runs. */
export interface ProcessEvents {
  /** Called with each frame once the module is loaded; what it returns is waited for before the next one is read. */
  readonly onFrame: (answer: Answer) => void | Promise<void>;
  /** Called with what the module prints, in whole lines. */
  readonly onPrint: (lines: Uint8Array) => void;
  /** Called when the process has ended after it had loaded the module. */
  readonly onEnd: (how: string) => void;
}

/** One run of the host program, which has loaded a user's module. */
export class PythonProcess {
  /** What came of the start; never rejects. */
  readonly started: Promise<Start>;
  /** Resolves when nothing of the process is left. */
  readonly finished: Promise<void>;
  readonly #program: Program;
  readonly #events: ProcessEvents;
  readonly #printed: PrintedLines;
  #start: ((start: Start) => void) | undefined;
  /** Whether the host program runs, so that there is a Python. */
  #runs = false;
  /** Whether the module was loaded. */
  #loaded = false;
  readonly #out = new FrameWriter();
  #writing = false;

  /**
   * Starts it.
   *
   * @param interpreter The command line of the interpreter.
   * @param source The host program.
   * @param config What it has to know.
   * @param events What to call.
   * @throws {UsageError} If it cannot be started.
   */
  constructor(
    interpreter: readonly string[],
    source: string,
    config: HostConfig,
    events: ProcessEvents,
  ) {
    this.#events = events;
    this.#printed = new PrintedLines(events.onPrint);
    const program = new TextEncoder().encode(source);
    const { promise, resolve } = Promise.withResolvers<Start>();
    this.started = promise;
    this.#start = resolve;
    this.#program = startProgram(
      [...interpreter, "-X", "utf8", "-c", LOADER, `${program.length}`],
      { onStderr: (bytes) => this.#printed.push(bytes) },
    );
    this.#out.addBytes(program);
    this.write("I", 0, new TextEncoder().encode(JSON.stringify(config)));
    this.finished = this.#run();
  }

  /** The process id. */
  get pid(): number {
    return this.#program.pid;
  }

  /**
   * Writes a frame, together with others that come before the next {@linkcode PythonProcess.flush}.
   *
   * @param kind Its kind.
   * @param number The number of the call or peer.
   * @param first What it carries, in up to three parts.
   */
  add(
    kind: string,
    number: number,
    first?: Uint8Array,
    second?: Uint8Array,
    third?: Uint8Array,
  ): void {
    this.#out.add(kind, number, first, second, third);
  }

  /** Writes what was added; what comes while that is being written is written after it. */
  flush(): void {
    if (!this.#writing) void this.#flush();
  }

  /** Writes a frame at once. */
  write(kind: string, number: number, payload?: Uint8Array): void {
    this.add(kind, number, payload);
    this.flush();
  }

  /** Kills the process. */
  kill(): void {
    this.#program.kill();
  }

  /** Interrupts the user's code where it has not returned, so that its `close()` can run. On Windows the host does that itself. */
  interrupt(): void {
    if (Deno.build.os === "windows") return;
    try {
      Deno.kill(this.pid, "SIGTERM");
    } catch {
      // it has just ended, or may not be interrupted: it is killed then
    }
  }

  /**
   * Has the module's `close()` run, and waits for the end of the process; kills it if that takes too long.
   *
   * @param seconds How long it may take.
   * @returns Whether it ended by itself.
   */
  async close(seconds: number): Promise<boolean> {
    let inTime = true;
    const timer = setTimeout(() => {
      inTime = false;
      this.kill();
    }, timerDelay(seconds));
    this.write("C", 0);
    void this.#program.closeWrite();
    await this.finished;
    clearTimeout(timer);
    return inTime;
  }

  async #flush(): Promise<void> {
    this.#writing = true;
    while (this.#out.length > 0) {
      if (!await this.#program.write(this.#out.take())) break;
    }
    this.#writing = false;
  }

  async #run(): Promise<void> {
    const reader = new FrameReader();
    try {
      for (let chunk; (chunk = await this.#program.read()) !== null;) {
        reader.push(chunk);
        for (let answer; (answer = reader.next()) !== null;) {
          const waiting = this.#take(answer);
          if (waiting) await waiting;
        }
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    } finally {
      this.kill();
    }
    const exit = await this.#program.finished;
    await this.#program[Symbol.asyncDispose]();
    this.#printed.end();
    if (this.#start) this.#notStarted(exit);
    else if (this.#loaded) this.#events.onEnd(endOf(exit));
  }

  #take(answer: Answer): void | Promise<void> {
    const start = this.#start;
    if (!start) return this.#events.onFrame(answer);
    if (answer.kind === "I") {
      this.#runs = true;
      return;
    }
    this.#start = undefined;
    this.#loaded = answer.kind === "H";
    const said = JSON.parse(new TextDecoder().decode(answer.payload));
    start(
      answer.kind === "H" ? { kind: "loaded", loaded: said } : { kind: "failed", fault: said },
    );
  }

  /** Finds out why there was no word of the host program. */
  #notStarted(exit: ProgramExit): void {
    const start = this.#start!;
    const how = endOf(exit);
    const { lastError } = this.#program;
    if (this.#runs) {
      start({ kind: "failed", fault: { message: `Python ${how} while it was loaded` } });
    } else start({ kind: "unfit", why: lastError === "" ? how : `${how}: ${lastError}` });
  }
}

function endOf({ code, signal }: ProgramExit): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}

/** What a module in Python has raised. */
export class PythonError extends RemoteError {
  /** The traceback, for `--debug`. */
  override readonly stack: string;
  /** File and line in the user's code, as in `supply.py:12`, where they are known. */
  declare readonly place?: string;

  /** @param fault What was raised. */
  constructor({ message, place, trace }: Fault) {
    super(message);
    if (place) this.place = place;
    this.stack = trace ?? message;
  }
}
