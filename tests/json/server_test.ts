import { assertEquals, assertGreater, assertRejects, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import { connectJson, sendData } from "../../lib/json/client.ts";
import { type JsonServer, startServer } from "../../lib/json/server.ts";
import { startProgram } from "../../lib/net/program.ts";
import { Peer } from "./peer.ts";

const echo = (data: unknown) => data;

Deno.test("startServer() answers success, as the template does", async () => {
  await using server = startServer({ port: 0 });
  await using peer = await Peer.connect(server.addr);
  assertEquals(await peer.ask('{"command_id": "test_command"}'), '{"status":"success"}');
  assertEquals(server.addr.hostname, "127.0.0.1");
});

Deno.test("startServer() answers with what the handler returns", async () => {
  await using server = startServer({ port: 0, interact: echo });
  await using peer = await Peer.connect(server.addr);
  for (const result of ["1.5", "null", "false", '"µ"', "[1,{}]", "18446744073709551615"]) {
    assertEquals(await peer.ask(result), `{"status":"success","result":${result}}`);
  }
});

Deno.test("startServer() answers a failure when the handler throws, now or later", async () => {
  const errors: unknown[] = [];
  await using server = startServer({
    port: 0,
    interact(data) {
      if (data.later) return Promise.reject(new Error("later"));
      throw data.text ?? new TypeError();
    },
    onHandlerError: (error) => errors.push(error),
  });
  await using peer = await Peer.connect(server.addr);
  assertEquals(await peer.ask('{"later":true}'), '{"status":"error","error":"later"}');
  assertEquals(await peer.ask('{"text":"a text"}'), '{"status":"error","error":"a text"}');
  assertEquals(await peer.ask("{}"), '{"status":"error","error":"TypeError"}');
  assertEquals(errors.length, 3);
});

Deno.test("startServer() answers a failure when the result has no JSON form", async () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  await using server = startServer({ port: 0, interact: () => circle });
  await using peer = await Peer.connect(server.addr);
  assertEquals(
    await peer.ask("{}"),
    '{"status":"error","error":"Cannot write value as JSON: it contains itself"}',
  );
});

Deno.test("startServer() calls commands by command_id and lists them when there is no such", async () => {
  await using server = startServer({
    port: 0,
    commands: { get_voltage: () => 5, set_voltage: (data) => data.volts },
  });
  await using peer = await Peer.connect(server.addr);
  const ask = async (text: string) => JSON.parse(await peer.ask(text));
  assertEquals((await ask('{"command_id":"get_voltage"}')).result, 5);
  assertEquals((await ask('{"command_id":"set_voltage","volts":3}')).result, 3);
  assertEquals(
    (await ask('{"command_id":"get_volts"}')).error,
    'Unknown command "get_volts": expected one of get_voltage, set_voltage; did you mean "get_voltage"?',
  );
  const missing = 'Cannot find "command_id" in message: expected one of get_voltage, set_voltage';
  for (const text of ["{}", "[]", "1", "null", '{"__proto__":{"command_id":"get_voltage"}}']) {
    assertEquals((await ask(text)).error, missing, text);
  }
  for (const id of ["constructor", "__proto__", "toString", "hasOwnProperty", ""]) {
    const { error } = await ask(JSON.stringify({ command_id: id }));
    assertEquals(error.startsWith(`Unknown command "${id}"`), true, error);
  }
});

Deno.test("startServer() takes keys such as __proto__ without effect", async () => {
  await using server = startServer({
    port: 0,
    interact: (data) => ({ keys: Object.keys(data), admin: data.admin ?? null }),
  });
  await using peer = await Peer.connect(server.addr);
  const attack = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}';
  assertEquals(
    await peer.ask(attack),
    '{"status":"success","result":{"keys":["__proto__","constructor"],"admin":null}}',
  );
  assertEquals(({} as Record<string, unknown>).admin, undefined);
  assertEquals(
    await peer.ask('{"__proto__":{"id":1}}'),
    '{"status":"success","result":{"keys":["__proto__"],"admin":null}}',
  );
});

Deno.test("startServer() returns the id of a message in its answer", async () => {
  await using server = startServer({
    port: 0,
    interact(data) {
      if (data.fail) throw new Error("no");
    },
  });
  await using peer = await Peer.connect(server.addr);
  assertEquals(await peer.ask('{"id":7}'), '{"status":"success","id":7}');
  assertEquals(await peer.ask('{"id":"a"}'), '{"status":"success","id":"a"}');
  assertEquals(await peer.ask('{"id":null}'), '{"status":"success","id":null}');
  assertEquals(
    await peer.ask('{"id":18446744073709551615,"fail":true}'),
    '{"status":"error","id":18446744073709551615,"error":"no"}',
  );
});

