/** Runs a real browser on a page, and waits for what the page reports. */

import { needs } from "./peer.ts";

/** The browser, a Debian package of this name too. */
const BROWSER = "chromium";

/** For a test's name and `ignore`: whether there is a browser. */
export const browser: { ignore: boolean; note: string } = needs(BROWSER);

/** Nothing that a browser does by itself: no updates, no look-ups, no requests in advance. */
const QUIET = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  // Whoever has a certificate for a server of the laboratory has also made the browsers there trust it.
  "--ignore-certificate-errors",
];

/**
 * Opens a page and runs a script in it.
 *
 * @param script The body of an async function; what it returns is reported as JSON.
 * @param values What the script finds as `values`.
 * @param over What the browser is kept open for when the script has returned.
 * @returns What it returned.
 * @throws If it threw, or the browser ended before it was done.
 */
export async function inBrowser<T>(
  script: string,
  values: unknown,
  over: () => Promise<unknown> = () => Promise.resolve(),
): Promise<T> {
  const reported = Promise.withResolvers<T>();
  const page = `<!doctype html><meta charset="utf-8"><title>A page</title><body><script>
    const run = async (values) => {${script}};
    run(${
    JSON.stringify(values)
  }).then((result) => ({ result }), (error) => ({ error: String(error) }))
      .then((result) => fetch("/report", { method: "POST", body: JSON.stringify(result) }));
  </script>`;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (r) => {
    if (new URL(r.url).pathname !== "/report") {
      return new Response(page, { headers: { "content-type": "text/html" } });
    }
    const { result, error } = await r.json();
    if (error === undefined) reported.resolve(result);
    else reported.reject(new Error(error));
    return new Response();
  });
  const profile = await Deno.makeTempDir({ prefix: "labwire-browser-" });
  const process = new Deno.Command(BROWSER, {
    args: [...QUIET, `--user-data-dir=${profile}`, `http://127.0.0.1:${server.addr.port}/`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    // The leader of a group, so that all of its processes can be ended.
    detached: true,
  }).spawn();
  const timer = setTimeout(
    () => reported.reject(new Error("The page reported nothing for a minute")),
    60_000,
  );
  try {
    const ended = process.status.then(({ code }) => {
      throw new Error(`The browser ended with ${code} before it was done`);
    });
    ended.catch(() => {});
    const result = await Promise.race([reported.promise, ended]);
    await Promise.race([over(), ended]);
    return result;
  } finally {
    clearTimeout(timer);
    try {
      if (Deno.build.os === "windows") process.kill();
      else Deno.kill(-process.pid, "SIGTERM");
    } catch {
      // it has ended
    }
    await process.status;
    await removeProfile(profile);
  }
}

/** The browser's processes write to its folder until the last of them has ended. */
async function removeProfile(folder: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await Deno.remove(folder, { recursive: true });
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
