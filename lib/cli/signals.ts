/** The user's wish that the program end. */
export interface Interruption {
  /** Aborted by the first Ctrl-C, SIGTERM or Ctrl-Break. */
  readonly signal: AbortSignal;
  /** Starts to listen for the system's signals; until then they end the process as usual. */
  listen(): void;
  /** Asks for the end as if Ctrl-C had been pressed. */
  abort(): void;
  /** Stops listening. */
  release(): void;
}

/**
 * Turns Ctrl-C, SIGTERM and, on Windows, Ctrl-Break into an abort signal. The second one ends the process at once.
 *
 * @param exit Ends the process.
 * @returns The signal and what controls it.
 */
export function interruption(exit: (code: number) => void): Interruption {
  const controller = new AbortController();
  const names: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  const onSignal = () => {
    if (controller.signal.aborted) exit(130);
    controller.abort();
  };
  let listening = false;
  return {
    signal: controller.signal,
    abort: () => controller.abort(),
    listen() {
      for (const name of names) Deno.addSignalListener(name, onSignal);
      listening = true;
    },
    release() {
      if (!listening) return;
      for (const name of names) Deno.removeSignalListener(name, onSignal);
      listening = false;
    },
  };
}
