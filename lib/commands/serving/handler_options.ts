/**
 * What every command has that passes messages to a user's code.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { beside, file, flag, integer, seconds, several, text, value } from "../../cli/options.ts";
import { UsageError } from "../../errors.ts";
import type { HandlerEvents, ModuleHandler } from "../../handlers/handler.ts";
import { counted } from "../../text/wording.ts";
import { within } from "../../time/deadline.ts";

/** The options of every command that passes messages to a user's code. */
export const handlerOptions = {
  handler: file({ help: "Module that handles the messages: a file that ends in .py, .js or .mjs" }),
  python: file({
    placeholder: "PATH",
    help:
      "Python that runs a handler in Python (default that of VIRTUAL_ENV, else python3 or python, on Windows also py -3)",
  }),
  handlerArg: several(value(
    { help: "A setting that the handler's setup(options) gets" },
    "NAME=VALUE",
    parseArgument,
  )),
  handlerTimeout: seconds({
    min: 0.001,
    help:
      "Seconds that a handler may take for a message; after that the message fails, and a handler in Python is ended and started again " +
      "(default no limit)",
  }),
  concurrency: integer({ default: 1, min: 1, help: "How many messages may be handled at once" }),
  reload: flag({ help: "Load the handler again when its file has changed, between two messages" }),
  exec: text({ placeholder: "COMMAND", help: "Program to start for each message" }),
  execPersistent: text({
    placeholder: "COMMAND",
    help: "Program to keep running for all messages",
  }),
  execTimeout: beside(
    ["exec", "execPersistent"],
    seconds({
      default: 30,
      min: 0.001,
      help: "Seconds that the program may take for a message",
    }),
  ),
} as const;

/**
 * Says what happens beside the messages.
 *
 * @param context Where to.
 */
export function handlerEvents({ say, signal }: Context): HandlerEvents {
  return {
    onProblem({ kind, message }) {
      if (kind === "reloaded") say.info(message);
      else if (kind === "unsolicited") say.throttled(kind, message);
      else say.warn(message);
    },
    onStderr: (bytes) => say.relay(new TextDecoder().decode(bytes)),
    signal,
  };
}

/** Seconds that what was printed may take to leave before a handler is ended. */
const FLUSH_LIMIT = 1;

/**
 * Ends what handles the messages, after what was printed has left: a `close()` in JavaScript that never returns ends the program.
 *
 * @param context Where that is, and where is said what is waited for.
 * @param module The module, if it is one.
 * @param close Ends it.
 */
export async function endHandler(
  { out, describeOpenWork }: Pick<Context, "out" | "describeOpenWork">,
  module: ModuleHandler | undefined,
  close: () => Promise<void>,
): Promise<void> {
  await within(out.flush(), FLUSH_LIMIT);
  describeOpenWork(() => module ? "close() of the handler" : "the handler to end");
  await close();
  describeOpenWork(() => undefined);
}

/**
 * Says what happened to a handler, for a summary.
 *
 * @param module The module, if there is one.
 * @param times Whether to say how much time a call takes beside the user's code, as `--stats` asks for.
 * @returns Nothing where nothing did.
 */
export function handlerCounts(module: ModuleHandler | undefined, times = false): string[] {
  const { restarts = 0, overhead } = module?.counters ?? {};
  return [
    ...restarts > 0 ? [counted(restarts, "restart of the handler", "restarts of the handler")] : [],
    ...times && overhead !== undefined
      ? [`${(overhead * 1e6).toFixed(0)} µs p50 in labwire and the pipe`]
      : [],
  ];
}

function parseArgument(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError('expected "NAME=VALUE", as in port=COM3');
  return [text.slice(0, at), text.slice(at + 1)];
}
