import { stringifyJson } from "../codecs/json/json.ts";
import { CodecError } from "../errors.ts";
import { nearest } from "../text/nearest.ts";
import { describeCommands } from "../handlers/describe.ts";
import { type Commands, type DescribedCommand, type Interact, LIST_COMMANDS } from "./protocol.ts";

/** Maximum number of commands in an error message. */
const LISTED = 20;

/** What {@linkcode interactWithCommands} takes beside the commands. */
export interface CommandsOptions {
  /** Describes the commands. Default: by the arguments of the functions. */
  describe?: () => Promise<readonly DescribedCommand[]>;
}

/**
 * Makes a handler of messages from a handler for each command: the message's `command_id` says which. `list_commands` is answered
 * with what they are called and what arguments they have, unless there is a command of that name.
 *
 * @param commands The handlers by `command_id`. Only the object's own functions count, so `"constructor"` and the like are not
 * commands.
 * @param options How they are described.
 * @returns The handler. It throws a {@linkcode CodecError} if a message has no `command_id`, or one that is not among
 * them; the error lists the known ones and suggests the nearest.
 *
 * @example Two commands
 * ```ts
 * import { interactWithCommands } from "@labwire/labwire/json";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const interact = interactWithCommands({
 *   set_voltage: (data) => ({ volts: data.volts }),
 *   off: () => {},
 * });
 * const context = {
 *   remoteAddr: { hostname: "127.0.0.1", port: 50000 },
 *   bytes: new Uint8Array(),
 *   signal: new AbortController().signal,
 * };
 * assertEquals(interact({ command_id: "set_voltage", volts: 3 }, context), { volts: 3 });
 * assertThrows(
 *   () => interact({ command_id: "set_volt" }, context),
 *   Error,
 *   'Unknown command "set_volt": expected one of set_voltage, off; did you mean "set_voltage"?',
 * );
 * ```
 */
export function interactWithCommands(
  commands: Commands,
  { describe = () => describeCommands(commands) }: CommandsOptions = {},
): Interact {
  return (data, context) => {
    const id = commandId(data);
    if (typeof id === "string" && Object.hasOwn(commands, id)) {
      const command = commands[id];
      if (typeof command === "function") return command.call(commands, data, context);
    }
    if (id === LIST_COMMANDS) return describe();
    throw unknownCommand(id, commands);
  };
}

/**
 * Reads the `command_id` of a message.
 *
 * @param data The message.
 * @returns Its own `command_id`, or undefined if it has none or is not an object.
 */
export function commandId(data: unknown): unknown {
  return ownProperty(data, "command_id");
}

/**
 * Reads an object's own property, not one that all objects inherit.
 *
 * @param data Any value.
 * @param name The name.
 * @returns The property's value, or undefined.
 */
export function ownProperty(data: unknown, name: string): unknown {
  return typeof data === "object" && data !== null && Object.hasOwn(data, name)
    ? (data as Record<string, unknown>)[name]
    : undefined;
}

function unknownCommand(id: unknown, commands: Commands): CodecError {
  const known = Object.keys(commands).filter((name) => typeof commands[name] === "function");
  const listed = known.slice(0, LISTED).join(", ") + (known.length > LISTED ? ", …" : "");
  const wanted = `expected one of ${listed}`;
  if (id === undefined) return new CodecError(`Cannot find "command_id" in message: ${wanted}`);
  const near = typeof id === "string" ? nearest(id, known) : undefined;
  const hint = near === undefined ? "" : `; did you mean "${near}"?`;
  const shown = stringifyJson(id);
  return new CodecError(`Unknown command ${shorten(shown)}: ${wanted}${hint}`);
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
