/**
 * What a line can do with each record beside printing it: send it back, or give it to a program.
 *
 * @module
 */

import type { StructJson } from "../codecs/struct/json.ts";
import type { AnyStruct } from "../codecs/struct/struct.ts";
import { runProgram } from "../process/run_program.ts";
import type { LineAction } from "./line_options.ts";
import { sendWindow } from "./send_records.ts";

/**
 * Sends each record back to where it came from.
 *
 * @param struct The format of the records.
 * @returns What handles a record; it waits for a peer that reads slowly.
 */
export function echoAction(struct: AnyStruct): LineAction<string> {
  const window = sendWindow(struct);
  let count = 0;
  return (values, line) => {
    const sent = line.send(values);
    if (++count % window === 0) return sent;
  };
}

/** How {@linkcode programAction} runs a program. */
export interface ProgramActionOptions {
  /** Seconds that the program may take. */
  readonly timeout: number;
  /** Ends the programs that run. */
  readonly signal: AbortSignal;
}

/**
 * Gives each record as a line of JSON to a program that is started for it, and sends back the records that it prints.
 *
 * @param command The program and its arguments.
 * @param json Records as JSON.
 * @param options How long it may take, and what ends it.
 * @returns What handles a record; it throws where the program fails or prints no records.
 */
export function programAction(
  command: readonly [string, ...string[]],
  json: StructJson,
  { timeout, signal }: ProgramActionOptions,
): LineAction<string> {
  return async (values, line) => {
    const input = new TextEncoder().encode(json.stringify(values) + "\n");
    try {
      const output = await runProgram(command, input, { timeout, signal });
      for (const answer of new TextDecoder().decode(output).split("\n")) {
        if (answer.trim() !== "") await line.send(json.parse(answer));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
}
