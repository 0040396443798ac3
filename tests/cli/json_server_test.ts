import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { makeCertificate } from "../interop/certificate.ts";
import { needs, startPeer } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { Peer } from "../json/peer.ts";
import { type Child, labwire, start } from "./run.ts";

const windows = Deno.build.os === "windows";

/** The real json-server on a free port, ready. */
async function serve(args: string[], options: { cwd?: string } = {}) {
  const program = start(["json-server", "--port", "0", ...args], options);
  const [, host, port] = await program.until(
    "stderr",
    /Listening on (\S+):(\d+)[^]*Ready\. Ctrl-C to quit\./,
  );
  const addr = { hostname: host!, port: Number(port) };
  return {
    program,
    addr,
    connect: () => Peer.connect(addr),
    /** Asks one message on a connection of its own. */
    async ask(line: string): Promise<string> {
      await using peer = await Peer.connect(addr);
      return await peer.ask(line);
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** A folder with some files in it. */
async function folder(files: Record<string, string>) {
  const path = await Deno.makeTempDir({ prefix: "labwire-test-" });
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Ends a program with Ctrl-C, or by force where there is none, and returns what it printed. */
async function interrupt(program: Child) {
  program.interrupt();
  return await program.result();
}

const message = '{"command_id":"test_command","param1":100,"param2":"this is text"}';

Deno.test("json-server prints messages as the template does, and a summary at the end", async () => {
  await using server = await serve([]);
  assertEquals(server.addr.hostname, "127.0.0.1");
  assertEquals(await server.ask(message), '{"status":"success"}');
  assertEquals(await server.ask('{"command_id":"other"}'), '{"status":"success"}');
  assertEquals(
    await server.ask("{}"),
    '{"status":"error","error":"Cannot find \\"command_id\\" in message"}',
  );
  const { code, stdout, stderr } = await interrupt(server.program);
  if (windows) return;
  assertEquals(code, 0);
  assertEquals(stdout.split("\n"), [
    `Received data is the following :  ${message}`,
    "Data of param1 :  100",
    "Data of param2 :  this is text",
    'Received data is the following :  {"command_id":"other"}',
    "",
  ]);
  assertStringIncludes(stderr, 'failed: Cannot find "command_id" in message');
  assertStringIncludes(
    stderr,
    "3 messages, 2 successes, 1 failures, 0 invalid, 3 connections\nBye.",
  );
});

Deno.test("json-server --output json writes a record of each message", async () => {
  await using server = await serve(["--output", "json"]);
  await server.ask('{"command_id":"a","id":7,"big":18446744073709551615}');
  await server.ask("nonsense");
  await server.program.until("stdout", /\n.*\n/);
  const lines = server.program.stdout.trimEnd().split("\n");
  assertEquals(lines.length, 2);
  assertMatch(
    lines[0]!,
    /^\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","peer":"127\.0\.0\.1:\d+","data":\{"command_id":"a","id":7,"big":18446744073709551615\},"answer":\{"status":"success","id":7\},"duration":[\d.e-]+\}$/,
  );
  const record = JSON.parse(lines[1]!);
  assertEquals(record.data, null);
  assertEquals(record.answer.status, "error");
});

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
      ["broken.js", "Cannot load handler"],
      ["missing.js", "no such file"],
    ]
  ) {
    const { code, stderr } = await labwire(["json-server", "--handler", `${files.path}/${file}`]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, reason!);
  }
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
  assertEquals(await ask("json"), '{"status":"success","result":{"twice":2,"argv":["two words"]}}');
  assertEquals(await ask("raw"), '{"status":"success","result":{"command_id":"raw","n":1}}');
  assertEquals(await ask("text"), '{"status":"success","result":"done, 3 V"}');
  assertEquals(await ask("silent"), '{"status":"success"}');
  assertEquals(await ask("fail"), '{"status":"error","error":"no such port: COM9"}');
  assertMatch(await ask("exit"), /"error":"Program .*python.* ended with exit code 3"/);
});

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
    answer = {"status": "error", "error": "no"} if data.get("fail") else {"count": count}
    print(json.dumps(answer), flush=True)