Deno.test("startServer() writes the failure word it is told", async () => {
  await using server = startServer({ port: 0, failStatus: "failed" });
  await using peer = await Peer.connect(server.addr);
  assertEquals(JSON.parse(await peer.ask("x")).status, "failed");
});

Deno.test("startServer() answers messages however packets cut and join them", async () => {
  await using server = startServer({ port: 0, interact: echo });
  await using peer = await Peer.connect(server.addr);
  const text = '{"a":"µ\u{1F600}"}\r\n\n \r\n\t\n[1]\n"x"\n\r\n2\r\n';
  const answers = ['{"a":"µ\u{1F600}"}', "[1]", '"x"', "2"]
    .map((result) => `{"status":"success","result":${result}}`);
  await peer.write(text);
  for (const answer of answers) assertEquals(await peer.line(), answer);
  for (const byte of new TextEncoder().encode(text)) await peer.write(new Uint8Array([byte]));
  for (const answer of answers) assertEquals(await peer.line(), answer);
  assertEquals(server.stats.messages, 8);
});

Deno.test("startServer() takes a last message without a newline as complete", async () => {
  await using server = startServer({ port: 0, interact: echo });
  await using peer = await Peer.connect(server.addr);
  await peer.write('1\n{"b":2}');
  await peer.closeWrite();
  assertEquals(await peer.line(), '{"status":"success","result":1}');
  assertEquals(await peer.line(), '{"status":"success","result":{"b":2}}');
  assertEquals(await peer.line(), null);
});

Deno.test("startServer() says where a message is wrong, and the connection lives on", async () => {
  await using server = startServer({ port: 0, interact: echo, maxBytes: 100 });
  await using peer = await Peer.connect(server.addr);
  const errorOf = async (message: string | Uint8Array) => {
    await peer.write(message);
    await peer.write("\n");
    return JSON.parse((await peer.line())!).error;
  };
  assertEquals(
    await errorOf('{"a": }'),
    'Cannot parse JSON at byte 6 (line 1, column 7): expected a value, found "}"',
  );
  assertEquals(
    await errorOf(new Uint8Array([0x22, 0xff, 0x22])),
    "Cannot decode UTF-8 at byte 1: no character starts with 0xff",
  );
  assertEquals(await errorOf("x".repeat(101)), "Cannot read line: it is longer than 100 bytes");
  assertEquals(
    await errorOf("x".repeat(1_000_000)),
    "Cannot read line: it is longer than 100 bytes",
  );
  assertEquals(await peer.ask("1"), '{"status":"success","result":1}');
  assertEquals(
    await peer.ask(`"${"x".repeat(98)}"`),
    `{"status":"success","result":"${"x".repeat(98)}"}`,
  );
  assertEquals(server.stats, {
    connections: 1,
    refused: 0,
    open: 1,
    messages: 6,
    successes: 2,
    failures: 4,
    invalid: 4,
    unanswered: 0,
    pending: 0,
  });
});

Deno.test("startServer() survives nesting past any stack", async () => {
  await using server = startServer({ port: 0, interact: echo, maxBytes: 20_000_000 });
  await using peer = await Peer.connect(server.addr);
  for (
    const text of [
      "[".repeat(5_000_000),
      '{"a":'.repeat(1_000_000),
      "[".repeat(600) + "]".repeat(600),
    ]
  ) {
    const { error } = JSON.parse(await peer.ask(text));
    assertEquals(error.endsWith("arrays and objects nest deeper than 512 levels"), true, error);
  }
  const deep = "[".repeat(512) + "]".repeat(512);
  assertEquals(await peer.ask(deep), `{"status":"success","result":${deep}}`);
});

Deno.test("startServer() answers a message of 10 MB where that is allowed", async () => {
  await using server = startServer({
    port: 0,
    interact: (data) => data.length,
    maxBytes: 20_000_000,
  });
  await using peer = await Peer.connect(server.addr);
  assertEquals(
    await peer.ask(JSON.stringify("x".repeat(10_000_000))),
    '{"status":"success","result":10000000}',
  );
});

/** Handles a message when the test says so, and notes how many are handled at once. */
class Gate {
  readonly order: number[] = [];
  most = 0;
  #now = 0;
  readonly #open: (() => void)[] = [];
  readonly #arrivals: (() => void)[] = [];

