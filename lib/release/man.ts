/**
 * Writes the manual page `dist/labwire.1` from the option tables: `deno task man`.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { manPage } from "../cli/man_page.ts";
import { all } from "../commands/registry.ts";
import { dist } from "./checksums.ts";
import { runScript } from "./script.ts";

/** Writes the page, with the date of today. */
async function writeManPage(): Promise<void> {
  await Deno.mkdir(dist, { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  const page = manPage(await all(), { version: config.version, date });
  await Deno.writeTextFile(new URL("labwire.1", dist), page);
}

if (import.meta.main) await runScript(writeManPage);
