/**
 * The programs that take part in benches: compiled, started, found.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Child } from "../cli/run.ts";
import { hasProgram } from "../interop/peer.ts";

/** The path of a file beside this one. */
export function here(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** A folder for what benches make; removed at the end. */
export const folder = Deno.makeTempDirSync({ prefix: "labwire-bench-" });
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** Whether C programs can be compiled, for {@linkcode import("./bench.ts").Bench.needs}. */
export function needsCompiler(): string | undefined {
  if (Deno.build.os !== "linux") return "Linux";
  return hasProgram("cc") ? undefined : "a C compiler (cc)";
}

const compiled = new Map<string, string>();

/** Compiles a program in `peers/` once, and returns its path. */
export function cProgram(name: string): string {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const path = `${folder}/${name}`;
  const args = ["-O2", "-Wall", "-pthread", "-o", path, here(`peers/${name}.c`)];
  const { success, stderr } = new Deno.Command("cc", { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  compiled.set(name, path);
  return path;
}

/** The forms of labwire: from the sources by `deno run` without flags, and the executable in `LABWIRE_BIN`. */
export function labwireForms(): readonly { name: string; command: readonly string[] }[] {
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const executable = Deno.env.get("LABWIRE_BIN");
  return [
    { name: "labwire (deno run)", command: [Deno.execPath(), "run", "-A", "--quiet", main] },
    ...executable ? [{ name: "labwire (executable)", command: [executable] }] : [],
  ];
}

/**
 * Starts a program.
 *
 * @param command The program and its arguments.
 * @param output A file for its standard output, which is read otherwise.
 */
export function spawn(command: readonly string[], output?: string): Child {
  const [program = "", ...args] = output === undefined
    ? command
    : ["sh", "-c", 'out=$1; shift; exec "$@" > "$out"', "sh", output, ...command];
  return new Child(
    new Deno.Command(program, {
      args,
      env: { PYTHONDONTWRITEBYTECODE: "1", NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
}

/** Runs a program to its end, and returns what it printed. */
export async function run(command: readonly string[]): Promise<string> {
  const [program = "", ...args] = command;
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(`${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** A UDP port that was free a moment ago. */
export function freeUdpPort(): number {
  using udp = {
    socket: Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }),
    [Symbol.dispose]() {
      this.socket.close();
    },
  };
  return (udp.socket.addr as Deno.NetAddr).port;
}

/** A TCP port that was free a moment ago. */
export function freeTcpPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
