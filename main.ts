/**
 * The program: argv in, exit code out.
 *
 * @module
 */

import { run } from "./lib/cli/run.ts";
import { registry } from "./lib/commands/registry.ts";

if (import.meta.main) Deno.exit(await run(Deno.args, registry, Deno.exit));
