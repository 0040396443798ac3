import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ConnectError } from "../../lib/errors.ts";
import { connectJson, type JsonSendOptions, sendJson } from "../../lib/json/client.ts";
import type { JsonSendResult } from "../../lib/json/read_answer.ts";
import { startJsonServer } from "../../lib/json/server.ts";
import { lineFraming } from "../../lib/net/framing/line.ts";
import { readMessages } from "../../lib/net/framing/read_messages.ts";
import { listenStream, type StreamListener } from "../../lib/net/stream/listener.ts";
import { makeCertificate } from "../interop/certificate.ts";
import { needs } from "../interop/peer.ts";
import { ManualClock } from "../time/manual_clock.ts";
import { Gate } from "./gate.ts";

/** A server that writes what it is told to each connection, whatever it was asked. */
function saying(
  parts: (string | Uint8Array)[],
  ending: "end" | "stay" | "reset" = "end",
): StreamListener {
  return listenStream({
    host: "127.0.0.1",
    port: 0,
    grace: 0,
    onConnection: async (connection) => {
      await connection.read();
      for (const part of parts) {
        await connection.write(typeof part === "string" ? new TextEncoder().encode(part) : part);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      if (ending === "end") await connection.end();
      if (ending === "stay") await connection.finished;
    },
  });
}

async function answerTo(
  parts: (string | Uint8Array)[],
  ending?: "end" | "stay",
): Promise<JsonSendResult> {
  await using server = saying(parts, ending);
  return await sendJson({ a: 1 }, { port: server.addr.port, timeout: 10 });
}

/** Records which callbacks are called. */
function callbacks() {
  const calls: string[] = [];
  const options: JsonSendOptions = {
    onSuccess: (response) => calls.push(`success ${response.status}`),
    onFail: (response) => calls.push(`fail ${response.error}`),
    onConnectFail: (error) => calls.push(`connect-fail ${error.name}`),
    onBadAnswer: (error) => calls.push(`bad-answer ${error.name}`),
  };
  return { calls, options };
}

Deno.test("sendJson() reports success with the result", async () => {
  await using server = startJsonServer({ port: 0, interact: (data) => data });
  const { calls, options } = callbacks();
  const answer = await sendJson({ n: 2n ** 64n, id: 1 }, { port: server.addr.port, ...options });
  assertEquals(answer, {
    outcome: "success",
    response: { status: "success", id: 1, result: { n: 2n ** 64n, id: 1 } },
    result: { n: 2n ** 64n, id: 1 },
    text: '{"status":"success","id":1,"result":{"n":18446744073709551616,"id":1}}',
  });
  assertEquals(calls, ["success success"]);
});

Deno.test('sendJson() takes "error" and "failed" alike for a failure', async () => {
  for (const failStatus of ["error", "failed"] as const) {
    const interact = () => {
      throw new Error("no");
    };
    await using server = startJsonServer({ port: 0, failStatus, interact });
    const { calls, options } = callbacks();
    const answer = await sendJson({}, { port: server.addr.port, ...options });
    assertEquals(answer.outcome === "fail" && answer.error, "no");
    assertEquals(calls, ["fail no"]);
  }
});

Deno.test("sendJson() shows a failure without a reason, and takes a timeout longer than any timer", async () => {
  await using server = saying(['{"status":"failed","code":7}\n']);
  const answer = await sendJson({}, { port: server.addr.port, timeout: 5_000_000 });
  assertEquals(answer.outcome === "fail" && answer.error, '{"status":"failed","code":7}');
});

Deno.test("sendJson() reads an answer whole, in however many packets", async () => {
  const result = "µ".repeat(5000);
  const bytes = new TextEncoder().encode(`{"status": "success", "result": "${result}"}\n`);
  const parts = [bytes.subarray(0, 700), bytes.subarray(700, 701), bytes.subarray(701)];
  for (const ending of ["end", "stay"] as const) {
    const answer = await answerTo(parts, ending);
    assertEquals(answer.outcome === "success" && answer.result, result);
  }
});

Deno.test("sendJson() takes an answer without a newline when the server closes", async () => {
  assertEquals((await answerTo(['{"status": "success"}'])).outcome, "success");
});

Deno.test("sendJson() shows an answer that makes no sense", async () => {
  const cases: [string | Uint8Array, string][] = [
    ["Hello\n", 'Cannot read answer "Hello": Cannot parse JSON at byte 0'],
    ['{"result": 1}\n', 'Cannot read answer "{\\"result\\": 1}": expected a "status" of'],
    ['{"status": "busy"}\n', 'expected a "status" of "success", "error" or "failed"'],
    ["[]\n", 'expected a "status"'],
    ['{"__proto__": {"status": "success"}}\n', 'expected a "status"'],
    [new Uint8Array([0x22, 0xff, 0x22, 0x0a]), "Cannot decode UTF-8 at byte 1"],
  ];
  for (const [text, message] of cases) {
    const answer = await answerTo([text]);
    assertEquals(answer.outcome, "bad-answer");
    if (answer.outcome === "bad-answer") assertStringIncludes(answer.error.message, message);
  }
});

Deno.test("sendJson() says that a server speaks TLS", async () => {
  const answer = await answerTo([new Uint8Array([0x15, 3, 3, 0, 2, 2, 50])]);
  assertEquals(answer.outcome, "bad-answer");
  if (answer.outcome === "bad-answer") {
    assertStringIncludes(answer.error.message, ": the server speaks TLS: connect with ca (--ca)");
  }
});

Deno.test("sendJson() tells apart why there is no answer", async () => {
  const { calls, options } = callbacks();
  const sent: boolean[] = [];
  const why = async (port: number, timeout = 10, message: unknown = {}) => {
    const answer = await sendJson(message, { port, timeout, ...options });
    if (answer.outcome !== "no-answer") return answer.outcome;
    sent.push(answer.sent);
    return answer.error.message;
  };
  const gone = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = gone.addr;
  gone.close();
  assertEquals(await why(port), `Cannot connect to "127.0.0.1:${port}": connection refused`);
  {
    await using silent = saying([], "stay");
    assertEquals(
      await why(silent.addr.port, 0.2),
      `No answer from "127.0.0.1:${silent.addr.port}" within 0.2 s: ` +
        "the message was sent, and may still be carried out",
    );
  }
  {
    await using closing = saying([]);
    assertEquals(
      await why(closing.addr.port),
      `"127.0.0.1:${closing.addr.port}" closed the connection without an answer: ` +
        "the message was sent, and may still be carried out",
    );
  }
  {
    // Full as soon as the system's buffers are.
    await using deaf = listenStream({
      host: "127.0.0.1",
      port: 0,
      grace: 0,
      onConnection: (connection) => connection.finished,
    });
    assertEquals(
      await why(deaf.addr.port, 0.3, "x".repeat(50_000_000)),
      `No answer from "127.0.0.1:${deaf.addr.port}" within 0.3 s: it has not read the whole message`,
    );
  }
  assertEquals(sent, [false, true, true, false]);
  assertEquals(calls, Array(4).fill("connect-fail ConnectError"));
});

Deno.test("sendJson() tries to connect again, but never sends twice", async () => {
  const probe = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = probe.addr;
  probe.close();
  const said: string[] = [];
  const failed = await sendJson({}, {
    port,
    retries: 2,
    retryDelay: 0.01,
    debug: (message) => said.push(message),
  });
  assertEquals(failed.outcome, "no-answer");
  assertEquals(said.length, 3);
  assertStringIncludes(said[2]!, "Attempt 3 of 3");
  let connections = 0;
  await using closing = listenStream({
    host: "127.0.0.1",
    port: 0,
    onConnection: async (connection) => {
      connections++;
      await connection.read();
    },
  });
  const answer = await sendJson({}, { port: closing.addr.port, retries: 5, retryDelay: 0.01 });
  assertEquals([answer.outcome, connections], ["no-answer", 1]);
});

Deno.test("sendJson() passes on what a callback throws", async () => {
  await using server = startJsonServer({ port: 0 });
  const onSuccess = () => {
    throw new Error("mine");
  };
  await assertRejects(() => sendJson({}, { port: server.addr.port, onSuccess }), Error, "mine");
});

Deno.test("sendJson() is called off by its signal", async () => {
  await using silent = saying([], "stay");
  const abort = new AbortController();
  const answer = sendJson({}, {
    port: silent.addr.port,
    signal: abort.signal,
    debug: (message) => message.startsWith("Sending") && abort.abort(),
  });
  await assertRejects(() => answer, DOMException);
  await assertRejects(() => sendJson({}, { port: silent.addr.port, signal: abort.signal }));
});

Deno.test("sendJson() is called off by its signal while it waits for the answer", async () => {
  const controller = new AbortController();
  const interact = () => {
    controller.abort(new Error("enough"));
    return new Promise(() => {});
  };
  await using server = startJsonServer({ port: 0, interact, grace: 0 });
  const { calls, options } = callbacks();
  const { signal } = controller;
  const call = () => sendJson({}, { port: server.addr.port, signal, ...options });
  await assertRejects(call, Error, "enough");
  assertEquals(calls, []);
});

Deno.test("connectJson() answers concurrent messages in their order", async () => {
  await using server = startJsonServer({
    port: 0,
    interact: (n) => n % 7 === 0 ? Promise.resolve(n) : n,
  });
  await using client = await connectJson({ port: server.addr.port });
  const numbers = [...Array(1000).keys()];
  const answers = await Promise.all(numbers.map((n) => client.send(n)));
  assertEquals(answers.map((answer) => answer.outcome === "success" && answer.result), numbers);
  assertEquals(server.stats.connections, 1);
});

Deno.test("connectJson() gives up all that wait when an answer is late", async () => {
  await using silent = saying([], "stay");
  const clock = new ManualClock();
  await using client = await connectJson({ port: silent.addr.port, timeout: 10, clock });
  const sent = [client.send(1), client.send(2)];
  clock.pass(11);
  const answers = await Promise.all(sent);
  for (const answer of answers) {
    assertEquals(answer.outcome, "no-answer");
    if (answer.outcome === "no-answer") assertStringIncludes(answer.error.message, "within 10 s");
  }
  assertEquals(client.open, false);
  assertEquals((await client.send(3)).outcome, "no-answer");
  await client.finished;
});

Deno.test("connectJson() counts the timeout from the answer before", async () => {
  // Five answers, each well within the time, all together beyond it.
  const clock = new ManualClock();
  const gate = new Gate();
  await using server = startJsonServer({ port: 0, interact: gate.interact });
  await using client = await connectJson({ port: server.addr.port, timeout: 1, clock });
  for (const answer of [1, 2, 3, 4, 5].map((n) => client.send({ n }))) {
    await gate.running(1);
    clock.pass(0.9);
    gate.release();
    assertEquals((await answer).outcome, "success");
  }
});

Deno.test("connectJson() passes on what a server says before it closes", async () => {
  await using server = startJsonServer({ port: 0, maxConnections: 1 });
  await using _first = await connectJson({ port: server.addr.port });
  await using second = await connectJson({ port: server.addr.port });
  await second.finished;
  const answer = await second.send({});
  assertEquals(
    answer.outcome === "no-answer" && answer.error.message,
    `Cannot send on a closed connection: "127.0.0.1:${server.addr.port}" closed the connection: ` +
      "Too many connections: 1 is open already",
  );
});

/** A server that answers the first message of each connection with that text, and notes all that it gets. */
function answering(text: string) {
  const got: string[] = [];
  const server = listenStream({
    host: "127.0.0.1",
    port: 0,
    grace: 0,
    onConnection: async (connection) => {
      let isFirst = true;
      for await (const line of readMessages(connection, lineFraming())) {
        got.push(new TextDecoder().decode(line));
        if (isFirst) await connection.write(new TextEncoder().encode(text));
        isFirst = false;
      }
    },
  });
  return { got, server };
}

Deno.test("connectJson() takes no answer for that to another message", async () => {
  const success = (id: string) => `{"status":"success","id":${id}}\n`;
  const cases: [string, string][] = [
    [success("1") + success("1"), "answered another message: expected the id 2, found 1"],
    [success("1") + success('"a"'), 'answered another message: expected the id 2, found "a"'],
    ["moving\n" + success("1"), 'sent "moving", which is no answer'],
    ["{\n  " + success("1"), 'sent "{", which is no answer'],
    ["42\n" + success("1"), 'sent "42", which is no answer'],
    ["{}{}\n" + success("1"), 'sent "{}{}", which is no answer'],
  ];
  for (const [text, why] of cases) {
    const { server } = answering(text);
    await using _server = server;
    await using client = await connectJson({ port: server.addr.port });
    const [, second] = await Promise.all([client.send({ id: 1 }), client.send({ id: 2 })]);
    assertEquals(
      second.outcome === "no-answer" && second.error.message,
      `"127.0.0.1:${server.addr.port}" ${why}: the message was sent, and may still be carried out`,
    );
    await client.finished;
  }
});

Deno.test("connectJson() takes an answer whose id has another form, or is none", async () => {
  const ids = [["1", "1.0"], ["9007199254740993", "9.007199254740992e15"], ["7", '"7"']];
  for (const [sent, id] of [...ids, ["[1]", "[2]"], ["1", "null"]]) {
    const { server } = answering(`{"status":"success","id":${id}}\n`);
    await using _server = server;
    await using client = await connectJson({ port: server.addr.port });
    assertEquals((await client.sendLine(`{"id":${sent}}`)).outcome, "success");
  }
});

Deno.test("connectJson() sends nothing after an answer for which nothing was asked", async () => {
  const { got, server } = answering('{"status":"success"}\n \r\n{"status":"success","n":2}\n');
  await using _server = server;
  await using client = await connectJson({ port: server.addr.port });
  assertEquals((await client.send("a")).outcome, "success");
  await client.finished;
  const second = await client.send("b");
  assertEquals(
    second.outcome === "no-answer" && second.error.message,
    `Cannot send on a closed connection: "127.0.0.1:${server.addr.port}" sent ` +
      '"{\\"status\\":\\"success\\",\\"n\\":2}", for which nothing had been asked',
  );
  assertEquals(got, ['"a"']);
});

Deno.test("connectJson() takes no answer that has begun to come before its message was sent", async () => {
  const success = '{"status":"success"}\n';
  const beginnings = [[success, success], ['{"stat', '{"stat'], [" {\n", " {"]];
  for (const [more, quoted] of beginnings) {
    const { got, server } = answering(success + more);
    await using _server = server;
    const second = Promise.withResolvers<JsonSendResult>();
    await using client = await connectJson({
      port: server.addr.port,
      onSuccess: () => second.resolve(client.send("b")),
    });
    await client.send("a");
    const answer = await second.promise;
    assertEquals(
      answer.outcome === "no-answer" && [answer.sent, answer.error.message],
      [
        false,
        `Cannot send on a closed connection: "127.0.0.1:${server.addr.port}" sent ` +
        `${JSON.stringify(quoted!.trimEnd())}, for which nothing had been asked`,
      ],
    );
    await client.finished;
    assertEquals(got, ['"a"']);
  }
});

Deno.test("connectJson() tells which of many messages were sent when an answer is late", async () => {
  const clock = new ManualClock();
  const got = Promise.withResolvers<void>();
  await using server = listenStream({
    host: "127.0.0.1",
    port: 0,
    grace: 0,
    onConnection: async (connection) => {
      let count = 0;
      for await (const _ of readMessages(connection, lineFraming({ maxBytes: Infinity }))) {
        if (++count === 4) break; // the rest fills the system's buffers
      }
      got.resolve();
      await connection.finished;
    },
  });
  await using client = await connectJson({ port: server.addr.port, timeout: 10, clock });
  const sent = Array.from({ length: 20 }, (_, n) => client.send("x".repeat(n && 2_000_000)));
  await got.promise;
  clock.pass(11);
  const answers = await Promise.all(sent);
  const isSent = answers.map((answer) => answer.outcome === "no-answer" && answer.sent);
  assertEquals([isSent.slice(0, 3), isSent.at(-1)], [[true, true, true], false]);
  await client.finished;
});

Deno.test("connectJson() takes an answer that came in time, though the program was too busy to read it", async () => {
  const clock = new ManualClock();
  const answered = Promise.withResolvers<void>();
  await using server = listenStream({
    host: "127.0.0.1",
    port: 0,
    grace: 0,
    onConnection: async (connection) => {
      await connection.read();
      await connection.write(new TextEncoder().encode('{"status":"success"}\n'));
      answered.resolve();
      await connection.finished;
    },
  });
  await using client = await connectJson({ port: server.addr.port, timeout: 10, clock });
  const answer = client.send({});
  await answered.promise;
  clock.suspend(11);
  assertEquals((await answer).outcome, "success");
});

Deno.test("connectJson() goes on after an answer that is an object, though not a valid one", async () => {
  const { server } = answering('{"status":"success","result":NaN}\n\t\n{"status":"success"}\n');
  await using _server = server;
  await using client = await connectJson({ port: server.addr.port });
  const answers = await Promise.all([client.send(1), client.send(2)]);
  assertEquals(answers.map(({ outcome }) => outcome), ["bad-answer", "success"]);
});

Deno.test("connectJson() rejects when nobody is there", async () => {
  const probe = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  probe.close();
  await assertRejects(() => connectJson({ port: probe.addr.port }), ConnectError, "refused");
});

Deno.test("JsonClient.close() leaves what is not answered without an answer", async () => {
  await using silent = saying([], "stay");
  const client = await connectJson({ port: silent.addr.port });
  const waiting = client.send({});
  await Promise.all([client.close(), client.close()]);
  const answer = await waiting;
  assertEquals(
    answer.outcome === "no-answer" && answer.error.message,
    `The connection with "127.0.0.1:${silent.addr.port}" was closed: ` +
      "the message was sent, and may still be carried out",
  );
});

const { ignore, note } = needs("openssl");

Deno.test(`sendJson() speaks TLS with startJsonServer()${note}`, { ignore }, async () => {
  await using tls = await makeCertificate();
  await using server = startJsonServer({ port: 0, tls, interact: (data) => data });
  const { port } = server.addr;
  const answer = await sendJson([1], { port, ca: tls.cert, timeout: 30 });
  assertEquals(answer.outcome === "success" && answer.result, [1]);
  const plain = await sendJson([1], { port, timeout: 30 });
  assertEquals(plain.outcome === "success", false);
  const distrust = await sendJson([1], { port, tls: true, timeout: 30 });
  assertEquals(distrust.outcome, "no-answer");
});

Deno.test("JsonClient takes a complete answer without a newline after a moment of silence, and not part of one", async () => {
  const clock = new ManualClock();
  await using server = listenStream({
    host: "127.0.0.1",
    port: 0,
    grace: 0,
    onConnection: async (connection) => {
      const write = (text: string) => connection.write(new TextEncoder().encode(text));
      await connection.read();
      await write('{"status":"success",');
      await connection.read();
      await write('"result":5}');
      await connection.finished;
    },
  });
  await using client = await connectJson({ port: server.addr.port, clock });
  const answered = client.send("a");
  await clock.nextWake(); // part of the answer is there
  clock.pass(1);
  const later = client.send("b");
  await clock.nextWake(); // the rest is there
  clock.pass(0.1);
  const answer = await answered;
  assertEquals(answer.outcome === "success" && answer.result, 5);
  await client.close();
  assertEquals((await later).outcome, "no-answer");
});
