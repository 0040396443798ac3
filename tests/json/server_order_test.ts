import { assertEquals, assertMatch } from "@std/assert";
import { connectJson, sendJson } from "../../lib/json/client.ts";
import { startJsonServer } from "../../lib/json/server.ts";
import { ManualClock } from "../time/manual_clock.ts";
import { Gate, pending } from "./gate.ts";
import { Peer } from "./peer.ts";

Deno.test("startJsonServer() never handles two messages at once by default, and keeps the order", async () => {
  const gate = new Gate();
  await using server = startJsonServer({ port: 0, interact: gate.interact });
  const answers: Promise<unknown>[] = [];
  for (let n = 0; n < 20; n++) {
    answers.push(sendJson({ n }, { port: server.addr.port, timeout: 60 }));
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

Deno.test("startJsonServer() handles as many at once as concurrency says", async () => {
  const gate = new Gate();
  await using server = startJsonServer({ port: 0, interact: gate.interact, concurrency: 20 });
  const answers = Array.from(
    { length: 30 },
    (_, n) => sendJson({ n }, { port: server.addr.port, timeout: 60 }),
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

Deno.test("startJsonServer() answers the messages of one connection in order, whatever the concurrency", async () => {
  const delays = [30, 0, 10];
  await using server = startJsonServer({
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

Deno.test("startJsonServer() sends an answer that is ready while the next message takes time", async () => {
  const gate = new Gate();
  await using server = startJsonServer({
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

Deno.test("JsonServer.close() answers the messages that have arrived and takes no more", async () => {
  const gate = new Gate();
  const server = startJsonServer({ port: 0, interact: gate.interact, grace: 60 });
  const { port } = server.addr;
  await using client = await connectJson({ port, timeout: 60 });
  const first = client.send({ n: 1 });
  await gate.running(1);
  await using other = await connectJson({ port, timeout: 60 });
  const waiting = other.send({ n: 2 });
  await pending(server, 2);
  const closed = server.close();
  gate.release();
  await gate.running(1);
  gate.release();
  assertEquals((await first).outcome, "success");
  assertEquals((await waiting).outcome, "success");
  await Promise.all([closed, server.finished, server.close()]);
  assertEquals((await sendJson({ n: 3 }, { port })).outcome, "no-answer");
  assertEquals(server.stats.open, 0);
});

Deno.test("JsonServer.close() tells handlers when its patience is over", async () => {
  const started = Promise.withResolvers<void>();
  let aborted = false;
  const server = startJsonServer({
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
  const answer = sendJson({}, { port: server.addr.port, timeout: 60 });
  await started.promise;
  await server.close({ grace: 0.05 });
  assertEquals(aborted, true);
  await answer;
});

Deno.test("JsonServer.close() answers a failure for what is not handled in time", async () => {
  const started = Promise.withResolvers<void>();
  const server = startJsonServer({
    port: 0,
    interact() {
      started.resolve();
      return new Promise(() => {});
    },
  });
  await using client = await connectJson({ port: server.addr.port, timeout: 60 });
  await using other = await connectJson({ port: server.addr.port, timeout: 60 });
  const answers = [client.send({ n: 1 })];
  await started.promise;
  answers.push(other.send({ n: 2 }));
  await pending(server, 2);
  await server.close({ grace: 0.05 });
  for (const answer of await Promise.all(answers)) {
    assertEquals(
      answer.outcome === "fail" && answer.error,
      "The server was closed before the message was handled",
    );
  }
});

Deno.test("startJsonServer() goes on after handlerTimeout, and tells the handler", async () => {
  let aborted = 0;
  await using server = startJsonServer({
    port: 0,
    handlerTimeout: 0.05,
    interact(data, { signal }) {
      signal.addEventListener("abort", () => aborted++);
      return data.hang ? new Promise(() => {}) : "quick";
    },
  });
  await using client = await connectJson({ port: server.addr.port, timeout: 60 });
  const answers = await Promise.all([{ hang: true }, { hang: false }].map((m) => client.send(m)));
  assertEquals(answers.map((a) => a.outcome === "fail" ? a.error : a.outcome), [
    "The message was not handled within 0.05 s; its handler may still be at work",
    "success",
  ]);
  assertEquals(aborted, 1);
});

Deno.test("startJsonServer() says once that clients have to wait for a handler that is too slow", async () => {
  for (const pipelined of [true, false]) {
    const gate = new Gate();
    const clock = new ManualClock();
    const told: string[] = [];
    await using server = startJsonServer({
      port: 0,
      interact: gate.interact,
      clock,
      idleTimeout: Infinity,
      messageTimeout: Infinity,
      onProblem: ({ kind, message }) => told.push(`${kind}: ${message}`),
    });
    await using first = await Peer.connect(server.addr);
    await using second = await Peer.connect(server.addr);
    await first.write(pipelined ? '{"n":0}\n{"n":1}\n{"n":2}\n' : '{"n":0}\n');
    await gate.running(1);
    if (!pipelined) {
      await second.write('{"n":1}\n');
      await pending(server, 2);
    }
    clock.pass(0.9);
    assertEquals(told, []);
    clock.pass(0.7);
    for (let n = 0; n < (pipelined ? 3 : 2); n++) {
      await gate.running(1);
      gate.release();
      await (pipelined || n === 0 ? first : second).line();
    }
    assertEquals(told.length, 1);
    assertMatch(
      told[0]!,
      /^delayed: A message from 127\.0\.0\.1:\d+ waited 1\.6 s for others: the handler is slower than messages arrive, so clients have to wait; this is not reported again$/,
    );
  }
});

Deno.test("startJsonServer() keeps the messages of a client that has ended its half apart from those of others", async () => {
  const gate = new Gate();
  const handled: string[] = [];
  await using server = startJsonServer({
    port: 0,
    concurrency: 8,
    interact(data, { bytes }) {
      handled.push(new TextDecoder().decode(bytes));
      return data.n === undefined ? data : gate.interact(data);
    },
  });
  const messages = ['{"n":1}', '{"client":"A","volts":1}', '{"client":"A","volts":2}'];
  await using a = await Peer.connect(server.addr);
  await a.write(messages.map((message) => `${message}\n`).join(""));
  await a.closeWrite();
  await gate.running(1);
  for (let volts = 901; volts < 910; volts++) {
    await using other = await Peer.connect(server.addr);
    await other.ask(
      `{"client":"B","volts":${volts},"and":"more bytes than A sent, to cover them all"}`,
    );
  }
  handled.splice(1);
  gate.release();
  assertEquals(await a.line(), '{"status":"success","result":1}');
  assertEquals(await a.line(), '{"status":"success","result":{"client":"A","volts":1}}');
  assertEquals(await a.line(), '{"status":"success","result":{"client":"A","volts":2}}');
  assertEquals(handled, messages);
});

Deno.test("startJsonServer() gives a message that waits for its turn its own bytes", async () => {
  const gate = new Gate();
  const handled: string[] = [];
  await using server = startJsonServer({
    port: 0,
    interact(data, { bytes }) {
      handled.push(new TextDecoder().decode(bytes));
      return data.n === 1 ? gate.interact(data) : undefined;
    },
  });
  const first = await Peer.connect(server.addr);
  await first.write('{"n":1}\n');
  await gate.running(1);
  const expected = ['{"n":1}'];
  const peers: Peer[] = [];
  for (let n = 2; n < 20; n++) {
    const message = `{"n":${n},"volts":${n}}`;
    expected.push(message);
    const peer = await Peer.connect(server.addr);
    peers.push(peer);
    await peer.write(`${message}\n`);
    await peer.closeWrite();
    await pending(server, n);
  }
  gate.release();
  for (const peer of [first, ...peers]) {
    await peer.line();
    await peer[Symbol.asyncDispose]();
  }
  assertEquals(handled, expected);
});

Deno.test("onGraceOver() is called before the client hears that its message was not handled", async () => {
  const told: string[] = [];
  const begun = Promise.withResolvers<void>();
  const interact = () => {
    begun.resolve();
    return new Promise(() => {});
  };
  const server = startJsonServer({
    port: 0,
    interact,
    grace: 0.05,
    onGraceOver: () => void told.push("over"),
  });
  await using client = await connectJson({ port: server.addr.port });
  const answer = client.send({}).then(() => told.push("answered"));
  await begun.promise;
  await Promise.all([server.close(), answer]);
  assertEquals(told, ["over", "answered"]);
});
