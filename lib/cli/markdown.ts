/**
 * Sets Markdown for a terminal: as much of it as the guides use, which is headings, paragraphs, lists, tables, code
 * blocks, comments, and within a line bold and italic text, code and links.
 *
 * @module
 */

/** How {@linkcode renderMarkdown} sets text. */
export interface RenderOptions {
  /** Columns of the terminal. Code is never broken, and may be longer. */
  readonly width: number;
  /** Whether to use the terminal's bold, underlined and coloured text. */
  readonly colour?: boolean;
  /** What to show for a link's target; the target itself unless given. */
  readonly links?: (target: string) => string;
}

/** Text as it is looked at: piece by piece, each in one style. */
interface Run {
  readonly text: string;
  readonly style: Style;
}

/** A word and how many columns it takes. */
interface Word {
  readonly painted: string;
  readonly width: number;
}

type Style = "plain" | "bold" | "italic" | "code" | "link" | "title";

/** The terminal's codes (SGR) of each style. */
const CODES: Readonly<Record<Style, string>> = {
  plain: "",
  bold: "1",
  italic: "3",
  code: "36",
  link: "4",
  title: "1;4",
};

/** Columns by which text stands to the right of headings, and code to the right of text. */
const INDENT = 2;

/**
 * Sets Markdown for a terminal.
 *
 * @param markdown The text.
 * @param options The width, and whether there is colour.
 * @returns Lines, each with its newline.
 *
 * @example A heading and a paragraph on a narrow terminal
 * ```ts
 * import { renderMarkdown } from "./markdown.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   renderMarkdown("## Ports\n\nSee [json](json.md) for\n**more** of it.", { width: 20 }),
 *   "Ports\n\n  See json (json.md)\n  for more of it.\n",
 * );
 * ```
 */
export function renderMarkdown(markdown: string, options: RenderOptions): string {
  const page = new Page(options);
  const blocks = blocksOf(markdown.replace(/<!--[^]*?-->\n?/g, ""));
  return blocks.map((block) => page.block(block).join("\n")).join("\n\n") + "\n";
}

