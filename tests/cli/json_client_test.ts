import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type JsonServerOptions, startJsonServer } from "../../mod.ts";
import { makeCertificate } from "../interop/certificate.ts";
import { needs, startPython } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { plainText, startOnTerminal } from "./pty.ts";
import { labwire, programCommand, startServer } from "./run.ts";

const python = needs(PYTHON);

/** A server that notes what it gets, and the real json-client for it. */
function lab(options: JsonServerOptions = {}) {
  const received: string[] = [];
  const server = startJsonServer({
    port: 0,
    interact(data, { bytes }) {
      received.push(new TextDecoder().decode(bytes));
      if (data.fail) throw new Error(data.fail);
      return data.result;
    },
    ...options,
  });
  const port = ["--port", String(server.addr.port)];
  return {
    server,
    received,
    port,
    send: (args: string[], input?: string | Uint8Array) =>
      labwire(["json-client", ...port, ...args], { input }),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

Deno.test("json-client sends a JSON text as it is", async () => {
  await using to = lab();
  const text = '{"command_id": "test_command", "gain": 1.0, "big": 18446744073709551615}';
  const { code, stdout, stderr } = await to.send([text]);
  assertEquals([code, stdout, stderr], [0, "", ""]);
  assertEquals(to.received, [text]);
});

Deno.test("json-client sends words in HTTPie's notation", async () => {
  await using to = lab();
  const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
  try {
    await Deno.writeTextFile(`${folder}/note.txt`, "a note");
    await Deno.writeTextFile(`${folder}/list.json`, "[1,\n 2]");
    const { code } = await to.send([
      ...["test_command", "param1=100", "param2=this is text", "param3:=true", "param4:=[1,2]"],
      ...[
        "cfg[gain]:=1.0",
        "cfg[modes][]=fast",
        "negative:=-5",
        `note=@${folder}/note.txt`,
        `list:=@${folder}/list.json`,
      ],
    ]);
    assertEquals(code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assertEquals(to.received, [
    '{"command_id":"test_command","param1":"100","param2":"this is text","param3":true,' +
    '"param4":[1,2],"cfg":{"gain":1.0,"modes":["fast"]},"negative":-5,"note":"a note","list":[1,2]}',
  ]);
});

Deno.test("json-client --file sends the message in a file", async () => {
  await using to = lab();
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, '\uFEFF{\r\n  "a": 1.0,\n  "b": "x\\ny"\n}\n');
    assertEquals((await to.send(["--file", file])).code, 0);
    await Deno.writeTextFile(file, '{"a": 1,}');
    const { code, stderr } = await to.send(["--file", file]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "Cannot parse JSON at byte 8 (line 1, column 9)");
  } finally {
    await Deno.remove(file);
  }
  assertEquals(to.received, ['{   "a": 1.0,   "b": "x\\ny" }']);
});

Deno.test("json-client prints the result and nothing else, and errors on stderr", async () => {
  await using to = lab();
  const cases: [string[], number, string, string][] = [
    [["x", "result:=[1.5,2]"], 0, "[1.5,2]\n", ""],
    [["x", "result=3 V"], 0, "3 V\n", ""],
    [["x", "result:=null"], 0, "null\n", ""],
    [["x", "result="], 0, "\n", ""],
    [["x"], 0, "", ""],
    [["x", "result=3\x1b[2JV"], 0, "3\\x1b[2JV\n", ""],
    [["x", "fail=no such port"], 3, "", "error: Server reported an error. no such port\n"],
    [
      ["x", "fail=no number", "volts=2.5"],
      3,
      "",
      "error: Server reported an error. no number; volts=2.5 sent a text, volts:=2.5 sends the value\n",
    ],
    [["x", "fail=no", "on:=true", "v=2 V"], 3, "", "error: Server reported an error. no\n"],
    [["x", "result=3", "--output", "none"], 0, "", ""],
    [["x", "fail=no", "--output", "none"], 3, "", "error: Server reported an error. no\n"],
  ];
  for (const [args, code, stdout, stderr] of cases) {
    assertEquals([args, await to.send(args)], [args, { code, stdout, stderr }]);
  }
  await to.server.close();
  const refused =
    `error: Cannot connect to "127.0.0.1:${to.server.addr.port}": connection refused\n`;
  assertEquals(await to.send(["x"]), { code: 4, stdout: "", stderr: refused });
});

Deno.test(`json-client says on a terminal what the template says${python.note}`, {
  ignore: python.ignore || Deno.build.os === "windows",
}, async () => {
  await using to = lab();
  const shown = async (...args: string[]) => {
    await using client = startOnTerminal(["json-client", ...to.port, ...args]);
    return plainText((await client.result()).stdout);
  };
  assertEquals(await shown("x", "result=3 V"), "Server reported success.\n3 V\n");
  assertEquals(await shown("x"), "Server reported success.\n");
  assertEquals(await shown("x", "fail=no"), "error: Server reported an error. no\n");

  await using prompt = startOnTerminal(["json-client", ...to.port]);
  await prompt.until("stdout", /> /);
  await prompt.write("x fail=no volts=2\r");
  await prompt.until("stdout", /no; volts=2 sent a text, volts:=2 sends the value/);
  await prompt.write("\x04");
  assertEquals((await prompt.result()).code, 0);
});

Deno.test('json-client takes "failed" for a failure too', async () => {
  await using to = lab({ failStatus: "failed" });
  assertEquals((await to.send(["x", "fail=no"])).code, 3);
});

Deno.test("json-client --output json prints the answer itself", async () => {
  await using to = lab();
  const answered = await to.send(["x", "id:=7", "result:=2", "--output", "json"]);
  assertEquals(answered.stdout, '{"status":"success","id":7,"result":2}\n');
  const failed = await to.send(["--output=json", "x", "fail=no"]);
  assertEquals([failed.code, failed.stdout], [3, '{"status":"error","error":"no"}\n']);
});

Deno.test("json-client --timeout gives up on a server that is silent, and says that the message was sent", async () => {
  await using to = lab({ interact: () => new Promise(() => {}), grace: 0 });
  const { code, stdout, stderr } = await to.send(["x", "--timeout", "0.3"]);
  assertEquals([code, stdout], [4, ""]);
  const where = `"127.0.0.1:${to.server.addr.port}"`;
  assertEquals(
    stderr,
    `error: No answer from ${where} within 0.3 s: the message was sent, and may still be carried out\n`,
  );
});

Deno.test(
  "json-client exits with 130 after Ctrl-C while it waits for its answer, and with 0 between messages",
  {
    ignore: Deno.build.os === "windows",
  },
  async () => {
    let arrived = Promise.withResolvers<void>();
    const interact = (data: { hang?: boolean }) =>
      data.hang && new Promise(() => arrived.resolve());
    await using to = lab({ interact, concurrency: 3, grace: 0 });
    for (const args of [["x", "hang:=true"], ["--output", "json", '{"hang": true}']]) {
      arrived = Promise.withResolvers();
      await using client = startServer(["json-client", ...to.port, ...args]);
      await arrived.promise;
      client.interrupt();
      const { code, stdout, stderr } = await client.result();
      assertEquals([code, stdout], [130, ""]);
      assertEquals(stderr, "warning: The message was sent, and may still be carried out\n");
    }
    await using lines = startServer(["json-client", ...to.port], { stdin: "piped" });
    await lines.write("{}\n");
    await lines.until("stdout", /success/);
    lines.interrupt();
    assertEquals((await lines.result()).code, 0);
    await lines.closeInput();
  },
);

Deno.test(
  "json-client exits with 130 after Ctrl-C while more of --replay is to be sent",
  { ignore: Deno.build.os === "windows" },
  async () => {
    await using to = lab();
    const file = await Deno.makeTempFile({ suffix: ".jsonl" });
    try {
      const entries = ["00", "59"].map((s) => `{"_time":"2026-01-01T00:00:${s}.000Z","data":{}}\n`);
      await Deno.writeTextFile(file, entries.join(""));
      await using client = startServer(["json-client", ...to.port, "--replay", file]);
      await client.until("stdout", /success/);
      client.interrupt();
      assertEquals((await client.result()).code, 130);
      assertEquals(to.received, ["{}"]);
    } finally {
      await Deno.remove(file);
    }
  },
);

Deno.test("json-client --retries tries again until the server is there", async () => {
  const probe = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = probe.addr;
  probe.close();
  const args = ["json-client", "--port", String(port), "--retries", "60", "--debug", "x"];
  await using client = startServer(args);
  await client.until("stderr", /Attempt 1 of 61/);
  await using _server = startJsonServer({ port });
  assertEquals((await client.result()).code, 0);
});

Deno.test("json-client sends JSON lines from standard input and prints the answers", async () => {
  await using to = lab();
  const input = '{"result":1}\n\n{"fail":"no"}\r\n{"result":"µ"}';
  const { code, stdout } = await to.send([], input);
  assertEquals(code, 3);
  assertEquals(stdout.split("\n"), [
    '{"status":"success","result":1}',
    '{"status":"error","error":"no"}',
    '{"status":"success","result":"µ"}',
    "",
  ]);
  assertEquals(to.server.stats.connections, 3);
  const text = await to.send(["--output", "text"], '{"result":1}\n');
  assertEquals([text.code, text.stdout], [0, "1\n"]);
});

Deno.test("json-client --keep-open uses one connection for all messages", async () => {
  await using to = lab();
  const input = Array.from({ length: 500 }, (_, n) => `{"result":${n}}\n`).join("");
  const { code, stdout } = await to.send(["--keep-open"], input);
  assertEquals(code, 0);
  assertEquals(
    stdout,
    Array.from({ length: 500 }, (_, n) => `{"status":"success","result":${n}}\n`).join(""),
  );
  assertEquals(to.server.stats.connections, 1);
});

Deno.test("json-client sends each line as soon as it is there", async () => {
  await using to = lab();
  await using client = startServer(["json-client", ...to.port], { stdin: "piped" });
  await client.write('{"result":1}\n');
  await client.until("stdout", /"result":1\}\n/);
  await client.write('{"result":2}\n');
  await client.until("stdout", /"result":2\}\n/);
  await client.closeInput();
  assertEquals((await client.result()).code, 0);
});

