import type { Console } from "node:console";

/** Who gets what is written for people; the last one does. */
const readers: ((bytes: Uint8Array) => void)[] = [];
/** Makes everything what it was before. */
let restore: (() => void) | undefined;

/**
 * Guards this process against a module in JavaScript, which runs in it: stdout is data, stdin is not a module's to read, and nothing but
 * labwire ends the process. What is written to the console or to stdout calls a function instead.
 *
 * @param onText Called with what is written, a line or more at once.
 * @returns Makes everything what it was.
 */
export async function guardProcess(onText: (bytes: Uint8Array) => void): Promise<Disposable> {
  if (readers.push(onText) === 1) {
    restore = await guard((bytes) => readers.at(-1)?.(bytes));
  }
  return {
    [Symbol.dispose]() {
      const at = readers.indexOf(onText);
      if (at >= 0) readers.splice(at, 1);
      if (readers.length > 0) return;
      restore?.();
      restore = undefined;
    },
  };
}

async function guard(write: (bytes: Uint8Array) => void): Promise<() => void> {
  const { Console } = await import("node:console");
  const { Readable, Writable } = await import("node:stream");
  const { default: process } = await import("node:process");
  const stream = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      write(chunk);
      done();
    },
  });
  const console: Console = new Console({ stdout: stream, stderr: stream, colorMode: false });
  const { exitCode } = Deno;
  const exit = (code: number = Deno.exitCode): never => {
    Deno.exitCode = exitCode; // which process.exit() has set
    throw new Error(`The handler called exit(${code}), which would end labwire`);
  };
  const undo = [
    replace(globalThis, { console, prompt: noInput, confirm: noInput, alert: noInput }),
    replace(Deno, { exit, stdout: outputTo(write), stdin: INPUT }),
    replace(process, { stdout: stream, stdin: new Readable({ read: noInput }) }),
  ];
  return () => undo.forEach((each) => each());
}

/** Gives an object other members, and returns what undoes that. */
function replace(object: object, members: Record<string, unknown>): () => void {
  const before = Object.keys(members).map((name) =>
    [name, Object.getOwnPropertyDescriptor(object, name)!] as const
  );
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(object, name, { value, writable: true, configurable: true });
  }
  return () => before.forEach(([name, member]) => Object.defineProperty(object, name, member));
}

/** What is in the place of `Deno.stdout`. */
function outputTo(write: (bytes: Uint8Array) => void) {
  const writeSync = (bytes: Uint8Array) => {
    write(bytes.slice());
    return bytes.length;
  };
  return {
    writeSync,
    write: (bytes: Uint8Array) => Promise.resolve(writeSync(bytes)),
    get writable() {
      return new WritableStream<Uint8Array>({ write: (bytes) => void writeSync(bytes) });
    },
    isTerminal: () => false,
    close() {},
  };
}

function noInput(): never {
  throw new Error(
    "Cannot read standard input: a handler has none; what it needs comes in messages, or by --handler-arg to setup(options)",
  );
}

/** What is in the place of `Deno.stdin`. */
const INPUT = {
  read: () => Promise.resolve().then(noInput),
  readSync: noInput,
  get readable() {
    return noInput();
  },
  isTerminal: () => false,
  setRaw() {},
  close() {},
};
