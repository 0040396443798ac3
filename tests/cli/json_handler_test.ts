import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { needs } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { Peer } from "../json/peer.ts";
import { folder, interrupt, serve } from "./json_serve.ts";
import { plainText, startOnTerminal } from "./pty.ts";
import { labwire } from "./run.ts";
import { startHere } from "./run_here.ts";

const windows = Deno.build.os === "windows";

Deno.test("json-server --handler calls interact() or commands", async () => {
  await using files = await folder({
    "interact.js": `
      export async function interact(data, { remoteAddr }) {
        if (data.fail) throw new Error("laser interlock open");
        return { ...data, from: remoteAddr.hostname };
      }`,
    "commands.js": `
      let volts = 0;
      export const commands = {
        set_voltage(data) { volts = data.volts; },
        get_voltage: () => volts,
      };`,
    "value.js": "export const commands = { a: 1 };",
    "neither.js": "export const answer = 42;",
    "broken.js": "export function (",
  });
  {
    await using server = await serve(["--handler", `${files.path}/interact.js`]);
    assertEquals(
      await server.ask('{"a":1}'),
      '{"status":"success","result":{"a":1,"from":"127.0.0.1"}}',
    );
    assertEquals(
      await server.ask('{"fail":true}'),
      '{"status":"error","error":"laser interlock open"}',
    );
  }
  {
    // A path relative to the working directory.
    await using server = await serve(["--handler", "commands.js"], { cwd: files.path });
    assertEquals(
      await server.ask('{"command_id":"set_voltage","volts":3.5}'),
      '{"status":"success"}',
    );
    assertEquals(
      await server.ask('{"command_id":"get_voltage"}'),
      '{"status":"success","result":3.5}',
    );
    const { error } = JSON.parse(await server.ask('{"command_id":"get_volts"}'));
    assertEquals(
      error,
      'Unknown command "get_volts": expected one of set_voltage, get_voltage; did you mean "get_voltage"?',
    );
  }
  for (
    const [file, reason] of [
      ["neither.js", 'expected "export function interact(data, context) { … }"'],
      ["value.js", '"a" of its commands is no function'],
      ["broken.js", "Cannot load handler"],
      ["missing.js", "no such file"],
    ]
  ) {
    const { code, stderr } = await labwire(["json-server", "--handler", `${files.path}/${file}`]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, reason!);
  }
});

Deno.test("json-server logs where in a user's file an error was thrown, and tells the client only the message", async () => {
  await using files = await folder({
    "supply.js": `
      import { check } from "./lib check.js";
      export const commands = {
        set(data) { return check(data.volts); },
        get(data) { return data.channel.name; },
        later: async () => { await null; throw new Error("tripped"); },
        nan: () => ({ volts: [1, NaN] }),
      };`,
    "lib check.js": `export function check(volts) {
      if (volts > 30) throw new RangeError("30 V is the limit");
    }`,
  });
  const args = ["--handler", `${files.path}/supply.js`];
  const path = await Deno.realPath(files.path);
  const cases: [string, string, string][] = [
    ['{"command_id":"set","volts":31}', "30 V is the limit", `${path}/lib check.js:2`],
    [
      '{"command_id":"get"}',
      "Cannot read properties of undefined (reading 'name')",
      `${path}/supply.js:5`,
    ],
    ['{"command_id":"later"}', "tripped", `${path}/supply.js:6`],
  ];
  // Each has a server of its own, as messages of one kind are held back for a second.
  for (const [message, error, place] of cases) {
    await using server = await serve(args);
    assertEquals(JSON.parse(await server.ask(message)), { status: "error", error });
    const at = windows ? place.replaceAll("/", "\\") : place;
    await server.program.until(
      "stderr",
      new RegExp(RegExp.escape(`failed: ${error} (${at}:`) + "\\d+\\)"),
    );
  }
  await using server = await serve(args);
  const { error } = JSON.parse(await server.ask('{"command_id":"nan"}'));
  assertEquals(
    error,
    "Cannot write value as JSON: result.volts[1] is NaN, which JSON does not have",
  );
  await server.program.until(
    "stderr",
    /failed: Cannot write value as JSON: result\.volts\[1\] is NaN, [\w ]+\n/,
  );
});

Deno.test("json-server --handler survives what a handler fails to catch", async () => {
  await using files = await folder({
    "stray.js": `
      export function interact(data) {
        if (data.promise) Promise.reject(new Error("lamp 1 is out"));
        else setTimeout(() => { throw new Error("lamp 2 is out"); });
      }`,
  });
  await using server = await serve(["--handler", `${files.path}/stray.js`]);
  for (const promise of [true, false]) {
    assertEquals(await server.ask(JSON.stringify({ promise })), '{"status":"success"}');
  }
  await server.program.until("stderr", /Unhandled rejection: lamp 1 is out/);
  await server.program.until("stderr", /Unhandled error: lamp 2 is out/);
  assertEquals(await server.ask('{"promise":true}'), '{"status":"success"}');
});

