import { RemoteError, stackOf, UsageError } from "../errors.ts";

/** Where labwire's own modules are beside its program: the folder above this one in the sources, that of the bundle in the executable. */
const OWN = import.meta.url.endsWith("/lib/handlers/place.ts")
  ? new URL("../", import.meta.url).href
  : new URL("./", import.meta.url).href;
/** The program itself. */
const PROGRAM = new URL("../../main.ts", import.meta.url).href;

/**
 * Finds where in the user's code something was thrown.
 *
 * @param thrown What was thrown; what was raised in Python, or is no fault of any code, knows its `place`.
 * @returns File, line and in JavaScript column, as in `supply.js:12:7`; undefined if it has no stack, or no file of the user is in it.
 */
export function placeOf(thrown: unknown): string | undefined {
  try {
    if ((thrown instanceof RemoteError || thrown instanceof UsageError) && "place" in thrown) {
      return thrown.place as string | undefined;
    }
  } catch {
    return undefined; // it does not let itself be looked at
  }
  for (const [, url, where] of stackOf(thrown).matchAll(/\b(file:\/\/.+?):(\d+:\d+)\)?$/gm)) {
    if (!url!.startsWith(OWN) && url !== PROGRAM) return `${pathOf(url!)}:${where}`;
  }
  return undefined;
}

/**
 * Adds to a message where in the user's code it was thrown.
 *
 * @param message The message.
 * @param thrown What was thrown.
 * @returns The message, followed by file, line and column where they are known.
 */
export function withPlace(message: string, thrown: unknown): string {
  const place = placeOf(thrown);
  return place === undefined ? message : `${message} (${place})`;
}

/**
 * Distinguishes failures that are reported at most once a second: those of one place hide none of another.
 *
 * @param kind What they have in common.
 * @param thrown What was thrown.
 * @returns A kind for each place.
 */
export function kindWithPlace(kind: string, thrown: unknown): string {
  return withPlace(kind, thrown);
}

/**
 * Writes a file's URL as a path: as the user would write it where the file is in the working directory or below.
 *
 * @param url The URL, as in `file:///home/me/supply.js`.
 */
export function pathOf(url: string): string {
  try {
    const folder = Deno.cwd();
    const windows = Deno.build.os === "windows";
    const slashed = decodeURIComponent(new URL(url).pathname);
    const path = windows ? slashed.replace(/^\//, "").replaceAll("/", "\\") : slashed;
    const start = `${folder}${windows ? "\\" : "/"}`;
    return path.startsWith(start) ? path.slice(start.length) : path;
  } catch {
    return url; // it is not a URL, or the working directory is gone
  }
}
