import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { type JsonServerOptions, sendJson, startJsonServer } from "../../mod.ts";
import { labwire, startServer } from "../cli/run.ts";
import { needs, type Peer, startPeer, startPython } from "./peer.ts";
import { PYTHON, pythonLines } from "./python.ts";

const { ignore, note } = needs(PYTHON);
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** The message of the template's documentation. */
const data = {
  command_id: "test_command",
  param1: 100,
  param2: "this is text",
  param3: true,
  param4: [1, 2, 3, 4, "text in list"],
};

/** Sends messages with the template's client; returns which callbacks it called. */
function templateClient(port: number, ...messages: unknown[]): Promise<string[]> {
  const lines = messages.map((message) => JSON.stringify(message));
  return pythonLines([here("template_client.py"), "127.0.0.1", String(port)], lines);
}

/** Starts the template's server. */
async function templateServer(): Promise<{ server: Peer; port: number }> {
  const server = startPeer(PYTHON, ["-u", here("template_server.py")]);
  const [port] = await server.until("stdout", /^\d+/);
  return { server, port: Number(port) };
}

Deno.test(`startJsonServer() answers the template's client, which calls each callback${note}`, {
  ignore,
}, async () => {
  const received: unknown[] = [];
  const options: JsonServerOptions = {
    port: 0,
    interact(message) {
      received.push(message);
      if (message.command_id !== "test_command") throw new Error("Unknown command");
      return "µ".repeat(message.length ?? 0);
    },
  };
  await using server = startJsonServer(options);
  const { port } = server.addr;
  assertEquals(await templateClient(port, data, { command_id: "other" }), [
    'success {"result": "", "status": "success"}',
    "fail Unknown command",
  ]);
  assertEquals(received, [data, { command_id: "other" }]);
  await server.close();
  assertEquals(await templateClient(port, data), ["fail_connect"]);
  // The template's own client never takes the template server's word for a failure.
  await using failed = startJsonServer({ ...options, failStatus: "failed" });
  assertEquals(await templateClient(failed.addr.port, { command_id: "other" }), []);
});

Deno.test(`json-server stands in for the template's server${note}`, { ignore }, async () => {
  await using server = startServer(["json-server", "--port", "0"]);
  const [, port] = await server.until("stderr", /Listening on [\d.]+:(\d+)/);
  assertEquals(await templateClient(Number(port), data, [1]), [
    'success {"status": "success"}',
    'fail Cannot find "command_id" in message',
  ]);
  await server.until(
    "stdout",
    /^\{"command_id":"test_command",.*"param4":\[1,2,3,4,"text in list"\]\}\n/,
  );
});

Deno.test(`sendJson() talks to the template's server, and calls each callback${note}`, {
  ignore,
}, async () => {
  const { server, port } = await templateServer();
  await using _ = server;
  const calls: string[] = [];
  const send = (message: unknown, timeout = 30) =>
    sendJson(message, {
      port,
      timeout,
      onSuccess: () => calls.push("Server reported success."),
      onFail: (response) => calls.push(`Server reported an error. ${response.error}`),
      onConnectFail: (error) => calls.push(error.message.replace(/"127.*?"/, "server")),
    });
  await send(data);
  await send({ raise: "laser interlock open" });
  await send({ hang_up: true });
  await send({ silent: true }, 0.3);
  const long = JSON.stringify({ status: "success", result: "µ".repeat(4000) });
  const answer = await send({ raw: long, pieces: 7 });
  assertEquals(answer.outcome === "success" && answer.text, long);
  assertEquals(calls, [
    "Server reported success.",
    "Server reported an error. laser interlock open",
    "server closed the connection without an answer: the message was sent, and may still be carried out",
    "No answer from server within 0.3 s: the message was sent, and may still be carried out",
    "Server reported success.",
  ]);
  assertMatch(server.stdout, /"param4": \[1, 2, 3, 4, "text in list"\]/);
});

Deno.test(`json-client talks to the template's server${note}`, { ignore }, async () => {
  const { server, port } = await templateServer();
  await using _ = server;
  const send = (...args: string[]) => labwire(["json-client", "--port", String(port), ...args]);
  const success = await send(JSON.stringify(data));
  assertEquals([success.code, success.stdout], [0, ""]);
  const words = await send("test_command", "param1:=100", "param2=this is text", "param3:=true");
  assertEquals(words.code, 0);
  const failed = await send("x", "raise=no such port");
  assertEquals([failed.code, failed.stdout], [3, ""]);
  assertEquals(failed.stderr, "error: Server reported an error. no such port\n");
  const hungUp = await send("x", "hang_up:=true");
  assertEquals(hungUp.code, 4);
  assertStringIncludes(hungUp.stderr, "closed the connection without an answer");
  const bad = await send("x", "raw=Hello");
  assertEquals(bad.code, 5);
  assertStringIncludes(bad.stderr, 'Cannot read answer "Hello"');
  await server.until("stdout", /"param3": true/);
});

Deno.test(`json-client sends and shows every digit${note}`, { ignore }, async () => {
  await using server = startPython(`
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1])
while True:
    conn, _ = s.accept()
    with conn:
        print(conn.makefile().readline(), end="")
        conn.sendall(b'{"status": "success", "result": {"a": 1.0, "b": [1e400, -0.0], "c": 12345678901234567890.0}}\\n')
`);
  const [port] = await server.until("stdout", /^\d+/);
  const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
  try {
    const file = `${folder}/x.json`;
    await Deno.writeTextFile(file, "[1.0,\n 1e400]");
    const text = '{"v": 1.0, "w": 1e400, "z": -0.0}';
    const sent: [string[], string][] = [
      [["x", "v:=1.0", "w:=1e400", "z:=-0.0"], '{"command_id":"x","v":1.0,"w":1e400,"z":-0.0}'],
      [["x", `v:=@${file}`], '{"command_id":"x","v":[1.0,1e400]}'],
      [["--file", file], "[1.0,  1e400]"],
      [[text], text],
    ];
    for (const [args, line] of sent) {
      const { code, stdout } = await labwire(["json-client", "--port", port!, ...args]);
      assertEquals([code, stdout], [0, '{"a":1.0,"b":[1e400,-0.0],"c":12345678901234567890.0}\n']);
      await server.until("stdout", new RegExp(`^${RegExp.escape(line)}$`, "m"));
    }
    const answers = await labwire(["json-client", "--port", port!], { input: `${text}\n` });
    assertMatch(answers.stdout, /"b": \[1e400, -0\.0\], "c": 12345678901234567890\.0\}\}\n$/);
    await server.until("stdout", new RegExp(`(^${RegExp.escape(text)}\n){2}`, "m"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test(`500 of the template's clients at once are all answered${note}`, { ignore }, async () => {
  let [now, most] = [0, 0];
  await using server = startJsonServer({
    port: 0,
    maxConnections: 600,
    async interact({ n }) {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, n % 3));
      now--;
      return n;
    },
  });
  const script = `
import json, socket, sys, threading
answers = {}
gate = threading.Barrier(500)
def client(n):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60) as s:
        gate.wait()
        s.sendall(json.dumps({"n": n}).encode() + b"\\n")
        answers[n] = json.loads(s.recv(1024))
threads = [threading.Thread(target=client, args=(n,)) for n in range(500)]
for t in threads: t.start()
for t in threads: t.join()
print(sum(answers.get(n) == {"status": "success", "result": n} for n in range(500)))
`;
  assertEquals(await pythonLines(["-c", script, String(server.addr.port)], []), ["500"]);
  assertEquals(most, 1);
  assertEquals(server.stats.successes, 500);
});
