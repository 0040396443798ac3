/** Looks at what guides only show: commands that need another system, and what is named in the text. */

import { assertEquals } from "@std/assert";
import { villasFormats } from "../../lib/codecs/villas/formats.ts";
import { needs } from "../interop/peer.ts";
import { commandLines, faultOf, unknownOptions } from "./command_lines.ts";
import { readSections } from "./document.ts";
import { documents } from "./documents.ts";

for (const { name, text } of documents) {
  Deno.test(`${name}: commands and options that are named exist`, () => {
    const faults = commandLines(text).map((line) => [line, faultOf(line)])
      .filter(([, fault]) => fault !== undefined);
    assertEquals(faults, []);
    assertEquals(unknownOptions(text), []);
  });

  Deno.test(`${name}: links lead to files that exist`, async () => {
    for (const [, target] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (!/^https?:|^\.\.\/\.\.\/releases$/.test(target!)) {
        await Deno.stat(new URL(target!, documentUrl(name)));
      }
    }
  });
}

function documentUrl(name: string): URL {
  return documents.find((document) => document.name === name)!.url;
}

/** The blocks of all documents in some languages, with where they are. */
function blocksIn(...languages: string[]) {
  return documents.flatMap(({ name, text }) =>
    readSections(text).flatMap(({ blocks }) => blocks)
      .filter(({ language }) => languages.includes(language))
      .map((block) => ({ ...block, where: `${name}, line ${block.line}` }))
  );
}

/** Runs a program on a text, and returns what it complains of. */
async function complaints(program: string, args: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(program, { args, env: { LC_ALL: "C.UTF-8" } })
    .output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

const bash = needs("bash");

Deno.test({
  name: `guides: what is for a shell is fit for one${bash.note}`,
  ignore: bash.ignore,
  async fn() {
    for (const { text, where } of blocksIn("sh")) {
      assertEquals(await complaints("bash", ["-n", "-c", text]), "", where);
    }
  },
});

const systemd = needs("systemd-analyze");

Deno.test({
  name: `guides: units are fit for systemd${systemd.note}`,
  ignore: systemd.ignore,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
    try {
      for (const { file, text, where } of blocksIn("ini")) {
        // What the unit starts, and as whom, is not there yet.
        const unit = text.replace(/^ExecStart=\S+/m, "ExecStart=/bin/true").replace(
          /^User=.*/m,
          "",
        );
        await Deno.writeTextFile(`${folder}/${file}`, unit);
        assertEquals(
          await complaints("systemd-analyze", ["verify", `${folder}/${file}`]),
          "",
          where,
        );
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("guide formats: the table has a row for every format", () => {
  const { text } = documents.find(({ name }) => name === "guide formats")!;
  const rows = [...text.matchAll(/^\| ((?:`[^`]+`(?:, )?)+) +\|/gm)].flatMap(([, names]) =>
    names!.split(", ").map((name) => name.slice(1, -1))
  );
  assertEquals(Object.keys(villasFormats).filter((name) => !rows.includes(name)), []);
});

Deno.test("guides: programs in TypeScript have no faults of type", async () => {
  const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
  try {
    const config = new URL("../../deno.json", import.meta.url).pathname;
    for (const { file, text } of blocksIn("ts")) {
      await Deno.writeTextFile(`${folder}/${file}`, text);
    }
    const files = Array.from(Deno.readDirSync(folder), ({ name }) => `${folder}/${name}`);
    const args = ["check", "--quiet", "--no-lock", "--config", config, ...files];
    assertEquals(await complaints(Deno.execPath(), args), "");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
