import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { makeCertificate } from "../interop/certificate.ts";
import { needs, startPeer, startPython } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { Peer } from "../json/peer.ts";
import { folder, interrupt, serve } from "./json_serve.ts";
import { plainText, startOnTerminal } from "./pty.ts";
import { labwire } from "./run.ts";

const windows = Deno.build.os === "windows";

const python = needs(PYTHON);

const message = '{"command_id":"test_command","param1":100,"param2":"this is text"}';

Deno.test("json-server prints messages, and a summary at the end", async () => {
  await using server = await serve([]);
  assertEquals(server.addr.hostname, "127.0.0.1");
  assertEquals(await server.ask(message), '{"status":"success"}');
  assertEquals(
    await server.ask('{"command_id": "other", "v": 1.0, "w": [1e400, -0.0]}'),
    '{"status":"success"}',
  );
  assertEquals(
    await server.ask("{}"),
    '{"status":"error","error":"Cannot find \\"command_id\\" in message"}',
  );
  await server.ask(String.raw`{"command_id":"test_command","title":"\u001b]0;\u00b5\u0007"}`);
  const { code, stdout, stderr } = await interrupt(server.program);
  if (windows) return;
  assertEquals(code, 0);
  assertEquals(stdout.split("\n"), [
    message,
    '{"command_id":"other","v":1.0,"w":[1e400,-0.0]}',
    String.raw`{"command_id":"test_command","title":"\u001b]0;µ\u0007"}`,
    "",
  ]);
  assertStringIncludes(stderr, 'failed: Cannot find "command_id" in message');
  assertStringIncludes(
    stderr,
    "4 messages, 3 successes, 1 failure, 0 invalid, 4 connections\nBye.",
  );
});

Deno.test(`json-server prints on a terminal as the template does${python.note}`, {
  ignore: python.ignore || windows,
}, async () => {
  await using server = startOnTerminal(["json-server", "--port", "0"]);
  const [, port] = await server.until("stdout", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready[^]*\n/);
  await using peer = await Peer.connect({ hostname: "127.0.0.1", port: Number(port) });
  await peer.ask('{"command_id":"test_command","param1":100.0,"param2":"this is text","id":1}');
  await peer.ask('{"command_id":"other"}');
  await peer.ask('{"command_id":"test_command","title":"\\u001b]0;x\\u0007","\u009b":1}');
  await server.until("stdout", /Data of \\x9b : {2}1/);
  await server.write("\x03");
  const { code, stdout } = await server.result();
  assertEquals(code, 0);
  const [, printed] = /Ready\. Ctrl-C to quit\.\n([^]*?)\n(?:\^C)?3 messages/.exec(
    plainText(stdout),
  )!;
  assertEquals(printed!.trimEnd().split("\n"), [
    'Received data is the following :  {"command_id":"test_command","param1":100.0,"param2":"this is text","id":1}',
    "Data of param1 :  100.0",
    "Data of param2 :  this is text",
    'Received data is the following :  {"command_id":"other"}',
    String
      .raw`Received data is the following :  {"command_id":"test_command","title":"\u001b]0;x\u0007","\x9b":1}`,
    String.raw`Data of title :  \x1b]0;x\x07`,
    String.raw`Data of \x9b :  1`,
  ]);
});

Deno.test("json-server --output none prints nothing", async () => {
  await using server = await serve(["--output", "none"]);
  await server.ask(message);
  const { stdout } = await interrupt(server.program);
  assertEquals(stdout, "");
});

Deno.test("json-server --output json writes a record of each message", async () => {
  await using server = await serve(["--output", "json"]);
  await server.ask('{"command_id":"a","id":7.0,"big":18446744073709551615, "w":[1e400,-0.0]}');
  await server.ask("nonsense");
  await server.program.until("stdout", /\n.*\n/);
  const lines = server.program.stdout.trimEnd().split("\n");
  assertEquals(lines.length, 2);
  assertMatch(
    lines[0]!,
    /^\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","peer":"127\.0\.0\.1:\d+","data":\{"command_id":"a","id":7\.0,"big":18446744073709551615,"w":\[1e400,-0\.0\]\},"answer":\{"status":"success","id":7\.0\},"duration":[\d.e-]+\}$/,
  );
  const record = JSON.parse(lines[1]!);
  assertEquals(record.data, null);
  assertEquals(record.answer.status, "error");
});

