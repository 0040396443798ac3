/**
 * Text from outside made fit for a terminal or a log. Control characters can move the cursor, set a title or forge a line, and
 * bidirectional controls make text look like another, so both are written as escapes.
 *
 * @module
 */

import { escapeEach, unicodeEscape } from "./invisible.ts";

/** All of C0 and C1, DEL, line and paragraph separators, bidirectional controls; but not the tab. */
const UNFIT =
  // deno-lint-ignore no-control-regex
  /[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const EACH_UNFIT = new RegExp(`${UNFIT.source}+`, "g");
const UNFIT_BUT_NEWLINE = new RegExp(UNFIT.source.replace("\\x0a", "\\x0b"));
const EACH_UNFIT_BUT_NEWLINE = new RegExp(`${UNFIT_BUT_NEWLINE.source}+`, "g");
/** The escape of each character of one byte, as Python writes it. */
const BYTE_ESCAPES = Array.from(
  { length: 256 },
  (_, code) => `\\x${code.toString(16).padStart(2, "0")}`,
);
BYTE_ESCAPES[0x0a] = "\\n";
BYTE_ESCAPES[0x0d] = "\\r";

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
  return UNFIT_BUT_NEWLINE.test(text) ? text.replace(EACH_UNFIT_BUT_NEWLINE, escape) : text;
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
    (run) => escapeEach(run, (code) => code === 0x0a || code === 0x0d ? " " : unicodeEscape(code)),
  );
}

/**
 * Makes several lines of JSON visible, as {@linkcode visibleJson} does one; the newlines between them stay. Cheaper than each
 * by itself.
 *
 * @param lines Lines of valid JSON, or of text that is visible already.
 */
export function visibleJsonLines(lines: string): string {
  if (!UNFIT_BUT_NEWLINE.test(lines)) return lines;
  return lines.replace(
    EACH_UNFIT_BUT_NEWLINE,
    (run) => escapeEach(run, (code) => code === 0x0d ? " " : unicodeEscape(code)),
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

/** Escapes a run of characters; a long one costs little more than as much text that needs no escape. */
function escape(run: string): string {
  return escapeEach(run, (code) => BYTE_ESCAPES[code] ?? unicodeEscape(code));
}
