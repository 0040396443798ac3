import { messageOf, UsageError } from "../../errors.ts";

/**
 * Writes a port into a file for a script to read: whole or not at all, with a newline behind it. It is removed at the end, also when
 * a second Ctrl-C ends the program at once.
 *
 * @param path The file; one that is there is replaced.
 * @param port The port.
 * @returns Removes the file, unless another program has replaced it in the meantime.
 * @throws {UsageError} If it cannot be written.
 */
export function writePortFile(path: string, port: number): Disposable {
  const text = `${port}\n`;
  const whole = `${path}.${Deno.pid}.tmp`;
  try {
    Deno.writeTextFileSync(whole, text);
    Deno.renameSync(whole, path);
  } catch (cause) {
    remove(whole, text);
    const why = cause instanceof Deno.errors.NotFound ? "no such directory" : messageOf(cause);
    throw new UsageError(`Cannot write --port-file "${path}": ${why}`, { cause });
  }
  const dispose = () => {
    globalThis.removeEventListener("unload", dispose);
    remove(path, text);
  };
  globalThis.addEventListener("unload", dispose);
  return { [Symbol.dispose]: dispose };
}

/** Removes a file if it is there and has this text. */
function remove(path: string, text: string): void {
  try {
    if (Deno.readTextFileSync(path) === text) Deno.removeSync(path);
  } catch {
    // It is gone, or not ours any more.
  }
}
