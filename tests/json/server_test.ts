import { assertEquals, assertGreater, assertRejects, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import { sendJson } from "../../lib/json/client.ts";
import { startJsonServer } from "../../lib/json/server.ts";
import { Peer } from "./peer.ts";

const echo = (data: unknown) => data;

Deno.test("startJsonServer() answers success, as the template does", async () => {
  await using server = startJsonServer({ port: 0 });
  await using peer = await Peer.connect(server.addr);
  assertEquals(await peer.ask('{"command_id": "test_command"}'), '{"status":"success"}');
  assertEquals(server.addr.hostname, "127.0.0.1");
});

Deno.test("startJsonServer() answers with what the handler returns", async () => {
  await using server = startJsonServer({ port: 0, interact: echo });
  await using peer = await Peer.connect(server.addr);
  for (const result of ["1.5", "null", "false", '"µ"', "[1,{}]", "18446744073709551615"]) {
    assertEquals(await peer.ask(result), `{"status":"success","result":${result}}`);
  }
});

Deno.test("startJsonServer() answers a failure when the handler throws, now or later", async () => {
  const errors: unknown[] = [];
  await using server = startJsonServer({
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

Deno.test("startJsonServer() answers a failure whatever is thrown", async () => {
  const unreadable = new Proxy(new Error(), {
    get: () => {
      throw new Error("hands off");
    },
  });
  const cases: [unknown, string][] = [
    [undefined, "undefined"],
    [42n, "42"],
    [Symbol("laser"), "Symbol(laser)"],
    [{ message: "interlock" }, "interlock"],
    [{ code: 7 }, '{"code":7}'],
    [Object.assign(new Error(), { message: { code: 7 } }), '{"code":7}'],
    [Object.create(null), "{}"],
    [unreadable, "The handler threw a value that has no text"],
  ];
  await using server = startJsonServer({
    port: 0,
    interact([later, i]) {
      if (later) return Promise.reject(cases[i]![0]);
      throw cases[i]![0];
    },
  });
  await using peer = await Peer.connect(server.addr);
  for (const [i, [, error]] of cases.entries()) {
    for (const later of [false, true]) {
      const answer = JSON.parse(await peer.ask(JSON.stringify([later, i])));
      assertEquals(answer, { status: "error", error });
    }
  }
});

Deno.test("startJsonServer() answers a failure when the result has no JSON form", async () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const results: [unknown, string][] = [
    [circle, "Cannot write value as JSON: it contains itself"],
    [() => 1, "Cannot write value as JSON: JSON has no form of function"],
    [Symbol(), "Cannot write value as JSON: JSON has no form of symbol"],
    [
      {
        get then() {
          throw new Error("no promise");
        },
      },
      "no promise",
    ],
  ];
  await using server = startJsonServer({ port: 0, interact: (i) => results[i]![0] });
  await using peer = await Peer.connect(server.addr);
  for (const [i, [, error]] of results.entries()) {
    assertEquals(JSON.parse(await peer.ask(String(i))), { status: "error", error });
  }
});

Deno.test("startJsonServer() calls commands by command_id and lists them when there is no such", async () => {
  await using server = startJsonServer({
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

Deno.test("startJsonServer() takes keys such as __proto__ without effect", async () => {
  await using server = startJsonServer({
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

Deno.test("startJsonServer() returns the id of a message in its answer", async () => {
  await using server = startJsonServer({
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

Deno.test("startJsonServer() returns the id as it came, whatever the handler does to the message", async () => {
  await using server = startJsonServer({ port: 0, interact: (data) => void delete data.id });
  await using peer = await Peer.connect(server.addr);
  assertEquals(await peer.ask('{"id":7}'), '{"status":"success","id":7}');
});

Deno.test("startJsonServer() writes the failure word it is told", async () => {
  await using server = startJsonServer({ port: 0, failStatus: "failed" });
  await using peer = await Peer.connect(server.addr);
  assertEquals(JSON.parse(await peer.ask("x")).status, "failed");
});

Deno.test("startJsonServer() answers messages however packets cut and join them", async () => {
  await using server = startJsonServer({ port: 0, interact: echo });
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

Deno.test("startJsonServer() takes a last message without a newline as complete", async () => {
  await using server = startJsonServer({ port: 0, interact: echo });
  await using peer = await Peer.connect(server.addr);
  await peer.write('1\n{"b":2}');
  await peer.closeWrite();
  assertEquals(await peer.line(), '{"status":"success","result":1}');
  assertEquals(await peer.line(), '{"status":"success","result":{"b":2}}');
  assertEquals(await peer.line(), null);
});

Deno.test("startJsonServer() says where a message is wrong, and the connection lives on", async () => {
  await using server = startJsonServer({ port: 0, interact: echo, maxBytes: 100 });
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
    refusedAsHttp: 0,
    open: 1,
    messages: 6,
    successes: 2,
    failures: 4,
    invalid: 4,
    unanswered: 0,
    dropped: 0,
    pending: 0,
  });
});

Deno.test("startJsonServer() survives nesting past any stack", async () => {
  await using server = startJsonServer({ port: 0, interact: echo, maxBytes: 20_000_000 });
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

Deno.test("startJsonServer() answers a message of 10 MB where that is allowed", async () => {
  await using server = startJsonServer({
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

Deno.test("startJsonServer() is ended by its signal", async () => {
  const abort = new AbortController();
  const server = startJsonServer({ port: 0, signal: abort.signal });
  abort.abort();
  await server.finished;
});

Deno.test("startJsonServer() tells onMessage, onFailure and debug what was handled", async () => {
  const records: unknown[] = [];
  const said: string[] = [];
  {
    await using server = startJsonServer({
      port: 0,
      interact: echo,
      onMessage: ({ time, remoteAddr, data, answer, duration }) => {
        assertEquals(time instanceof Date, true);
        assertEquals(remoteAddr.hostname, "127.0.0.1");
        assertGreater(duration, 0);
        records.push([data, answer.status]);
      },
      onFailure: ({ data, text }) => records.push(["failed", data, text]),
      debug: (message) => said.push(message.replace(/:\d+/, "")),
    });
    await using peer = await Peer.connect(server.addr);
    await peer.ask("1");
    await peer.ask("x");
  }
  assertEquals(records, [[1, "success"], [undefined, "error"], ["failed", undefined, undefined]]);
  assertEquals(said.slice(0, 3), [
    "Connected with 127.0.0.1",
    "127.0.0.1 sent 1",
    '127.0.0.1 was answered {"status":"success","result":1}',
  ]);
});

for (const handlerTimeout of [Infinity, 60]) {
  Deno.test(`startJsonServer() ends only the connection whose message its own callback throws at, handlerTimeout: ${handlerTimeout}`, async () => {
    const problems: string[] = [];
    await using server = startJsonServer({
      port: 0,
      handlerTimeout,
      interact: (data) => data === "later" ? Promise.resolve(data) : data,
      onMessage: ({ data }) => {
        if (data !== 1) throw new Error(`no room to note ${data}`);
      },
      onProblem: ({ kind, message }) =>
        problems.push(`${kind}: ${message.replace(/127\S+/, "CLIENT")}`),
    });
    await using other = await Peer.connect(server.addr);
    for (const message of ['"now"', '"later"']) {
      await using peer = await Peer.connect(server.addr);
      await peer.write(`${message}\n1\n`);
      assertEquals(await peer.line(), null);
    }
    assertEquals(await other.ask("1"), '{"status":"success","result":1}');
    assertEquals(problems, [
      "handler: Serving CLIENT failed: no room to note now",
      "handler: Serving CLIENT failed: no room to note later",
    ]);
  });
}

Deno.test("startJsonServer() rejects a port in use and options that do not fit", async () => {
  await using server = startJsonServer({ port: 0 });
  assertThrows(() => startJsonServer({ port: server.addr.port }), UsageError, "Cannot listen on");
  assertThrows(
    () => startJsonServer({ port: 0, concurrency: 0 }),
    UsageError,
    "expected at least 1",
  );
  assertThrows(
    () => startJsonServer({ port: 0, allow: ["nonsense"] }),
    UsageError,
    "Cannot parse network",
  );
  assertThrows(
    () => startJsonServer({ port: 0, interact: echo, commands: {} }),
    UsageError,
    "expected one of them",
  );
  await assertRejects(() => sendJson(() => 1), Error, "JSON has no form of function");
});
