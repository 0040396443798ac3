import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { folder, serve as serveJson } from "./json_serve.ts";
import { labwire, startServer } from "./run.ts";
import { serve as serveStruct } from "./struct_serve.ts";

const lines = (path: string) => Deno.readTextFileSync(path).trimEnd().split("\n");
const objects = (path: string) => lines(path).map((line) => JSON.parse(line));

/** Moves the times in a recording of JSON so that its lines lie so many ms apart. */
function spread(path: string, ms: number) {
  const start = Date.UTC(2026, 10, 21);
  const moved = lines(path).map((line, i) =>
    line.replace(/"20\d\d-[^"]*Z"/, JSON.stringify(new Date(start + i * ms)))
  );
  Deno.writeTextFileSync(path, moved.join("\n") + "\n");
}

async function stop(
  program: { interrupt(): void; result(): Promise<{ code: number; stderr: string }> },
) {
  program.interrupt();
  return await program.result();
}

Deno.test("json-server records messages and answers; json-client --replay sends them again at their times", async () => {
  await using files = await folder({});
  const path = `${files.path}/%Y/run.jsonl`;
  await using server = await serveJson(["--record", path, "--output", "none"]);
  const port = ["--port", `${server.addr.port}`, "--host", server.addr.hostname];
  for (const message of ['{"command_id":"a","p":1.0}', '{"command_id":"b"}', "{rubbish"]) {
    await server.ask(message);
  }
  const { stderr } = await stop(server.program);
  assertMatch(stderr, /Recorded 3 messages in ".*\/20\d\d\/run\.jsonl"/);
  const recorded = `${files.path}/${new Date().getFullYear()}/run.jsonl`;
  const records = objects(recorded);
  assertEquals(records.map(({ data }) => data), [
    { command_id: "a", p: 1 },
    { command_id: "b" },
    null,
  ]);
  assertEquals(records.map(({ answer }) => answer.status), ["success", "success", "error"]);
  assertStringIncludes(lines(recorded)[0]!, '"p":1.0');
  spread(recorded, 100);
  await using again = await serveJson(["--output", "json"]);
  port[1] = `${again.addr.port}`;
  const from = performance.now();
  const replay = await labwire(["json-client", ...port, "--replay", recorded]);
  const took = performance.now() - from;
  assertEquals(
    [replay.code, replay.stdout],
    [0, '{"status":"success"}\n{"status":"success"}\n'],
    replay.stderr,
  );
  assertEquals(replay.stderr, "warning: Left out 1 entry of the recording: no JSON had come\n");
  // What was no JSON is not sent, but its time passes.
  assert(took > 180, `${took} ms`);
  const fast = await labwire([
    "json-client",
    ...port,
    "--replay",
    recorded,
    "--speed",
    "max",
    "--output",
    "none",
  ]);
  assertEquals([fast.code, fast.stdout], [0, ""]);
  const { stdout } = await (again.program.interrupt(), again.program.result());
  const got = stdout.trimEnd().split("\n").map((line) => JSON.parse(line).data.command_id);
  assertEquals(got, ["a", "b", "a", "b"]);
});

Deno.test("json-client --replay tells a message null from what was no JSON", async () => {
  await using files = await folder({
    "any.js": "export function interact(data) { return typeof data; }",
  });
  const path = `${files.path}/run.jsonl`;
  await using server = await serveJson(["--handler", `${files.path}/any.js`, "--record", path]);
  for (const message of ["null", "{rubbish", "7"]) await server.ask(message);
  await stop(server.program);
  await using again = await serveJson(["--handler", `${files.path}/any.js`]);
  const { code, stdout, stderr } = await labwire([
    ...["json-client", "--port", `${again.addr.port}`, "--replay", path, "--speed", "max"],
  ]);
  const results = ["object", "number"].map((name) => `{"status":"success","result":"${name}"}\n`);
  assertEquals([code, stdout], [0, results.join("")]);
  assertEquals(stderr, "warning: Left out 1 entry of the recording: no JSON had come\n");
});

Deno.test("json-client --replay says what is no recording, and what else it cannot be used with", async () => {
  await using files = await folder({ "a.jsonl": '{"command_id":"a"}\n[1]\n' });
  await using server = await serveJson([]);
  const port = ["--port", `${server.addr.port}`];
  const bad = await labwire(["json-client", ...port, "--replay", `${files.path}/a.jsonl`]);
  assertEquals(bad.code, 5);
  assertStringIncludes(
    bad.stderr,
    'Cannot send line 1: expected a recording of json-server, with "data" in each line',
  );
  const missing = await labwire(["json-client", ...port, "--replay", `${files.path}/no.jsonl`]);
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.stderr, 'no.jsonl": no such file');
  assertEquals((await labwire(["json-client", "--replay", "a.jsonl", "name"])).code, 2);
});

