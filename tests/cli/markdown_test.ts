import { assertEquals } from "@std/assert";
import { renderMarkdown } from "../../lib/cli/markdown.ts";

/** Markdown, and what stands on a terminal of 40 columns without colour. */
const cases: [what: string, markdown: string, shown: string][] = [
  ["headings", "# One\ntext\n## `two` three\n", "One\n\n  text\n\ntwo three\n"],
  [
    "a paragraph, broken between words",
    "Data goes to stdout, one record per line;\neverything else to stderr.",
    "  Data goes to stdout, one record per\n  line; everything else to stderr.\n",
  ],
  [
    "marks within a line",
    "It is **very much** `--so`, *really*, 2 * 3 * 4, \\*as\\* it is.",
    "  It is very much `--so`, really, 2 * 3\n  * 4, *as* it is.\n",
  ],
  [
    "links",
    "[json](json.md), [**b**](b.md), <https://example.org/a>, [a.md](a.md)",
    "  json (json.md), b (b.md),\n  https://example.org/a, a.md\n",
  ],
  [
    "a list with a second line and one within it",
    "- one that is long enough to need\n  a second line\n  - inner\n- two\n\n1. first\n10. tenth",
    "  • one that is long enough to need a\n    second line\n    • inner\n  • two\n\n  1. first\n  10. tenth\n",
  ],
  [
    "code, with its empty lines, and wider than the terminal",
    "```console\n$ labwire json-client get_voltage --host 192.168.1.20\n12.5\n\n# no heading\n```\n",
    "    $ labwire json-client get_voltage --host 192.168.1.20\n    12.5\n\n    # no heading\n",
  ],
  [
    "a table that fits",
    "| a | `b` |\n| - | --- |\n| 1 | x \\| y |\n| longer | |\n",
    "  a       `b`\n  ──────  ─────\n  1       x | y\n  longer\n",
  ],
  [
    "a table that is too wide",
    "| code | meaning |\n| - | - |\n| 4 | nobody there, refused, or no answer in time |",
    "  code  meaning\n  ────  ────────────────────────────────\n  4     nobody there, refused, or no\n        answer in time\n",
  ],
  ["comments", "<!-- not\n\nshown -->\ntext <!-- nor this -->\n", "  text\n"],
  ["a fence that is not closed", "```\ncode", "    code\n"],
  ["nothing", "", "\n"],
];

for (const [what, markdown, shown] of cases) {
  Deno.test(`renderMarkdown() sets ${what}`, () => {
    assertEquals(renderMarkdown(markdown, { width: 40 }), shown);
  });
}

Deno.test("renderMarkdown() colours word by word, so that nothing runs on into the margin", () => {
  const options = { width: 20, colour: true, links: (target: string) => `guide ${target}` };
  assertEquals(
    renderMarkdown("# Big\n\nsome **bold words here** and `code`, [x](y)", options),
    "\x1b[1;4mBig\x1b[0m\n\n" +
      "  some \x1b[1mbold\x1b[0m \x1b[1mwords\x1b[0m\n" +
      "  \x1b[1mhere\x1b[0m and \x1b[36mcode\x1b[0m, x\n" +
      "  (\x1b[4mguide\x1b[0m \x1b[4my\x1b[0m)\n",
  );
  assertEquals(
    renderMarkdown("```console\n$ typed\nprinted\n```", options),
    "    \x1b[1m$ typed\x1b[0m\n    printed\n",
  );
});
