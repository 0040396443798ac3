/** Reads with wrestool, of icoutils, what was written with resedit. The executables are made by `deno compile`. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { pathToFileURL } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { compileArguments, compileFor } from "../../lib/release/compile.ts";
import { executableName } from "../../lib/release/targets.ts";
import { withWindowsResources } from "../../lib/release/windows_resources.ts";
import { needs } from "../interop/peer.ts";

const { ignore, note } = needs("wrestool");
const icon = await Deno.readFile(new URL("../../lib/release/labwire.ico", import.meta.url));
const target = "x86_64-pc-windows-msvc";
/** What Deno looks for when the program starts begins and ends with these bytes. */
const MAGIC = "d3n0l4nd";

/** The least that `deno compile` takes for its runtime: a 64-bit PE file with code, resources and relocations. */
function runtime(): Uint8Array<ArrayBuffer> {
  const [pe, optional] = [0x40, 0x58];
  const names = [".text", ".rsrc", ".reloc"];
  const bytes = new Uint8Array(0x400 + names.length * 0x200);
  const view = new DataView(bytes.buffer);
  bytes.set([0x4d, 0x5a]);
  view.setUint32(0x3c, pe, true);
  view.setUint32(pe, 0x4550, true);
  view.setUint16(pe + 4, 0x8664, true);
  view.setUint16(pe + 6, names.length, true);
  view.setUint16(pe + 20, 240, true);
  view.setUint16(pe + 22, 0x22, true);
  view.setUint16(optional, 0x20b, true);
  view.setUint32(optional + 32, 0x1000, true);
  view.setUint32(optional + 36, 0x200, true);
  view.setUint32(optional + 56, 0x1000 * (1 + names.length), true);
  view.setUint32(optional + 60, 0x400, true);
  view.setUint32(optional + 108, 16, true);
  for (const [i, name] of names.entries()) {
    const section = optional + 240 + 40 * i;
    bytes.set(new TextEncoder().encode(name), section);
    view.setUint32(section + 8, 0x10, true);
    view.setUint32(section + 12, 0x1000 * (1 + i), true);
    view.setUint32(section + 16, 0x200, true);
    view.setUint32(section + 20, 0x400 + 0x200 * i, true);
  }
  for (const [entry, section] of [[2, 1], [5, 2]] as const) {
    view.setUint32(optional + 112 + 8 * entry, 0x1000 * (1 + section), true);
    view.setUint32(optional + 116 + 8 * entry, 0x10, true);
  }
  bytes.fill(0xcc, 0x400, 0x410);
  return bytes;
}

/** Calls a function with a folder that has the runtime in it, and tells Deno to compile with that. */
async function withRuntime(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
  const before = Deno.env.get("DENORT_BIN");
  try {
    await Deno.writeFile(`${folder}/denort.exe`, runtime());
    Deno.env.set("DENORT_BIN", `${folder}/denort.exe`);
    await use(folder);
  } finally {
    if (before === undefined) Deno.env.delete("DENORT_BIN");
    else Deno.env.set("DENORT_BIN", before);
    await Deno.remove(folder, { recursive: true });
  }
}

/** Compiles a program with so many bytes of text in it. */
async function compiled(folder: string, size: number): Promise<Uint8Array<ArrayBuffer>> {
  await Deno.writeTextFile(`${folder}/main.js`, `console.log("${"x".repeat(size)}");`);
  const args = compileArguments(target, folder, `${folder}/program.exe`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert(success, new TextDecoder().decode(stderr));
  return await Deno.readFile(`${folder}/program.exe`);
}

/** What icoutils finds in an executable. */
async function wrestool(file: string, ...args: string[]): Promise<Uint8Array> {
  const { success, stdout, stderr } = await new Deno.Command("wrestool", { args: [...args, file] })
    .output();
  assert(success, new TextDecoder().decode(stderr));
  return stdout;
}

async function resourcesOf(file: string): Promise<string[]> {
  const list = new TextDecoder().decode(await wrestool(file, "--list"));
  return list.match(/--type=\d+ --name=\S+ --language=\d+/g) ?? [];
}

const expected = [
  ...[1, 2, 3, 4, 5, 6].map((name) => `--type=3 --name=${name} --language=1033`),
  "--type=10 --name='D3N0L4ND' --language=0",
  "--type=14 --name='MAINICON' --language=1033",
  "--type=16 --name=1 --language=1033",
];

for (const size of [10, 1_000_001]) {
  Deno.test({
    name: `withWindowsResources() leaves a program of ${size} bytes in its executable${note}`,
    ignore,
    fn: () =>
      withRuntime(async (folder) => {
        const before = await compiled(folder, size);
        const payload = await wrestool(`${folder}/program.exe`, "--extract", "--raw", "--type=10");
        const text = new TextDecoder().decode(payload);
        assert(text.startsWith(MAGIC) && text.endsWith(MAGIC) && payload.length > size);
        const strings = { ProductName: "labwire", FileDescription: "µs and ± too" };
        const file = `${folder}/after.exe`;
        let after = withWindowsResources(before, { version: "0.0.1", strings, icon });
        after = withWindowsResources(after, { version: "1.2.3-rc.1", strings, icon });
        await Deno.writeFile(file, after);
        assertEquals(await resourcesOf(file), expected);
        assertEquals(await wrestool(file, "--extract", "--raw", "--type=10"), payload);
        const info = new TextDecoder("utf-16le").decode(
          await wrestool(file, "--extract", "--raw", "--type=16"),
        );
        for (const part of ["VS_VERSION_INFO", "labwire", "µs and ± too", "1.2.3-rc.1"]) {
          assertStringIncludes(info, part);
        }
        assertEquals(info.includes("0.0.1"), false);
        const extracted = await wrestool(file, "--extract", "--type=14");
        assertEquals(extracted.subarray(0, icon.length), icon);
        assertEquals(after.subarray(0x400, 0x600), before.subarray(0x400, 0x600));
      }),
  });
}

Deno.test({
  name: `compileFor() makes a Windows executable with icon and version${note}`,
  ignore,
  fn: () =>
    withRuntime(async (folder) => {
      await compileFor([target], { into: pathToFileURL(`${folder}/`) });
      const file = `${folder}/${executableName(config.version, target)}`;
      assertEquals(await resourcesOf(file), expected);
      const info = await wrestool(file, "--extract", "--raw", "--type=16");
      assertStringIncludes(new TextDecoder("utf-16le").decode(info), "OriginalFilename");
    }),
});

Deno.test("withWindowsResources() refuses what is no executable", () => {
  const resources = { version: "1.2.3", strings: {}, icon };
  assertThrows(() => withWindowsResources(new Uint8Array(0x400), resources), Error, "Invalid");
});
