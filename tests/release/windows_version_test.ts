import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { withResource } from "../../lib/release/pe_resources.ts";
import { withWindowsVersion } from "../../lib/release/windows_version.ts";

const version = {
  version: "1.2.3",
  strings: { ProductName: "labwire", FileDescription: "µs and ± too" },
};

/** The least 64-bit PE file that has a section, with room for so many more. */
function minimalExecutable(more: number): Uint8Array {
  const bytes = new Uint8Array(0x400);
  const view = new DataView(bytes.buffer);
  const [pe, optional] = [0x40, 0x58];
  bytes.set([0x4d, 0x5a]);
  view.setUint32(0x3c, pe, true);
  view.setUint32(pe, 0x4550, true);
  view.setUint16(pe + 4, 0x8664, true);
  view.setUint16(pe + 6, 1, true);
  view.setUint16(pe + 20, 240, true);
  view.setUint16(pe + 22, 0x22, true);
  view.setUint16(optional, 0x20b, true);
  view.setUint32(optional + 32, 0x1000, true);
  view.setUint32(optional + 36, 0x200, true);
  view.setUint32(optional + 56, 0x2000, true);
  view.setUint32(optional + 60, optional + 240 + 40 * (1 + more), true);
  view.setUint32(optional + 108, 16, true);
  const section = optional + 240;
  bytes.set(new TextEncoder().encode(".text"), section);
  view.setUint32(section + 8, 0x10, true);
  view.setUint32(section + 12, 0x1000, true);
  view.setUint32(section + 16, 0x200, true);
  view.setUint32(section + 20, 0x200, true);
  bytes.fill(0xcc, 0x200, 0x210);
  return bytes;
}

const noWrestool = (() => {
  try {
    new Deno.Command("wrestool", { args: ["--version"], stdout: "null" }).outputSync();
    return false;
  } catch {
    return true;
  }
})();

/** What icoutils finds in an executable. */
async function wrestool(executable: Uint8Array, ...args: string[]): Promise<Uint8Array> {
  const file = await Deno.makeTempFile({ suffix: ".exe" });
  try {
    await Deno.writeFile(file, executable);
    const { success, stdout, stderr } = await new Deno.Command("wrestool", {
      args: [...args, file],
    })
      .output();
    assert(success, new TextDecoder().decode(stderr));
    return stdout;
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("withWindowsVersion() moves nothing, and says what it is told in UTF-16", () => {
  const before = minimalExecutable(1);
  const after = withWindowsVersion(before, version);
  assertEquals(after.subarray(0x200, 0x400), before.subarray(0x200, 0x400));
  assertEquals(after.length % 0x200, 0);
  const text = new TextDecoder("utf-16le").decode(after.subarray(0x400));
  for (const part of ["VS_VERSION_INFO", "ProductName", "labwire", "µs and ± too", "1.2.3"]) {
    assertStringIncludes(text, part);
  }
});

Deno.test({
  name: `withResource() keeps other resources, and replaces its own kind${
    noWrestool ? " (needs wrestool of icoutils)" : ""
  }`,
  ignore: noWrestool,
  fn: async () => {
    const data = new Uint8Array([1, 2, 3, 4, 5]);
    let executable = withResource(minimalExecutable(3), 10, data);
    executable = withWindowsVersion(executable, { version: "0.0.1", strings: { Comments: "old" } });
    executable = withWindowsVersion(executable, version);
    const list = new TextDecoder().decode(await wrestool(executable, "--list"));
    assertEquals(list.match(/--type=\d+ --name=\d+ --language=\d+/g), [
      "--type=10 --name=1 --language=1033",
      "--type=16 --name=1 --language=1033",
    ]);
    assertEquals(await wrestool(executable, "--extract", "--raw", "--type=10"), data);
    const info = await wrestool(executable, "--extract", "--raw", "--type=16");
    assertStringIncludes(new TextDecoder("utf-16le").decode(info), "labwire");
  },
});

Deno.test("withWindowsVersion() refuses what is no executable, or has no room", () => {
  assertThrows(() => withWindowsVersion(new Uint8Array(0x400), version), Error, "64-bit Windows");
  assertThrows(() => withWindowsVersion(minimalExecutable(0), version), Error, "no room");
});
