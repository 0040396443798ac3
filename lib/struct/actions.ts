/**
 * What a line can do with each record beside printing it: send it back, or give it to a program.
 *
 * @module
 */

import { parseJson } from "../codecs/json/json.ts";
import type { StructJson } from "../codecs/struct/json.ts";
import type { AnyStruct } from "../codecs/struct/struct.ts";
import type { StructInput } from "../codecs/struct/types.ts";
import { ConnectError, RemoteError } from "../errors.ts";
import type { ProgramHandler } from "../handlers/program.ts";
import { Queue } from "../handlers/queue.ts";
import { lineFraming } from "../net/framing/line.ts";
import { messagesOf } from "../net/framing/read_messages.ts";
import type { LineAction } from "./line_options.ts";
import type { RecordHandler } from "./module_action.ts";
import type { LinePeer } from "./peer.ts";
import { sendWindow } from "./send_records.ts";

/**
 * Sends each record back to where it came from, byte for byte.
 *
 * @param struct The format of the records.
 * @returns What handles a record; it waits for a peer that reads slowly.
 */
export function echoAction(struct: AnyStruct): LineAction<string> {
  const window = sendWindow(struct);
  let count = 0;
  return (_values, peer) => {
    const sent = peer.sendBytes(peer.recordBytes);
    if (++count % window === 0) return sent;
  };
}

/**
 * Gives each record as a line of JSON to a program, and sends back the records that it prints: one on each line, or several in a list.
 *
 * @param program The program.
 * @param json Records as JSON.
 * @param concurrency How many programs may run at once.
 * @returns What handles a record; it throws where the program fails or prints no records.
 */
export function programAction(
  program: ProgramHandler,
  json: StructJson,
  concurrency: number,
): RecordHandler {
  const framing = lineFraming({ maxBytes: Infinity });
  const decoder = new TextDecoder();
  const queue = new Queue(program.persistent ? Infinity : concurrency);
  // Ends a program that handles one record. One that is kept running only gets none any more whose turn has not come.
  const over = new AbortController();
  const send = async (output: Uint8Array, peer: LinePeer) => {
    let sent: Promise<boolean> | undefined;
    for (const bytes of messagesOf(output, framing)) {
      for (const record of recordsOf(decoder.decode(bytes), json)) sent = peer.send(record);
    }
    await sent;
  };
  const action: LineAction<string> = async (values, peer) => {
    const record = new TextEncoder().encode(json.stringify(values));
    const output = await queue.run(() => program.handle(record, over.signal));
    if (program.persistent) throwFailure(output, json);
    await send(output, peer);
  };
  const stop = () =>
    over.abort(new ConnectError("The program was stopped before this was handled"));
  return { action, stop };
}

/** The records in a line that a program has printed: one, a list of several, or none. */
function recordsOf(line: string, json: StructJson): StructInput[][] {
  if (line.trim() === "") return [];
  const value = parseJson(line);
  if (value === null) return [];
  const several = Array.isArray(value) &&
    (json.fields ? value.every(isObject) : value.every(Array.isArray));
  return several ? value.map((record) => json.read(record)) : [json.read(value)];
}

/** Throws the error that a program which is kept running has answered with. */
function throwFailure(output: Uint8Array, { fields }: StructJson): void {
  if (output[0] !== 0x7b || fields?.some(({ name }) => name === "status")) return;
  const { status, error } = parseJson(new TextDecoder().decode(output)) as Record<string, unknown>;
  if (status === "error" || status === "failed") {
    throw new RemoteError(typeof error === "string" ? error : JSON.stringify(error));
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
