import { within } from "../../time/deadline.ts";

/** What opens an address with the user's browser, by system. */
const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  windows: ["rundll32", "url.dll,FileProtocolHandler"],
  darwin: ["open"],
  linux: ["xdg-open"],
};

/**
 * Opens an address in the user's browser.
 *
 * @param url The address.
 * @throws If the system has no program for it.
 */
export async function openBrowser(url: string): Promise<void> {
  const [program, ...args] = OPENERS[Deno.build.os] ?? OPENERS.linux!;
  const child = new Deno.Command(program, {
    args: [...args, url],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  child.unref();
  // One that cannot open anything ends at once; one that can may stay as long as the browser.
  const ended = await within(child.status, 1);
  if (ended && !ended.success) throw new Error(`${program} ended with exit code ${ended.code}`);
}