`,
  });
  await using server = await serve(["--exec-persistent", `${PYTHON} supply.py`], {
    cwd: files.path,
  });
  assertEquals(await server.ask("{}"), '{"status":"success","result":{"count":1}}');
  assertEquals(await server.ask("{}"), '{"status":"success","result":{"count":2}}');
  assertEquals(await server.ask('{"fail":true}'), '{"status":"error","error":"no"}');
  assertMatch(
    await server.ask('{"die":true}'),
    /^\{"status":"error","error":"Program .* ended with exit code 1: interlock"\}$/,
  );
  assertEquals(await server.ask("{}"), '{"status":"success","result":{"count":1}}');
  await server.program.until("stderr", /ended with exit code 1: interlock; starting it again/);
  const { code } = await interrupt(server.program);
  if (!windows) assertEquals(code, 0);
});

Deno.test("json-server rejects options that do not fit", async () => {
  const cases: [string[], string][] = [
    [["--exec", "labwire-no-such-program x"], 'Cannot find program "labwire-no-such-program"'],
    [["--exec-persistent", "./labwire-no-such-program"], "there is no such file"],
    [["--exec", "'open"], "is not closed"],
    [["--exec", "a", "--handler", "b.js"], "expected one"],
    [["--port", "65536"], "expected a whole number from 0 to 65535"],
    [["--allow", "10.0.0.0/33"], "Cannot parse network"],
    [["--tls-cert", "cert.pem"], "expected both --tls-cert and --tls-key"],
    [
      ["--tls-cert", "no.pem", "--tls-key", "no.pem"],
      'Cannot read --tls-cert "no.pem": no such file',
    ],
    [["--fail-status", "bad"], "expected one of error, failed"],
    [["--concurrency", "0"], "expected a whole number of at least 1"],
    [["--exec-persistant", "x"], 'did you mean "--exec-persistent"?'],
  ];
  await Promise.all(cases.map(async ([args, reason]) => {
    const { code, stderr, stdout } = await labwire(["json-server", "--port", "0", ...args]);
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, reason);
  }));
});

Deno.test("json-server says that a port is in use", async () => {
  await using server = await serve([]);
  const { code, stderr } = await labwire(["json-server", "--port", String(server.addr.port)]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, `Cannot listen on "127.0.0.1:${server.addr.port}"`);
});

Deno.test("json-server takes its limits from the command line", async () => {
  await using server = await serve([
    ...["--max-bytes", "20", "--max-connections", "1", "--idle-timeout", "0.3"],
    ...["--fail-status", "failed"],
  ]);
  await using peer = await server.connect();
  assertEquals(
    await peer.ask("x".repeat(21)),
    '{"status":"failed","error":"Cannot read line: it is longer than 20 bytes"}',
  );
  {
    await using second = await server.connect();
    assertEquals(
      await second.line(),
      '{"status":"failed","error":"Too many connections: 1 are open already"}',
    );
  }
  assertEquals(await peer.line(), null); // idle
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

Deno.test("json-server --allow keeps others out, and listening for everybody prints a warning", async () => {
  {
    await using server = await serve(["--allow", "192.0.2.0/24,10.0.0.1"]);
    await using peer = await server.connect();
    assertEquals(await peer.line(), null);
    await server.program.until("stderr", /warning: Refused 127\.0\.0\.1:\d+: not in the list/);
  }
  const warning = "warning: Everybody who can reach 0.0.0.0 can connect";
  await using open = await serve(["--host", "0.0.0.0"]);
  assertStringIncludes(open.program.stderr, warning);
  await using restricted = await serve(["--host", "0.0.0.0", "--allow", "127.0.0.1"]);
  assertEquals(restricted.program.stderr.includes("warning"), false);
});

const openssl = needs("openssl");

Deno.test(`json-server serves TLS to openssl s_client${openssl.note}`, {
  ignore: openssl.ignore,
}, async () => {
  await using tls = await makeCertificate();
  await using server = await serve(["--tls-cert", tls.certFile, "--tls-key", tls.keyFile]);
  await using client = startPeer("openssl", [
    ...["s_client", "-connect", `127.0.0.1:${server.addr.port}`, "-quiet", "-no_ign_eof"],
    ...["-CAfile", tls.certFile, "-verify_return_error"],
  ]);
  await client.write('{"command_id":"a","id":1}\nx\n');
  await client.until("stdout", /^\{"status":"success","id":1\}\n\{"status":"error",.*\}\n/);
});

const nc = needs("nc");

Deno.test(`json-server answers nc${nc.note}`, { ignore: nc.ignore }, async () => {
  await using server = await serve([]);
  await using client = startPeer("nc", ["127.0.0.1", String(server.addr.port)]);
  await client.write('{"command_id":"a"}\r\n\r\n{"command_id":');
  await client.until("stdout", /^\{"status":"success"\}\n/);
  await client.write('"b"}\n');
  await client.until("stdout", /^(\{"status":"success"\}\n){2}$/);
});

Deno.test(`json-server takes what nc -N sends without a newline${nc.note}`, {
  ignore: nc.ignore,
}, async () => {
  await using server = await serve([]);
  await using client = startPeer("nc", ["-N", "127.0.0.1", String(server.addr.port)]);
  await client.write('{"command_id":"a"}');
  await client.closeInput();
  assertEquals((await client.result()).stdout, '{"status":"success"}\n');
});

Deno.test("json-server answers the messages in hand when Ctrl-C comes, and exits with 0", {
  ignore: windows,
}, async () => {
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
});

Deno.test("json-server --debug tells what happens", async () => {
  await using files = await folder({
    "bad.js": "export function interact(data) { return data.missing.name; }",
  });
  await using server = await serve(["--debug", "--handler", `${files.path}/bad.js`]);
  await server.ask("{}");
  const [text] = await server.program.until("stderr", /^[^]*Connection with .* is over.*$/m);
  assertMatch(text, /Connected with 127\.0\.0\.1:\d+/);
  assertMatch(text, /sent \{\}/);
  assertMatch(text, /TypeError: .*\n\s+at .*interact \(.*bad\.js/);
  assert(server.program.stdout === "");
});
