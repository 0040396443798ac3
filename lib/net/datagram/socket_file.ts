import { delay } from "../../time/deadline.ts";

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
    await delay(interval, signal).catch(() => {}); // aborted: the loop ends
  }
  return false;
}