Deno.test("json-client sends the other lines when one is no JSON, and ends when nobody is there", async () => {
  await using to = lab();
  const bad = await to.send([], '{"result":1}\nresult=2\n{"result":3}\n');
  assertEquals(
    [bad.code, bad.stdout],
    [5, '{"status":"success","result":1}\n{"status":"success","result":3}\n'],
  );
  assertStringIncludes(bad.stderr, "error: Cannot send line 2: Cannot parse JSON at byte 0");
  const none = await to.send([], "a\n\nb\n");
  assertEquals([none.code, none.stdout, none.stderr.match(/^error/gm)?.length], [5, "", 2]);
  const cut = await to.send([], new Uint8Array([...new TextEncoder().encode('{"a":"'), 0xff]));
  assertEquals([cut.code, cut.stdout], [5, ""]);
  assertStringIncludes(cut.stderr, "Cannot send line 1: Cannot decode UTF-8 at byte 6");
  await to.server.close();
  const gone = await to.send([], "{}\n\n{}\n{}\n");
  assertEquals([gone.code, gone.stdout], [4, ""]);
  assertMatch(
    gone.stderr,
    /^error: Cannot connect .*\nerror: 2 lines were not sent, from line 3\n$/,
  );
});

/** A server that closes its first connection without an answer, and answers on all others. */
function closesFirst() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const received: string[] = [];
  const served = (async () => {
    let isFirst = true;
    for await (const connection of listener) {
      using _ = connection;
      const bytes = new Uint8Array(1024);
      const count = await connection.read(bytes) ?? 0;
      received.push(new TextDecoder().decode(bytes.subarray(0, count)));
      if (!isFirst) await connection.write(new TextEncoder().encode('{"status":"success"}\n'));
      isFirst = false;
    }
  })();
  return {
    port: String(listener.addr.port),
    received,
    async [Symbol.asyncDispose]() {
      listener.close();
      await served;
    },
  };
}

