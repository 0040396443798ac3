/**
 * What a person sees of what was written to a terminal: lines that were written over show their last state, colours are gone.
 *
 * @param output What was written.
 * @returns The text on the screen.
 */
export function screen(output: string): string {
  const lines: string[][] = [[]];
  let column = 0;
  // deno-lint-ignore no-control-regex
  for (const [part] of output.matchAll(/\x1b\[[0-9;?]*[A-Za-z]|[^]/gu)) {
    const line = lines.at(-1)!;
    if (part === "\n") {
      lines.push([]);
      column = 0;
    } else if (part === "\r") column = 0;
    else if (part === "\b") column--;
    else if (part.length > 2 && part[0] === "\x1b") {
      const count = Number(part.slice(2, -1) || 1);
      const kind = part.at(-1);
      if (kind === "G") column = count - 1;
      else if (kind === "C") column += count;
      else if (kind === "D") column -= count;
      else if (kind === "K" || kind === "J") line.length = Math.min(line.length, column);
    } else if (part >= " " || part === "\t") {
      while (line.length < column) line.push(" ");
      line[column++] = part;
    }
  }
  return lines.map((line) => line.join("")).join("\n");
}
