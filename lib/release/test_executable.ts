/**
 * Runs the tests of the command line against an executable instead of the sources: `deno task test:bin [FILE]`, by
 * default one that is compiled for it. With `--quick` it is those tests in which an executable could differ from the sources.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { dist } from "./checksums.ts";
import { compileFor } from "./compile.ts";
import { executablePath, runScript } from "./script.ts";
import { executableName } from "./targets.ts";

/** Of what an executable has in a form of its own: how it starts, its files, modules, threads, libraries and programs. */
const QUICK = [
  ...["executable", "exit_codes", "version", "doctor", "guide", "interruption", "exec"],
  ...["json_handler", "villas_handler", "python_handler", "struct_handler", "socket_handler"],
  ...["client_py", "scope", "plot", "villas_echo", "villas_record", "villas_convert"],
].map((name) => `tests/cli/${name}_test.ts`);

async function testExecutable(given: readonly string[]): Promise<void> {
  const quick = given.includes("--quick");
  const [file] = given.filter((word) => word !== "--quick");
  const made = fileURLToPath(new URL(executableName(config.version, Deno.build.target), dist));
  if (file === undefined) await compileFor([Deno.build.target]);
  const executable = await executablePath(file ?? made);
  console.log(`LABWIRE_BIN=${executable}`);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "-A", "--no-check", "--parallel"],
      ...quick ? QUICK : ["tests/cli", "tests/long/browser_test.ts"],
    ],
    cwd: new URL("../../", import.meta.url),
    env: { LABWIRE_BIN: executable },
  }).spawn().status;
  Deno.exit(code);
}

if (import.meta.main) await runScript(testExecutable);