Deno.test("json-client sends nothing after a message without an answer, and says how many lines it did not send", async () => {
  const input = '{"command_id":"a"}\n\n{"command_id":"b"}\n{"command_id":"c"}\n';
  for (const keepOpen of [[], ["--keep-open"]]) {
    await using server = closesFirst();
    const { code, stderr } = await labwire(
      ["json-client", "--port", server.port, ...keepOpen],
      { input },
    );
    assertEquals([code, server.received], [4, ['{"command_id":"a"}\n']], stderr);
    assertMatch(stderr, /may still be carried out\nerror: 2 lines were not sent, from line 3\n$/);
  }
  await using server = closesFirst();
  await using client = startServer(["json-client", "--port", server.port], { stdin: "piped" });
  await client.write(input);
  const { code, stderr } = await client.result();
  assertEquals(code, 4);
  assertMatch(stderr, /error: At least 2 lines were not sent, from line 3\n$/);
  await client.closeInput();
});

Deno.test("json-client rejects command lines that make no sense", async () => {
  const cases: [string[], string][] = [
    [['{"a":'], "Cannot parse JSON at byte 5"],
    [["a", "b"], 'Cannot read argument "b": expected NAME=TEXT, NAME:=JSON or NAME=@FILE'],
    [["a", "b=@/no/such"], 'no such file "/no/such"'],
    [["a", "b[c=1"], 'Cannot read argument "b[c=1": expected brackets in pairs'],
    [["a", "b=1", "b[c]=2"], '"b" has a value already, from "b=1"'],
    [["a", "--output", "csv"], "expected one of text, json, none"],
    [["x", "--file", "y"], "Cannot send both --file and a message"],
    [["--file", "/no/such"], 'Cannot send file "/no/such": no such file'],
    [["x", "--ca", "/no/such"], 'Cannot read --ca "/no/such": no such file'],
    [["x", "--timeout", "-1"], "expected a number from 0.001"],
    [["x", "--port", "0"], 'Cannot read --port "0": expected a whole number from 1 to 65535'],
    [["x", "--speed", "2"], "Cannot use --speed without --replay: expected both"],
    [["x", "--retry", "1"], 'did you mean "--retries"?'],
    [[], "Cannot send nothing"],
  ];
  await Promise.all(cases.map(async ([args, reason]) => {
    const { code, stdout, stderr } = await labwire(["json-client", ...args]);
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, reason);
  }));
});

