import { assert, assertEquals, assertFalse } from "@std/assert";
import { pathToFileURL } from "node:url";
import { neededPermissions } from "../../lib/doctor/permissions.ts";
import { checksums } from "../../lib/release/checksums.ts";
import { compileArguments } from "../../lib/release/compile.ts";
import { icon } from "../../lib/release/icon.ts";
import { executableName, targets } from "../../lib/release/targets.ts";

Deno.test("executableName() ends in .exe on Windows only", () => {
  assertEquals(targets.map((target) => executableName("1.2.3", target)), [
    "labwire-1.2.3-x86_64-pc-windows-msvc.exe",
    "labwire-1.2.3-aarch64-pc-windows-msvc.exe",
    "labwire-1.2.3-x86_64-apple-darwin",
    "labwire-1.2.3-aarch64-apple-darwin",
    "labwire-1.2.3-x86_64-unknown-linux-gnu",
    "labwire-1.2.3-aarch64-unknown-linux-gnu",
  ]);
});

Deno.test("compileArguments() never allows everything, and never asks", () => {
  for (const target of targets) {
    const args = compileArguments(target, "folder", "output");
    assertFalse(args.some((arg) => /^(-A|--allow-all|--allow-ffi)/.test(arg)));
    assert(args.includes("--no-prompt"));
    assertEquals(args.some((arg) => arg.startsWith("--icon=")), target.includes("windows"));
  }
});

Deno.test("checksums() writes what sha256sum reads", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const url = pathToFileURL(`${folder}/`);
    await Deno.writeTextFile(new URL("b", url), "two");
    await Deno.writeTextFile(new URL("a", url), "");
    await Deno.writeTextFile(new URL("SHA256SUMS", url), "an older one");
    assertEquals(
      await checksums(url),
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n" +
        "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3  b\n",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("icon() is an icon file whose pictures lie where its directory says", () => {
  const bytes = icon();
  const view = new DataView(bytes.buffer);
  assertEquals([view.getUint16(0, true), view.getUint16(2, true)], [0, 1]);
  let end = 6 + 16 * view.getUint16(4, true);
  for (let entry = 6; entry < 6 + 16 * view.getUint16(4, true); entry += 16) {
    assertEquals(view.getUint32(entry + 12, true), end);
    assertEquals(view.getInt32(end + 4, true), bytes[entry]);
    end += view.getUint32(entry + 8, true);
  }
  assertEquals(end, bytes.length);
});

Deno.test("README lists each permission of the executable with its reason", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const rows = readme.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  for (const { flag, reason } of neededPermissions) {
    assertEquals(rows.find(([, first]) => first === `\`${flag}\``)?.[2], reason);
  }
});
