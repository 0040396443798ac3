import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { topics } from "../../lib/commands/guide.ts";
import { needs } from "../interop/peer.ts";
import { startOnTerminal } from "./pty.ts";
import { labwire } from "./run.ts";

const folder = new URL("../../lib/guides/", import.meta.url);

Deno.test("guide: every file of lib/guides/ is a topic, and says in its heading what it is about", () => {
  const files = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  assertEquals(files.sort(), topics.map((topic) => `${topic}.md`).sort());
  for (const topic of topics) {
    const text = Deno.readTextFileSync(new URL(`${topic}.md`, folder));
    assertMatch(text, new RegExp(`^# ${topic}: [^\\n]+\\n\\n`));
  }
});

Deno.test("guide: the topics are listed, with a line each", async () => {
  const { code, stdout, stderr } = await labwire(["guide"]);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.map((line) => line.split(" ")[0]), [...topics]);
  for (const line of lines) assertMatch(line, /^\w+ +\S.*\S$/);
});

Deno.test("guide TOPIC is plain Markdown in a pipe", async () => {
  const { code, stdout } = await labwire(["guide", "json"]);
  assertEquals(code, 0);
  assertEquals(stdout, await Deno.readTextFile(new URL("json.md", folder)));
});

Deno.test("guide: an unknown topic suggests the nearest one", async () => {
  const { code, stdout, stderr } = await labwire(["guide", "scriptin"]);
  assertEquals([code, stdout], [2, ""]);
  assertStringIncludes(stderr, 'Cannot read TOPIC "scriptin": expected one of villas, ');
  assertStringIncludes(stderr, 'did you mean "scripting"?');
});

const terminal = Deno.build.os === "windows"
  ? { ignore: true, note: " (needs a POSIX system)" }
  : needs("python3");

for (const colour of [true, false]) {
  Deno.test({
    name: `guide: a terminal gets it set, ${colour ? "with" : "without"} colour${terminal.note}`,
    ignore: terminal.ignore,
    async fn() {
      await using child = startOnTerminal(["guide", "json"], { NO_COLOR: colour ? "" : "1" });
      const { code, stdout } = await child.result();
      assertEquals(code, 0);
      const lines = stdout.replaceAll("\r", "").split("\n");
      const title = colour ? "\x1b[1;4mjson: " : "json: ";
      assertEquals(lines[0]!.slice(0, title.length), title);
      assert(!lines.some((line) => line.startsWith("```") || line.startsWith("#")));
      assertEquals(stdout.includes("\x1b"), colour);
    },
  });
}
