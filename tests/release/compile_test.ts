import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { pathToFileURL } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { checksums } from "../../lib/release/checksums.ts";
import { UsageError } from "../../lib/errors.ts";
import { compileArguments, compileFor, wantedTargets } from "../../lib/release/compile.ts";
import { causeOf } from "../../lib/release/script.ts";
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
    assertFalse(args.some((arg) => /^(-A|--allow-all)/.test(arg)));
    assert(args.includes("--no-prompt"));
    assert(args.includes("--allow-ffi")); // datagrams in batches
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

Deno.test("wantedTargets() takes one platform, --all or nothing", () => {
  assertEquals(wantedTargets(["--all"]), targets);
  assertEquals(wantedTargets([targets[0]!]), [targets[0]!]);
  assertEquals(wantedTargets([]), [Deno.build.target]);
  for (const args of [["nosuch-target"], ["--nosuch"]]) {
    assertThrows(() => wantedTargets(args), UsageError, `"${args[0]}": expected --all or one of`);
  }
  assertThrows(() => wantedTargets(["--all", targets[0]!]), UsageError, "expected one target");
});

Deno.test("compileFor() leaves everything as it was where the executable cannot be made", async () => {
  const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
  const runtime = Deno.env.get("DENORT_BIN");
  try {
    const name = executableName(config.version, Deno.build.target);
    await Deno.writeTextFile(`${folder}/${name}`, "the previous one");
    await Deno.writeTextFile(`${folder}/SHA256SUMS`, "its checksum");
    Deno.env.set("DENORT_BIN", `${folder}/nosuch-runtime`);
    const error = await assertRejects(
      () => compileFor([Deno.build.target], { into: pathToFileURL(`${folder}/`) }),
      Error,
      `Cannot compile for ${Deno.build.target}: `,
    );
    assert(/nosuch-runtime/.test(error.message) && !error.message.includes("\n"), error.message);
    const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
    assertEquals(names.sort(), ["SHA256SUMS", name]);
    assertEquals(await Deno.readTextFile(`${folder}/${name}`), "the previous one");
  } finally {
    if (runtime === undefined) Deno.env.delete("DENORT_BIN");
    else Deno.env.set("DENORT_BIN", runtime);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("causeOf() keeps what Deno says of the cause, once", () => {
  assertEquals(
    causeOf(
      "error: Writing a file\n\nCaused by:\n    0: Setting up base binary.\n" +
        "    1: cannot send: dns error\n    2: dns error\n\nStack backtrace:\n   0: <unknown>\n",
    ),
    "Writing a file: Setting up base binary: cannot send: dns error",
  );
});

const scripts: [file: string, args: string[], code: number, says: string][] = [
  ["compile", ["nosuch-target"], 2, 'Cannot compile for "nosuch-target": expected --all or one of'],
  ["smoke", [], 2, "Cannot try an executable: expected the name of one file"],
  ["smoke", ["nosuch"], 2, 'Cannot try "nosuch": expected an executable, found no such file'],
  ["test_executable", ["nosuch"], 2, 'Cannot try "nosuch": expected an executable'],
];

for (const [file, args, expected, says] of scripts) {
  Deno.test(`${[`${file}.ts`, ...args].join(" ")}: says what is wrong on one line`, async () => {
    const script = new URL(`../../lib/release/${file}.ts`, import.meta.url).href;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", script, ...args],
    }).output();
    const said = new TextDecoder().decode(stderr);
    assertEquals([code, stdout.length], [expected, 0]);
    assert(said.startsWith(`error: ${says}`) && said.trimEnd().split("\n").length === 1, said);
  });
}
