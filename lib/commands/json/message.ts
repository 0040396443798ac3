/**
 * The messages of `json-client` as lines of JSON.
 *
 * A JSON text from the user is checked, and sent as it is. Numbers always keep their form, so that Python gets `1.0` as a float, and the
 * server decides about `1e400`.
 *
 * @module
 */

import { parseJson } from "../../codecs/json/json.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import { CodecError, UsageError, whyUnreadable } from "../../errors.ts";
import { itemsToJson } from "../../json/items.ts";
import { splitCommandLine } from "../../process/command_line.ts";

/**
 * Reads a message from a JSON text.
 *
 * @param text The text; may have several lines.
 * @returns One line.
 * @throws {CodecError} If it is not JSON.
 */
export function lineMessage(text: string): string {
  parseJson(text, { anyNumber: true });
  // Line ends are white space in JSON: within strings they are always escaped.
  return text.replace(/^\uFEFF/, "").replace(/[\r\n]+/g, " ").trim();
}

/**
 * Reads a message from the words of a command line: one JSON text, or words in the syntax of HTTPie.
 *
 * @param words The words, at least one.
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
      ? '; the shell removed the quotes: write \\" for each, or use command_id name=text'
      : "";
    throw new UsageError(error.message + hint, { cause: error });
  }
}

/**
 * Reads a message typed at the prompt: JSON, or words, with quotes around those that contain blanks.
 *
 * @param text What was typed.
 * @returns One line.
 * @throws {UsageError} If it is neither.
 */
export function typedMessage(text: string): Promise<string> {
  return wordsMessage(startsJson(text.trim()) ? [text.trim()] : splitCommandLine(text));
}

/**
 * Says which word of a message sent a text that looks like a number or a truth value, as after a failure that is the likely cause.
 *
 * @param words The words of the command line.
 * @returns The end of an error message; empty if there is no such word.
 */
export function sentAsText(words: readonly string[]): string {
  for (const word of words) {
    const [, name, value] = LOOKALIKE.exec(word) ?? [];
    if (value !== undefined) return `; ${word} sent a text, ${name}:=${value} sends the value`;
  }
  return "";
}

/** NAME=TEXT with a text that could be JSON. */
const LOOKALIKE = /^([^=:@"{]+)=(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;

/**
 * Reads a message from a file.
 *
 * @param path The file.
 * @returns One line.
 * @throws {UsageError} If it cannot be read or is not JSON.
 */
export async function fileMessage(path: string): Promise<string> {
  try {
    return lineMessage(decodeUtf8(await Deno.readFile(path)));
  } catch (cause) {
    throw new UsageError(`Cannot send file "${path}": ${whyUnreadable(cause)}`, { cause });
  }
}

function startsJson(text: string): boolean {
  return text.startsWith("{") || text.startsWith("[");
}
