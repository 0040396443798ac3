import { resolve } from "node:path";
import { ConnectError, RemoteError, UsageError, whyUnreadable } from "../../errors.ts";
import { timerDelay, whenOverdue } from "../../time/deadline.ts";
import { whenAborted } from "../../time/lifecycle.ts";
import { LatencyRecorder } from "../../time/latency.ts";
import type {
  CommandDescription,
  HandlerEvents,
  HandlerPeer,
  HandlerUse,
  ModuleCounters,
  ModuleHandler,
  ModuleValues,
} from "../module_handler.ts";
import { type CallOrigin, type CallPython, exportsOf } from "./exports.ts";
import type { Answer } from "./frames.ts";
import { findPython, isOld, noPython, versionOf } from "./interpreter.ts";
import { NumberedPeers } from "./peers.ts";
import { type Fault, type Loaded, PythonError, PythonProcess, type Start } from "./process.ts";
import { SourceFiles } from "../source_files.ts";

/** The longest answer that is passed on, in bytes. */
const LIMIT = 1 << 24;
/** Most calls that wait for their turn in the pipe. */
const MOST_AHEAD = 64;
/** How much work may wait there, in µs: it cannot be taken back. */
const WORK_AHEAD = 2000;
/** How much a call counts in the mean duration. */
const WEIGHT = 0.2;
/** Seconds for the module's `close()`. */
const LAST_SECONDS = 5;
/** Milliseconds between two looks at the module's files while calls are under way. */
const LOOK_EVERY = 250;

const decoder = new TextDecoder();

/** What can be chosen beside a command line's values. */
export interface PythonOptions extends ModuleValues {
  /** How long to wait before the interpreter is started again, in seconds. Default: 1. */
  readonly restartDelay?: number;
}

/** A call that waits, or is under way. */
interface Call {
  readonly kind: string;
  readonly payload: readonly Uint8Array[];
  readonly origin: CallOrigin;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What is made of the answer. */
  readonly read: (answer: Answer) => unknown;
  /** When it was written, in ms. */
  sent: number;
}

/**
 * Opens a user's module in Python: starts an interpreter that loads it and is kept running.
 *
 * @param file Its path, as given on the command line.
 * @param use What its functions get.
 * @param options How to open it.
 * @param events What to call.
 * @returns The module, to be disposed of.
 * @throws {UsageError} If there is no interpreter, or the module cannot be loaded.
 */
export async function openPython(
  file: string,
  use: HandlerUse,
  options: PythonOptions,
  events: HandlerEvents,
): Promise<PythonModule> {
  try {
    if (!(await Deno.stat(file)).isFile) throw new Error("it is no file");
  } catch (cause) {
    const why = whyUnreadable(cause);
    throw new UsageError(`Cannot load handler "${file}": ${why}`, { cause });
  }
  const { default: source } = await import("./host.py", { with: { type: "text" } });
  const interpreters = await findPython(options.python);
  const module = new PythonModule(file, use, options, events, source);
  await module.open(interpreters);
  return module;
}

/**
 * A module in Python. Its functions are called one after another by a process that is kept running; calls that take little time wait
 * for their turn in the pipe. When the process dies, the call at hand fails, the others wait, and it is started again.
 */
export class PythonModule implements ModuleHandler {
  readonly kind = "module";
  readonly language = "python";
  readonly file: string;
  readonly #use: HandlerUse;
  readonly #options: PythonOptions;
  readonly #events: HandlerEvents;
  readonly #source: string;
  readonly #overhead = new LatencyRecorder();
  #interpreter: readonly string[] = [];
  #loaded: Loaded = { commands: [], functions: [], files: [] };
  #exports: Readonly<Record<string, unknown>> = {};
  #files: SourceFiles | undefined;
  /** The process that takes calls; undefined while there is none. */
  #process: PythonProcess | undefined;
  /** Any process that has not ended. */
  #running: PythonProcess | undefined;
  readonly #waiting: Call[] = [];
  /** Calls that were written, in order. */
  readonly #sent = new Map<number, Call>();
  #lastNumber = 0;
  /** How many calls were under way after the last write. */
  #written = 0;
  /** The mean duration of a call in µs. */
  #mean = WORK_AHEAD;
  #lastAnswer = 0;
  #timer: Disposable | undefined;
  /** The number of the call that took too long and has not been answered since. */
  #late: number | undefined;
  #restartTimer: ReturnType<typeof setTimeout> | undefined;
  #lookTimer: ReturnType<typeof setInterval> | undefined;
  #changed = false;
  #reloading: Promise<void> | undefined;
  #starting: Promise<boolean> | undefined;
  /** Why there is no module to call, as far as that is not about to change. */
  #broken: RemoteError | undefined;
  #restarts = 0;
  readonly #peers = new NumberedPeers();
  #isStopped = false;
  #closing: Promise<void> | undefined;

