import type { Console } from "node:console";

/** Who gets what is written to the console; the last one does. */
const readers: ((bytes: Uint8Array) => void)[] = [];
/** The console that was there before. */
let before: typeof globalThis.console | undefined;

/**
 * Has everything that is written to the console call a function instead: stdout is data, and what a handler has to say is for people.
 *
 * @param onText Called with what is written, a line or more at once.
 * @returns Makes the console what it was.
 */
export async function redirectConsole(onText: (bytes: Uint8Array) => void): Promise<Disposable> {
  if (readers.push(onText) === 1) {
    before = globalThis.console;
    globalThis.console = await consoleOf((bytes) => readers.at(-1)?.(bytes)) as typeof before;
  }
  return {
    [Symbol.dispose]() {
      const at = readers.indexOf(onText);
      if (at >= 0) readers.splice(at, 1);
      if (readers.length > 0 || !before) return;
      globalThis.console = before;
      before = undefined;
    },
  };
}

async function consoleOf(write: (bytes: Uint8Array) => void): Promise<Console> {
  const { Console } = await import("node:console");
  const { Writable } = await import("node:stream");
  const stdout = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      write(chunk);
      done();
    },
  });
  return new Console({ stdout, stderr: stdout, colorMode: false });
}
