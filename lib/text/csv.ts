/**
 * Rows of comma-separated values, RFC 4180.
 *
 * @module
 */

import { CodecError } from "../errors.ts";

/**
 * Quotes a cell where that is needed: also where blanks would be at its ends, and where it might be taken for JSON.
 *
 * @param text What the cell says.
 * @returns The cell.
 */
export function csvCell(text: string): string {
  return /[",\r\n]|^[\s[{]|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Takes a row apart.
 *
 * @param text The row, without the newline at its end.
 * @returns What its cells say; null if it ends inside a quoted cell, which may go on in the next line.
 * @throws {CodecError} If something stands after the quotes of a cell.
 */
export function splitCsvRow(text: string): string[] | null {
  const cells: string[] = [];
  for (let at = 0;; at++) {
    if (text[at] !== '"') {
      const comma = text.indexOf(",", at);
      const end = comma < 0 ? text.length : comma;
      cells.push(text.slice(at, end));
      at = end;
    } else {
      const end = endOfQuotes(text, at);
      if (end < 0) return null;
      cells.push(text.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 1;
      if (at < text.length && text[at] !== ",") {
        throw new CodecError(
          `Cannot read CSV at character ${at + 1}: expected a comma after the quotes`,
          { offset: at },
        );
      }
    }
    if (at >= text.length) return cells;
  }
}

/** Index of the quote that ends the cell which begins with one at `start`; -1 if there is none. */
function endOfQuotes(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  return end;
}
