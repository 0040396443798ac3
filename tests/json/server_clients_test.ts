import { assertEquals } from "@std/assert";
import { sendJson } from "../../lib/json/client.ts";
import { startJsonServer } from "../../lib/json/server.ts";
import { startProgram } from "../../lib/process/program.ts";
import { ManualClock } from "../time/manual_clock.ts";
import { Gate } from "./gate.ts";
import { Peer } from "./peer.ts";

const echo = (data: unknown) => data;

Deno.test("startJsonServer() keeps serving while a client neither reads nor ends", async () => {
  await using server = startJsonServer({ port: 0, interact: echo, grace: 0 });
  // It writes until nothing more is taken: the answers that it does not read have filled every buffer.
  const script = `
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=0.5)
line = b'"' + b"x" * 500000 + b'"\\n'
try:
    while True: s.sendall(line)
except TimeoutError:
    print("stalled", flush=True)
sys.stdin.read()
`;
  const deaf = startProgram(["python3", "-c", script, String(server.addr.port)]);
  assertEquals(new TextDecoder().decode((await deaf.read())!).trim(), "stalled");
  for (let n = 0; n < 50; n++) {
    const answer = await sendJson(n, { port: server.addr.port });
    assertEquals(answer.outcome === "success" && answer.result, n);
  }
  await deaf[Symbol.asyncDispose]();
});

Deno.test("startJsonServer() closes a connection that is idle, and not one that waits for its handler", async () => {
  const clock = new ManualClock();
  const gate = new Gate();
  await using server = startJsonServer({
    port: 0,
    idleTimeout: 30,
    messageTimeout: Infinity,
    clock,
    interact: gate.interact,
  });
  await using silent = await Peer.connect(server.addr);
  await using half = await Peer.connect(server.addr);
  await half.write('{"a"');
  await using busy = await Peer.connect(server.addr);
  const answer = busy.ask('{"n":7}');
  await gate.running(1);
  clock.pass(31);
  assertEquals(await silent.line(), null);
  assertEquals(await half.line(), null);
  gate.release();
  assertEquals(await answer, '{"status":"success","result":7}');
});

Deno.test("startJsonServer() tells a client beyond maxConnections so and closes it", async () => {
  await using server = startJsonServer({ port: 0, maxConnections: 2 });
  await using first = await Peer.connect(server.addr);
  await using second = await Peer.connect(server.addr);
  assertEquals(await first.ask("1"), '{"status":"success"}');
  assertEquals(await second.ask("1"), '{"status":"success"}');
  {
    await using third = await Peer.connect(server.addr);
    await third.write("{}\n");
    assertEquals(
      await third.line(),
      '{"status":"error","error":"Too many connections: 2 are open already"}',
    );
    assertEquals(await third.line(), null);
  }
  const refused = await sendJson({}, { port: server.addr.port });
  assertEquals(
    refused.outcome === "fail" && refused.error,
    "Too many connections: 2 are open already",
  );
  assertEquals(await first.ask("1"), '{"status":"success"}');
  assertEquals(server.stats.refused, 2);
  assertEquals(server.stats.messages, 3);
});

Deno.test("startJsonServer() lets in only who is allowed", async () => {
  const problems: string[] = [];
  await using server = startJsonServer({
    port: 0,
    allow: ["192.0.2.0/24"],
    onProblem: ({ kind }) => problems.push(kind),
  });
  const answer = await sendJson({}, { port: server.addr.port });
  assertEquals(answer.outcome, "no-answer");
  assertEquals(problems, ["not-allowed"]);
  await using open = startJsonServer({ port: 0, allow: ["192.0.2.0/24", "127.0.0.0/8"] });
  assertEquals((await sendJson({}, { port: open.addr.port })).outcome, "success");
});

Deno.test("startJsonServer() survives clients that vanish", async () => {
  await using server = startJsonServer({ port: 0, interact: echo, idleTimeout: 60 });
  const script = `
import socket, struct, sys
for i in range(50):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.sendall([b'{"half": ', b'{}\\n' * 1000, b''][i % 3])
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
`;
  const { code } = await new Deno.Command("python3", {
    args: ["-c", script, String(server.addr.port)],
  }).output();
  assertEquals(code, 0);
  const answer = await sendJson([1], { port: server.addr.port });
  assertEquals(answer.outcome, "success");
  while (server.stats.open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

Deno.test("startJsonServer() keeps a client whose message waited while the computer stood still", async () => {
  const clock = new ManualClock();
  await using server = startJsonServer({ port: 0, interact: echo, idleTimeout: 30, clock });
  await using peer = await Peer.connect(server.addr);
  assertEquals(await peer.ask("1"), '{"status":"success","result":1}');
  const answer = peer.ask("2");
  clock.suspend(3600); // before the server could read
  assertEquals(await answer, '{"status":"success","result":2}');
  clock.pass(61); // silence in which the computer works
  assertEquals(await peer.line(), null);
});

Deno.test("startJsonServer() closes a client that sends on and reads no answers, also those that took time", async () => {
  const clock = new ManualClock();
  const big = "x".repeat(1 << 20);
  let handled = 0;
  await using server = startJsonServer({
    port: 0,
    idleTimeout: 30,
    clock,
    grace: 0,
    interact: async () => {
      await Promise.resolve();
      handled++;
      return big;
    },
  });
  await using peer = await Peer.connect(server.addr);
  await peer.write("1\n".repeat(1000));
  for (let before = -1; handled > before || handled === 0;) {
    before = handled;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (let tries = 0; server.stats.open > 0 && tries < 100; tries++) {
    clock.pass(31);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(server.stats.open, 0);
});

Deno.test("startJsonServer() says that it was closed, not that the client disconnected, of what it does not handle then", async () => {
  const problems: string[] = [];
  const server = startJsonServer({
    port: 0,
    interact: async () => await Promise.resolve("x".repeat(1 << 20)),
    onProblem: ({ message }) => problems.push(message.replace(/127\S+:\d+/, "CLIENT")),
  });
  await using peer = await Peer.connect(server.addr);
  await peer.write("1\n".repeat(200));
  for (let before = -1; server.stats.messages > before || before === 0;) {
    before = server.stats.messages;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await server.close({ grace: 0.05 });
  assertEquals(problems.length, server.stats.dropped);
  assertEquals(
    new Set(problems),
    new Set([
      "Did not handle a message from CLIENT: the server was closed before its turn",
    ]),
  );
});