/** A block is lines that belong together: a fenced one, or those between two empty lines. */
function blocksOf(markdown: string): string[][] {
  const blocks: string[][] = [];
  let block: string[] = [];
  let fenced = false;
  const close = () => {
    if (block.length > 0) blocks.push(block);
    block = [];
  };
  for (const line of markdown.split("\n")) {
    const fence = line.startsWith("```");
    if (!fenced && (line.trim() === "" || fence || /^#+ /.test(line))) close();
    if (fenced || line.trim() !== "") block.push(line);
    if (fenced ? fence : /^#+ /.test(line)) close();
    if (fence) fenced = !fenced;
  }
  close();
  return blocks;
}

/** Sets the blocks of one text. */
class Page {
  readonly #width: number;
  readonly #colour: boolean;
  readonly #links: (target: string) => string;

  constructor({ width, colour = false, links = (target) => target }: RenderOptions) {
    this.#width = Math.max(width, 20);
    this.#colour = colour;
    this.#links = links;
  }

  /** Sets one block as lines. */
  block(lines: readonly string[]): string[] {
    const first = lines[0]!;
    if (first.startsWith("```")) return this.#code(lines.filter((line) => !line.startsWith("```")));
    if (/^#+ /.test(first)) return this.#heading(first);
    if (first.startsWith("|")) return this.#table(lines);
    if (isItem(first)) return this.#list(lines);
    return this.#paragraph(lines.join(" "), " ".repeat(INDENT));
  }

  #heading(line: string): string[] {
    const [, marks, text] = /^(#+) (.*)$/.exec(line)!;
    return [this.#paint(marks === "#" ? "title" : "bold", text!.replaceAll("`", ""))];
  }

  /** Code stays as it is; what is typed stands out. */
  #code(lines: readonly string[]): string[] {
    const indent = " ".repeat(2 * INDENT);
    return lines.map((line) =>
      line === "" ? "" : indent + (/^[$>] /.test(line) ? this.#paint("bold", line) : line)
    );
  }

  #paragraph(text: string, indent: string, hanging = indent): string[] {
    const lines = this.#fill(text, this.#width - hanging.length);
    return lines.map((line, i) => (i === 0 ? indent : hanging) + line);
  }

  /** Items, some within others; what follows an item's first line belongs to it. */
  #list(lines: readonly string[]): string[] {
    const items: string[] = [];
    for (const line of lines) {
      if (isItem(line)) items.push(line);
      else items.push(`${items.pop()} ${line.trim()}`);
    }
    return items.flatMap((item) => {
      const [, inner, mark, text] = /^( *)(-|\d+\.) +(.*)$/.exec(item)!;
      const indent = " ".repeat(INDENT) + inner;
      const bullet = mark === "-" ? "•" : mark!;
      return this.#paragraph(
        text!,
        `${indent}${bullet} `,
        indent + " ".repeat(bullet.length + 1),
      );
    });
  }

  /** Columns as wide as what is in them; where that is too much, the widest give way. */
  #table(lines: readonly string[]): string[] {
    const [head, _rule, ...body] = lines.map(cellsOf);
    const rows = [head!.map((cell) => cell === "" ? "" : `**${cell}**`), ...body];
    const widths = rows[0]!.map((_, i) =>
      Math.max(...rows.map((row) => widthOf(this.#words(row[i] ?? ""))))
    );
    const room = this.#width - INDENT - 2 * (widths.length - 1);
    while (sum(widths) > room && Math.max(...widths) > 8) {
      widths[widths.indexOf(Math.max(...widths))]!--;
    }
    const set = rows.map((row) => this.#row(row, widths));
    const rule = widths.map((width) => "─".repeat(width)).join("  ");
    return [...set[0]!, rule, ...set.slice(1).flat()].map((line) =>
      " ".repeat(INDENT) + line.trimEnd()
    );
  }

  #row(cells: readonly string[], widths: readonly number[]): string[] {
    const columns = widths.map((width, i) => this.#lines(this.#words(cells[i] ?? ""), width));
    const height = Math.max(...columns.map((lines) => lines.length));
    return Array.from({ length: height }, (_, row) =>
      columns.map((lines, i) => {
        const line = lines[row] ?? [];
        return joined(line) + " ".repeat(Math.max(0, widths[i]! - widthOf(line)));
      }).join("  "));
  }

  #fill(text: string, width: number): string[] {
    return this.#lines(this.#words(text), width).map(joined);
  }

  /** Breaks between words. */
  #lines(words: readonly Word[], width: number): Word[][] {
    const lines: Word[][] = [];
    for (const word of words) {
      const line = lines.at(-1);
      if (line && widthOf(line) + 1 + word.width <= width) line.push(word);
      else lines.push([word]);
    }
    return lines;
  }

  /** The words of a text; each is painted for itself, so that a line may end anywhere. */
  #words(text: string): Word[] {
    const words: Word[] = [];
    let open = false;
    for (const { text: piece, style } of this.#runs(text)) {
      for (const [i, part] of piece.split(/ +/).entries()) {
        if (i > 0) open = false;
        if (part === "") continue;
        const before = open ? words.pop()! : { painted: "", width: 0 };
        words.push({
          painted: before.painted + this.#paint(style, part),
          width: before.width + [...part].length,
        });
        open = true;
      }
      if (piece.endsWith(" ")) open = false;
    }
    return words;
  }

  #runs(text: string): Run[] {
    const runs: Run[] = [];
    const marks =
      /`([^`]+)`|\*\*(.+?)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)|<(https?:[^>]+)>|\\([*`[\]<|\\])/g;
    let at = 0;
    for (const match of text.matchAll(marks)) {
      const [whole, code, bold, italic, label, target, address, escaped] = match;
      runs.push({ text: text.slice(at, match.index), style: "plain" });
      at = match.index + whole.length;
      if (code !== undefined) runs.push(this.#inlineCode(code));
      else if (bold !== undefined) runs.push(...this.#styled(bold, "bold"));
      else if (italic !== undefined) runs.push(...this.#styled(italic, "italic"));
      else if (label !== undefined) runs.push(...this.#link(label, this.#links(target!)));
      else if (address !== undefined) runs.push({ text: address, style: "link" });
      else runs.push({ text: escaped!, style: "plain" });
    }
    return [...runs, { text: text.slice(at), style: "plain" }];
  }

  /** Without colour the marks stay, as nothing else shows where code ends. */
  #inlineCode(code: string): Run {
    return { text: this.#colour ? code : `\`${code}\``, style: "code" };
  }

  #styled(text: string, style: Style): Run[] {
    return this.#runs(text).map((run) => run.style === "plain" ? { ...run, style } : run);
  }

  #link(label: string, target: string): Run[] {
    const runs = this.#runs(label);
    if (label.replaceAll("`", "") === target) return runs;
    return [
      ...runs,
      { text: " (", style: "plain" },
      { text: target, style: "link" },
      { text: ")", style: "plain" },
    ];
  }

  #paint(style: Style, text: string): string {
    const code = CODES[style];
    return this.#colour && code !== "" ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
}

function isItem(line: string): boolean {
  return /^ *(-|\d+\.) /.test(line);
}

/** The cells of a table's row; `\|` is no border. */
function cellsOf(row: string): string[] {
  return row.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim());
}

function joined(words: readonly Word[]): string {
  return words.map(({ painted }) => painted).join(" ");
}

/** Columns of words with a blank between them. */
function widthOf(words: readonly Word[]): number {
  return words.length === 0 ? 0 : sum(words.map(({ width }) => width)) + words.length - 1;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