  /**
   * Use {@linkcode openPython}.
   *
   * @internal
   */
  constructor(
    file: string,
    use: HandlerUse,
    options: PythonOptions,
    events: HandlerEvents,
    source: string,
  ) {
    this.file = file;
    this.#use = use;
    this.#options = options;
    this.#events = events;
    this.#source = source;
  }

  get exports(): Readonly<Record<string, unknown>> {
    return this.#exports;
  }

  get depth(): number {
    const { concurrency = 1 } = this.#options;
    if (concurrency > 1) return concurrency;
    return Math.min(MOST_AHEAD, Math.max(1, Math.floor(WORK_AHEAD / this.#mean)));
  }

  get counters(): ModuleCounters {
    const { count } = this.#overhead;
    const restarts = this.#restarts;
    return count === 0
      ? { restarts }
      : { restarts, overhead: this.#overhead.summary().median / 1e6 };
  }

  describe(): Promise<CommandDescription[]> {
    return Promise.resolve([...this.#loaded.commands]);
  }

  release(peer: HandlerPeer): void {
    const number = this.#peers.release(peer);
    if (number !== undefined) this.#process?.write("Q", number);
  }

  /**
   * Loads the module for the first time.
   *
   * @param interpreters Which interpreters to try.
   * @throws {UsageError} If none is fit, or the module cannot be loaded; the reason of the signal that ends the wait.
   *
   * @internal
   */
  async open(interpreters: readonly (readonly string[])[]): Promise<void> {
    const { signal } = this.#events;
    using _ = whenAborted(signal, () => this.#running?.kill());
    const unfit: string[] = [];
    for (const interpreter of interpreters) {
      signal?.throwIfAborted();
      this.#interpreter = interpreter;
      const start = await this.#start();
      signal?.throwIfAborted();
      if (start.kind === "loaded") return;
      if (start.kind === "failed") throw this.#loadError(start.fault);
      const version = await versionOf(interpreter);
      const why = version === undefined || !isOld(version) ? start.why : `is ${version}`;
      unfit.push(`${interpreter.join(" ")} ${why}`);
    }
    throw noPython(unfit);
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#rejectAll(this.#stopped());
    // What waits in the pipe is not begun either.
    if (this.#sent.size > 0) this.#process?.interrupt();
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Calls the module when its turn has come. */
  readonly #call: CallPython = (kind, payload, read, origin = {}) => {
    if (this.#isStopped) return Promise.reject(this.#stopped());
    const repaired = this.#broken && this.#options.reload && this.#files!.changed();
    if (this.#broken && !repaired && !this.#starting) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ kind, payload, origin, resolve, reject, read, sent: 0 });
      if (repaired) this.#reload();
      else this.#pump();
    });
  };

  /** Writes calls as far as they may be under way together. */
  #pump(): void {
    if (!this.#process || this.#waiting.length === 0 || this.#reloading) return;
    if (this.#options.reload && this.#mustReload()) return;
    // Fewer and larger writes: what comes while calls are under way waits until half of them are answered.
    const { concurrency = 1 } = this.#options;
    if (concurrency === 1 && this.#sent.size > this.#written >> 1) return;
    const most = this.depth;
    let taken = 0;
    while (this.#sent.size < most && taken < this.#waiting.length) {
      const call = this.#waiting[taken++]!;
      const { peer, signal } = call.origin;
      if (signal?.aborted) {
        call.reject(signal.reason);
        continue;
      }
      const number = this.#lastNumber = (this.#lastNumber + 1) >>> 0;
      this.#sent.set(number, call);
      call.sent = performance.now();
      if (this.#sent.size === 1) this.#lastAnswer = call.sent;
      this.#addFrame(this.#process, number, call);
      if (peer && this.#peers.isGone(peer)) this.release(peer);
    }
    this.#written = this.#sent.size;
    this.#waiting.splice(0, taken);
    this.#process.flush();
    this.#arm();
  }

  /** Makes the frame of a call, and one before it where the process does not know its peer. */
  #addFrame(to: PythonProcess, number: number, { kind, payload, origin: { peer } }: Call): void {
    if (!peer) return to.add(kind, number, payload[0], payload[1]);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, this.#peers.introduce(peer, to), true);
    to.add(kind, number, bytes, payload[0], payload[1]);
  }

  #onFrame(answer: Answer): void | Promise<void> {
    const { kind, number } = answer;
    if (kind === "Y") return this.#send(number, answer.payload.slice());
    if (kind === "W") return this.#tellClose(answer);
    if (kind === "M") return this.#watch(JSON.parse(decoder.decode(answer.payload)));
    if (number === this.#late) this.#late = undefined;
    const call = this.#sent.get(number);
    if (!call) return;
    this.#sent.delete(number);
    const now = performance.now();
    this.#lastAnswer = now;
    this.#mean += (answer.micros - this.#mean) * WEIGHT;
    this.#overhead.record(Math.max(0, (now - call.sent) * 1000 - answer.taken));
    if (kind === "E") call.reject(new PythonError(faultOf(answer)));
    else {
      try {
        call.resolve(call.read(answer));
      } catch (error) {
        call.reject(error);
      }
    }
    this.#pump();
  }

  /** Sends a peer what the module wants to be sent. */
  async #send(number: number, message: Uint8Array): Promise<void> {
    try {
      await this.#peers.get(number)?.send(message);
    } catch {
      // it has gone, which whoever listens to it knows
    }
  }

  /** Watches these files too. */
  #watch(paths: readonly string[]): void {
    const all = new Set([...this.#files?.paths ?? [], ...paths]);
    this.#files = new SourceFiles([...all], this.#files);
  }

  #tellClose(answer: Answer): void {
    const fault = faultOf(answer);
    this.#tell("close", `close() of handler "${this.file}" failed: ${described(fault)}`);
  }

  /** Sees to it that a call which takes too long ends. */
  #arm(): void {
    const { handlerTimeout } = this.#options;
    if (handlerTimeout === undefined || this.#timer !== undefined || this.#sent.size === 0) return;
    const left = this.#begun() + handlerTimeout * 1000 - performance.now();
    this.#timer = whenOverdue(Math.max(0, left) / 1000, () => this.#checkTime());
  }

  /** When the call that has been running for longest began, in ms. */
  #begun(): number {
    const [first] = this.#sent.values();
    if ((this.#options.concurrency ?? 1) > 1) return first!.sent;
    return Math.max(first!.sent, this.#lastAnswer);
  }

  #checkTime(): void {
    this.#timer = undefined;
    const [first] = this.#sent.keys();
    if (first === undefined) return;
    const { handlerTimeout = Infinity } = this.#options;
    if (performance.now() - this.#begun() < handlerTimeout * 1000) return this.#arm();
    const why =
      `The handler took longer than ${handlerTimeout} s and was ended; what it was doing may be half done`;
    this.#late = first;
    this.#failFirst(new ConnectError(why));
    // Nothing more is to be written to a process that is about to end; what it still answers counts.
    this.#process = undefined;
    this.#running?.kill();
  }

  /** Takes back calls that were written and have not begun. */
  #takeBack(): void {
    this.#waiting.unshift(...this.#sent.values());
    this.#sent.clear();
  }

  #failFirst(error: Error): void {
    for (const [number, call] of this.#sent) {
      this.#sent.delete(number);
      return call.reject(error);
    }
  }

  async #start(): Promise<Start> {
    const { handlerArg = [], concurrency = 1 } = this.#options;
    const config = {
      file: this.file,
      use: this.#use,
      options: Object.fromEntries(handlerArg),
      concurrency,
      limit: LIMIT,
      reload: this.#options.reload ?? false,
      labwire: Deno.pid,
    };
    this.#files = new SourceFiles([...new Set([resolve(this.file), ...this.#files?.paths ?? []])]);
    const started = new PythonProcess(this.#interpreter, this.#source, config, {
      onFrame: (answer) => this.#onFrame(answer),
      onPrint: (lines) => this.#events.onStderr?.(lines),
      onEnd: (how) => this.#died(started, how),
    });
    this.#running = started;
    const start = await started.started;
    if (start.kind !== "loaded") {
      await started.finished;
      this.#running = undefined;
      return start;
    }
    this.#broken = undefined;
    this.#peers.introduceAgain();
    this.#loaded = start.loaded;
    this.#exports = exportsOf(start.loaded, this.#use, this.#call);
    if (this.#options.reload) {
      this.#watch(start.loaded.files);
      this.#lookTimer ??= setInterval(() => this.#look(), LOOK_EVERY);
    }
    this.#process = started;
    return start;
  }

  /** The process has ended. */
  #died(which: PythonProcess, how: string): void {
    if (this.#running !== which) return;
    this.#process = undefined;
    this.#running = undefined;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const reason = `Handler "${this.file}" ${how}`;
    const error = new RemoteError(`${reason} before it had answered`);
    const all = (this.#options.concurrency ?? 1) > 1;
    // The first one was at hand, unless the one that took too long still was; the others had not begun.
    if (this.#late === undefined) this.#failFirst(error);
    while (all && this.#sent.size > 0) this.#failFirst(error);
    this.#late = undefined;
    this.#takeBack();
    if (this.#isStopped) return this.#rejectAll(this.#stopped());
    this.#restarts++;
    this.#tell("exit", `${reason}; starting it again`);
    this.#startLater();
  }

  #startLater(): void {
    this.#restartTimer = setTimeout(
      () => void this.#startAgain(),
      timerDelay(this.#options.restartDelay ?? 1),
    );
  }

  async #startAgain(): Promise<void> {
    this.#restartTimer = undefined;
    const broken = this.#broken !== undefined;
    if (await this.#tryStart()) {
      if (broken) this.#tell("reloaded", `Handler "${this.file}" was loaded again`);
      return this.#pump();
    }
    if (!this.#closing) this.#startLater();
  }

  /** Starts the module once more; where it does not load, what waits fails. */
  #tryStart(): Promise<boolean> {
    return this.#starting ??= this.#tryStartNow().finally(() => this.#starting = undefined);
  }

  async #tryStartNow(): Promise<boolean> {
    let error: Error;
    try {
      const start = await this.#start();
      if (start.kind === "loaded") return true;
      error = start.kind === "failed"
        ? this.#loadError(start.fault)
        : new Error(`Python ${start.why}`);
    } catch (thrown) {
      error = thrown as Error;
    }
    if (this.#closing) return false;
    if (this.#options.reload && this.#files!.changed()) return await this.#tryStartNow(); // it was changed meanwhile
    if (this.#broken?.message !== error.message) this.#tell("exit", error.message);
    this.#broken = new RemoteError(error.message);
    this.#rejectAll(this.#broken);
    return false;
  }

  #rejectAll(error: Error): void {
    for (const call of this.#waiting.splice(0)) call.reject(error);
  }

  /** Looks from time to time whether the files have changed, so that a mistake shows when they are saved. */
  #look(): void {
    if (this.#reloading || this.#closing || this.#restartTimer) return;
    if (!this.#files?.changed()) return;
    this.#changed = true;
    if (this.#sent.size === 0) this.#reload();
  }

  /** Whether calls have to wait because the module has changed. */
  #mustReload(): boolean {
    if (this.#sent.size > 0) return this.#changed;
    if (!this.#changed && !this.#files!.changed()) return false;
    this.#reload();
    return true;
  }

  #reload(): void {
    this.#changed = false;
    this.#broken = undefined;
    this.#reloading ??= this.#reloadNow().finally(() => {
      this.#reloading = undefined;
      this.#pump();
    });
  }

  async #reloadNow(): Promise<void> {
    const old = this.#process;
    if (old) {
      const fault = await this.#checkSource(old);
      if (fault) {
        this.#files!.accept();
        const why = this.#loadError(fault).message;
        return this.#tell("reload", `${why}; the one loaded before goes on`);
      }
      this.#process = this.#running = undefined;
      await old.close(LAST_SECONDS);
    }
    clearTimeout(this.#restartTimer);
    this.#restartTimer = undefined;
    if (this.#closing) return;
    if (await this.#tryStart()) {
      return this.#tell("reloaded", `Handler "${this.file}" has changed and was loaded again`);
    }
    if (!this.#closing) this.#startLater();
  }

  /** Has Python look whether the changed files are in its language. */
  #checkSource(process: PythonProcess): Promise<Fault | null> {
    return new Promise((resolve) => {
      const number = this.#lastNumber = (this.#lastNumber + 1) >>> 0;
      const read = (answer: Answer) => JSON.parse(decoder.decode(answer.payload)) as Fault | null;
      this.#sent.set(number, {
        ...{ kind: "K", payload: [], origin: {}, read },
        sent: performance.now(),
        resolve: (fault) => resolve(fault as Fault | null),
        reject: () => resolve(null),
      });
      process.write("K", number);
    });
  }

  async #close(): Promise<void> {
    clearInterval(this.#lookTimer);
    clearTimeout(this.#restartTimer);
    this.stop();
    const running = this.#running;
    if (running && running !== this.#process && !this.#reloading) running.kill();
    await this.#reloading;
    const last = this.#process ?? running;
    if (last && !await last.close(LAST_SECONDS)) {
      this.#tell(
        "close",
        `Handler "${this.file}" did not end within ${LAST_SECONDS} s and was killed`,
      );
    }
    this.#timer?.[Symbol.dispose]();
    clearTimeout(this.#restartTimer);
    this.#rejectAll(this.#stopped());
  }

  #stopped(): ConnectError {
    return new ConnectError(`Handler "${this.file}" was stopped`);
  }

  #tell(kind: "exit" | "reload" | "reloaded" | "close", message: string): void {
    this.#events.onProblem?.({ kind, message });
  }

  #loadError(fault: Fault): UsageError {
    return new UsageError(`Cannot load handler "${this.file}": ${described(fault)}`);
  }
}

function faultOf({ payload }: Answer): Fault {
  return JSON.parse(decoder.decode(payload));
}

function described({ message, place }: Fault): string {
  return place ? `${message} (${place})` : message;
}
