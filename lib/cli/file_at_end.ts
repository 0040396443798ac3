/**
 * Files that are removed when the program ends, however it ends: in order, at once by a second Ctrl-C, or by the watchdog's
 * thread while a user's JavaScript keeps the main thread busy.
 *
 * @module
 */

/** A file that is ours as long as it holds what we wrote. */
export interface OwnFile {
  /** Its absolute path. */
  readonly path: string;
  /** What it holds. */
  readonly text: string;
}

const files = new Set<OwnFile>();
const watchers = new Set<(files: readonly OwnFile[]) => void>();

/**
 * Has a file removed at the end of the program.
 *
 * @param path The file, which is there.
 * @param text What it holds. With other content it is another program's and stays.
 * @returns Removes it now.
 */
export function removeAtEnd(path: string, text: string): Disposable {
  const own = { path: absolute(path), text };
  const dispose = () => {
    globalThis.removeEventListener("unload", dispose);
    removeOwnFile(own);
    files.delete(own);
    tell();
  };
  globalThis.addEventListener("unload", dispose);
  files.add(own);
  tell();
  return { [Symbol.dispose]: dispose };
}

/** The path from the root, as a user's code may change the working directory; as it is where the file is gone already. */
function absolute(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}

/**
 * Tells which files are to be removed at the end, now and whenever that changes.
 *
 * @param watcher What is called.
 * @returns Ends that.
 */
export function watchOwnFiles(watcher: (files: readonly OwnFile[]) => void): Disposable {
  watchers.add(watcher);
  watcher([...files]);
  return { [Symbol.dispose]: () => void watchers.delete(watcher) };
}

function tell(): void {
  for (const watcher of watchers) watcher([...files]);
}

/**
 * Removes a file if it is there and ours. It is passed on to the watchdog's thread as text, so it may use nothing from around it.
 *
 * @param file The file.
 */
export function removeOwnFile({ path, text }: OwnFile): void {
  try {
    if (Deno.readTextFileSync(path) === text) Deno.removeSync(path);
  } catch {
    // It is gone, or not ours any more.
  }
}
