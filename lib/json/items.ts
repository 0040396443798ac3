import { type JsonValue, parseJson } from "../codecs/json/json.ts";
import { compactJson } from "../codecs/json/text.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { messageOf, UsageError } from "../errors.ts";
import { parsePath, PathError, Tree } from "./item_tree.ts";

/** The separators between name and value, longer ones first where they start alike. */
const SEPARATOR = /^(?::=@|:=|=@|=)/;

/** One argument in parts. */
interface Item {
  name: string;
  separator: string;
  value: string;
}

/**
 * Reads a message from command-line words, in the syntax of HTTPie.
 *
 * | word | is |
 * |---|---|
 * | `name=text` | a text, whatever it looks like: `volts=3` is the text `"3"` |
 * | `name:=json` | any JSON value: `volts:=3`, `on:=true`, `list:='[1,2]'` |
 * | `name=@file` | the text in a file |
 * | `name:=@file` | the JSON value in a file |
 * | `cfg[gain]:=1` | a member of an object: `{"cfg": {"gain": 1}}`; further brackets nest further |
 * | `list[]:=1` | one more item of a list |
 * | `list[0]:=1` | the item with that index; `cfg[\0]:=1` is a member with that name |
 *
 * A first word without any of these separators is the `command_id`. After a backslash, `=`, `:`, `[` and `]` are part of the name, and
 * `@` is part of the value; any other backslash is literal.
 *
 * @param words The words.
 * @param readFile Reads a file that a word names.
 * @returns The message.
 * @throws {UsageError} If a word is none of these, two words contradict each other, or a file cannot be read or is invalid.
 *
 * @example The document's test command
 * ```ts
 * import { parseJsonItems } from "@labwire/labwire/json";
 * import { assertEquals } from "@std/assert";
 *
 * const words = ["test_command", "param1:=100", "param2=this is text", "param3:=true", "param4:=[1,2]"];
 * assertEquals(await parseJsonItems(words, Deno.readFile), {
 *   command_id: "test_command",
 *   param1: 100,
 *   param2: "this is text",
 *   param3: true,
 *   param4: [1, 2],
 * });
 * ```
 */
export async function parseJsonItems(
  words: readonly string[],
  readFile: (path: string) => Promise<Uint8Array>,
): Promise<{ [name: string]: JsonValue }> {
  return parseJson(await readItems(words, readFile, false)) as { [name: string]: JsonValue };
}

/**
 * Reads a message as {@linkcode parseJsonItems} does, and writes it as JSON with all numbers as the user wrote them, even `1.0`, `-0.0`
 * and `1e400`.
 *
 * @param words The words.
 * @param readFile Reads a file that a word names.
 * @returns The message as JSON in one line.
 * @throws {UsageError} As {@linkcode parseJsonItems}.
 */
export function itemsToJson(
  words: readonly string[],
  readFile: (path: string) => Promise<Uint8Array>,
): Promise<string> {
  return readItems(words, readFile, true);
}

async function readItems(
  words: readonly string[],
  readFile: (path: string) => Promise<Uint8Array>,
  anyNumber: boolean,
): Promise<string> {
  const tree = new Tree();
  for (const [i, word] of words.entries()) {
    const item = splitItem(word);
    if (item === null && i === 0) {
      tree.set(["command_id"], JSON.stringify(word), word);
      continue;
    }
    if (item === null) throw cannotRead(word, "expected NAME=TEXT, NAME:=JSON or NAME=@FILE");
    if (item.name === "") throw cannotRead(word, `expected a name before "${item.separator}"`);
    const value = await valueOf(word, item, readFile, anyNumber);
    try {
      tree.set(parsePath(item.name), value, word);
    } catch (error) {
      throw error instanceof PathError ? cannotRead(word, error.message) : error;
    }
  }
  return tree.toJson();
}

/** Splits a word at its first separator; null if there is none. */
function splitItem(word: string): Item | null {
  for (let at = 0; at < word.length; at++) {
    const separator = SEPARATOR.exec(word.slice(at, at + 3))?.[0];
    if (separator !== undefined) {
      return { name: word.slice(0, at), separator, value: word.slice(at + separator.length) };
    }
    if (word[at] === "\\" && /[=:]/.test(word[at + 1] ?? "")) at++;
  }
  return null;
}

/** The value of a word, as JSON. */
async function valueOf(
  word: string,
  { separator, value }: Item,
  readFile: (path: string) => Promise<Uint8Array>,
  anyNumber: boolean,
): Promise<string> {
  if (separator === "=") return JSON.stringify(value.startsWith("\\@") ? value.slice(1) : value);
  try {
    const text = separator === ":=" ? value : decodeUtf8(await readFile(value));
    if (separator === "=@") return JSON.stringify(text);
    parseJson(text, { anyNumber });
    return compactJson(text);
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
