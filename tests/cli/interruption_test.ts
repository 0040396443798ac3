import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseAddress } from "../../lib/net/address/address.ts";
import { Peer } from "../json/peer.ts";
import { begun, servers } from "./handler_servers.ts";
import { folder, serve } from "./json_serve.ts";
import { type Child, start } from "./run.ts";
import { startHere } from "./run_here.ts";

const windows = Deno.build.os === "windows";

/** A folder with handlers, each of which writes `begun` to stderr. */
async function handlers(): Promise<{ path(name: string): string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir();
  const write = (name: string, body: string) =>
    Deno.writeTextFile(
      `${folder}/${name}.js`,
      `const handle = (a) => { console.error("begun"); ${body} };\nexport default handle; export { handle, handle as interact };\n`,
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

/** Waits until something is so, for which there is no event. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

async function ended(program: Child, signal: Deno.Signal) {
  program.process.kill(signal);
  const from = performance.now();
  const result = await program.result();
  return { ...result, seconds: (performance.now() - from) / 1000 };
}

for (const server of servers) {
  const name = server.args.filter((arg) => /^(--udp|[a-z]+(-[a-z]+)?)$/.test(arg)).join(" ");

  Deno.test(`${name}: what was done is said after what was printed, however slowly that leaves`, async () => {
    const written: string[] = [];
    const begun = Promise.withResolvers<void>();
    const decoder = new TextDecoder();
    const stdout = {
      async write(bytes: Uint8Array) {
        begun.resolve();
        await new Promise((resolve) => setTimeout(resolve, 100));
        written.push("printed");
        return bytes.length;
      },
    };
    const writeSync = (bytes: Uint8Array) => {
      written.push(decoder.decode(bytes));
      return bytes.length;
    };
    const stderr = {
      writeSync,
      write: (bytes: Uint8Array) => Promise.resolve(writeSync(bytes)),
      isTerminal: () => false,
    };
    const program = startHere(server.args, { stdout, stderr });
    await until(() => /Ready/.test(written.join("")));
    const [, address] = /Listening on ([^\s,]+)/.exec(written.join(""))!;
    await using _socket = await server.send(parseAddress(address!));
    await begun.promise;
    program.interrupt();
    await program.result();
    const said = written.slice(written.lastIndexOf("printed") + 1).join("");
    assertMatch(said, /\b1 [^\n]*\nBye\.\n$/, written.join("|"));
  });

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

/** A json-server with this `close()`, in a process of its own, which has answered a message and recorded it. */
async function closing(close: string, more: string[] = []) {
  const files = await folder({
    "close.js": `export const commands = { f: () => 1 };\nexport function close() { ${close} }\n`,
  });
  const program = start([
    ...["json-server", "--port", "0", "--handler", `${files.path}/close.js`],
    ...["--record", `${files.path}/rec.jsonl`, "--output", "json", ...more],
  ]);
  const [, port] = await program.until("stderr", /Listening on \S+:(\d+)[^]*Ready/);
  await using peer = await Peer.connect({ hostname: "127.0.0.1", port: Number(port) });
  assertEquals(await peer.ask('{"command_id":"f"}'), '{"status":"success","result":1}');
  return {
    program,
    recorded: () => Deno.readTextFile(`${files.path}/rec.jsonl`),
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
    },
  };
}

Deno.test({
  name:
    "A close() in JavaScript that never returns loses nothing that was recorded or printed, and its end is said",
  ignore: windows,
  fn: async () => {
    await using it = await closing("while (true);", ["--grace", "0.2"]);
    const { code, stdout, stderr } = await ended(it.program, "SIGINT");
    assertEquals(code, 130);
    assertMatch(await it.recorded(), /"answer":\{"status":"success","result":1\}.*\n$/);
    assertMatch(stdout, /"command_id":"f"/);
    assertMatch(stderr, /^error: The handler did not return within 0\.2 s: ended it\n$/m);
  },
});

Deno.test("Ctrl-C says that close() of a handler is waited for", async () => {
  await using it = await closing("return new Promise(() => {});");
  it.program.interrupt();
  await it.program.until(
    "stderr",
    /Waiting up to 5 s for close\(\) of the handler; Ctrl-C again ends at once\n/,
  );
});

Deno.test("Ctrl-C says that a connection is waited for whose client does not read its answers", async () => {
  await using files = await folder({
    "long.js":
      `export const commands = { f: () => (console.error("begun"), "x".repeat(1 << 25)) };\n`,
  });
  await using server = await serve(["--handler", `${files.path}/long.js`]);
  await using peer = await server.connect();
  await peer.write('{"command_id":"f"}\n');
  await server.program.until("stderr", /begun/);
  server.program.interrupt();
  await server.program.until("stderr", /Waiting up to 4 s for 1 connection to end; Ctrl-C again/);
});

Deno.test("Ctrl-C says that a struct-line client waits for a server that does not read", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using client = start([
    ...["struct-line", "client", "--port", String(listener.addr.port)],
    ...["--format", "!16777216s", "--send", '["x"]'],
  ]);
  using connection = await listener.accept();
  await connection.read(new Uint8Array(1));
  client.interrupt();
  await client.until("stderr", /Waiting up to 4 s for what was sent to be read; Ctrl-C again/);
});

Deno.test({
  name: "a handler that is being loaded when the end is wanted: 130 or 143, whatever its language",
  ignore: windows,
  fn: async () => {
    await using files = await folder({
      "top.js": 'console.error("begun"); await new Promise(() => setTimeout(() => {}, 1e9));',
      "setup.js":
        'export const setup = () => { console.error("begun"); return new Promise(() => {}); }',
      "top.py": 'print("begun", flush=True)\nimport time\ntime.sleep(60)\n',
    });
    for (const [i, { args }] of servers.entries()) {
      for (const file of ["top.js", "setup.js", "top.py"]) {
        await using program = start([...args, "--handler", `${files.path}/${file}`]);
        await program.until("stderr", /begun/);
        const signal = i % 2 === 0 ? "SIGINT" : "SIGTERM";
        const { code, stderr } = await ended(program, signal);
        assertEquals([code, stderr], [signal === "SIGINT" ? 130 : 143, "| begun\n"], args[0]);
      }
    }
  },
});

// Each prints what arrives in one line. Others take one message after another, or answer what has no turn with a failure.
for (const [command, form] of [["struct-line", "json"], ["socket-server", "bytes"]]) {
  const server = servers.find(({ args }) => args[0] === command)!;
  Deno.test(`${server.args[0]}: nothing is begun that waits for its turn when the grace is over`, async () => {
    const handler = `
      const { promise, resolve } = Promise.withResolvers();
      const handle = () => { console.error("begun"); return promise; };
      export default handle;
      export { handle };
      export async function close() {
        resolve();
        await new Promise((resolve) => setTimeout(resolve));
        console.error("switched off");
      }
    `;
    await using files = await folder({ "gate.mjs": handler });
    const more = ["--output", form!, "--grace", "0.05"];
    await using it = await begun(server, `${files.path}/gate.mjs`, more);
    const [, address] = await it.program.until("stderr", /Listening on ([^\s,]+)/);
    await using _second = await server.send(parseAddress(address!));
    await it.program.until("stdout", /\n.*\n/);
    const { stderr } = await ended(it.program, "SIGTERM");
    assertMatch(stderr, /switched off/);
    assertEquals(stderr.match(/begun/g)?.length, 1, stderr);
  });
}