for (
  const [name, args] of [["run.csv", ["--fields", "n,x"]], ["run.csv", []], ["run.jsonl", [
    "--fields",
    "n,x",
  ]], ["run.json", []]] as const
) {
  Deno.test(`struct-line records in ${name} ${args.join(" ")} and --replay sends the records again`, async () => {
    await using files = await folder({});
    const path = `${files.path}/${name}`;
    const format = ["--format", "!Id", ...args];
    await using server = await serveStruct([...format, "--record", path, "--output", "none"]);
    await server.client([...format, "--once"], {
      input: args.length ? '{"n":1,"x":0.5}\n{"n":2,"x":-1e300}\n' : "[1,0.5]\n[2,-1e300]\n",
    });
    for (let waited = 0; waited < 5000 && Deno.statSync(path).size < 60; waited += 20) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertMatch((await server.stop()).stderr, /Recorded 2 records in/);
    assertEquals(lines(path).length, name === "run.csv" && args.length ? 3 : 2);
    await using again = await serveStruct([...format, "--count", "2"]);
    const { code, stderr } = await again.client([...format, "--once", "--replay", path]);
    assertEquals(code, 0, stderr);
    const { stdout } = await again.program.result();
    assertEquals(
      stdout,
      args.length ? '{"n":1,"x":0.5}\n{"n":2,"x":-1e+300}\n' : "[1,0.5]\n[2,-1e+300]\n",
    );
  });
}

