/**
 * The program: argv in, exit code out.
 *
 * @module
 */

import { systemEnvironment } from "./lib/cli/environment.ts";
import { run } from "./lib/cli/run.ts";
import { registry } from "./lib/commands/registry.ts";

if (import.meta.main) Deno.exit(await run(Deno.args, systemEnvironment(Deno.exit), registry));
