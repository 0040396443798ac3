/**
 * Picks the last line that is not blank, which is where programs say why they failed.
 *
 * @param bytes Text in UTF-8; what is not is replaced.
 * @returns The line without blanks around it, or `""` where there is none.
 */
export function lastLine(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trimEnd().split("\n").at(-1)!.trim();
}
