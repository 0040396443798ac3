/**
 * Programs as the other side: started for each message, or kept running and asked line by line.
 *
 * @example A program that answers
 * ```ts
 * import { runProgram } from "@labwire/labwire/process";
 * import { assertEquals } from "@std/assert";
 *
 * const program = [Deno.execPath(), "eval", "console.log(2 * Number(await new Response(Deno.stdin.readable).text()))"];
 * const output = await runProgram(program, new TextEncoder().encode("21"));
 * assertEquals(new TextDecoder().decode(output).trim(), "42");
 * ```
 *
 * @module
 */

export { ConnectError, RemoteError, UsageError } from "../errors.ts";
export { splitCommandLine, type SplitCommandLineOptions } from "./command_line.ts";
export { LineProgram, type LineProgramOptions, type ProgramProblem } from "./line_program.ts";
export {
  type Program,
  type ProgramExit,
  startProgram,
  type StartProgramOptions,
} from "./program.ts";
export { runProgram, type RunProgramOptions } from "./run_program.ts";
