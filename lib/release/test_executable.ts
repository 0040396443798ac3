/**
 * Runs the tests of the command line against an executable instead of the sources: `deno task test:bin [FILE]`, by
 * default one that is compiled for it.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { dist } from "./checksums.ts";
import { compileFor } from "./compile.ts";
import { executablePath, runScript } from "./script.ts";
import { executableName } from "./targets.ts";

async function testExecutable([file]: readonly string[]): Promise<void> {
  const made = fileURLToPath(new URL(executableName(config.version, Deno.build.target), dist));
  if (file === undefined) await compileFor([Deno.build.target]);
  const executable = await executablePath(file ?? made);
  console.log(`LABWIRE_BIN=${executable}`);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--parallel", "tests/cli", "tests/long/browser_test.ts"],
    cwd: new URL("../../", import.meta.url),
    env: { LABWIRE_BIN: executable },
  }).spawn().status;
  Deno.exit(code);
}

if (import.meta.main) await runScript(testExecutable);
