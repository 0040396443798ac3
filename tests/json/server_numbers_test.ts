import { assertEquals } from "@std/assert";
import { JsonText } from "../../lib/codecs/json/text.ts";
import { sendJson } from "../../lib/json/client.ts";
import { startJsonServer } from "../../lib/json/server.ts";
import { needs, startPython } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { Peer } from "./peer.ts";

Deno.test("startJsonServer() keeps what JavaScript can hold, both ways", async () => {
  const seen: unknown[] = [];
  await using server = startJsonServer({
    port: 0,
    interact(data) {
      seen.push(data);
      return data;
    },
  });
  await using peer = await Peer.connect(server.addr);
  const answers: [string, unknown, string][] = [
    ["-0.0", -0, "-0.0"],
    ['{"a":[-0,0]}', { a: [-0, 0] }, '{"a":[-0.0,0]}'],
    ["18446744073709551615", 18446744073709551615n, "18446744073709551615"],
    ["[-9007199254740993]", [-9007199254740993n], "[-9007199254740993]"],
    ["1.0", 1, "1"],
    ["1e22", 1e22, "1e+22"],
  ];
  for (const [sent, value, result] of answers) {
    assertEquals(await peer.ask(sent), `{"status":"success","result":${result}}`);
    assertEquals(seen.pop(), value);
  }
});

Deno.test("startJsonServer() says where a number is that no handler in JavaScript can hold", async () => {
  let called = 0;
  await using server = startJsonServer({ port: 0, interact: () => called++ });
  await using peer = await Peer.connect(server.addr);
  for (const number of ["1e400", "-1e400", "1e-400", "1".repeat(401)]) {
    const { error } = JSON.parse(await peer.ask(`{"v":[1,${number}]}`));
    assertEquals(error.startsWith("Cannot parse JSON at byte 8 (line 1, column 9): "), true, error);
  }
  assertEquals([called, server.stats.invalid], [0, 4]);
});

Deno.test("startJsonServer() says where a result has NaN or an infinity", async () => {
  const results = [
    NaN,
    { values: [1, 2, 3, Infinity] },
    [{ "a b": -Infinity }],
    new Number(NaN),
    { v: [new Number(Infinity)] },
  ];
  const paths = [
    "result is NaN",
    "result.values[3] is Infinity",
    'result[0]["a b"] is -Infinity',
    "result is NaN",
    "result.v[0] is Infinity",
  ];
  await using server = startJsonServer({ port: 0, interact: (i) => results[i] });
  await using peer = await Peer.connect(server.addr);
  for (const [i, path] of paths.entries()) {
    assertEquals(JSON.parse(await peer.ask(String(i))), {
      status: "error",
      error: `Cannot write value as JSON: ${path}, which JSON does not have`,
    });
  }
});

Deno.test("startJsonServer() says where a result has a Map, Set or Promise instead of a plain value", async () => {
  const results = [new Map([["v", 1]]), { a: [new Set([1])] }, { v: Promise.resolve(1), n: 1n }];
  const faults = [
    "result is a Map: expected a plain value, such as Object.fromEntries(map)",
    "result.a[0] is a Set: expected a plain value, such as [...set]",
    "result.v is a Promise: expected a plain value, such as await promise",
  ];
  await using server = startJsonServer({ port: 0, interact: (i) => results[i] });
  await using peer = await Peer.connect(server.addr);
  for (const [i, fault] of faults.entries()) {
    const { status, error } = JSON.parse(await peer.ask(String(i)));
    assertEquals([status, error], ["error", `Cannot write value as JSON: ${fault}`]);
  }
});

Deno.test("startJsonServer() returns an id digit for digit", async () => {
  await using server = startJsonServer({ port: 0, interact: () => {} });
  await using peer = await Peer.connect(server.addr);
  for (
    const id of ["7", "7.0", "-0.0", "1E5", '{"n":1.50}', "18446744073709551616", '"x"', "[ ]"]
  ) {
    const answer = `{"status":"success","id":${id.replace(" ", "")}}`;
    assertEquals(await peer.ask(`{"id":1,"v":{"id":2.0},"id": ${id} }`), answer);
  }
});

Deno.test("startJsonServer() passes any number to a handler that goes by the bytes, and on from a JsonText", async () => {
  const texts: (string | undefined)[] = [];
  const interact = (_: unknown, { bytes }: { bytes: Uint8Array }) =>
    new JsonText(new TextDecoder().decode(bytes));
  await using server = startJsonServer({
    port: 0,
    interact: Object.assign(interact, { anyNumber: true }),
    onMessage: ({ text, answerText }) => texts.push(text, answerText),
  });
  await using peer = await Peer.connect(server.addr);
  const answer = '{"status":"success","result":{"v":[1.0,1e400,-0.0]}}';
  assertEquals(await peer.ask('{"v": [1.0, 1e400, -0.0]}'), answer);
  assertEquals(texts, ['{"v":[1.0,1e400,-0.0]}', answer]);
});

const { ignore, note } = needs(PYTHON);

Deno.test(`sendJson() says that an answer has a number that JavaScript cannot hold${note}`, {
  ignore,
}, async () => {
  await using server = startPython(`
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1])
while True:
    conn, _ = s.accept()
    with conn:
        conn.recv(1024)
        conn.sendall(b'{"status": "success", "result": 1e400}\\n')
`);
  const [text] = await server.until("stdout", /^\d+/);
  const port = Number(text);
  const bad = await sendJson({}, { port });
  assertEquals(
    bad.outcome === "bad-answer" && bad.error.message,
    'Cannot read answer "{\\"status\\": \\"success\\", \\"result\\": 1e400}": Cannot parse JSON at byte 32 ' +
      "(line 1, column 33): 1e400 is beyond the range of 64-bit floats, which ends at 1.8e308; send it as text",
  );
  const good = await sendJson({}, { port, anyNumber: true });
  assertEquals(good.outcome === "success" && good.result, Infinity);
});
