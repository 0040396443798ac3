import { type JsonValue, parseJson } from "../codecs/json.ts";
import { decodeUtf8 } from "../codecs/utf8.ts";
import { messageOf, UsageError } from "../errors.ts";

/** The signs between name and value, the longer ones first where one starts as another. */
const SEPARATOR = /^(?::=@|:=|=@|=)/;

/** One argument, taken apart. */
interface Item {
  name: string;
  separator: string;
  value: string;
}

/**
 * Reads a message from words as HTTPie has them on its command line.
 *
 * | word | is |
 * |---|---|
 * | `name=text` | a text, whatever it looks like: `volts=3` is the text `"3"` |
 * | `name:=json` | any JSON value: `volts:=3`, `on:=true`, `list:='[1,2]'` |
 * | `name=@file` | the text in a file |
 * | `name:=@file` | the JSON value in a file |
 *
 * A first word without any of these signs is the `command_id`. A backslash before `=` or `:` makes the sign a part of the name,
 * one before `@` makes it a part of the value; any other backslash stands for itself.
 *
 * @param words The words.
 * @param readFile Reads a file that a word names.
 * @returns The message.
 * @throws {UsageError} If a word is none of these, a name is there twice, or a file cannot be read or does not fit.
 *
 * @example The document's test command
 * ```ts
 * import { parseItems } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * const words = ["test_command", "param1:=100", "param2=this is text", "param3:=true", "param4:=[1,2]"];
 * assertEquals(await parseItems(words, Deno.readFile), {
 *   command_id: "test_command",
 *   param1: 100,
 *   param2: "this is text",
 *   param3: true,
 *   param4: [1, 2],
 * });
 * ```
 */
export async function parseItems(
  words: readonly string[],
  readFile: (path: string) => Promise<Uint8Array>,
): Promise<{ [name: string]: JsonValue }> {
  const entries = new Map<string, JsonValue>();
  for (const [i, word] of words.entries()) {
    const item = splitItem(word);
    if (item === null && i === 0) {
      entries.set("command_id", word);
      continue;
    }
    if (item === null) throw cannotRead(word, "expected NAME=TEXT, NAME:=JSON or NAME=@FILE");
    if (item.name === "") throw cannotRead(word, `expected a name before "${item.separator}"`);
    if (entries.has(item.name)) throw cannotRead(word, `"${item.name}" is there twice`);
    entries.set(item.name, await valueOf(word, item, readFile));
  }
  return Object.fromEntries(entries);
}

/** Takes a word apart at its first sign; null if there is none. */
function splitItem(word: string): Item | null {
  let name = "";
  for (let at = 0; at < word.length; at++) {
    const separator = SEPARATOR.exec(word.slice(at))?.[0];
    if (separator !== undefined) {
      return { name, separator, value: word.slice(at + separator.length) };
    }
    if (word[at] === "\\" && /[=:]/.test(word[at + 1] ?? "")) at++;
    name += word[at];
  }
  return null;
}

async function valueOf(
  word: string,
  { separator, value }: Item,
  readFile: (path: string) => Promise<Uint8Array>,
): Promise<JsonValue> {
  if (separator === "=") return value.startsWith("\\@") ? value.slice(1) : value;
  try {
    if (separator === ":=") return parseJson(value);
    const text = decodeUtf8(await readFile(value));
    return separator === "=@" ? text : parseJson(text);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? `no such file "${value}"`
      : messageOf(error);
    throw cannotRead(word, why, error);
  }
}

function cannotRead(word: string, why: string, cause?: unknown): UsageError {
  return new UsageError(`Cannot read argument ${JSON.stringify(word)}: ${why}`, { cause });
}
