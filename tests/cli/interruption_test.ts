import { assert, assertEquals, assertMatch } from "@std/assert";
import { begun, servers } from "./handler_servers.ts";
import { type Child, start } from "./run.ts";

const windows = Deno.build.os === "windows";

/** A folder with handlers, each of which writes `begun` to stderr. */
async function handlers(): Promise<{ path(name: string): string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir();
  const write = (name: string, body: string) =>
    Deno.writeTextFile(
      `${folder}/${name}.js`,
      `const handle = (a) => { console.error("begun"); ${body} };\nexport default handle; export const interact = handle;\n`,
    );
  await write("busy", "while (true) {}");
  await write("pending", "return new Promise((resolve) => setTimeout(resolve, 1e9));");
  await write("slow", "return new Promise((resolve) => setTimeout(resolve, 800));");
  await Deno.writeTextFile(`${folder}/loading.js`, 'console.error("begun"); while (true) {}');
  return {
    path: (name) => `${folder}/${name}.js`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

async function ended(program: Child, signal: Deno.Signal) {
  program.process.kill(signal);
  const from = performance.now();
  const result = await program.result();
  return { ...result, seconds: (performance.now() - from) / 1000 };
}

for (const server of servers) {
  const name = server.args.filter((arg) => /^[a-z]+(-[a-z]+)?$/.test(arg)).join(" ");

  Deno.test(`${name}: Ctrl-C says what is waited for and how long, and a second one ends at once`, async () => {
    await using files = await handlers();
    for (const [handler, code] of [["pending", 130], ["busy", 130]] as const) {
      await using it = await begun(server, files.path(handler), ["--grace", "600"]);
      it.program.interrupt();
      const [said] = await it.program.until(
        "stderr",
        /Waiting up to 600 s for .*; Ctrl-C again ends at once\n/,
      );
      assertMatch(
        said,
        handler === "busy" ? /the handler, which has not returned/ : server.waiting,
      );
      const result = await ended(it.program, "SIGINT");
      assert(result.seconds < 30, `${result.seconds} s`);
      if (!windows) assertEquals(result.code, code);
    }
  });

  Deno.test({
    name: `${name}: SIGTERM is bounded by --grace, whatever the handler does`,
    ignore: windows,
    fn: async () => {
      await using files = await handlers();
      for (const [handler, code] of [["pending", 0], ["busy", 143]] as const) {
        await using it = await begun(server, files.path(handler), ["--grace", "0.4"]);
        const result = await ended(it.program, "SIGTERM");
        assertEquals(result.code, code, result.stderr);
        assert(result.seconds < 30, `${result.seconds} s`);
        if (handler === "busy") {
          assertMatch(
            result.stderr,
            /^error: The handler did not return within 0\.4 s: ended it$/m,
          );
        }
      }
    },
  });
}

Deno.test("A handler that returns in time ends the server in order, after what it waits for was said", async () => {
  await using files = await handlers();
  await using it = await begun(servers[0]!, files.path("slow"));
  const { code, stderr } = await ended(it.program, "SIGINT");
  assertEquals(code, 0);
  assertMatch(
    stderr,
    /Waiting up to 5 s for 1 message that is being handled; Ctrl-C again ends at once\n1 messages?, 1 success/,
  );
});

Deno.test({
  name: "A module that never ends loading can be ended too",
  ignore: windows,
  fn: async () => {
    await using files = await handlers();
    await using program = start(["json-server", "--port", "0", "--handler", files.path("loading")]);
    await program.until("stderr", /begun/);
    program.interrupt();
    await program.until("stderr", /Waiting up to 5 s for the handler/);
    assertEquals((await ended(program, "SIGINT")).code, 130);
  },
});

Deno.test({
  name: "SIGTERM ends a client that waits for its answer with 143",
  ignore: windows,
  fn: async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using client = start([
      ...["json-client", "--port", String(listener.addr.port), "--timeout", "600", "x"],
    ]);
    using _connection = await listener.accept();
    assertEquals((await ended(client, "SIGTERM")).code, 143);
  },
});
