/**
 * The load generator and the echoes that it is let loose on.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { v8Flags } from "../../lib/release/compile.ts";
import { Child, programCommand } from "../cli/run.ts";
import { PROTOBUF } from "../interop/python.ts";

/** What the load generator measured; times in microseconds. */
export interface Load {
  sent: number;
  echoed: number;
  lost: number;
  changed: number;
  late: number;
  seconds: number;
  rate: number;
  rtt: { min: number; p50: number; p99: number; max: number };
}

/** An echo that is running. */
export interface Peer extends AsyncDisposable {
  readonly pid: number;
  /** Sends it `count` messages, `window` of them on the way at a time. */
  load(count: number, window: number): Promise<Load>;
}

/** An echo that can be started. */
export interface PeerKind {
  readonly name: string;
  start(): Promise<Peer>;
}

/** The bench's C programs, compiled. */
export class Tools implements AsyncDisposable {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Compiles them with gcc. */
  static async compile(): Promise<Tools> {
    const tools = new Tools(await Deno.makeTempDir({ prefix: "labwire-bench-" }));
    for (const name of ["udp_load", "udp_echo"]) {
      const args = ["-O2", "-Wall", "-o", tools.path(name), here(`${name}.c`)];
      const { success, stderr } = await new Deno.Command("gcc", { args }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
    }
    return tools;
  }

  path(name: string): string {
    return `${this.#directory}/${name}`;
  }

  /** The echoes to compare: the ceiling, the Python client without its printing, labwire. */
  peers(): PeerKind[] {
    const python = PROTOBUF?.python;
    return [
      {
        name: "C, recvfrom and sendto",
        start: () => this.#startPrinting(this.path("udp_echo"), []),
      },
      ...(python
        ? [{
          name: "Python with protobuf",
          start: () => this.#startPrinting(python, [here("python_echo.py")]),
        }]
        : []),
      { name: "labwire villas-echo", start: () => Promise.resolve(this.#startLabwire()) },
    ];
  }

  /** Starts an echo that prints its port and answers whoever sends. */
  async #startPrinting(program: string, args: string[]): Promise<Peer> {
    const child = spawn(program, args);
    const port = Number((await child.until("stdout", /^\d+\n/))[0]);
    return this.#peer(child, port, 0);
  }

  /** Starts labwire as it stands beside VILLASnode: it answers one known remote only. V8 is set as in the executable. */
  #startLabwire(): Peer {
    const [listen, remote] = [freePort(), freePort()];
    const [program, [run, ...more]] = programCommand();
    const child = spawn(program, [
      ...run === undefined ? [] : [run, v8Flags, ...more],
      ...["villas-echo", "--output", "none"],
      ...["--listen", `127.0.0.1:${listen}`, "--remote", `127.0.0.1:${remote}`],
    ]);
    return this.#peer(child, listen, remote);
  }

  #peer(child: Child, port: number, localPort: number): Peer {
    return {
      pid: child.process.pid,
      load: (count, window) => this.#load([port, count, window, localPort]),
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  }

  async #load(args: number[]): Promise<Load> {
    const command = new Deno.Command(this.path("udp_load"), { args: args.map(String) });
    const { success, stdout, stderr } = await command.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function here(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function spawn(program: string, args: string[]): Child {
  return new Child(
    new Deno.Command(program, {
      args,
      env: { PYTHONDONTWRITEBYTECODE: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
}

/** A UDP port that was free a moment ago. */
function freePort(): number {
  const udp = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  udp.close();
  return (udp.addr as Deno.NetAddr).port;
}
