/** Tries out what the README and the guides say. */

import { assertEquals } from "@std/assert";
import { needs } from "../interop/peer.ts";
import { commandLines, faultOf, unknownOptions } from "./command_lines.ts";
import { readSections } from "./document.ts";
import { runSection, writeFile } from "./run_section.ts";
import { makeWorld } from "./world.ts";

const root = new URL("../../", import.meta.url);
const guides = new URL("lib/guides/", root);

/** The documents by their names. */
const documents = new Map<string, URL>();
for (const { name } of [...Deno.readDirSync(guides)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  documents.set(`guide ${name.replace(".md", "")}`, new URL(name, guides));
}

/** Programs that a test cannot do without. */
const terminal = Deno.build.os === "windows"
  ? { ignore: true, note: " (needs a POSIX system)" }
  : needs("bash", "python3");

for (const [name, url] of documents) {
  Deno.test({
    name: `${name}: every command and program does what is printed${terminal.note}`,
    ignore: terminal.ignore,
    async fn(test) {
      const sections = readSections(await Deno.readTextFile(url));
      await using world = await makeWorld();
      for (const section of sections) {
        if (section.blocks.length === 0) continue;
        const { ignore, note } = needs(...programsOf(section.blocks.map(({ text }) => text)));
        // Later sections may need its files.
        for (const block of section.blocks) if (block.file) await writeFile(world.folder, block);
        await test.step({
          name: `${section.heading}${note}`,
          ignore,
          fn: () => runSection(section, world.folder, world.terminals),
        });
      }
    },
  });
}

/** Options of other programs that documents speak of. */
const otherOptions: readonly string[] = [];

for (const [name, url] of documents) {
  Deno.test(`${name}: commands and options that are only named exist`, async () => {
    const markdown = await Deno.readTextFile(url);
    const faults = commandLines(markdown).map((line) => [line, faultOf(line)])
      .filter(([, fault]) => fault !== undefined);
    assertEquals(faults, []);
    assertEquals(unknownOptions(markdown, otherOptions), []);
  });
}

for (const [name, url] of documents) {
  const bash = needs("bash");
  Deno.test({
    name: `${name}: what is for a shell is fit for one${bash.note}`,
    ignore: bash.ignore,
    async fn() {
      for (const { blocks } of readSections(await Deno.readTextFile(url))) {
        for (const { language, text, line } of blocks) {
          if (language !== "sh") continue;
          const { stderr } = await new Deno.Command("bash", { args: ["-n", "-c", text] }).output();
          assertEquals(new TextDecoder().decode(stderr), "", `line ${line}`);
        }
      }
    },
  });
}

/** Programs that may be missing, as far as texts speak of them. */
function programsOf(texts: readonly string[]): string[] {
  const programs = ["nc", "socat", "jq", "openssl", "pytest"];
  return programs.filter((program) =>
    texts.some((text) => new RegExp(`\\b${program} `).test(text))
  );
}
