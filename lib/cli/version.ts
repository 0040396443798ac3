import config from "../../deno.json" with { type: "json" };

/** The version of labwire, as `deno.json` has it. */
export const version: string = config.version;

/**
 * The commit that an executable was made from, put before the bundled program by the task that compiles it.
 *
 * @returns The commit, or undefined when run from source.
 */
export function commit(): string | undefined {
  return (globalThis as { LABWIRE_COMMIT?: string }).LABWIRE_COMMIT;
}

/** What `--version` prints: labwire and what it runs on, a line each. */
export function versionText(): string {
  return [
    `labwire ${version}`,
    ...commit() === undefined ? [] : [`commit ${commit()}`],
    `deno ${Deno.version.deno}`,
    `v8 ${Deno.version.v8}`,
    `target ${Deno.build.target}`,
  ].join("\n");
}
