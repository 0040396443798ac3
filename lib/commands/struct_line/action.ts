import type { Context } from "../../cli/context.ts";
import { defaultFunction, openHandler } from "../../handlers/handler.ts";
import type { ProgramHandler } from "../../handlers/program.ts";
import type { StructJson } from "../../codecs/struct/json.ts";
import { UsageError } from "../../errors.ts";
import { lineFraming } from "../../net/framing/line.ts";
import { messagesOf } from "../../net/framing/read_messages.ts";
import type { LineAction } from "../../struct/line_options.ts";
import { type RecordText, windowOf } from "./options.ts";

/** What the options say about what to do with records. */
export interface ActionValues {
  readonly handler?: string;
  readonly exec?: string;
  readonly execTimeout: number;
  readonly echo: boolean;
}

/**
 * Makes the action that `--handler`, `--exec` or `--echo` ask for.
 *
 * @param values The options' values.
 * @param text What the records are.
 * @param context What ends the program.
 * @returns The action; undefined if there is nothing to do but print.
 * @throws {UsageError} If there are several, the module has no handler, or the program cannot be found.
 */
export async function lineAction(
  { handler, exec, execTimeout, echo }: ActionValues,
  { struct, json }: RecordText,
  context: Context,
): Promise<LineAction<string> | undefined> {
  if ([handler !== undefined, exec !== undefined, echo].filter(Boolean).length > 1) {
    throw new UsageError("Cannot use several of --handler, --exec and --echo: expected one");
  }
  const code = await openHandler({ handler, exec, execTimeout });
  if (code?.kind === "module") {
    return defaultFunction<LineAction<string>>(code, "function (values, line) { … }");
  }
  if (code) return programAction(code, json, context);
  if (!echo) return undefined;
  const window = windowOf(struct);
  let count = 0;
  return (values, line) => {
    const taken = line.send(values);
    if (++count % window === 0) return taken;
  };
}

/** Passes each record to a program that is started for it. */
function programAction(
  program: ProgramHandler,
  json: StructJson,
  { signal }: Context,
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
