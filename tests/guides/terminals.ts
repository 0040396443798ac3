import { fileURLToPath } from "node:url";
import { PYTHON } from "../interop/python.ts";
import { screen } from "./screen.ts";

const driver = fileURLToPath(new URL("terminals.py", import.meta.url));

/** Where terminals are opened. */
export interface TerminalsOptions {
  /** Working directory. */
  cwd: string;
  /** Environment variables on top of the present ones. */
  env?: Record<string, string>;
}

/** How a program is started where it has a network of its own, if that can be had: ports of two documents never collide. */
const isolation: readonly string[] = await findIsolation();

/** Whether documents have a network of their own. */
export const isIsolated = isolation.length > 0;

async function findIsolation(): Promise<readonly string[]> {
  if (Deno.build.os !== "linux") return [];
  const namespaces = ["--net", "--pid", "--fork", "--mount-proc", "--kill-child"];
  const user = Deno.uid() === 0 ? [] : ["--map-root-user"];
  const start = ["unshare", ...user, ...namespaces, "sh", "-c"];
  const script = 'ip link set lo up && exec "$@"';
  try {
    const [program, ...args] = [...start, script, "sh", "true"];
    const { success } = await new Deno.Command(program!, { args }).output();
    return success ? [...start, script, "sh"] : [];
  } catch {
    return [];
  }
}

/** Stands before and behind the exit code of a command. */
const MARK = "\x1e";

/** A shell on a terminal. */
export class Terminal {
  readonly #send: (order: { run: string } | { type: string }) => void;
  readonly #changed: () => Promise<void>;
  #output = "";
  #isUsed = false;

  constructor(
    send: (order: { run: string } | { type: string }) => void,
    changed: () => Promise<void>,
  ) {
    this.#send = send;
    this.#changed = changed;
  }

  /** Gives the shell a command, with an empty screen. */
  run(command: string): void {
    this.#output = "";
    this.#isUsed = true;
    this.#send({ run: command });
  }

  /** Types; Enter is `\r`. */
  type(keys: string): void {
    this.#send({ type: keys });
  }

  /** What has appeared since the command. */
  get text(): string {
    return screen(this.#output.split(MARK)[0]!);
  }

  /** The exit code of the command; undefined while it runs. */
  get code(): number | undefined {
    const [, code, end] = this.#output.split(MARK);
    return end === undefined ? undefined : Number(code);
  }

  /** Whether a command runs. */
  get isBusy(): boolean {
    return this.#isUsed && this.code === undefined;
  }

  /** Takes what appeared. */
  show(output: string): void {
    this.#output += output;
  }

  /** Waits until something is so; half a minute in which nothing appears on any terminal is an error. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    while (!isSo()) {
      try {
        await this.#changed();
      } catch (cause) {
        throw new Error(`Waited in vain for ${what}; there is:\n${this.text}`, { cause });
      }
    }
  }
}

/** Terminals side by side, on a computer that has nothing but its loopback network where that can be had. */
export class Terminals implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #terminals: Terminal[] = [];
  readonly #reading: Promise<void>;
  #changed = Promise.withResolvers<void>();
  #counted: (count: number) => void = () => {};

  constructor({ cwd, env }: TerminalsOptions) {
    const [program, ...args] = [...isolation, PYTHON, driver];
    this.#process = new Deno.Command(program!, {
      args,
      cwd,
      env,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Opens another one. */
  open(): Terminal {
    const number = this.#terminals.length;
    const terminal = new Terminal(
      (order) => this.#order({ terminal: number, ...order }),
      () => this.#change(),
    );
    this.#terminals.push(terminal);
    return terminal;
  }

  /** Ends with Ctrl-C whatever still runs. */
  async interrupt(): Promise<void> {
    for (const terminal of this.#terminals) {
      if (!terminal.isBusy) continue;
      terminal.type("\x03");
      await terminal.until(() => !terminal.isBusy, "the end of a program after Ctrl-C");
    }
  }

  /** How many sockets listen; only where documents have a network of their own. */
  async listening(): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#counted = resolve;
    this.#order({ listening: true });
    return await promise;
  }

  #order(order: Record<string, unknown>): void {
    void this.#input.write(new TextEncoder().encode(`${JSON.stringify(order)}\n`));
  }

  async #change(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("Nothing for half a minute")), 30_000);
    });
    await Promise.race([this.#changed.promise, silence]).finally(() => clearTimeout(timer));
  }

  async #read(): Promise<void> {
    let held = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.#process.stdout) {
      const lines = (held + decoder.decode(chunk, { stream: true })).split("\n");
      held = lines.pop()!;
      for (const line of lines) {
        const { terminal, output, listening } = JSON.parse(line);
        if (listening === undefined) this.#terminals[terminal]!.show(output);
        else this.#counted(listening);
      }
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#reading;
    await this.#process.status;
  }
}
