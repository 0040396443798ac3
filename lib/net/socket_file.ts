/** How {@linkcode socketFile} waits. */
export interface SocketFileOptions {
  /** Gives up when aborted. */
  signal: AbortSignal;
  /** Time between two looks, in s. Default: 1. */
  interval?: number;
  /** Called each time that nothing was there, before the wait. */
  onRetry?: () => void;
}

/**
 * Waits until a unix socket exists.
 *
 * @param path Its path.
 * @param options How to wait.
 * @returns Whether it exists; false if the wait was given up.
 */
export async function socketFile(path: string, options: SocketFileOptions): Promise<boolean> {
  const { signal, interval = 1, onRetry } = options;
  while (!signal.aborted) {
    try {
      await Deno.lstat(path);
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    if (signal.aborted) break;
    onRetry?.();
    await sleep(interval, signal);
  }
  return false;
}

/** Resolves after so many seconds, or at once when aborted. */
function sleep(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    signal.addEventListener("abort", done, { once: true });
  });
}
