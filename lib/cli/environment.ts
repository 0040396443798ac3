import { type Clock, systemClock } from "../time/clock.ts";
import type { ByteSink } from "./output.ts";
import type { TextSink } from "./reporter.ts";
import type { Watchdog, WatchdogOptions } from "./watchdog.ts";

/** Standard input. */
export interface Input {
  /** The bytes. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Whether a person types them. */
  isTerminal(): boolean;
}

/** The signals by which the system asks the program to end. */
export interface Signals {
  /** The signals there are. */
  readonly names: readonly Deno.Signal[];
  /** Calls back for each signal of this name. */
  add(name: Deno.Signal, listener: () => void): void;
  /** Stops to call back. */
  remove(name: Deno.Signal, listener: () => void): void;
  /** Listens from a thread of its own as well; undefined where there are no threads. */
  watch(options: WatchdogOptions): Promise<Watchdog | undefined>;
}

/** An unhandled error or rejection of a user's code. */
export interface Unhandled {
  /** How it came. */
  readonly kind: "rejection" | "thrown";
  /** What it was. */
  readonly error: unknown;
}

/**
 * The world that the program runs in. `main.ts` hands in the system's; a test hands in its own, so that running a command
 * line is a function call.
 */
export interface Environment {
  /** Standard input. */
  readonly stdin: Input;
  /** Standard output. */
  readonly stdout: ByteSink;
  /** Standard error. */
  readonly stderr: TextSink;
  /** The clock that messages and the end after Ctrl-C are timed by. */
  readonly clock: Clock;
  /** The signals. */
  readonly signals: Signals;
  /** Reads an environment variable; undefined where it is not set. */
  variable(name: string): string | undefined;
  /** The width of the terminal in columns. */
  columns(): number;
  /** Reports unhandled errors and rejections until it is disposed of; they do not end the program. */
  onUnhandled(report: (what: Unhandled) => void): Disposable;
  /** Ends the process at once. */
  exit(code: number): void;
}

/**
 * The world of a process.
 *
 * @param exit Ends it; only `main.ts` may.
 */
export function systemEnvironment(exit: (code: number) => void): Environment {
  return {
    stdin: Deno.stdin,
    stdout: Deno.stdout,
    stderr: Deno.stderr,
    clock: systemClock,
    signals: {
      names: Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM", "SIGHUP"],
      add: Deno.addSignalListener,
      remove: Deno.removeSignalListener,
      watch: async (options) => (await import("./watchdog.ts")).startWatchdog(options),
    },
    variable: (name) => Deno.env.get(name),
    columns: terminalColumns,
    onUnhandled,
    exit,
  };
}

/** The width of the terminal in columns. */
function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 80; // no terminal, or one of unknown width
  }
}

function onUnhandled(report: (what: Unhandled) => void): Disposable {
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    report({ kind: "rejection", error: event.reason });
  };
  const onThrown = (event: ErrorEvent) => {
    event.preventDefault();
    report({ kind: "thrown", error: event.error });
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onThrown);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("unhandledrejection", onRejection);
      globalThis.removeEventListener("error", onThrown);
    },
  };
}