Deno.test(`json-client shows an answer that makes no sense${python.note}`, {
  ignore: python.ignore,
}, async () => {
  await using server = startPython(`
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1])
for answer in [b"Hello\\n", b'{"ok": 1}\\n', b""]:
    conn, _ = s.accept()
    conn.recv(1024)
    conn.sendall(answer)
    conn.close()
`);
  const [port] = await server.until("stdout", /^\d+/);
  const send = () => labwire(["json-client", "--port", port!, "x"]);
  const hello = await send();
  assertEquals([hello.code, hello.stdout], [5, ""]);
  assertStringIncludes(hello.stderr, 'Cannot read answer "Hello": Cannot parse JSON at byte 0');
  const status = await send();
  assertEquals(status.code, 5);
  assertStringIncludes(status.stderr, 'expected a "status"');
  const nothing = await send();
  assertEquals(nothing.code, 4);
  assertStringIncludes(nothing.stderr, "closed the connection without an answer");
});

const openssl = needs("openssl");

Deno.test(`json-client speaks TLS with Python's ssl${openssl.note}${python.note}`, {
  ignore: openssl.ignore || python.ignore,
}, async () => {
  await using tls = await makeCertificate();
  await using server = startPython(
    `
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1])
s = context.wrap_socket(listener.accept()[0], server_side=True)
print(s.recv(1024).decode())
s.sendall(b'{"status": "success"}\\n')
s.close()
`,
    tls.certFile,
    tls.keyFile,
  );
  const [port] = await server.until("stdout", /^\d+/);
  const { code, stdout, stderr } = await labwire([
    ...["json-client", "--port", port!, "--ca", tls.certFile, "x"],
  ]);
  assertEquals([code, stdout], [0, ""], stderr);
  await server.until("stdout", /\{"command_id":"x"\}/);
});

