/**
 * Makes text that comes from elsewhere fit to be printed: control characters, which could do anything to a terminal, are written as
 * Python does. Newlines and tabs stay.
 *
 * @param text Any text.
 * @returns The text without control characters.
 */
export function visibleText(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g,
    (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
