/** What the program takes from the environment that is handed in. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Signals } from "../../lib/cli/environment.ts";
import { runHere } from "./run_here.ts";

Deno.test("run() colours on a terminal, unless NO_COLOR is set", async () => {
  const red = "\x1b[31;1merror:\x1b[0m Unknown command";
  assert((await runHere(["nosuch"], { terminal: true })).stderr.startsWith(red));
  const variable = (name: string) => name === "NO_COLOR" ? "1" : undefined;
  assertMatch((await runHere(["nosuch"], { terminal: true, variable })).stderr, /^error: Unknown/);
  assertMatch((await runHere(["nosuch"])).stderr, /^error: Unknown/);
});

Deno.test("run() sets text to the width of the terminal", async () => {
  const widest = async (columns: number) => {
    const { stdout } = await runHere(["guide"], { terminal: true, columns: () => columns });
    assert(stdout.includes("json"));
    const guide = await runHere(["guide", "scripting"], { terminal: true, columns: () => columns });
    return guide.stdout.split("\n").length;
  };
  assert(await widest(40) > await widest(100), "the narrow one has more lines");
});

/** Signals that a test sends. */
function signals(): Signals & { send(name: Deno.Signal): void; readonly listened: Promise<void> } {
  const listeners = new Map<Deno.Signal, () => void>();
  const { promise: listened, resolve } = Promise.withResolvers<void>();
  return {
    names: ["SIGINT", "SIGTERM"],
    add(name, listener) {
      listeners.set(name, listener);
      resolve();
    },
    remove: (name) => void listeners.delete(name),
    watch: () => Promise.resolve(undefined),
    send: (name) => listeners.get(name)?.(),
    listened,
  };
}

Deno.test("run() ends a server with 0 by a signal, and a client that waits with the signal's code", async () => {
  for (const [name, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    const forServer = signals();
    const server = runHere(["json-server", "--port", "0"], { signals: forServer });
    await forServer.listened;
    forServer.send(name);
    assertEquals((await server).code, 0);

    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const forClient = signals();
    const args = ["json-client", "--port", `${silent.addr.port}`, "--timeout", "600", "x"];
    const client = runHere(args, { signals: forClient });
    using connection = await silent.accept();
    await connection.read(new Uint8Array(100));
    forClient.send(name);
    assertEquals((await client).code, code);
  }
});

Deno.test("run() ends a client that has not begun to send with the signal's code", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const early = signals();
  const args = ["json-client", "--port", `${silent.addr.port}`];
  const client = runHere(args, { signals: early, input: "{}\n" });
  await early.listened;
  early.send("SIGINT");
  assertEquals(await client, { code: 130, stdout: "", stderr: "" });
});
