/** Runs programs that were not written here as peers. */

import { Child } from "../cli/run.ts";
import { PYTHON } from "./python.ts";

/** Whether a program is there to be started. */
export function hasProgram(name: string): boolean {
  const windows = Deno.build.os === "windows";
  const folders = (Deno.env.get("PATH") ?? "").split(windows ? ";" : ":");
  const files = windows ? [`${name}.exe`, `${name}.cmd`] : [name];
  return folders.some((folder) => files.some((file) => isFile(`${folder}/${file}`)));
}

/** For a test's name and `ignore`: which of the programs a test needs are missing. */
export function needs(...names: string[]): { ignore: boolean; note: string } {
  const missing = names.filter((name) => !hasProgram(name));
  return {
    ignore: missing.length > 0,
    note: missing.length > 0 ? ` (needs ${missing.join(", ")})` : "",
  };
}

/** A running program whose standard input is open. */
export class Peer extends Child {
  override async [Symbol.asyncDispose](): Promise<void> {
    await this.closeInput();
    await super[Symbol.asyncDispose]();
  }
}

/** Starts a program with its standard input open. */
export function startPeer(program: string, args: string[], env?: Record<string, string>): Peer {
  const [stdin, stdout, stderr] = ["piped", "piped", "piped"] as const;
  return new Peer(new Deno.Command(program, { args, env, stdin, stdout, stderr }).spawn());
}

/** Starts a Python script; `import socket, sys, time, ssl, struct` has been done. */
export function startPython(script: string, ...args: (string | number)[]): Peer {
  const source = `import socket, sys, time, ssl, struct\n${script}`;
  return startPeer(PYTHON, ["-u", "-c", source, ...args.map(String)]);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
