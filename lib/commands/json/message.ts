/**
 * The messages of `json-client` as lines of JSON.
 *
 * A JSON text that a user gives is checked, and sent as it is. Numbers keep their form in any case, so that Python gets `1.0` as a
 * float, and `1e400` is for the server to judge.
 *
 * @module
 */

import { parseJson } from "../../codecs/json/json.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import { CodecError, messageOf, UsageError } from "../../errors.ts";
import { itemsToJson } from "../../json/items.ts";
import { splitCommandLine } from "../../process/command_line.ts";

/**
 * Reads a message from a JSON text.
 *
 * @param text The text; may have several lines.
 * @returns One line.
 * @throws {CodecError} If it is no JSON.
 */
export function lineMessage(text: string): string {
  parseJson(text, { anyNumber: true });
  // What ends a line is white space in JSON: inside of texts it is always escaped.
  return text.replace(/^\uFEFF/, "").replace(/[\r\n]+/g, " ").trim();
}

/**
 * Reads a message from the words of a command line: one JSON text, or words as HTTPie has them.
 *
 * @param words The words, one at least.
 * @returns One line.
 * @throws {UsageError} If they are neither.
 */
export async function wordsMessage(words: readonly string[]): Promise<string> {
  if (!startsJson(words[0]!)) return await itemsToJson(words, Deno.readFile);
  try {
    return lineMessage(words.join(" "));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const hint = Deno.build.os === "windows" && !words.join("").includes('"')
      ? '; the shell has taken the quotes away: write \\" for each, or use command_id name=text'
      : "";
    throw new UsageError(error.message + hint, { cause: error });
  }
}

/**
 * Reads a message that was typed at the prompt: JSON, or words with quotes around those that have blanks.
 *
 * @param text What was typed.
 * @returns One line.
 * @throws {UsageError} If it is neither.
 */
export function typedMessage(text: string): Promise<string> {
  return wordsMessage(startsJson(text.trim()) ? [text.trim()] : splitCommandLine(text));
}

/**
 * Reads a message from a file.
 *
 * @param path The file.
 * @returns One line.
 * @throws {UsageError} If it cannot be read or is no JSON.
 */
export async function fileMessage(path: string): Promise<string> {
  try {
    return lineMessage(decodeUtf8(await Deno.readFile(path)));
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound ? "no such file" : messageOf(cause);
    throw new UsageError(`Cannot send file "${path}": ${why}`, { cause });
  }
}

function startsJson(text: string): boolean {
  return text.startsWith("{") || text.startsWith("[");
}
