import config from "../../deno.json" with { type: "json" };

/** The version of labwire, as `deno.json` has it. */
export const version: string = config.version;

/** What `--version` prints: labwire and what it runs on, a line each. */
export function versionText(): string {
  return [
    `labwire ${version}`,
    `deno ${Deno.version.deno}`,
    `v8 ${Deno.version.v8}`,
    `target ${Deno.build.target}`,
  ].join("\n");
}