Deno.test("json-server rejects options that do not fit", async () => {
  const cases: [string[], string][] = [
    [["--exec", "labwire-no-such-program x"], 'Cannot find program "labwire-no-such-program"'],
    [["--exec-persistent", "./labwire-no-such-program"], "there is no such file"],
    [
      ["--exec", `'${import.meta.filename!.replaceAll("\\", "/")}'`],
      Deno.build.os === "windows" ? "" : "the file is not executable",
    ],
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
      '{"status":"failed","error":"Too many connections: 1 is open already"}',
    );
  }
  assertEquals(await peer.line(), null); // idle
});

Deno.test("json-server --allow keeps others out, and listening for everybody prints a warning", async () => {
  {
    await using server = await serve(["--allow", "192.0.2.0/24,10.0.0.1"]);
    await using peer = await server.connect();
    assertEquals(await peer.line(), null);
    await server.program.until(
      "stderr",
      /warning: Refused 127\.0\.0\.1:\d+: not in the allow list/,
    );
  }
  const warning = "warning: Everybody who can reach 0.0.0.0 can connect";
  await using open = await serve(["--host", "0.0.0.0"]);
  assertStringIncludes(open.program.stderr, warning);
  await using restricted = await serve(["--host", "0.0.0.0", "--allow", "127.0.0.1"]);
  assertEquals(restricted.program.stderr.includes("warning"), false);
});

Deno.test("json-server answers a message without a newline, and says so once for each client", async () => {
  await using server = await serve(["--complete-after", "0.05"]);
  for (let i = 0; i < 2; i++) {
    await using peer = await server.connect();
    await peer.write('{"command_id":"a"}');
    assertEquals(await peer.line(), '{"status":"success"}');
  }
  const { stderr } = await interrupt(server.program);
  const said = stderr.match(/^warning: .*$/gm);
  assertEquals(said?.length, 1);
  assertMatch(
    said![0],
    /^warning: A message from 127\.0\.0\.1:\d+ had no newline at its end, and was taken as complete after 0\.05 s of silence: have the client send "\\n" after each message$/,
  );
  await using never = await serve(["--complete-after", "0"]);
  await using peer = await never.connect();
  await peer.write('{"command_id":"b"}');
  assertEquals(await never.ask('{"command_id":"c"}'), '{"status":"success"}');
  assertEquals(await peer.ask(""), '{"status":"success"}');
  assertEquals((await interrupt(never.program)).stderr.includes("no newline"), false);
});

Deno.test(`json-server tells of a message that it does not begin${python.note}`, {
  ignore: python.ignore,
}, async () => {
  await using files = await folder({
    "gate.js": `
      let open;
      export const interact = (data) => {
        console.error("begin", data);
        if (data === "open") open();
        if (data === 1) return new Promise((resolve) => open = resolve);
      };`,
  });
  await using server = await serve([
    "--handler",
    `${files.path}/gate.js`,
    "--concurrency",
    "2",
    "--grace",
    "0.5",
  ]);
  await using first = await server.connect();
  await first.write("1\n");
  await server.program.until("stderr", /begin 1/);
  await using second = await server.connect();
  // Both places are taken: the third message waits.
  await second.write("1\n");
  await server.program.until("stderr", /begin 1[^]*begin 1/);
  await using client = startPython(
    `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b'"never"\\n')
time.sleep(0.2)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()
`,
    server.addr.port,
  );
  await client.result();
  await server.program.until(
    "stderr",
    /warning: Did not handle a message from 127\.0\.0\.1:\d+: it disconnected before its turn\n/,
  );
  const { stderr } = await interrupt(server.program);
  if (windows) return;
  assertMatch(stderr, /, 1 dropped\n/);
  assertEquals(stderr.includes("never"), false);
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

Deno.test("json-server --debug tells what happens", async () => {
  await using files = await folder({
    "bad.js": "export function interact(data) { return data.missing.name; }",
  });
  await using server = await serve(["--debug", "--handler", `${files.path}/bad.js`]);
  await server.ask("{}");
  const [text] = await server.program.until("stderr", /^[^]*Connection with .* closed.*$/m);
  assertMatch(text, /Connected with 127\.0\.0\.1:\d+/);
  assertMatch(text, /sent \{\}/);
  assertMatch(text, /TypeError: .*\n\s+at .*interact \(.*bad\.js/);
  assert(server.program.stdout === "");
});
