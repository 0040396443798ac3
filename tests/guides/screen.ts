/**
 * What a person sees of what was written to a terminal: lines that were written over show their last state, colours are gone.
 *
 * @param output What was written.
 * @returns The text on the screen.
 */
export function screen(output: string): string {
  const lines: string[][] = [[]];
  let [row, column] = [0, 0];
  // deno-lint-ignore no-control-regex
  for (const [part] of output.matchAll(/\x1b\[[0-9;?]*[A-Za-z]|[^]/gu)) {
    const line = lines[row]!;
    if (part === "\n") {
      column = 0;
      if (++row === lines.length) lines.push([]);
    } else if (part === "\r") column = 0;
    else if (part === "\b") column = Math.max(0, column - 1);
    else if (part.length > 2 && part[0] === "\x1b") {
      const count = Number(part.slice(2, -1)) || 1;
      const kind = part.at(-1);
      if (kind === "A") row = Math.max(0, row - count);
      else if (kind === "C") column += count;
      else if (kind === "D") column = Math.max(0, column - count);
      else if (kind === "G") column = count - 1;
      else if (kind === "J") lines.length = row + 1;
      if (kind === "J" || kind === "K") line.length = Math.min(line.length, column);
    } else if (part >= " " || part === "\t") {
      while (line.length < column) line.push(" ");
      line[column++] = part;
    }
  }
  return lines.map((line) => line.join("")).join("\n");
}
