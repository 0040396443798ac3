import type { Context } from "../../cli/context.ts";
import type { Sample } from "../../codecs/villas/sample.ts";
import { villasFormat } from "../../codecs/villas/formats.ts";
import { formatVillasJson } from "../../codecs/villas/json.ts";
import { UsageError } from "../../errors.ts";
import {
  exportedFunction,
  type HandlerValues,
  type ModuleHandler,
  openHandler,
} from "../../handlers/handler.ts";
import type { ProgramHandler } from "../../handlers/program.ts";
import type { BatchHandler } from "../../villas/hooks/batch_handler.ts";
import type { Reply, SampleHandler } from "../../villas/hooks/handler.ts";
import { handlerEvents } from "../serving/handler_options.ts";

/** What makes the replies of an echo: one of the two, or neither. */
export interface EchoHandler extends AsyncDisposable {
  /** Makes the reply to each sample. */
  readonly handler?: SampleHandler;
  /** Makes the replies to several samples together. */
  readonly batchHandler?: BatchHandler;
  /** The module that is behind it, if one is. */
  readonly module?: ModuleHandler;
}

/**
 * Opens what the options of `villas-echo` say that makes the replies.
 *
 * @param values The options' values.
 * @param context Where its problems, and what it prints for people, go.
 * @returns The handler, to be disposed of.
 * @throws {UsageError} If there are several, or one cannot be loaded or started.
 */
export async function openEchoHandler(
  values: HandlerValues,
  context: Context,
): Promise<EchoHandler> {
  const opened = await openHandler(values, { kind: "samples" }, handlerEvents(context));
  const ended = new AbortController();
  const end = async () => {
    ended.abort();
    await opened?.close();
  };
  const base = { [Symbol.asyncDispose]: end };
  if (!opened) return base;
  try {
    if (opened.kind === "program") {
      return { ...base, handler: programReplies(opened, ended.signal) };
    }
    if (opened.language === "python") {
      const form = "def handle(sample): …";
      const batchHandler = exportedFunction<BatchHandler>(opened, ["handle_batch"], form);
      return { ...base, module: opened, batchHandler };
    }
    const handler = exportedFunction<SampleHandler>(
      opened,
      ["default", "handle"],
      "export default (sample) => sample",
    );
    return { ...base, module: opened, handler };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Has a program answer, until the signal says that the grace is over: each sample is a line of JSON, and so is each reply. */
function programReplies(program: ProgramHandler, signal: AbortSignal): SampleHandler {
  const format = villasFormat("json");
  return async (sample) => {
    const line = new TextEncoder().encode(formatVillasJson(sample));
    const output = await program.handle(line, signal);
    const lines = new TextDecoder().decode(output).split(/\r?\n/).map((text) => text.trim());
    return lines.filter((text) => text !== "" && text !== "null")
      .map((text) => replyOf(format.decode(new TextEncoder().encode(text)), sample));
  };
}

/** One reply of a program. */
function replyOf(samples: readonly Sample[], { values }: Sample): Reply {
  const [reply] = samples;
  if (samples.length !== 1) {
    throw new UsageError("Cannot read output of program: expected one sample in each line");
  }
  return {
    ...reply!,
    // Many programs write 2.0 as 2: it is a float where a float was received.
    values: reply!.values.map((value, i) =>
      typeof value === "bigint" && typeof values[i] === "number" ? Number(value) : value
    ),
  };
}
