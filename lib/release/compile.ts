/**
 * Makes executables in `dist/`: `deno task compile` for this platform, `deno task compile:all` for all.
 *
 * The program is bundled first, so that an executable carries what is used and not the whole of every npm package; in a file
 * for each command, so that starting it reads no more than it needs. It is not minified: that saves 0.3 % of the executable
 * and would make the stack traces of `--debug` useless.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { neededPermissions } from "../permissions.ts";
import { UsageError } from "../errors.ts";
import { dist, writeChecksums } from "./checksums.ts";
import { causeOf, runScript } from "./script.ts";
import { executableName, targets } from "./targets.ts";
import { withWindowsResources } from "./windows_resources.ts";

const root = new URL("../../", import.meta.url);
/** A network without Deno's download server may bring another Deno whose runtime it has; see `DENORT_BIN` of Deno. */
const compiler = Deno.env.get("DENO_FOR_COMPILE") || Deno.execPath();

/** Runs a program in the repository. */
async function run(program: string, args: string[]): Promise<{ output: string; code: number }> {
  const env = { NO_COLOR: "1" };
  const { code, stdout, stderr } = await new Deno.Command(program, { args, cwd: root, env })
    .output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** The commit that is being compiled, with a `+` when files differ from it. */
async function currentCommit(): Promise<string> {
  const { code, output } = await run("git", ["rev-parse", "--short=12", "HEAD"])
    .catch(() => ({ code: 1, output: "" })); // there is no git
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
  if (code !== 0) throw new Error(`Cannot bundle: ${causeOf(output)}`);
  const commit = `globalThis.LABWIRE_COMMIT = ${JSON.stringify(await currentCommit())};\n`;
  await Deno.writeTextFile(main, commit + await Deno.readTextFile(main));
}

/**
 * V8's young generation is of one size from the start, in MiB for each of its halves: left alone it doubles whenever enough
 * has survived, so that a program which echoes for hours holds more memory than it needs.
 */
export const v8Flags = "--v8-flags=--min-semi-space-size=8,--max-semi-space-size=8";

/** The arguments of `deno compile` for one platform; the program is in `folder`. */
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
    `--output=${output}`,
    `${folder}/main.js`,
  ];
}

/**
 * Compiles for one platform.
 *
 * @returns Whether this Deno offers the platform.
 */
async function compile(target: string, folder: string, output: string): Promise<boolean> {
  const result = await run(compiler, compileArguments(target, folder, output));
  if (result.code !== 0) {
    if (result.output.includes(`invalid value '${target}'`)) return false;
    throw new Error(`Cannot compile for ${target}: ${causeOf(result.output)}`);
  }
  if (target.includes("windows")) await addResources(output);
  return true;
}

/** Tells Windows what the executable is. */
async function addResources(executable: string): Promise<void> {
  const strings = {
    ProductName: "labwire",
    FileDescription: "labwire: simulation signals and equipment commands over the network",
    LegalCopyright: `${config.license} license`,
    OriginalFilename: "labwire.exe",
  };
  const { version } = config;
  const icon = await Deno.readFile(new URL("labwire.ico", import.meta.url));
  const bytes = await Deno.readFile(executable);
  await Deno.writeFile(executable, withWindowsResources(bytes, { version, strings, icon }));
}

/** How executables are made. */
export interface CompileOptions {
  /** Whether to do without the platforms that this Deno does not offer; by default that is an error. */
  leaveOut?: boolean;
  /** The folder they are put into; `dist/` by default. */
  into?: URL;
}

/**
 * Makes executables and their checksums. Where one of them cannot be made, the folder stays as it was.
 *
 * @param wanted The platforms.
 * @param options The folder, and what to do about platforms that this Deno does not offer.
 */
export async function compileFor(
  wanted: readonly string[],
  { leaveOut = false, into = dist }: CompileOptions = {},
): Promise<void> {
  await Deno.mkdir(into, { recursive: true });
  const folder = await Deno.makeTempDir({ prefix: "labwire-" });
  // Beside where they go, as a file can be renamed within one disk only.
  const made = await Deno.makeTempDir({ dir: fileURLToPath(into), prefix: ".new-" });
  try {
    await bundle(folder);
    const names: string[] = [];
    for (const target of wanted) {
      const name = executableName(config.version, target);
      if (await compile(target, folder, `${made}/${name}`)) names.push(name);
      else if (leaveOut) console.log(`left out ${target}: this Deno does not offer it`);
      else throw new Error(`Cannot compile for ${target}: this Deno does not offer it`);
    }
    for (const name of names) await Deno.rename(`${made}/${name}`, new URL(name, into));
    await writeChecksums(into);
    for (const name of names) console.log(`dist/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(made, { recursive: true });
  }
}

const usage =
  `Usage: deno task compile [TARGET], by default for this computer, or deno task compile:all

Targets:
${targets.map((target) => `  ${target}`).join("\n")}`;

/**
 * Reads the command line.
 *
 * @param args `--all`, a platform, or nothing.
 * @returns The platforms to compile for.
 * @throws {UsageError} If it is something else.
 */
export function wantedTargets(args: readonly string[]): readonly string[] {
  const [word = Deno.build.target, ...others] = args;
  if (others.length > 0) {
    throw new UsageError(`Cannot compile for "${args.join(" ")}": expected one target, or --all`);
  }
  if (word === "--all") return targets;
  if (targets.includes(word)) return [word];
  throw new UsageError(
    `Cannot compile for "${word}": expected --all or one of ${targets.join(", ")}`,
  );
}

if (import.meta.main) {
  await runScript(async (args) => {
    if (args.includes("--help") || args.includes("-h")) return console.log(usage);
    await compileFor(wantedTargets(args), { leaveOut: args.includes("--all") });
  });
}