Deno.test(`json-client speaks TLS with json-server${openssl.note}`, {
  ignore: openssl.ignore,
}, async () => {
  await using tls = await makeCertificate();
  await using to = lab({ tls });
  assertEquals((await to.send(["x", "--ca", tls.certFile])).code, 0);
  const distrust = await to.send(["x", "--tls"]);
  assertEquals(distrust.code, 4);
  assertStringIncludes(distrust.stderr, "signed by an unknown authority");
});

Deno.test(`json-client prompts on a terminal, with history${python.note}`, {
  ignore: python.ignore || Deno.build.os === "windows",
}, async () => {
  await using to = lab();
  const [program, before] = programCommand();
  // Types each line when the prompt is there; the up arrow brings back the first message.
  await using terminal = startPython(
    `
import os, pty, re
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
def until(pattern):
    text = ""
    while not re.search(pattern, text):
        part = os.read(fd, 4096).decode()
        text += part
        sys.stdout.write(part)
until(r"> ")
for typed, wanted in [
    (b'set volts:=3 note="two words"\\r', "success"),
    (b'{"fail": "interlock"}\\r', "interlock"),
    (b'{"a":\\r', "Cannot parse JSON at byte 5"),
    (b'a "b\\r', "is not closed"),
    (b'\\x1b[A\\x1b[A\\x1b[A\\x1b[A\\r', "reported success"),
]:
    os.write(fd, typed)
    until(wanted + r"[^>]*> ")
os.write(fd, b"\\x04")
print("exit", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`,
    program,
    ...before,
    "json-client",
    ...to.port,
  );
  const { stdout, stderr } = await terminal.result();
  assertEquals(stderr, "");
  assertMatch(stdout, /exit 0\n$/);
  assertEquals(to.received, [
    '{"command_id":"set","volts":3,"note":"two words"}',
    '{"fail": "interlock"}',
    '{"command_id":"set","volts":3,"note":"two words"}',
  ]);
});

Deno.test(
  `Ctrl-C at the prompt stops the wait for an answer, and Ctrl-D ends it after the answer${python.note}`,
  {
    ignore: python.ignore || Deno.build.os === "windows",
  },
  async () => {
    for (
      const [key, ending, code] of [["\x03", /may still be carried out\n$/, 130], [
        "\x04",
        /success/,
        0,
      ]]
    ) {
      const arrived = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<void>();
      const received: string[] = [];
      await using to = lab({
        grace: 0,
        interact({ command_id }) {
          received.push(command_id);
          arrived.resolve();
          return answer.promise;
        },
      });
      await using client = startOnTerminal(["json-client", ...to.port]);
      await client.until("stdout", /> /);
      await client.write("wait\r");
      await arrived.promise;
      await client.write(key as string);
      if (code === 0) answer.resolve();
      const result = await client.result();
      assertEquals([result.code, received], [code, ["wait"]]);
      assertMatch(plainText(result.stdout), ending as RegExp);
    }
  },
);
