/** DEL, the control characters of C1, and the bidirectional ones: they act on a terminal, or change how text reads. */
const ACTIVE = /[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const EACH_ACTIVE = new RegExp(ACTIVE, "g");
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
  return json.replace(
    EACH_ACTIVE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
