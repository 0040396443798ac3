/** Runs the real program on a pseudo-terminal. */

import { type Peer, startPeer } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { programCommand } from "./run.ts";

/** Python's own module for pseudo-terminals, which passes on the exit code. */
const SPAWN = `
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
`;

/**
 * Starts the program with a pseudo-terminal as standard input, output and error, all of which come as `stdout`.
 *
 * @param args The arguments.
 * @param env Environment variables on top of the present ones.
 * @returns The program; what is written to it is typed.
 */
export function startOnTerminal(args: string[], env?: Record<string, string>): Peer {
  const [program, before] = programCommand();
  return startPeer(PYTHON, ["-c", SPAWN, program, ...before, ...args], env);
}

/** The text on a terminal, without colours and cursor movements. */
export function plainText(output: string): string {
  // deno-lint-ignore no-control-regex
  return output.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r", "");
}
