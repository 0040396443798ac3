/**
 * Commands for equipment as lines of JSON over TCP or TLS: a server that dispatches them, and clients.
 *
 * @example A thermometer, asked once
 * ```ts
 * import { sendJson, startJsonServer } from "@labwire/labwire/json";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = startJsonServer({ port: 0, commands: { get_temperature: () => 21.5 } });
 * const answer = await sendJson({ command_id: "get_temperature" }, { port: server.addr.port });
 * assertEquals(answer.outcome === "success" && answer.result, 21.5);
 * ```
 *
 * @module
 */

export { CodecError, ConnectError, RemoteError, UsageError } from "../errors.ts";
export { connectJson, type JsonClient, type JsonSendOptions, sendJson } from "./client.ts";
export { type CommandsOptions, interactWithCommands } from "./commands.ts";
export { parseJsonItems } from "./items.ts";
export {
  interactWithLineProgram,
  interactWithProgram,
  type LineProgramInteract,
} from "./program_interact.ts";
export type {
  Answer,
  Commands,
  DescribedCommand,
  FailAnswer,
  FailStatus,
  Interact,
  InteractContext,
  SuccessAnswer,
} from "./protocol.ts";
export type {
  AnswerData,
  BadAnswerResult,
  FailResult,
  JsonSendResult,
  NoAnswerResult,
  SuccessResult,
} from "./read_answer.ts";
export type { Handled } from "./responder.ts";
export {
  type JsonServer,
  type JsonServerOptions,
  type JsonServerProblem,
  type JsonServerStats,
  startJsonServer,
} from "./server.ts";
