/** DEL, the control characters of C1, and the bidirectional ones: they act on a terminal, or change how text reads. */
const ACTIVE = /[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const EACH_ACTIVE = new RegExp(`${ACTIVE.source}+`, "g");
/** Those, the control characters of ASCII, separators of lines and paragraphs, and the byte order mark. */
// deno-lint-ignore no-control-regex
const INVISIBLE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

/**
 * Tells whether text has characters that act on a terminal or on the text around them instead of being seen.
 *
 * @param text Any text.
 */
export function hasInvisible(text: string): boolean {
  return INVISIBLE.test(text);
}

/**
 * Writes DEL, the control characters of C1 and the bidirectional ones as `\u007f`, which means the same in a string of JSON.
 * Those of ASCII are escaped in any JSON.
 *
 * @param json JSON in one line.
 */
export function escapeActive(json: string): string {
  if (!ACTIVE.test(json)) return json;
  return json.replace(EACH_ACTIVE, (run) => escapeEach(run, unicodeEscape));
}

/**
 * Escapes each character of a text.
 *
 * @param text The text.
 * @param escape Writes the escape of a UTF-16 code unit.
 */
export function escapeEach(text: string, escape: (code: number) => string): string {
  let escaped = "";
  for (let i = 0; i < text.length; i++) escaped += escape(text.charCodeAt(i));
  return escaped;
}

/** The escapes written so far, by code unit: there are few characters that need one. */
const unicodeEscapes = new Map<number, string>();

/** Writes a UTF-16 code unit as `\u202e`. */
export function unicodeEscape(code: number): string {
  let escape = unicodeEscapes.get(code);
  if (escape === undefined) {
    escape = `\\u${code.toString(16).padStart(4, "0")}`;
    unicodeEscapes.set(code, escape);
  }
  return escape;
}
