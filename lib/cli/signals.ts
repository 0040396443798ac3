import { exit } from "../errors.ts";
import { timerDelay } from "../time/deadline.ts";
import type { Environment } from "./environment.ts";
import type { Reporter } from "./reporter.ts";
import type { Watchdog } from "./watchdog.ts";

/** Seconds that open work may take after Ctrl-C or SIGTERM, unless an option says otherwise. */
export const DEFAULT_GRACE = 5;
/** Seconds from a signal to the message that says what is being waited for; most commands have ended by then. */
const PATIENCE = 0.25;
/** Seconds that a command has beyond its grace to abandon its work and say so. */
const LAST_WORDS = 1.5;
/** Seconds more until another thread ends a program that does not do it by itself. */
const TO_ITSELF = 0.5;

/** What an {@linkcode Interruption} needs. */
export interface InterruptionOptions {
  /** Says what is being waited for. */
  say: Reporter;
  /** Where signals and the time come from, and what ends the process. */
  environment: Pick<Environment, "signals" | "clock" | "exit" | "stdin" | "stderr">;
}

/** How an {@linkcode Interruption} listens. */
export interface ListenOptions {
  /** Seconds that open work may take. */
  grace?: number;
  /** Whether the user's code runs in this thread, which may never return. */
  guarded: boolean;
  /** Whether SIGHUP may mean that files are to be opened again. */
  reopens?: boolean;
}

/**
 * The user's wish that the program end: Ctrl-C, SIGTERM and, on Windows, Ctrl-Break become an abort signal. Open work may then
 * take a while, and a message says so; when that time is over, and at the second signal, the process ends at once.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #say: Reporter;
  readonly #environment: InterruptionOptions["environment"];
  readonly #listeners: [Deno.Signal, () => void][] = [];
  readonly #timers: (() => void)[] = [];
  readonly #reopen = new Set<() => void>();
  readonly #hadTerminal: boolean;
  #watchdog: Watchdog | undefined;
  #describe: () => string | undefined = () => undefined;
  /** Seconds that what is being waited for may take, if not the grace. */
  #patience: number | undefined;
  #grace = DEFAULT_GRACE;
  /** When the first signal came; NaN before. */
  #since = NaN;
  #forgetSaying = () => {};
  #code: number = exit.interrupted;

  /** @param options Where messages go, and where signals come from. */
  constructor({ say, environment }: InterruptionOptions) {
    this.#say = say;
    this.#environment = environment;
    this.#hadTerminal = this.#hasTerminal();
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code of a program that was interrupted before it was done: 130 for Ctrl-C, 143 for SIGTERM. */
  get code(): number {
    return this.#code;
  }

  /**
   * Starts to listen for the system's signals; until then they end the process as usual.
   *
   * @param options How long open work may take, and whether that may keep this thread busy.
   */
  async listen(
    { grace = DEFAULT_GRACE, guarded, reopens = false }: ListenOptions,
  ): Promise<void> {
    this.#grace = grace;
    const { signals } = this.#environment;
    for (const name of signals.names) {
      const listener = () => this.#onSignal(name);
      this.#listeners.push([name, listener]);
      signals.add(name, listener);
    }
    if (!guarded) return;
    this.#watchdog = await signals.watch({
      signals: signals.names.filter((name) => !(reopens && name === "SIGHUP")),
      grace,
      more: LAST_WORDS + TO_ITSELF,
      waiting: this.#say.infoText(this.#waitingFor("the handler, which has not returned")),
      over: this.#say.errorText(`The handler did not return within ${grace} s: ended it`),
      onSignal: (name) => this.#onSignal(name),
    });
    if (this.#watchdog) this.#unlisten((name) => !(reopens && name === "SIGHUP"));
  }

  /**
   * Has SIGHUP mean that files are to be opened again.
   *
   * @param reopen Opens them.
   * @returns To be disposed of when there is nothing to be opened any more.
   */
  onReopen(reopen: () => void): Disposable {
    this.#reopen.add(reopen);
    return { [Symbol.dispose]: () => void this.#reopen.delete(reopen) };
  }

  /**
   * Sets how the work that Ctrl-C waits for is described.
   *
   * @param describe Says what is being waited for, as in `2 messages that are being handled`; undefined if nothing is.
   * @param patience Seconds that it may take. Default: the grace.
   */
  describeOpenWork(describe: () => string | undefined, patience?: number): void {
    this.#describe = describe;
    this.#patience = patience;
    if (!Number.isNaN(this.#since)) this.#saySoon();
  }

  /** Asks for the end as if Ctrl-C had been pressed. */
  abort(): void {
    this.#controller.abort();
  }

  /** Stops listening. */
  release(): void {
    for (const forget of [...this.#timers, this.#forgetSaying]) forget();
    this.#unlisten();
    this.#watchdog?.[Symbol.dispose]();
  }

  #unlisten(which: (name: Deno.Signal) => boolean = () => true): void {
    for (const [name, listener] of this.#listeners.splice(0)) {
      if (which(name)) this.#environment.signals.remove(name, listener);
      else this.#listeners.push([name, listener]);
    }
  }

  /** Whether somebody sits before the program. A terminal that was closed is none any more. */
  #hasTerminal(): boolean {
    const { stdin, stderr } = this.#environment;
    return stdin.isTerminal() || stderr.isTerminal();
  }

  #onSignal(name: Deno.Signal): void {
    const isClosed = this.#hadTerminal && !this.#hasTerminal();
    if (name === "SIGHUP" && this.#reopen.size > 0 && !isClosed) {
      for (const reopen of this.#reopen) reopen();
      return;
    }
    this.#code = name === "SIGINT" || name === "SIGBREAK" ? exit.interrupted : exit.terminated;
    const { clock } = this.#environment;
    if (this.signal.aborted) this.#environment.exit(this.#code);
    this.#since = clock.now();
    this.#saySoon();
    this.#timers.push(
      clock.wake(() => this.#giveUp(), timerDelay(this.#grace + LAST_WORDS)),
    );
    this.#controller.abort();
  }

  /** Says in a moment what is being waited for then. */
  #saySoon(): void {
    this.#forgetSaying();
    this.#forgetSaying = this.#environment.clock.wake(() => {
      const what = this.#describe();
      if (what !== undefined) this.#say.info(this.#waitingFor(what));
    }, 1000 * PATIENCE);
  }

  #giveUp(): void {
    const what = this.#describe() ?? "the open work";
    this.#say.error(`Ended without ${what} after ${this.#grace} s`);
    this.#environment.exit(this.#code);
  }

  #waitingFor(what: string): string {
    const elapsed = (this.#environment.clock.now() - this.#since) / 1000 || 0;
    const left = this.#patience ??
      (elapsed < 1 ? this.#grace : Math.max(1, Math.ceil(this.#grace - elapsed)));
    return `Waiting up to ${left} s for ${what}; Ctrl-C again ends at once`;
  }
}
