/** Tells Windows what the executable is. */
async function addVersion(executable: URL): Promise<void> {
  const strings = {
    ProductName: "labwire",
    FileDescription: "labwire: simulation signals and equipment commands over the network",
    LegalCopyright: `${config.license} license`,
    OriginalFilename: "labwire.exe",
  };
  const bytes = await Deno.readFile(executable);
  await Deno.writeFile(executable, withWindowsVersion(bytes, { version: config.version, strings }));
}

/**
 * Makes executables in `dist/`: `deno task compile` for this platform, `deno task compile:all` for all.
 *
 * The program is bundled first, so that an executable carries what is used and not the whole of every npm package; in a file
 * for each command, so that starting it reads no more than it needs. It is not minified: that saves 0.3 % of the executable
 * and would make the stack traces of `--debug` useless.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { neededPermissions } from "../doctor/permissions.ts";
import { checksums, dist } from "./checksums.ts";
import { icon } from "./icon.ts";
import { executableName, targets } from "./targets.ts";
import { withWindowsVersion } from "./windows_version.ts";

const root = new URL("../../", import.meta.url);
/** A network without Deno's download server may bring another Deno whose runtime it has; see `DENORT_BIN` of Deno. */
const compiler = Deno.env.get("DENO_FOR_COMPILE") || Deno.execPath();

/** Runs a program in the repository. */
async function run(program: string, args: string[]): Promise<{ output: string; code: number }> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, cwd: root }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** The commit that is being compiled, with a `+` when files differ from it. */
async function currentCommit(): Promise<string> {
  const { code, output } = await run("git", ["rev-parse", "--short=12", "HEAD"]);
  if (code !== 0) return "unknown";
  const changes = await run("git", ["status", "--porcelain"]);
  return output.trim() + (changes.output === "" ? "" : "+");
}

/**
 * Writes the program as JavaScript into a folder, with the commit where `lib/cli/version.ts` looks for it.
 *
 * @param folder The folder; its `main.js` is the one to compile.
 * @param more Further options of `deno bundle`.
 * @param split Whether each command gets a file of its own.
 */
export async function bundle(folder: string, more: string[] = [], split = true): Promise<void> {
  const main = `${folder}/main.js`;
  const target = split ? ["--code-splitting", `--outdir=${folder}`] : [`--output=${main}`];
  const options = ["--quiet", "--platform=deno", ...more, ...target];
  const { code, output } = await run(Deno.execPath(), ["bundle", ...options, "main.ts"]);
  if (code !== 0) throw new Error(`Cannot bundle:\n${output}`);
  const commit = `globalThis.LABWIRE_COMMIT = ${JSON.stringify(await currentCommit())};\n`;
  await Deno.writeTextFile(main, commit + await Deno.readTextFile(main));
}

/**
 * V8's young generation is of one size from the start, in MiB for each of its halves: left alone it doubles whenever enough
 * has survived, so that a program which echoes for hours holds more memory than it needs.
 */
export const v8Flags = "--v8-flags=--min-semi-space-size=8,--max-semi-space-size=8";

/** The arguments of `deno compile` for one platform; the program and its icon are in `folder`. */
export function compileArguments(target: string, folder: string, output: string): string[] {
  return [
    "compile",
    "--quiet",
    "--no-check",
    "--no-config",
    "--no-lock",
    "--no-prompt",
    "--unstable-net",
    v8Flags,
    ...neededPermissions.map(({ flag }) => flag),
    `--target=${target}`,
    ...target.includes("windows") ? [`--icon=${folder}/labwire.ico`] : [],
    `--output=${output}`,
    `${folder}/main.js`,
  ];
}

/**
 * Compiles for one platform.
 *
 * @returns The file's name, or undefined where this Deno does not offer the platform.
 */
async function compile(target: string, folder: string): Promise<string | undefined> {
  const name = executableName(config.version, target);
  const args = compileArguments(target, folder, `dist/${name}`);
  const { code, output } = await run(compiler, args);
  if (code === 0) {
    if (target.includes("windows")) await addVersion(new URL(name, dist));
    return name;
  }
  if (output.includes(`invalid value '${target}'`)) return undefined;
  throw new Error(`Cannot compile for ${target}:\n${output}`);
}

/**
 * Makes executables in `dist/`, and their checksums.
 *
 * @param wanted The platforms.
 */
export async function compileFor(wanted: readonly string[]): Promise<void> {
  await Deno.mkdir(dist, { recursive: true });
  const folder = await Deno.makeTempDir({ prefix: "labwire-" });
  try {
    await bundle(folder);
    await Deno.writeFile(`${folder}/labwire.ico`, icon());
    for (const target of wanted) {
      const name = await compile(target, folder);
      console.log(
        name === undefined ? `left out ${target}: this Deno does not offer it` : `dist/${name}`,
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  await Deno.writeTextFile(new URL("SHA256SUMS", dist), await checksums(dist));
}

if (import.meta.main) {
  const [word, ...others] = Deno.args;
  if (others.length > 0) throw new Error("Cannot compile: expected --all, one target or nothing");
  await compileFor(word === "--all" ? targets : [word ?? Deno.build.target]);
}
