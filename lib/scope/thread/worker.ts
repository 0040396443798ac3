/**
 * The module of the thread that a scope runs in. The one that starts it imports it too, to know where it is: in an executable it is one of
 * the files that the program was bundled into, and has another name.
 *
 * @module
 */

/** The name of the thread. */
export const threadName = "labwire-scope";

/** Where this module is. */
export const workerUrl: string = import.meta.url;

if ((globalThis as { name?: string }).name === threadName) {
  const { serveThread } = await import("./host.ts");
  serveThread(globalThis as never);
}
