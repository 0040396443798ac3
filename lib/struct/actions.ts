/**
 * What a line can do with each record beside printing it: send it back, or give it to a program.
 *
 * @module
 */

import type { StructJson } from "../codecs/struct/json.ts";
import type { AnyStruct } from "../codecs/struct/struct.ts";
import type { ProgramHandler } from "../handlers/program.ts";
import { lineFraming } from "../net/framing/line.ts";
import { messagesOf } from "../net/framing/read_messages.ts";
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

/**
 * Gives each record as a line of JSON to a program, and sends back the records that it prints.
 *
 * @param program The program.
 * @param json Records as JSON.
 * @param signal Ends the program while it handles a record.
 * @returns What handles a record; it throws where the program fails or prints no records.
 */
export function programAction(
  program: ProgramHandler,
  json: StructJson,
  signal: AbortSignal,
): LineAction<string> {
  const framing = lineFraming({ maxBytes: Infinity });
  const decoder = new TextDecoder();
  return async (values, line) => {
    const record = new TextEncoder().encode(json.stringify(values));
    try {
      const output = await program.handle(record, signal);
      for (const bytes of messagesOf(output, framing)) {
        const answer = decoder.decode(bytes);
        if (answer.trim() !== "") await line.send(json.parse(answer));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
}
