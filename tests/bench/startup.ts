/**
 * Measures executables: `deno task bench:startup [ROUNDS]`. Compiles the program as it is released and in other ways, and
 * an empty program; prints size, start to exit of `--version`, the ratio to the empty one, and peak memory.
 *
 * @module
 */

import { bundle, compileArguments } from "../../lib/release/compile.ts";

const compiler = Deno.env.get("DENO_FOR_COMPILE") || Deno.execPath();
const root = new URL("../../", import.meta.url);

/** Runs a program in the repository; tells whether it succeeded, and what it wrote to stdout. */
async function run(program: string, args: string[], input = ""): Promise<[boolean, string]> {
  const child = new Deno.Command(program, {
    args,
    cwd: root,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout } = await child.output();
  return [success, new TextDecoder().decode(stdout)];
}

/** The ways to compile: what is compiled, and the arguments that differ from a release. */
function variants(folder: string): Record<string, { entry: string; more?: string[] }> {
  return {
    "an empty program": { entry: `${folder}/empty.js` },
    "as released": { entry: `${folder}/pieces/main.js` },
    "the same, minified": { entry: `${folder}/small/main.js` },
    "the same, without code cache": {
      entry: `${folder}/pieces/main.js`,
      more: ["--no-code-cache"],
    },
    "bundled into one file": { entry: `${folder}/one/main.js` },
    "not bundled": { entry: "main.ts" },
    "not bundled, --exclude-unused-npm": { entry: "main.ts", more: ["--exclude-unused-npm"] },
    "deno compile --bundle --minify": { entry: "main.ts", more: ["--bundle", "--minify"] },
  };
}

/** Compiles one variant, or returns undefined where this Deno cannot. */
async function compile(
  folder: string,
  name: string,
  { entry, more = [] }: { entry: string; more?: string[] },
): Promise<string | undefined> {
  const output = `${folder}/${name.replace(/\W+/g, "-")}`;
  const released = compileArguments(Deno.build.target, folder, output).slice(0, -1);
  const args = released.filter((arg) =>
    !/^--no-(config|lock)$/.test(arg) || entry.startsWith(folder)
  );
  const [success] = await run(compiler, [...args, ...more, entry]);
  return success ? output : undefined;
}

const folder = await Deno.makeTempDir({ prefix: "labwire-startup-" });
try {
  await Deno.writeTextFile(`${folder}/empty.js`, "");
  await bundle(`${folder}/pieces`);
  await bundle(`${folder}/small`, ["--minify"]);
  await bundle(`${folder}/one`, [], false);
  const commands: Record<string, string[]> = {};
  for (const [name, variant] of Object.entries(variants(folder))) {
    const executable = await compile(folder, name, variant);
    if (executable === undefined) console.log(`${name}: this Deno does not offer it`);
    else commands[name] = [executable, ...name === "an empty program" ? [] : ["--version"]];
  }
  const [, text] = await run(
    "python3",
    ["tests/bench/start_to_exit.py", Deno.args[0] ?? "40"],
    JSON.stringify(commands),
  );
  const measured: Record<string, { median: number; quartile: number; memory: number }> = JSON.parse(
    text,
  );
  const empty = measured["an empty program"]!;
  for (const [name, { median, quartile, memory }] of Object.entries(measured)) {
    const { size } = await Deno.stat(commands[name]![0]!);
    console.log(
      `${name.padEnd(34)} ${(size / 1e6).toFixed(1)} MB  median ${median.toFixed(1)} ms, ` +
        `quartile ${quartile.toFixed(1)} ms (${
          (quartile / empty.quartile).toFixed(2)
        } of the empty one)  ` +
        `${(memory / 1024).toFixed(1)} MiB`,
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
