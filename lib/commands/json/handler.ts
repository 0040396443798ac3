import type { Context } from "../../cli/context.ts";
import { loadModule } from "../../handlers/load_module.ts";
import { compactJson, jsonMembers } from "../../codecs/json/text.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import { CodecError, UsageError } from "../../errors.ts";
import { commandId, interactWithCommands } from "../../json/commands.ts";
import { interactWithLineProgram, interactWithProgram } from "../../json/program_interact.ts";
import type { Commands, Interact } from "../../json/protocol.ts";
import { readCommand } from "../serving/serving.ts";

/** What the options say about who handles messages. */
export interface HandlerValues {
  readonly handler?: string;
  readonly exec?: string;
  readonly execPersistent?: string;
  readonly execTimeout: number;
}

/** A handler, and the end of what is behind it. */
export interface OpenHandler extends AsyncDisposable {
  readonly interact: Interact;
}

/**
 * Makes the handler that the options of `json-server` describe.
 *
 * @param values The options' values.
 * @param context Where the template's handler prints, and where messages of programs go.
 * @param print Whether the template's handler prints at all.
 * @returns The handler, to be disposed of.
 * @throws {UsageError} If there are several, or the module or program cannot be used.
 */
export async function jsonHandler(
  values: HandlerValues,
  context: Context,
  print: boolean,
): Promise<OpenHandler> {
  const { handler, exec, execPersistent, execTimeout: timeout } = values;
  if ([handler, exec, execPersistent].filter((value) => value !== undefined).length > 1) {
    throw new UsageError(
      "Cannot use several of --handler, --exec and --exec-persistent: expected one",
    );
  }
  if (handler !== undefined) return plain(await moduleInteract(handler));
  if (exec !== undefined) return plain(interactWithProgram(await readCommand(exec), { timeout }));
  if (execPersistent === undefined) return plain(templateInteract(print ? context.out : undefined));
  const { say } = context;
  return interactWithLineProgram(await readCommand(execPersistent), {
    timeout,
    onExit: (reason) => say.warn(`${reason}; starting it again`),
    onUnasked: (line) =>
      say.throttled("unasked", `The program printed without being asked: ${line}`),
    onStderr: (bytes) => say.relay(new TextDecoder().decode(bytes)),
  });
}

function plain(interact: Interact): OpenHandler {
  return { interact, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** The template's own: prints what it gets; its labels only on a terminal. */
function templateInteract(out: Context["out"] | undefined): Interact {
  const interact: Interact = (data, { bytes }) => {
    const id = commandId(data);
    if (id === undefined) throw new CodecError('Cannot find "command_id" in message');
    if (!out) return;
    const text = compactJson(decodeUtf8(bytes));
    if (!out.terminal) return out.json(text);
    out.line(`Received data is the following :  ${text}`);
    if (id !== "test_command") return;
    for (const [name, value] of jsonMembers(text)) {
      if (name === "command_id" || name === "id") continue;
      out.line(`Data of ${name} :  ${value.startsWith('"') ? JSON.parse(value) : value}`);
    }
  };
  return Object.assign(interact, { anyNumber: true });
}

async function moduleInteract(file: string): Promise<Interact> {
  const module = await loadModule(file);
  const { interact = module.default, commands } = module;
  if (typeof interact === "function") return interact as Interact;
  if (typeof commands === "object" && commands !== null) {
    if (Object.values(commands).some((command) => typeof command === "function")) {
      return interactWithCommands(commands as Commands);
    }
  }
  throw new UsageError(
    `Cannot use handler "${file}": expected "export function interact(data, context) { … }" or ` +
      '"export const commands = { name(data, context) { … } }"',
  );
}
