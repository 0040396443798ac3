import { stackOf } from "../errors.ts";

/** A place in a file, as a line of a stack names it: blanks in the file's name are not escaped. */
const PLACE = /(file:\/\/.+):(\d+):(\d+)\)?$/;

/** Where this program's own modules are. */
const OWN = ["../../lib/", "../../main.ts", "../../mod.ts"]
  .map((path) => new URL(path, import.meta.url).href);

/**
 * Finds the place in a user's module at which an error was thrown.
 *
 * @param thrown What was thrown.
 * @returns File, line and column, as `/home/lab/supply.js:12:9`; undefined if no user's module had a part in it.
 */
export function thrownAt(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  for (const line of stackOf(thrown).split("\n")) {
    const [, url, row, column] = PLACE.exec(line) ?? [];
    if (url === undefined || OWN.some((own) => url.startsWith(own))) continue;
    return `${pathOf(url)}:${row}:${column}`;
  }
  return undefined;
}

function pathOf(url: string): string {
  try {
    const path = decodeURIComponent(new URL(url).pathname);
    return Deno.build.os === "windows" ? path.slice(1).replaceAll("/", "\\") : path;
  } catch {
    return url;
  }
}
