import { parseJsonText } from "./parse.ts";
import { type JsonValue, readJson } from "./reader.ts";
import { endOfString, endOfValue, isSpace } from "./scan.ts";

const QUOTE = 0x22;
const ESCAPE = /\\[u/]/g;

/** Provided by the platform, but not declared in TypeScript's library yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): JsonValue };

/**
 * A value as JSON text, to pass it on without computing with it: all digits of its numbers are kept, even of `1.0`, `-0.0` and
 * `1e400`.
 *
 * @example
 * ```ts
 * import { JsonText, stringifyJson } from "@labwire/labwire/codecs/json";
 * import { assertEquals } from "@std/assert";
 *
 * const text = new JsonText('{"gain": 1.0, "limit": 1e400}');
 * assertEquals(text.text, '{"gain":1.0,"limit":1e400}');
 * assertEquals(stringifyJson({ settings: text }), '{"settings":{"gain":1.0,"limit":1e400}}');
 * ```
 */
export class JsonText {
  /** The text, in one line and without blanks between its parts. */
  readonly text: string;

  /**
   * Checks a text and keeps it.
   *
   * @param text Any JSON text.
   * @throws {CodecError} If it is not JSON, or nests deeper than 512 levels.
   */
  constructor(text: string) {
    parseJsonText(text, { anyNumber: true });
    this.text = compactJson(text);
  }

  /**
   * Keeps a text without looking at it.
   *
   * @param text JSON in one line and without blanks between its parts, as a JSON library has written it.
   *
   * @internal
   */
  static written(text: string): JsonText {
    return Object.assign(Object.create(JsonText.prototype), { text });
  }

  /**
   * The value of the text.
   *
   * @throws {CodecError} If it has a number that JavaScript cannot represent.
   */
  get value(): JsonValue {
    return parseJsonText(this.text, {});
  }

  /** Makes `JSON.stringify()` write the same digits. */
  toJSON(): unknown {
    return readJson(this.text, Infinity, rawJSON);
  }
}

/**
 * Removes blanks and line ends between the parts of a text, and writes strings with escapes as `JSON.stringify()` does; numbers stay as
 * they are.
 *
 * @param text Valid JSON.
 * @returns The same in one line.
 */
export function compactJson(text: string): string {
  if (!/[\s\\]/.test(text)) return text;
  const parts: string[] = [];
  let from = 0;
  let escape = nextEscape(text, 0);
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (escape < end) {
        parts.push(text.slice(from, at), JSON.stringify(JSON.parse(text.slice(at, end))));
        from = end;
        escape = nextEscape(text, end);
      }
      at = end;
    } else if (isSpace(code)) {
      parts.push(text.slice(from, at));
      while (isSpace(text.charCodeAt(at))) at++;
      from = at;
    } else {
      at++;
    }
  }
  parts.push(text.slice(from));
  return parts.join("");
}

/** The next escape that `JSON.stringify()` might not write; infinite if there is none. */
function nextEscape(text: string, from: number): number {
  ESCAPE.lastIndex = from;
  return ESCAPE.exec(text)?.index ?? Infinity;
}

/**
 * Splits an object's text into its members.
 *
 * @param text Valid JSON as {@linkcode compactJson} writes it.
 * @returns The text of each member's value by the member's name, the last one if a name occurs twice; empty if it is not
 * an object.
 */
export function jsonMembers(text: string): Map<string, string> {
  const members = new Map<string, string>();
  if (!text.startsWith("{")) return members;
  for (let at = 1; text.charCodeAt(at) === QUOTE; at++) {
    const colon = endOfString(text, at);
    const end = endOfValue(text, colon + 1);
    const name = text.slice(at + 1, colon - 1);
    members.set(
      name.includes("\\") ? JSON.parse(`"${name}"`) : name,
      text.slice(colon + 1, end),
    );
    at = end;
  }
  return members;
}