Deno.test("json-server --handler-timeout goes on after a handler that never ends", async () => {
  await using files = await folder({
    "never.js": "export const interact = (data) => data.hang && new Promise(() => {});",
  });
  const args = ["--handler", `${files.path}/never.js`, "--handler-timeout", "0.1"];
  await using server = await serve(args);
  assertEquals(
    await server.ask('{"hang":true}'),
    '{"status":"error","error":"The message was not handled within 0.1 s; its handler may still be at work"}',
  );
  assertEquals(await server.ask('{"hang":0}'), '{"status":"success","result":0}');
});

Deno.test("json-server --handler-timeout begins no message that was answered as too late while nobody read the output", async () => {
  await using files = await folder({
    "note.js": "const got = []; export const interact = ({ n }) => { got.push(n); return got; };",
  });
  const reading = Promise.withResolvers<void>();
  const isTerminal = () => false;
  const stdout = {
    isTerminal,
    writeSync: (bytes: Uint8Array) => bytes.length,
    write: (bytes: Uint8Array) => reading.promise.then(() => bytes.length),
  };
  const args = ["json-server", "--port", "0", "--output", "json", "--handler-timeout", "1"];
  await using program = startHere([...args, "--handler", `${files.path}/note.js`], { stdout });
  const [, port] = await program.until("stderr", /Listening on \S+:(\d+)[^]*Ready/);
  await using peer = await Peer.connect({ hostname: "127.0.0.1", port: Number(port) });
  const pad = "x".repeat(300_000);
  for (const got of ["[0]", "[0,1]"]) { // one that is being written, and one that fills what may wait
    const answer = await peer.ask(`{"n":${got.length >> 2},"pad":"${pad}"}`);
    assertEquals(answer, `{"status":"success","result":${got}}`);
  }
  for (const n of [2, 3]) {
    assertStringIncludes(await peer.ask(`{"n":${n}}`), "not handled within 1 s");
  }
  reading.resolve();
  assertEquals(await peer.ask('{"n":4}'), '{"status":"success","result":[0,1,4]}');
});

const python = needs(PYTHON);

Deno.test(`json-server --exec runs a program for each message${python.note}`, {
  ignore: python.ignore,
}, async () => {
  await using files = await folder({
    "set it.py": `
import json, sys
line = sys.stdin.readline()
data = json.loads(line)
assert sys.stdin.read() == ""
if data["command_id"] == "raw": print(line, end="")
if data["command_id"] == "json": print(json.dumps({"twice": data["n"] * 2, "argv": sys.argv[1:]}))
if data["command_id"] == "text": print(" done, 3 V \\n")
if data["command_id"] == "fail":
    print("heating up", file=sys.stderr)
    sys.exit("no such port: COM9")
if data["command_id"] == "exit": sys.exit(3)
`,
  });
  const script = `${files.path}/set it.py`;
  await using server = await serve(["--exec", `${PYTHON} "${script}" 'two words'`]);
  const ask = (id: string, n = "1.0") => server.ask(`{"command_id":"${id}","n":${n}}`);
  assertEquals(
    await ask("json", "36893488147419103232"),
    '{"status":"success","result":{"twice":73786976294838206464,"argv":["two words"]}}',
  );
  assertEquals(
    await ask("json"),
    '{"status":"success","result":{"twice":2.0,"argv":["two words"]}}',
  );
  assertEquals(await ask("raw"), '{"status":"success","result":{"command_id":"raw","n":1.0}}');
  assertEquals(
    await ask("raw", "[1e400,\r-0.0, 12345678901234567890.50]"),
    '{"status":"success","result":{"command_id":"raw","n":[1e400,-0.0,12345678901234567890.50]}}',
  );
  assertEquals(await ask("text"), '{"status":"success","result":"done, 3 V"}');
  assertEquals(await ask("silent"), '{"status":"success"}');
  assertEquals(await ask("fail"), '{"status":"error","error":"no such port: COM9"}');
  assertMatch(await ask("exit"), /"error":"Program .*python.* ended with exit code 3"/);
});

for (const option of ["--exec", "--exec-persistent"]) {
  Deno.test(
    `json-server ${option} answers with an error where output is meant as JSON and is none${python.note}`,
    {
      ignore: python.ignore,
    },
    async () => {
      await using files = await folder({
        "print.py": `
import json, sys
for line in sys.stdin:
    data = json.loads(line)
    value = float(data["dumps"]) if "dumps" in data else None
    print(data["text"] if value is None else json.dumps({"v": value}), flush=True)
`,
      });
      await using server = await serve([option, `${PYTHON} print.py`], { cwd: files.path });
      const ask = async (message: unknown) => JSON.parse(await server.ask(JSON.stringify(message)));
      const wrong: [unknown, number, string][] = [
        [{ dumps: "nan" }, 6, 'found "NaN": JSON has no NaN and no infinities'],
        [{ dumps: "-inf" }, 6, "JSON has no NaN and no infinities"],
        [{ text: "NaN" }, 0, "JSON has no NaN"],
        [{ text: "-Infinity" }, 0, "JSON has no NaN"],
        [{ text: "{'v': 1}" }, 1, "JSON strings have double quotes"],
        [{ text: "[1, 2" }, 5, "end"],
        [{ text: "{} {}" }, 3, "end"],
      ];
      for (const [message, offset, why] of wrong) {
        const { status, error } = await ask(message);
        const where = `at byte ${offset} (line 1, column ${offset + 1}): `;
        assertEquals(status, "error");
        assertStringIncludes(error, `Cannot parse output of program as JSON ${where}`);
        assertStringIncludes(error, why);
      }
      for (const text of ["Infinity War", "done {3 V}", "nan V"]) {
        assertEquals(await ask({ text }), { status: "success", result: text });
      }
      assertEquals(await ask({ dumps: "1.5" }), { status: "success", result: { v: 1.5 } });
    },
  );
}