Deno.test("struct-line --record-sent records what is sent, at both ends, and --replay sends it again", async () => {
  await using files = await folder({});
  const path = (name: string) => `${files.path}/${name}`;
  const format = ["--format", "!Id", "--output", "none"];
  await using server = await serveStruct([
    ...format,
    "--echo",
    ...["--record", path("in.jsonl"), "--record-sent", path("out.csv")],
  ]);
  const client = [...format, "--record", path("back.jsonl"), "--record-sent", path("sent.jsonl")];
  const { code, stderr } = await server.client([...client, "--count", "3"], {
    input: "[1,0.5]\n[2,-1e300]\n[3,7]\n",
  });
  assertEquals(code, 0, stderr);
  assertEquals(stderr.match(/Recorded 3 records in/g)?.length, 2, stderr);
  await server.stop();
  const recorded = (name: string) =>
    lines(path(name)).map((line) => line.replace(/^[{[]?"?(?:time":")?[-\dT:.Z]+"?,/, ""));
  assertEquals(recorded("out.csv"), ["1,0.5", "2,-1e+300", "3,7"]);
  for (const name of ["sent.jsonl", "back.jsonl"]) {
    assertEquals(recorded(name), recorded("in.jsonl"));
  }
  await using again = await serveStruct(["--format", "!Id", "--count", "3"]);
  await again.client([...format, "--once", "--replay", path("sent.jsonl"), "--speed", "max"]);
  assertEquals((await again.program.result()).stdout, "[1,0.5]\n[2,-1e+300]\n[3,7]\n");
});

Deno.test("struct-line records the bytes themselves in a file called .bin", async () => {
  await using files = await folder({});
  const path = `${files.path}/run.bin`;
  await using server = await serveStruct(["--format", "!H", "--record", path, "--count", "2"]);
  await server.client(["--format", "!H", "--once"], { input: "[1]\n[258]\n" });
  await server.program.result();
  assertEquals(Deno.readFileSync(path), Uint8Array.of(0, 1, 1, 2));
});

/** A socket server on a free port that records. */
async function socketServer(...args: string[]) {
  const program = startServer(["socket-server", "--port", "0", "--output", "none", ...args]);
  const [, port] = await program.until("stderr", /Listening on [^\n]*:(\d+)[^]*Ready\./);
  return { program, port: port!, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

for (const udp of [[], ["--udp"]]) {
  Deno.test(`socket-server and socket-client record both directions ${udp}, and --replay sends the client's again`, async () => {
    await using files = await folder({});
    const [there, here] = [`${files.path}/server.jsonl`, `${files.path}/client.jsonl`];
    await using server = await socketServer(
      "--record",
      there,
      "--reply",
      "volt?=3.0",
      "--reply-else",
      "\\xff",
      ...udp,
    );
    const ask = (...args: string[]) =>
      labwire(["socket-client", "--port", server.port, ...udp, ...args]);
    assertEquals((await ask("volt?", "--record", here)).stdout, "3.0");
    await ask("--hex", "00ff");
    assertStringIncludes((await stop(server.program)).stderr, "Recorded 4 pieces in");
    const shown = (path: string) => objects(path).map(({ from, text, hex }) => [from, text ?? hex]);
    const first = [["client", "volt?"], ["server", "3.0"]];
    assertEquals(shown(here), first);
    assertEquals(shown(there), [...first, ["client", "00ff"], ["server", "ff"]]);
    for (const { time, peer } of objects(there)) {
      assertMatch(time, /^20\d\d-.*Z$/);
      assertMatch(peer, /^127\.0\.0\.1:\d+$|^\[::1\]:\d+$/);
    }
    spread(there, 100);
    await using again = await socketServer(
      "--count",
      "2",
      "--record",
      `${files.path}/again.jsonl`,
      ...udp,
    );
    const { code, stderr } = await labwire([
      "socket-client",
      "--port",
      again.port,
      ...udp,
      "--replay",
      there,
      "--timeout",
      "0.3",
    ]);
    assertEquals(code, 0, stderr);
    await again.program.result();
    const got = objects(`${files.path}/again.jsonl`).filter(({ from }) => from === "client");
    assertEquals(got.map(({ text, hex }) => text ?? hex), ["volt?", "00ff"]);
    const gap = Date.parse(got[1].time) - Date.parse(got[0].time);
    assert(gap > 100, `${gap} ms`); // recorded 200 ms apart, and received by a busy computer
  });
}

for (
  const [how, ...args] of [
    ["message"],
    ["message without an answer", "--no-answer"],
    ["line of a conversation", "--interactive"],
  ]
) {
  Deno.test(`socket-client records no ${how} that the system did not take`, async () => {
    await using files = await folder({});
    const path = `${files.path}/a.jsonl`;
    await using server = await socketServer("--udp");
    const lines = ["volt?", "x".repeat(70_000), ""]; // too much for a datagram
    const { code, stderr } = await labwire(
      ["socket-client", "--udp", "--port", server.port, "--record", path, ...args],
      { input: lines.join("\n") },
    );
    assertEquals(code, 4);
    assertStringIncludes(stderr, "Cannot send ");
    const text = Deno.readTextFileSync(path);
    const sent = text.split("\n").filter((line) => line.includes('"from":"client"'));
    assertEquals(sent.length, args.includes("--interactive") ? 1 : 0);
    assert(!text.includes("xx"));
  });
}

Deno.test("socket-client records no piece that a server has not taken, but all that it has", async () => {
  await using files = await folder({ message: "x".repeat(1 << 25) }); // more than a connection holds
  const path = `${files.path}/a.jsonl`;
  const file = `${files.path}/message`;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const args = ["--port", String(port), "--record", path, "--file", file, "--no-answer"];
  const running = labwire(["socket-client", ...args, "--timeout", "0.5"]);
  using connection = await listener.accept();
  const { code, stderr } = await running;
  listener.close();
  assertEquals(code, 4);
  assertStringIncludes(stderr, "it took nothing for 0.5 s");
  const recorded = objects(path).reduce((sum, { text }) => sum + text.length, 0);
  let taken = 0;
  for await (const chunk of connection.readable) taken += chunk.length;
  assert(recorded > 0 && recorded <= taken, `${recorded} bytes of ${taken}`);
});

Deno.test("socket-client --replay says what is no recording", async () => {
  await using files = await folder({ "a.jsonl": '{"time":"2026-11-21T00:00:00Z","data":1}\n' });
  await using server = await socketServer();
  const { code, stderr } = await labwire([
    "socket-client",
    "--port",
    server.port,
    "--replay",
    `${files.path}/a.jsonl`,
    "--timeout",
    "0.1",
  ]);
  assertEquals(code, 5);
  assertStringIncludes(stderr, "expected a recording of socket-server or socket-client");
});

Deno.test("what a program of socket-server --exec answers is recorded", async () => {
  if (Deno.build.os === "windows") return;
  await using files = await folder({});
  const path = `${files.path}/a.jsonl`;
  await using server = await socketServer("--record", path, "--exec", "tr a-z A-Z");
  const { stdout } = await labwire([
    "socket-client",
    "--port",
    server.port,
    "--half-close",
    "hello",
  ]);
  assertEquals(stdout, "HELLO");
  await stop(server.program);
  assertEquals(objects(path).map(({ from, text }) => [from, text]), [["client", "hello"], [
    "server",
    "HELLO",
  ]]);
});

Deno.test("struct-line client --replay of a recording without records ends, and says so", async () => {
  await using files = await folder({ "empty.jsonl": "" });
  await using server = await serveStruct(["--format", "!Id"]);
  const { code, stderr } = await server.client([
    "--format",
    "!Id",
    "--replay",
    `${files.path}/empty.jsonl`,
  ]);
  assertEquals(code, 5, stderr);
  assertStringIncludes(stderr, "Cannot find a record in the recording");
});
