/** Tries what README and guide say about installing, with a fresh HOME. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { needs } from "../interop/peer.ts";

const root = new URL("../../", import.meta.url);
const readme = await Deno.readTextFile(new URL("README.md", root));
const guide = await Deno.readTextFile(new URL("lib/guides/install.md", root));
const name = "labwire-0.0.0-x86_64-unknown-linux-gnu";
const linux = Deno.build.os === "linux";
const { ignore, note } = linux
  ? needs("bash", "sha256sum", "install")
  : { ignore: true, note: " (needs Linux)" };

/** Runs lines in a shell that reads ~/.bashrc, as one in a terminal does. */
async function bash(lines: string, home: string, cwd: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: ["-i", "-c", lines],
    cwd,
    clearEnv: true,
    env: { HOME: home, PATH: "/usr/local/bin:/usr/bin:/bin" },
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** The lines for Linux, with what there is to type afterwards. */
const lines: readonly [document: string, lines: string][] = [
  ["README", /^On \*\*Linux\*\*:\n\n```sh\n([^]*?)```/m.exec(readme)![1]!],
  ["guide install", `${/^For one user[^]*?```sh\n([^]*?)```/m.exec(guide)![1]}\nlabwire lab19\n`],
];

for (const [document, typed] of lines) {
  Deno.test({
    name:
      `${document}: the lines for Linux work in the shell they are typed in, and in later ones${note}`,
    ignore,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
      try {
        const [home, downloads] = [`${folder}/home`, `${folder}/home/Downloads`];
        await Deno.mkdir(downloads, { recursive: true });
        await Deno.writeTextFile(`${downloads}/${name}`, '#!/bin/sh\necho "runs $1"\n');
        await bash("sha256sum labwire-* > SHA256SUMS", home, downloads);
        const output = await bash(typed, home, downloads);
        assertStringIncludes(output, `${name}: OK\n`);
        assertStringIncludes(output, "runs lab19\n");
        assertStringIncludes(await bash("labwire later", home, folder), "runs later\n");
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test({
  name: `README: a damaged file is not installed on Linux${note}`,
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
    try {
      await Deno.writeTextFile(`${folder}/${name}`, '#!/bin/sh\necho "runs $1"\n');
      await bash("sha256sum labwire-* > SHA256SUMS; echo damage >> labwire-*", folder, folder);
      const output = await bash(lines[0]![1], folder, folder);
      assertStringIncludes(output, `${name}: FAILED\n`);
      assert(!output.includes("runs lab19"), output);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("README: the lines for Windows unblock labwire.exe in a folder that is on PATH", () => {
  const lines = /^On \*\*Windows\*\*[^]*?```powershell\n([^]*?)```/m.exec(readme)![1]!;
  const installed = /^Move-Item \S+ "(.*?)" -Force$/m.exec(lines)![1];
  assertEquals(installed, "$env:LOCALAPPDATA\\Microsoft\\WindowsApps\\labwire.exe");
  assertEquals(/^Unblock-File "(.*?)"; labwire lab19$/m.exec(lines)![1], installed);
});

Deno.test("guide install: the lines for Windows put the folder on PATH where labwire.exe is", () => {
  const lines = /^## Windows[^]*?```powershell\n([^]*?)```/m.exec(guide)![1]!;
  const installed = /^Move-Item \S+ "(\$folder\\labwire\.exe)"/m.exec(lines)![1];
  assertEquals(/^Unblock-File "(.*)"$/m.exec(lines)![1], installed);
  assertStringIncludes(lines, "($folders + $folder) -join ';'");
  assertStringIncludes(lines, '$env:Path += ";$folder"');
});
