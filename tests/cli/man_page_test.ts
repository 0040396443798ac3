import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { defineCommand } from "../../lib/cli/command.ts";
import { manPage } from "../../lib/cli/man_page.ts";
import { text } from "../../lib/cli/options.ts";
import { kebab } from "../../lib/cli/parse.ts";
import { all } from "../../lib/commands/registry.ts";

const options = { version: "1.2.3", date: "2026-01-31" };

/** Runs one of the programs that read manual pages. */
async function read(program: string, args: string[], page: string) {
  const file = await Deno.makeTempFile({ suffix: ".1" });
  try {
    await Deno.writeTextFile(file, page);
    const result = await new Deno.Command(program, { args: [...args, file] }).output();
    const decoder = new TextDecoder();
    return { stdout: decoder.decode(result.stdout), stderr: decoder.decode(result.stderr) };
  } finally {
    await Deno.remove(file);
  }
}

function isMissing(program: string): boolean {
  try {
    new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return false;
  } catch {
    return true;
  }
}

const noMandoc = isMissing("mandoc");
const noGroff = isMissing("groff");

Deno.test({
  name: `manPage() is read by mandoc, which has nothing to say about it${
    noMandoc ? " (needs mandoc)" : ""
  }`,
  ignore: noMandoc,
  fn: async () => {
    const page = manPage(await all(), options);
    assertEquals((await read("mandoc", ["-T", "lint", "-W", "style"], page)).stdout, "");
  },
});

Deno.test({
  name: `manPage() shows every command and option${noGroff ? " (needs groff)" : ""}`,
  ignore: noGroff,
  fn: async () => {
    const commands = await all();
    const { stdout: utf8, stderr } = await read(
      "groff",
      ["-man", "-ww", "-Tutf8", "-Kutf8", "-P-c", "-P-b", "-P-u"],
      manPage(commands, options),
    );
    assertEquals(stderr, "");
    const stdout = utf8.replaceAll("−", "-"); // what some versions of groff make of a hyphen that stays one
    for (const command of commands) {
      assertStringIncludes(stdout, `labwire ${command.name}`);
      for (const name of Object.keys(command.options)) {
        assertStringIncludes(stdout, `--${kebab(name)}`);
      }
      for (const { command: line } of command.examples) assertStringIncludes(stdout, line);
    }
    assertStringIncludes(stdout, "labwire help COMMAND");
  },
});

Deno.test("manPage() is plain ASCII, and no text becomes a request", () => {
  const page = manPage([
    defineCommand({
      name: "odd",
      summary: ".so /etc/passwd “quoted” µs",
      details: ["'ig", 'a \\fBslash and ~ ^ ` "'],
      options: { dotted: text({ help: ".de it-with-hyphens" }) },
      examples: [{ text: "…", command: ".nf 'x'" }],
      run: () => Promise.resolve(),
    }),
  ], options);
  assert(/^[\n\x20-\x7e]*$/.test(page));
  assertEquals(page.split("\n").filter((line) => /^['.](so|ig|de|nf)/.test(line)), []);
  assertStringIncludes(page, "\\&.so /etc/passwd \\[u201C]quoted\\[u201D] \\[u00B5]s.");
  assertStringIncludes(page, "a \\efBslash and \\(ti \\(ha \\(ga \\(dq");
});
