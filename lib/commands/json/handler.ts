import type { Context } from "../../cli/context.ts";
import { type HandlerValues, type ModuleHandler, openHandler } from "../../handlers/handler.ts";
import { compactJson, jsonMembers } from "../../codecs/json/text.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import { CodecError, UsageError } from "../../errors.ts";
import { commandId, interactWithCommands } from "../../json/commands.ts";
import { interactThrough } from "../../json/program_interact.ts";
import type { Commands, Interact, InteractContext } from "../../json/protocol.ts";
import { quoted } from "../../text/wording.ts";
import { handlerEvents } from "../serving/handler_options.ts";

/** A handler, and the end of what is behind it. */
export interface OpenHandler extends AsyncDisposable {
  readonly interact: Interact;
  /** The module that is behind it, if one is. */
  readonly module: ModuleHandler | undefined;
}

/**
 * Makes the handler that the options of `json-server` describe.
 *
 * @param values The options' values.
 * @param context Where the template's handler prints, and where the stderr of programs goes.
 * @param print Whether the template's handler prints at all.
 * @returns The handler, to be disposed of.
 * @throws {UsageError} If there are several, the module has no handler, or the program cannot be started.
 */
export async function jsonHandler(
  values: HandlerValues,
  context: Context,
  print: boolean,
): Promise<OpenHandler> {
  const handler = await openHandler(values, { kind: "commands" }, handlerEvents(context));
  const interact = !handler
    ? templateInteract(print ? context.out : undefined)
    : handler.kind === "module"
    ? moduleInteract(handler)
    : interactThrough(handler);
  const module = handler?.kind === "module" ? handler : undefined;
  return {
    interact,
    module,
    [Symbol.asyncDispose]: () => handler?.close() ?? Promise.resolve(),
  };
}

/** The handler of the original template: prints what it gets; labels only on a terminal. */
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

/** Passes messages to what a module exports when they come: it may be loaded again. */
function moduleInteract(module: ModuleHandler): Interact {
  let { exports } = module;
  let interact = exportedInteract(module);
  const current: Interact = (data, context) => {
    if (exports !== module.exports) {
      interact = exportedInteract(module);
      exports = module.exports;
    }
    return interact(data, context);
  };
  const calling: Interact = (data, context) => {
    const loading = module.refresh?.();
    return loading ? handleAfter(loading, current, data, context) : current(data, context);
  };
  return Object.defineProperties(calling, {
    anyNumber: { get: () => interact.anyNumber },
    depth: { get: () => module.depth },
  });
}

/**
 * Handles a message after something else, unless its time is over by then: it was answered with a failure.
 *
 * @param waiting What comes before.
 * @param interact The handler.
 * @param data The message.
 * @param context As the handler gets it.
 * @returns As the handler does.
 */
export async function handleAfter(
  waiting: Promise<unknown>,
  interact: Interact,
  data: unknown,
  context: InteractContext,
): Promise<unknown> {
  await waiting;
  context.signal.throwIfAborted();
  return await interact(data, context);
}

function exportedInteract(module: ModuleHandler): Interact {
  const { file, language, exports } = module;
  const { interact = exports.default, commands } = exports;
  if (typeof interact === "function") return interact as Interact;
  if (typeof commands === "object" && commands !== null) {
    if (Object.values(commands).some((command) => typeof command === "function")) {
      return interactWithCommands(commands as Commands, { describe: () => module.describe() });
    }
    const [name] = Object.keys(commands);
    if (name !== undefined) {
      throw new UsageError(
        `Cannot use handler "${file}": ${quoted(name)} of its commands is no function`,
      );
    }
  }
  throw new UsageError(
    `Cannot use handler "${file}": expected ${
      language === "python"
        ? 'functions, such as "def get_voltage(): …", or "def interact(message): …"'
        : '"export function interact(data, context) { … }" or ' +
          '"export const commands = { name(data, context) { … } }"'
    }`,
  );
}
