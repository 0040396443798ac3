import { assertEquals, assertStringIncludes } from "@std/assert";
import { type JsonServer, type JsonServerProblem, startJsonServer } from "../../lib/json/server.ts";
import { Responder } from "../../lib/json/responder.ts";
import { serveConnection } from "../../lib/json/serve_connection.ts";
import { lineFraming } from "../../lib/net/framing/line.ts";
import { StreamConnection } from "../../lib/net/stream/connection.ts";
import { needs, startPython } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { ManualClock } from "../time/manual_clock.ts";
import { Peer } from "./peer.ts";

/** Lets what is due happen. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

const echo = (data: unknown) => data;

/** Waits until that many messages have failed, for which there is no event. */
async function failures(server: JsonServer, count: number): Promise<void> {
  while (server.stats.failures < count) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("startJsonServer() answers a value without a newline when nothing follows", async () => {
  const problems: JsonServerProblem[] = [];
  await using server = startJsonServer({
    port: 0,
    interact: echo,
    onProblem: (problem) => problems.push(problem),
  });
  await using peer = await Peer.connect(server.addr);
  for (const value of ['{"a":"}"}', "12", "[1.5]", '"x\\\\"', "null"]) {
    await peer.write(` ${value} `);
    assertEquals(await peer.line(), `{"status":"success","result":${value}}`);
  }
  // The late newline is a blank line, and what comes behind it is the next message.
  await peer.write('\n{"b":1}\n');
  assertEquals(await peer.line(), '{"status":"success","result":{"b":1}}');
  await using other = await Peer.connect(server.addr);
  await other.write("{}");
  assertEquals(await other.line(), '{"status":"success","result":{}}');
  assertEquals(problems.map(({ kind }) => kind), ["unended"]);
  const { message } = problems[0]!;
  assertStringIncludes(message, "had no newline at its end, and was taken as complete after 0.1 s");
});

Deno.test("startJsonServer() waits for the rest of a value without a newline", async () => {
  const clock = new ManualClock();
  let silence: Promise<void>;
  await using server = startJsonServer({
    port: 0,
    interact: echo,
    completeAfter: 1,
    idleTimeout: Infinity,
    messageTimeout: Infinity,
    clock,
  });
  await using peer = await Peer.connect(server.addr);
  // Longer pauses than it takes for a complete value.
  for (const part of ['{"a', '":[1', ',"', "]}", '"', "]"]) {
    silence = clock.nextWake();
    await peer.write(part);
    await silence;
    clock.pass(2);
    await turn();
    assertEquals(server.stats.messages, 0, part);
  }
  silence = clock.nextWake();
  await peer.write("}");
  await silence;
  clock.pass(2);
  assertEquals(await peer.line(), '{"status":"success","result":{"a":[1,"]}"]}}');
  silence = clock.nextWake();
  await peer.write("tru");
  await silence;
  clock.pass(2);
  await turn();
  assertEquals(server.stats.messages, 1);
  silence = clock.nextWake();
  await peer.write("e");
  await silence;
  clock.pass(2);
  assertEquals(await peer.line(), '{"status":"success","result":true}');
});

Deno.test("startJsonServer() answers a value without a newline after a line that was too long", async () => {
  const clock = new ManualClock();
  await using server = startJsonServer({
    ...{ port: 0, interact: echo, clock },
    ...{ maxBytes: 12, completeAfter: 1, idleTimeout: Infinity, messageTimeout: Infinity },
  });
  await using peer = await Peer.connect(server.addr);
  const pause = async (text: string) => {
    const silence = clock.nextWake();
    await peer.write(text);
    await silence;
    clock.pass(2);
    await turn();
  };
  await pause('{"a":"');
  await peer.write('too long"}\n');
  assertStringIncludes((await peer.line())!, "longer than 12 bytes");
  await pause("5");
  assertEquals(await peer.line(), '{"status":"success","result":5}');
});

Deno.test("startJsonServer() says what is wrong with a value without a newline", async () => {
  await using server = startJsonServer({ port: 0, interact: echo });
  await using peer = await Peer.connect(server.addr);
  await peer.write("{'a': 1}");
  assertStringIncludes((await peer.line())!, "JSON strings have double quotes");
  await peer.write("{}{}");
  assertStringIncludes((await peer.line())!, "expected the end of the message");
  await failures(server, 2);
  assertEquals(await peer.ask("1"), '{"status":"success","result":1}');
});

Deno.test("startJsonServer() takes no value without a newline where completeAfter is Infinity", async () => {
  const clock = new ManualClock();
  const idleTimeout = Infinity;
  await using server = startJsonServer({
    port: 0,
    interact: echo,
    completeAfter: Infinity,
    idleTimeout,
    clock,
  });
  await using peer = await Peer.connect(server.addr);
  const begun = clock.nextWake(); // the messageTimeout
  await peer.write("1");
  await begun;
  clock.pass(29);
  assertEquals(await peer.ask("2"), '{"status":"success","result":12}');
});

Deno.test("startJsonServer() puts a large message together that arrives in parts with pauses", async () => {
  const text = JSON.stringify("x".repeat(900_000));
  const clock = new ManualClock();
  await using server = startJsonServer({
    port: 0,
    interact: (data) => data.length,
    completeAfter: 1,
    idleTimeout: Infinity,
    messageTimeout: Infinity,
    clock,
  });
  await using peer = await Peer.connect(server.addr);
  for (let at = 0; at < text.length; at += 30_000) {
    const silence = clock.nextWake();
    await peer.write(text.slice(at, at + 30_000));
    await silence;
    clock.pass(2);
  }
  assertEquals(await peer.line(), '{"status":"success","result":900000}');
});

const { ignore, note } = needs(PYTHON);

Deno.test(`startJsonServer() answers a Python script that sends no newline${note}`, {
  ignore,
}, async () => {
  await using server = startJsonServer({ port: 0, interact: (data) => data.n * 2 });
  await using client = startPython(
    `
import json
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
for n in range(3):
    s.sendall(json.dumps({"command_id": "double", "n": n}).encode())
    print(s.recv(1024).decode(), end="")
`,
    server.addr.port,
  );
  assertEquals(
    (await client.result()).stdout,
    [0, 2, 4].map((result) => `{"status":"success","result":${result}}\n`).join(""),
  );
});

Deno.test("serveConnection() waits for no end of a line that was too long and has ended", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using peer = await Peer.connect(listener.addr as Deno.NetAddr);
  const clock = new ManualClock();
  const connection = new StreamConnection(await listener.accept(), { messageTimeout: 30, clock });
  const { signal } = new AbortController();
  const responder = new Responder({
    interact: echo,
    concurrency: 1,
    failStatus: "error",
    handlerTimeout: Infinity,
    signal,
    givenUp: signal,
  });
  const served = serveConnection(connection, {
    responder,
    framing: lineFraming({ maxBytes: 100 }),
    completeAfter: Infinity,
    onUnended: () => {},
    onUnanswered: () => {},
  });
  await peer.write("x".repeat(150));
  assertStringIncludes((await peer.line())!, "longer than 100");
  clock.pass(20);
  await peer.write("x\n[");
  while (connection.bytesReceived < 153) await turn();
  await turn();
  clock.pass(20);
  await peer.write("]\n");
  assertEquals(await peer.line(), '{"status":"success","result":[]}');
  clock.pass(60);
  assertEquals(await peer.ask("1"), '{"status":"success","result":1}');
  await peer.closeWrite();
  await served;
});
