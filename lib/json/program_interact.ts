import { parseJson } from "../codecs/json/json.ts";
import { jsonMembers, JsonText } from "../codecs/json/text.ts";
import { CodecError, RemoteError } from "../errors.ts";
import { persistentProgram, type ProgramHandler, programPerMessage } from "../handlers/program.ts";
import type { LineProgramOptions } from "../process/line_program.ts";
import type { RunProgramOptions } from "../process/run_program.ts";
import { ownProperty } from "./commands.ts";
import type { Interact, InteractContext } from "./protocol.ts";

const CR = 13;
const SPACE = 32;
/** Output that is no text: an array or object, and the numbers that Python's `json.dumps()` writes although JSON has none such. */
const MEANT_AS_JSON = /^(?:[{[]|-?(?:NaN|Infinity)$)/;

/**
 * Makes a handler that starts a program for each message. The program reads the message as one line from stdin, and its output becomes
 * the result: as a {@linkcode JsonText} if it is JSON, else as text without surrounding blanks, and none if it is empty. Output that
 * begins with `{` or `[` and is no JSON is a failure that says where, and so is NaN or an infinity. An exit code other than 0 is a
 * failure with the last line of its stderr.
 *
 * @param command The program and its arguments, see {@linkcode splitCommandLine}.
 * @param options How long it may take and how much it may print.
 * @returns The handler.
 *
 * @example
 * ```ts
 * import { interactWithProgram, sendJson, startJsonServer } from "@labwire/labwire/json";
 * import { assertEquals } from "@std/assert";
 *
 * const script = "const data = await new Response(Deno.stdin.readable).json(); console.log(data.volts * 2)";
 * const interact = interactWithProgram([Deno.execPath(), "eval", script]);
 * await using server = startJsonServer({ port: 0, interact });
 * const answer = await sendJson({ command_id: "double", volts: 2 }, { port: server.addr.port, timeout: 30 });
 * assertEquals(answer.outcome === "success" && answer.result, 4);
 * ```
 */
export function interactWithProgram(
  command: readonly string[],
  options: Omit<RunProgramOptions, "signal"> = {},
): Interact {
  return interactThrough(programPerMessage(command, options));
}

/** A handler backed by a running program. */
export interface LineProgramInteract extends AsyncDisposable {
  /** The handler. */
  interact: Interact;
  /** Ends the program. */
  close(): Promise<void>;
}

/**
 * Makes a handler that keeps one program running and speaks with it line by line: the message in one line in, the result in one
 * line out, as JSON or else as text. A line `{"status": "error", "error": "…"}` is a failure, and so is one that begins with
 * `{` or `[` and is no JSON. When the program dies, the
 * message that it was handling fails, and it is started again after a delay.
 *
 * @param command The program and its arguments, see {@linkcode splitCommandLine}.
 * @param options Timeouts, and what to call when something happens.
 * @returns The handler, to be closed at the end.
 * @throws {UsageError} If the program cannot be started.
 */
export function interactWithLineProgram(
  command: readonly string[],
  options: LineProgramOptions = {},
): LineProgramInteract {
  const program = persistentProgram(command, options);
  const close = () => program.close();
  return { interact: interactThrough(program), close, [Symbol.asyncDispose]: close };
}

/**
 * Makes a handler of JSON messages from a program.
 *
 * @param program The program.
 * @returns The handler.
 */
export function interactThrough(program: ProgramHandler): Interact {
  const interact: Interact = async (_data, context) => {
    const result = resultOf(await program.handle(oneLine(context), context.signal));
    // A program that keeps running has no exit code to report a failure with.
    if (program.persistent && result instanceof JsonText) throwIfFailure(result);
    return result;
  };
  return Object.assign(interact, { anyNumber: true });
}

function throwIfFailure(result: JsonText): void {
  const answer = parseJson(result.text, { anyNumber: true });
  const status = ownProperty(answer, "status");
  if (status !== "error" && status !== "failed") return;
  const error = ownProperty(answer, "error");
  if (typeof error === "string") throw new RemoteError(error);
  const { text } = result;
  throw new RemoteError(error == null ? text : jsonMembers(text).get("error")!);
}

/**
 * The message as received. Carriage returns, which some programs take as the end of a line, are only white space in JSON: within
 * strings they are always escaped.
 */
function oneLine({ bytes }: InteractContext): Uint8Array {
  return bytes.includes(CR) ? bytes.map((byte) => byte === CR ? SPACE : byte) : bytes;
}

function resultOf(output: Uint8Array): JsonText | string | undefined {
  const text = new TextDecoder().decode(output).trim();
  if (text === "") return undefined;
  try {
    return new JsonText(text);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    if (!MEANT_AS_JSON.test(text)) return text;
    const what = error.message.replace(
      /^Cannot parse JSON/,
      "Cannot parse output of program as JSON",
    );
    throw new RemoteError(what, { cause: error });
  }
}
