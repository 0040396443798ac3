import type { Context } from "../../cli/context.ts";
import { loadHandler } from "../../handlers/load_module.ts";
import type { StructJson } from "../../codecs/struct/json.ts";
import { UsageError } from "../../errors.ts";
import { lineFraming } from "../../net/framing/line.ts";
import { messagesOf } from "../../net/framing/read_messages.ts";
import { splitCommandLine } from "../../process/command_line.ts";
import { findProgram } from "../../process/find_program.ts";
import { runProgram } from "../../process/run_program.ts";
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
 * @param context Where to complain.
 * @returns The action; undefined if there is nothing to do but print.
 * @throws {UsageError} If there are several, or the module or program is no use.
 */
export async function lineAction(
  { handler, exec, execTimeout, echo }: ActionValues,
  { struct, json }: RecordText,
  context: Context,
): Promise<LineAction<string> | undefined> {
  if ([handler !== undefined, exec !== undefined, echo].filter(Boolean).length > 1) {
    throw new UsageError("Cannot use several of --handler, --exec and --echo: expected one");
  }
  if (handler !== undefined) {
    return await loadHandler<LineAction<string>>(handler, "function (values, line) { … }");
  }
  if (exec !== undefined) return await programAction(exec, execTimeout, json, context);
  if (!echo) return undefined;
  const window = windowOf(struct);
  let count = 0;
  return (values, line) => {
    const taken = line.send(values);
    if (++count % window === 0) return taken;
  };
}

/** Gives each record to a program that is started for it. */
async function programAction(
  text: string,
  timeout: number,
  json: StructJson,
  { signal }: Context,
): Promise<LineAction<string>> {
  const [program, ...args] = splitCommandLine(text);
  const command = [await findProgram(program), ...args];
  const framing = lineFraming({ maxBytes: Infinity });
  const decoder = new TextDecoder();
  return async (values, line) => {
    const input = framing.encode(json.stringify(values));
    try {
      const output = await runProgram(command, input, { timeout, signal });
      for (const bytes of messagesOf(output, framing)) {
        const answer = decoder.decode(bytes);
        if (answer.trim() !== "") await line.send(json.parse(answer));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
}
