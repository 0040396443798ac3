import { removeAtEnd, removeOwnFile } from "../../cli/file_at_end.ts";
import { messageOf, UsageError } from "../../errors.ts";

/** What another run may have left behind; an empty file is one that `mktemp` made. */
const PORT_TEXT = /^(?:\d{1,5}\r?\n?)?$/;
/** The longest such text in bytes. */
const LONGEST = 7;

/**
 * Writes a port into a file for a script to read: whole or not at all, with a newline at the end. It is removed at the end, however the
 * program ends.
 *
 * @param path The file; one that is there is replaced, unless it holds something else than a port.
 * @param port The port.
 * @returns Removes the file, unless another program has replaced it in the meantime.
 * @throws {UsageError} If it cannot be written, or holds something else.
 */
export function writePortFile(path: string, port: number): Disposable {
  const text = `${port}\n`;
  const whole = `${path}.${Deno.pid}.tmp`;
  if (isDirectory(path)) {
    throw new UsageError(`Cannot write --port-file "${path}": it is a directory`);
  }
  if (isSomethingElse(path)) {
    throw new UsageError(
      `Cannot write --port-file "${path}": it is there and holds something else than a port; name another file, or remove it`,
    );
  }
  try {
    Deno.writeTextFileSync(whole, text);
    Deno.renameSync(whole, path);
  } catch (cause) {
    removeOwnFile({ path: whole, text });
    const why = cause instanceof Deno.errors.NotFound ? "no such directory" : messageOf(cause);
    throw new UsageError(`Cannot write --port-file "${path}": ${why}`, { cause });
  }
  return removeAtEnd(path, text);
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false; // it is not there
  }
}

/** Whether there is something at this path that no port file is. */
function isSomethingElse(path: string): boolean {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch {
    return false; // Where there is more to it than no file, writing says so.
  }
  if (!info.isFile || info.size > LONGEST) return true;
  try {
    return !PORT_TEXT.test(Deno.readTextFileSync(path));
  } catch {
    return true; // What cannot be read may be somebody's.
  }
}
