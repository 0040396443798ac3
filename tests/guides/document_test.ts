import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { needs } from "../interop/peer.ts";
import { patternOf, readSections, readSteps } from "./document.ts";
import { runSection } from "./run_section.ts";
import { screen } from "./screen.ts";
import { makeWorld } from "./world.ts";

/** A block of code; Markdown's fences cannot stand in a doc comment's example. */
function fenced(info: string, text: string): string {
  return `\`\`\`${info}\n${text}\`\`\`\n`;
}

Deno.test("readSections() finds headings, files and terminals", () => {
  const [before, one, two] = readSections(
    fenced("sh", "# no heading\n") + "# One\n" + fenced("js", "// a.js\nlet a;\n") +
      fenced("py", '#!/usr/bin/env python3\n# b.py: what it does\n""\n') + "## `Two` words\n" +
      fenced("console listening", "$ nc -l 1\n"),
  );
  assertEquals(before!.blocks.map(({ file }) => file), [undefined]);
  assertEquals(one!.heading, "One");
  assertEquals(one!.blocks.map(({ file }) => file), ["a.js", "b.py"]);
  assertEquals(two!.heading, "Two words");
  assertEquals(two!.blocks[0]!.info, "listening");
  assertThrows(() => readSections("text\n```js\n"), Error, "line 2 has no end");
});

Deno.test("readSteps() reads commands of several lines, and what they print", () => {
  const text =
    "$ cat > a <<'END'\n> one\n> END\n$ echo '> no\n> but' \\\n> end\n> printed\n$ true\n";
  const [block] = readSections(fenced("console", text))[0]!.blocks;
  assertEquals(readSteps(block!), [
    { command: "cat > a <<'END'\none\nEND", output: "", line: 2 },
    { command: "echo '> no\nbut' \\\nend", output: "> printed\n", line: 5 },
    { command: "true", output: "", line: 9 },
  ]);
});

const patterns: [expected: string, appears: string, matches: boolean][] = [
  ["in 37 µs\n", "in 1.5 ms\n", true],
  ["3 sent\n", "4 sent\n", false],
  ["at 1795205811.955422607+8.598633e-03(0)\n", "at 1795205999.1+1.598633e-02(0)\n", true],
  ['"ts": [1795205811, 955422607]\n', '"ts": [1795205812, 5]\n', true],
  ["127.0.0.1:64073\n", "127.0.0.1:40112\n", true],
  ["127.0.0.1:12345\n", "127.0.0.1:12346\n", false],
  ["a…z\n", "a to z\n", true],
  ["a\n…\nz\n", "a\nz\n", true],
  ["a\n…\nz\n", "a\nb\nc\nz\n", true],
  ["a\n…\nz\n", "a\nb\n", false],
  ["(.*)\n", "x\n", false],
];

for (const [expected, appears, matches] of patterns) {
  Deno.test(`patternOf(): ${JSON.stringify(expected)} and ${JSON.stringify(appears)}`, () => {
    assertEquals(new RegExp(`^${patternOf(expected)}$`).test(appears), matches);
  });
}

Deno.test("screen() shows what a line became", () => {
  assertEquals(
    screen("\x1b[1mbold\x1b[0m\r\n12 %\r100 %\r\nlive\r\x1b[Kgone"),
    "bold\n100 %\ngone",
  );
  assertEquals(screen("> ab\x1b[4Gx\x1b[0J"), "> ax");
});

const terminal = Deno.build.os === "linux"
  ? needs("bash", "python3")
  : { ignore: true, note: " (needs Linux)" };

const untrue: [text: string, says: string][] = [
  ["$ echo one\ntwo\n", "is not true: echo one\n--- expected\ntwo\n--- appeared\none\n"],
  ["$ echo one\n", "is not true"],
  ["$ sh -c 'exit 3'\n", "exit code 3 of: sh -c"],
];

for (const [text, says] of untrue) {
  Deno.test({
    name: `runSection() refuses ${JSON.stringify(text)}${terminal.note}`,
    ignore: terminal.ignore,
    async fn() {
      await using world = await makeWorld();
      const [section] = readSections(fenced("console", text));
      await assertRejects(() => runSection(section!, world.folder, world.terminals), Error, says);
    },
  });
}

Deno.test({
  name: `runSection() types at prompts, and ends what goes on with Ctrl-C${terminal.note}`,
  ignore: terminal.ignore,
  async fn() {
    await using world = await makeWorld();
    const [section] = readSections(
      fenced("sh", "# ask.sh\nread -p 'Name: ' name\necho \"hello $name\"\n") +
        fenced(
          "sh",
          "# serve.sh\ntrap 'echo Bye.; exit' INT\necho 'Ready. Ctrl-C to quit.'\ncat fifo\nwhile true; do sleep 0.05; done\n",
        ) +
        fenced("console", "$ mkfifo fifo\n") +
        fenced("console", "$ bash serve.sh\nReady. Ctrl-C to quit.\nhello\n^C\nBye.\n") +
        fenced(
          "console",
          "$ bash ask.sh\nName: you\nhello you\n$ echo hello > fifo\n$ echo $?\n0\n",
        ),
    );
    await runSection(section!, world.folder, world.terminals);
  },
});
