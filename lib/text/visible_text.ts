/**
 * Text from outside made fit for a terminal or a log. Control characters can move the cursor, set a title or forge a line, and
 * bidirectional controls make text look like another, so both are written as escapes.
 *
 * @module
 */

/** All of C0 and C1, DEL, line and paragraph separators, bidirectional controls; but not the tab. */
const UNFIT =
  // deno-lint-ignore no-control-regex
  /[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const EACH_UNFIT = new RegExp(UNFIT, "g");
const EACH_UNFIT_BUT_NEWLINE = new RegExp(UNFIT.source.replace("\\x0a", "\\x0b"), "g");
const NAMES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r" };

/**
 * Makes text one visible line: control characters and bidirectional controls become escapes as Python writes them, newlines too.
 * Tabs stay.
 *
 * @param text Any text.
 * @returns The line, without a newline.
 */
export function visibleLine(text: string): string {
  return UNFIT.test(text) ? text.replace(EACH_UNFIT, escape) : text;
}

/**
 * Makes text of several lines visible, as {@linkcode visibleLine} does, but newlines stay.
 *
 * @param text Any text.
 * @returns The text, fit to be printed.
 */
export function visibleText(text: string): string {
  return UNFIT.test(text) ? text.replace(EACH_UNFIT_BUT_NEWLINE, escape) : text;
}

/**
 * Makes JSON text one visible line that means the same: characters within strings become escapes of JSON, line ends between
 * values become blanks.
 *
 * @param json Valid JSON.
 * @returns The line, without a newline.
 */
export function visibleJson(json: string): string {
  if (!UNFIT.test(json)) return json;
  return json.replace(
    EACH_UNFIT,
    // Strings hold no raw line end, so that one stands between values.
    (control) => control === "\n" || control === "\r" ? " " : unicodeEscape(control),
  );
}

/**
 * Makes a message visible so that it cannot pass for several: what follows a newline is indented by four blanks at least.
 *
 * @param message Any text.
 * @returns The message, fit to be printed.
 */
export function visibleMessage(message: string): string {
  if (!UNFIT.test(message)) return message;
  return visibleText(message.replaceAll("\r\n", "\n")).replace(/\n(?! {4})/g, "\n    ");
}

function escape(control: string): string {
  const code = control.charCodeAt(0);
  if (code > 0xff) return unicodeEscape(control);
  return NAMES[control] ?? `\\x${code.toString(16).padStart(2, "0")}`;
}

function unicodeEscape(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