Deno.test(`json-server --exec-timeout ends a program that takes too long${python.note}`, {
  ignore: python.ignore,
}, async () => {
  await using server = await serve([
    ...["--exec", `${PYTHON} -c "import time; time.sleep(60)"`, "--exec-timeout", "0.5"],
  ]);
  assertMatch(
    await server.ask("{}"),
    /^\{"status":"error","error":"No answer from program .* within 0.5 s"\}$/,
  );
});

Deno.test(`json-server --exec-persistent keeps a program running and restarts it${python.note}`, {
  ignore: python.ignore,
}, async () => {
  await using files = await folder({
    "supply.py": `
import json, sys
count = 0
for line in sys.stdin:
    data = json.loads(line)
    count += 1
    if data.get("die"): sys.exit("interlock")
    answer = {"status": "error", "error": data["fail"]} if data.get("fail") else {"count": count}
    print(json.dumps(answer), flush=True)
`,
  });
  await using server = await serve(["--exec-persistent", `${PYTHON} supply.py`], {
    cwd: files.path,
  });
  assertEquals(await server.ask("{}"), '{"status":"success","result":{"count":1}}');
  assertEquals(await server.ask("{}"), '{"status":"success","result":{"count":2}}');
  assertEquals(await server.ask('{"fail":"no"}'), '{"status":"error","error":"no"}');
  assertEquals(await server.ask('{"fail":[7]}'), '{"status":"error","error":"[7]"}');
  assertMatch(
    await server.ask('{"die":true}'),
    /^\{"status":"error","error":"Program .* ended with exit code 1: interlock"\}$/,
  );
  assertEquals(await server.ask("{}"), '{"status":"success","result":{"count":1}}');
  await server.program.until("stderr", /ended with exit code 1: interlock; starting it again/);
  const { code } = await interrupt(server.program);
  if (!windows) assertEquals(code, 0);
});

Deno.test("json-server --concurrency lets messages overtake those that take time", async () => {
  await using files = await folder({
    "two.js": `
      let other;
      export const interact = (data) => new Promise((resolve) => {
        if (other) other("second is here"), resolve("second");
        else other = resolve;
      });`,
  });
  await using server = await serve(["--handler", `${files.path}/two.js`, "--concurrency", "2"]);
  const first = server.ask("1");
  await using peer = await server.connect();
  assertEquals(await peer.ask("2"), '{"status":"success","result":"second"}');
  assertEquals(await first, '{"status":"success","result":"second is here"}');
});

Deno.test(
  "json-server answers the messages that have arrived when Ctrl-C comes, and exits with 0",
  {
    ignore: windows,
  },
  async () => {
    await using files = await folder({
      "slow.js": `
      export async function interact(data) {
        console.error("started", data);
        await new Promise((resolve) => setTimeout(resolve, 300));
        return data;
      }`,
    });
    await using server = await serve(["--handler", `${files.path}/slow.js`]);
    await using peer = await server.connect();
    await peer.write("1\n2\n"); // both are there when the first has started
    await server.program.until("stderr", /started 1/);
    server.program.interrupt();
    assertEquals(await peer.line(), '{"status":"success","result":1}');
    assertEquals(await peer.line(), '{"status":"success","result":2}');
    assertEquals(await peer.line(), null);
    const { code, stderr } = await server.program.result();
    assertEquals(code, 0);
    assertStringIncludes(stderr, "2 messages, 2 successes");
  },
);

Deno.test(`json-server lets a program finish when Ctrl-C is typed at its terminal${python.note}`, {
  ignore: python.ignore || windows,
}, async () => {
  await using files = await folder({});
  const marker = `${files.path}/started`;
  await using server = startOnTerminal([
    ...["json-server", "--port", "0"],
    ...["--exec", `sh -c 'read -r line; echo $$ > ${marker}; sleep 1; echo done'`],
  ]);
  const [, port] = await server.until("stdout", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready/);
  await using peer = await Peer.connect({ hostname: "127.0.0.1", port: Number(port) });
  await peer.write("1\n");
  while (!await Deno.stat(marker).catch(() => null)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await server.write("\x03"); // goes to all processes of the terminal
  assertEquals(await peer.line(), '{"status":"success","result":"done"}');
  const { code, stdout } = await server.result();
  assertEquals(code, 0);
  assertStringIncludes(plainText(stdout), "1 message, 1 success,");
});
