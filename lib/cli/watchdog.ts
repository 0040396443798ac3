/**
 * A thread that listens for the system's signals while a user's JavaScript handler may keep the main thread busy for ever: only
 * another thread can then print a message, or end the program with the exit code that belongs to the signal.
 *
 * @module
 */

import { type OwnFile, removeOwnFile, watchOwnFiles } from "./file_at_end.ts";

/** How a {@linkcode Watchdog} works. */
export interface WatchdogOptions {
  /** The signals. */
  signals: readonly Deno.Signal[];
  /** Seconds after the first signal at which a main thread that never heard of it is ended. */
  grace: number;
  /** Seconds more for one that heard of it, and ends by itself before unless it has become busy since. */
  more: number;
  /** What to write on standard error when the main thread does not hear of a signal; nothing if it is empty. */
  waiting: string;
  /** What to write when it is ended. */
  over: string;
  /** Called for each signal, in the main thread. */
  onSignal: (name: Deno.Signal) => void;
}

/** The worker's side of its global object. */
interface Scope {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: unknown }) => void) | null;
}

/**
 * Runs in the worker. It is passed on as text, so it may use nothing from around it.
 *
 * @param scope The worker's global object.
 * @param remove Removes a file that is ours.
 */
function watch(scope: Scope, remove: (file: OwnFile) => void): void {
  const listeners = new Map<Deno.Signal, () => void>();
  let [seen, heard] = [0, false];
  let files: readonly OwnFile[] = [];
  const write = (text: string) => {
    try {
      if (text !== "") Deno.stderr.writeSync(new TextEncoder().encode(text));
    } catch {
      // standard error is closed
    }
  };
  /** Without listeners a signal does what the system does: it ends the process, and the exit code shows that. */
  const end = (name: Deno.Signal) => {
    for (const file of files) remove(file);
    for (const [each, listener] of listeners) Deno.removeSignalListener(each, listener);
    const fatal = Deno.build.os === "windows" ? "SIGKILL" : name === "SIGINT" ? name : "SIGTERM";
    Deno.kill(Deno.pid, fatal);
  };
  const start = ({ signals, grace, more, waiting, over }: Omit<WatchdogOptions, "onSignal">) => {
    const on = (name: Deno.Signal) => {
      scope.postMessage(name);
      // The main thread does it by itself, unless it is busy.
      if (++seen > 1) return setTimeout(end, 200, name);
      setTimeout(() => heard || write(waiting), 500);
      setTimeout(() => {
        setTimeout(() => {
          write(over);
          end(name);
        }, heard ? 1000 * more : 0);
      }, Math.min(1000 * grace, 2 ** 31 - 1));
    };
    for (const name of signals) {
      const listener = () => void on(name);
      listeners.set(name, listener);
      Deno.addSignalListener(name, listener);
    }
    scope.postMessage("ready");
  };
  scope.onmessage = ({ data }) => {
    if (data === "heard") heard = true;
    else if (Array.isArray(data)) files = data;
    else start(data as WatchdogOptions);
  };
}

/** Listens for signals from a thread of its own; made by {@linkcode startWatchdog}. */
export type Watchdog = Disposable;

/**
 * Starts to listen for signals from a thread of its own.
 *
 * @param options Which, and what to do when the main thread does not hear of them.
 * @returns What ends it; undefined where no thread can be started.
 */
export async function startWatchdog(options: WatchdogOptions): Promise<Watchdog | undefined> {
  const { onSignal, ...rest } = options;
  const source = `(${watch})(self, ${removeOwnFile})`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(source)}`, {
    type: "module",
  });
  const started = Promise.withResolvers<boolean>();
  worker.onerror = (event) => {
    event.preventDefault();
    started.resolve(false);
  };
  worker.onmessage = ({ data }) => {
    if (data === "ready") return started.resolve(true);
    worker.postMessage("heard");
    onSignal(data);
  };
  worker.postMessage(rest);
  if (!await started.promise) {
    worker.terminate();
    return undefined;
  }
  const watching = watchOwnFiles((files) => worker.postMessage(files));
  return {
    [Symbol.dispose]() {
      watching[Symbol.dispose]();
      worker.terminate();
    },
  };
}
