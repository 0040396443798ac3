import type { Reporter } from "./reporter.ts";
import type { Watchdog } from "./watchdog.ts";

/** Seconds that what is in hand may take after Ctrl-C or SIGTERM, unless an option says otherwise. */
export const DEFAULT_GRACE = 5;
/** Seconds after a signal at which it is said what is waited for; most commands have ended by then. */
const PATIENCE = 0.25;
/** Seconds that a command has beyond its grace to break off what is in hand and say so. */
const LAST_WORDS = 1.5;
/** The longest time that a timer can wait, in ms. */
const LONGEST = 2 ** 31 - 1;

/** What an {@linkcode Interruption} needs. */
export interface InterruptionOptions {
  /** Says what is waited for. */
  say: Reporter;
  /** Ends the process at once. */
  exit: (code: number) => void;
}

/** How an {@linkcode Interruption} listens. */
export interface ListenOptions {
  /** Seconds that what is in hand may take. */
  grace?: number;
  /** Whether code of the user's runs in this thread, which may never return. */
  guarded: boolean;
}

/**
 * The user's wish that the program end: Ctrl-C, SIGTERM and, on Windows, Ctrl-Break become an abort signal. What is in hand may
 * then take a while, of which is told; when it is over, and at the second signal, the process ends at once.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #names: readonly Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  readonly #options: InterruptionOptions;
  readonly #listeners: [Deno.Signal, () => void][] = [];
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  #watchdog: Watchdog | undefined;
  #describe: () => string | undefined = () => undefined;
  #grace = DEFAULT_GRACE;
  #code = 130;

  /** @param options Whom to tell, and how to end the process. */
  constructor(options: InterruptionOptions) {
    this.#options = options;
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
   * @param options How long what is in hand may take, and whether that may keep this thread busy.
   */
  async listen({ grace = DEFAULT_GRACE, guarded }: ListenOptions): Promise<void> {
    this.#grace = grace;
    for (const name of this.#names) {
      const listener = () => this.#onSignal(name);
      this.#listeners.push([name, listener]);
      Deno.addSignalListener(name, listener);
    }
    if (!guarded) return;
    const { startWatchdog } = await import("./watchdog.ts");
    this.#watchdog = await startWatchdog({
      signals: this.#names,
      grace,
      more: LAST_WORDS,
      waiting: this.#options.say.infoText(this.#waitingFor("the handler, which has not returned")),
      over: this.#options.say.errorText(`The handler did not return within ${grace} s: ended it`),
      onSignal: (name) => this.#onSignal(name),
    });
    if (this.#watchdog) this.#unlisten();
  }

  /**
   * Sets what is said to be waited for.
   *
   * @param describe Says what is in hand, as in `2 messages that are being handled`; undefined if nothing is.
   */
  inHand(describe: () => string | undefined): void {
    this.#describe = describe;
  }

  /** Asks for the end as if Ctrl-C had been pressed. */
  abort(): void {
    this.#controller.abort();
  }

  /** Stops listening. */
  release(): void {
    this.#timers.forEach(clearTimeout);
    this.#unlisten();
    this.#watchdog?.[Symbol.dispose]();
  }

  #unlisten(): void {
    for (const [name, listener] of this.#listeners.splice(0)) {
      Deno.removeSignalListener(name, listener);
    }
  }

  #onSignal(name: Deno.Signal): void {
    this.#code = name === "SIGINT" || name === "SIGBREAK" ? 130 : 143;
    if (this.signal.aborted) this.#options.exit(this.#code);
    this.#timers.push(
      setTimeout(() => this.#tell(), 1000 * PATIENCE),
      setTimeout(() => this.#giveUp(), Math.min(1000 * (this.#grace + LAST_WORDS), LONGEST)),
    );
    this.#controller.abort();
  }

  #tell(): void {
    const what = this.#describe();
    if (what !== undefined) this.#options.say.info(this.#waitingFor(what));
  }

  #giveUp(): void {
    const what = this.#describe() ?? "what is in hand";
    this.#options.say.error(`Ended without ${what} after ${this.#grace} s`);
    this.#options.exit(this.#code);
  }

  #waitingFor(what: string): string {
    return `Waiting up to ${this.#grace} s for ${what}; Ctrl-C again ends at once`;
  }
}