  readonly interact = async (data: { n: number }) => {
    this.order.push(data.n);
    this.most = Math.max(this.most, ++this.#now);
    await new Promise<void>((resolve) => {
      this.#open.push(resolve);
      this.#arrivals.splice(0).forEach((wake) => wake());
    });
    this.#now--;
    return data.n;
  };

  /** Waits until that many handlers run. */
  async running(count: number): Promise<void> {
    while (this.#open.length < count) {
      await new Promise<void>((resolve) => this.#arrivals.push(resolve));
    }
  }

  /** Lets the handlers that run finish. */
  release(): void {
    this.#open.splice(0).forEach((open) => open());
  }
}

/** Waits until so many messages are pending, which no event tells. */
async function pending(server: JsonServer, count: number): Promise<void> {
  while (server.stats.pending < count) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("startServer() never handles two messages at once by default, and keeps the order", async () => {
  const gate = new Gate();
  await using server = startServer({ port: 0, interact: gate.interact });
  const answers: Promise<unknown>[] = [];
  for (let n = 0; n < 20; n++) {
    answers.push(sendData({ n }, { port: server.addr.port, timeout: 60 }));
    await pending(server, n + 1);
  }
  for (let n = 0; n < 20; n++) {
    await gate.running(1);
    gate.release();
  }
  const results = await Promise.all(answers);
  assertEquals(results.map((answer) => (answer as { result: number }).result), [
    ...Array(20).keys(),
  ]);
  assertEquals(gate.order, [...Array(20).keys()]);
  assertEquals(gate.most, 1);
});

Deno.test("startServer() handles as many at once as concurrency says", async () => {
  const gate = new Gate();
  await using server = startServer({ port: 0, interact: gate.interact, concurrency: 20 });
  const answers = Array.from(
    { length: 30 },
    (_, n) => sendData({ n }, { port: server.addr.port, timeout: 60 }),
  );
  await pending(server, 30);
  await gate.running(20);
  assertEquals(gate.order.length, 20);
  gate.release();
  await gate.running(10);
  gate.release();
  await Promise.all(answers);
  assertEquals(gate.most, 20);
});

Deno.test("startServer() answers the messages of one connection in order, whatever the concurrency", async () => {
  const delays = [30, 0, 10];
  await using server = startServer({
    port: 0,
    concurrency: 20,
    interact: (n) => new Promise((resolve) => setTimeout(() => resolve(n), delays[n])),
  });
  await using client = await connectJson({ port: server.addr.port });
  const order: number[] = [];
  await Promise.all([0, 1, 2].map(async (n) => {
    const answer = await client.send(n);
    order.push(answer.outcome === "success" ? answer.result as number : -1);
  }));
  assertEquals(order, [0, 1, 2]);
});

Deno.test("startServer() sends an answer that is ready while the next message takes time", async () => {
  const gate = new Gate();
  await using server = startServer({
    port: 0,
    interact: (data) => data.n === undefined ? "quick" : gate.interact(data),
  });
  await using peer = await Peer.connect(server.addr);
  await peer.write('{}\n{"n":1}\n');
  assertEquals(await peer.line(), '{"status":"success","result":"quick"}');
  await gate.running(1);
  gate.release();
  assertEquals(await peer.line(), '{"status":"success","result":1}');
});

Deno.test("startServer() keeps serving while a client neither reads nor ends", async () => {
  await using server = startServer({ port: 0, interact: echo, grace: 0 });
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
  const said = deaf.readable.getReader();
  assertEquals(new TextDecoder().decode((await said.read()).value).trim(), "stalled");
  for (let n = 0; n < 50; n++) {
    const answer = await sendData(n, { port: server.addr.port });
    assertEquals(answer.outcome === "success" && answer.result, n);
  }
  await deaf[Symbol.asyncDispose]();
  await said.cancel();
});

Deno.test("startServer() closes a connection that is idle, and not one that waits for its handler", async () => {
  await using server = startServer({
    port: 0,
    idleTimeout: 0.2,
    interact: () => new Promise((resolve) => setTimeout(() => resolve("done"), 800)),
  });
  await using silent = await Peer.connect(server.addr);
  await using half = await Peer.connect(server.addr);
  await half.write('{"a"');
  await using busy = await Peer.connect(server.addr);
  assertEquals(await busy.ask("{}"), '{"status":"success","result":"done"}');
  assertEquals(await silent.line(), null);
  assertEquals(await half.line(), null);
});

Deno.test("startServer() tells a client beyond maxConnections so and closes it", async () => {
  await using server = startServer({ port: 0, maxConnections: 2 });
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
  const refused = await sendData({}, { port: server.addr.port });
  assertEquals(
    refused.outcome === "fail" && refused.error,
    "Too many connections: 2 are open already",
  );
  assertEquals(await first.ask("1"), '{"status":"success"}');
  assertEquals(server.stats.refused, 2);
  assertEquals(server.stats.messages, 3);
});

Deno.test("startServer() lets in only who is allowed", async () => {
  const problems: string[] = [];
  await using server = startServer({
    port: 0,
    allow: ["192.0.2.0/24"],
    onProblem: ({ kind }) => problems.push(kind),
  });
  const answer = await sendData({}, { port: server.addr.port });
  assertEquals(answer.outcome, "no-answer");
  assertEquals(problems, ["not-allowed"]);
  await using open = startServer({ port: 0, allow: ["192.0.2.0/24", "127.0.0.0/8"] });
  assertEquals((await sendData({}, { port: open.addr.port })).outcome, "success");
});

Deno.test("startServer() survives clients that vanish", async () => {
  await using server = startServer({ port: 0, interact: echo, idleTimeout: 60 });
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
  const answer = await sendData([1], { port: server.addr.port });
  assertEquals(answer.outcome, "success");
  while (server.stats.open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

Deno.test("JsonServer.close() answers the messages in hand and takes no more", async () => {
  const gate = new Gate();
  const server = startServer({ port: 0, interact: gate.interact, grace: 60 });
  const { port } = server.addr;
  await using client = await connectJson({ port, timeout: 60 });
  const inHand = client.send({ n: 1 });
  await gate.running(1);
  await using other = await connectJson({ port, timeout: 60 });
  const waiting = other.send({ n: 2 });
  await pending(server, 2);
  const closed = server.close();
  gate.release();
  await gate.running(1);
  gate.release();
  assertEquals((await inHand).outcome, "success");
  assertEquals((await waiting).outcome, "success");
  await Promise.all([closed, server.finished, server.close()]);
  assertEquals((await sendData({ n: 3 }, { port })).outcome, "no-answer");
  assertEquals(server.stats.open, 0);
});

Deno.test("JsonServer.close() tells handlers when its patience is over", async () => {
  const started = Promise.withResolvers<void>();
  let aborted = false;
  const server = startServer({
    port: 0,
    interact: (_, { signal }) =>
      new Promise<void>((resolve) => {
        started.resolve();
        signal.addEventListener("abort", () => {
          aborted = true;
          resolve();
        });
      }),
  });
  const answer = sendData({}, { port: server.addr.port, timeout: 60 });
  await started.promise;
  await server.close({ grace: 0.05 });
  assertEquals(aborted, true);
  await answer;
});

Deno.test("startServer() is ended by its signal", async () => {
  const abort = new AbortController();
  const server = startServer({ port: 0, signal: abort.signal });
  abort.abort();
  await server.finished;
});

Deno.test("startServer() tells onMessage and debug what was handled", async () => {
  const records: unknown[] = [];
  const said: string[] = [];
  {
    await using server = startServer({
      port: 0,
      interact: echo,
      onMessage: ({ time, remoteAddr, data, answer, duration }) => {
        assertEquals(time instanceof Date, true);
        assertEquals(remoteAddr.hostname, "127.0.0.1");
        assertGreater(duration, 0);
        records.push([data, answer.status]);
      },
      debug: (message) => said.push(message.replace(/:\d+/, "")),
    });
    await using peer = await Peer.connect(server.addr);
    await peer.ask("1");
    await peer.ask("x");
  }
  assertEquals(records, [[1, "success"], [undefined, "error"]]);
  assertEquals(said.slice(0, 3), [
    "Connected with 127.0.0.1",
    "127.0.0.1 sent 1",
    '127.0.0.1 was answered {"status":"success","result":1}',
  ]);
});

Deno.test("startServer() rejects a port in use and options that do not fit", async () => {
  await using server = startServer({ port: 0 });
  assertThrows(() => startServer({ port: server.addr.port }), UsageError, "Cannot listen on");
  assertThrows(() => startServer({ port: 0, concurrency: 0 }), UsageError, "expected at least 1");
  assertThrows(
    () => startServer({ port: 0, allow: ["nonsense"] }),
    UsageError,
    "Cannot parse network",
  );
  assertThrows(
    () => startServer({ port: 0, interact: echo, commands: {} }),
    UsageError,
    "expected one of them",
  );
  await assertRejects(() => sendData(() => 1), Error, "JSON has no form of function");
});
