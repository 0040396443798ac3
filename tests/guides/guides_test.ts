/** Tries out what the guides say: every command is typed, every program is run, and what appears is compared. */

import { needs } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { readSections, type Section } from "./document.ts";
import { documents } from "./documents.ts";
import { runSection, writeFile } from "./run_section.ts";
import { makeWorld } from "./world.ts";

// What is typed is what one types on Linux; elsewhere programs such as openssl and split have other options.
const terminal = Deno.build.os === "linux"
  ? needs("bash", "python3")
  : { ignore: true, note: " (needs Linux)" };

for (const { name, text } of documents) {
  Deno.test({
    name: `${name}: every command and program does what is printed${terminal.note}`,
    ignore: terminal.ignore,
    async fn(test) {
      await using world = await makeWorld();
      for (const section of readSections(text)) {
        if (section.blocks.length === 0) continue;
        const { ignore, note } = needed(section);
        // Later sections may need the files of one that is left out.
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

/** Which of the programs are missing that a section speaks of. */
function needed({ blocks }: Section): { ignore: boolean; note: string } {
  const code = blocks.map(({ text }) => text).join("\n");
  const programs = ["nc", "socat", "jq", "openssl", "pytest", "cc"];
  const { ignore, note } = needs(
    ...programs.filter((program) => new RegExp(`\\b${program} `).test(code)),
  );
  if (ignore || !code.includes("import numpy") || hasNumpy()) return { ignore, note };
  return { ignore: true, note: " (needs numpy)" };
}

function hasNumpy(): boolean {
  return new Deno.Command(PYTHON, { args: ["-c", "import numpy"] }).outputSync().success;
}
