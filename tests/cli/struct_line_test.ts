import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { makeCertificate } from "../interop/certificate.ts";
import { needs } from "../interop/peer.ts";
import { labwire } from "./run.ts";
import { bareServer, client, readExactly, readToEnd, serve } from "./struct_serve.ts";

const THREE = ["--format", "!I30sd", "--fields", "repetitions,text,pause"];
const openssl = needs("openssl");

async function withFile<T>(name: string, text: string, use: (path: string) => Promise<T>) {
  const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
  try {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    return await use(`${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("struct-line server and client: what one end prints, the other can send back", async () => {
  await using server = await serve(THREE);
  const input = '{"repetitions":3,"text":"hello","pause":0.5}\n[0,{"hex":"ff00"},"NaN"]\n';
  const { code, stderr } = await server.client(THREE, { input });
  assertEquals(code, 0, stderr);
  assertStringIncludes(
    stderr,
    "Connected with server.\n0 records received, 2 sent, 1 connection\n",
  );
  const { stdout } = await server.stop();
  const [first, second] = stdout.trimEnd().split("\n");
  assertEquals(first, '{"repetitions":3,"text":"hello","pause":0.5}');
  assertEquals(JSON.parse(second!), {
    repetitions: 0,
    text: { hex: "ff".padEnd(60, "0") },
    pause: "NaN",
  });

  await using echo = await serve([...THREE, "--echo"]);
  const back = await echo.client(THREE, { input: stdout });
  assertEquals([back.code, back.stdout], [0, stdout]);
});

Deno.test("struct-line uses !I2sd unless told otherwise", async () => {
  using server = bareServer();
  await using program = client(server.port, ["--once", "--send", '[1,"ab",0.5]']);
  const conn = await server.accept();
  assertEquals(await readToEnd(conn), "0000000161623fe0000000000000");
  assertEquals((await program.result()).code, 0);
});

Deno.test("struct-line server sends lines of stdin to all who are connected", async () => {
  await using server = await serve(["--format", "<H"], { stdin: "piped" });
  await server.program.write("[1]\n"); // before anybody is there: waits for the first one
  using first = await server.connect();
  assertEquals((await readExactly(first, 2)).toHex(), "0100");
  using second = await server.connect();
  await server.program.until("stderr", /(Connected with [^]*){2}/);
  await server.program.write("[513]\n");
  for (const conn of [first, second]) assertEquals((await readExactly(conn, 2)).toHex(), "0102");
});

Deno.test("struct-line server serves several at once and one after another", async () => {
  await using server = await serve(["--format", "!I", "--echo"]);
  using idle = await server.connect();
  for (const n of [1, 2, 3]) {
    const { stdout } = await server.client(["--format", "!I", "--count", "1", "--send", `[${n}]`]);
    assertEquals(stdout, `[${n}]\n`);
  }
  await idle.write(Uint8Array.of(0, 0, 0, 9));
  assertEquals((await readExactly(idle, 4)).at(-1), 9);
});

Deno.test("struct-line --output prints records as JSON, hex, CSV or not at all", async () => {
  const record = '[1,"a,b",{"re":1,"im":-2}]';
  const expected: Record<string, string> = {
    json: '{"n":1,"text":"a,b","z":{"re":1,"im":-2}}\n',
    hex: "00000001612c6200003f800000c0000000\n",
    csv: 'n,text,z\n1,"a,b",1-2j\n',
    none: "",
  };
  for (const [output, printed] of Object.entries(expected)) {
    const args = ["--format", "!I5sF", "--fields", "n,text,z", "--output", output, "--count", "1"];
    await using server = await serve(args);
    await server.client(["--format", "!I5sF", "--once", "--send", record]);
    const { code, stdout } = await server.program.result();
    assertEquals([code, stdout], [0, printed]);
  }
});

Deno.test("struct-line --output hex prints the bytes as they came", async () => {
  await using server = await serve(["--format", "!3x?4p", "--output", "hex", "--count", "1"]);
  using conn = await server.connect();
  await conn.write(Uint8Array.of(1, 2, 3, 7, 1, 65, 9, 9));
  const ends = readToEnd(conn);
  assertEquals((await server.program.result()).stdout, "0102030701410909\n");
  await ends;
});

Deno.test("struct-line --bytes decides how byte strings are printed", async () => {
  const expected = {
    auto: '["ab"]',
    text: '["ab"]',
    hex: '[{"hex":"61620000"}]',
    base64: '[{"base64":"YWIAAA=="}]',
  };
  for (const [form, line] of Object.entries(expected)) {
    await using server = await serve(["--format", "4s", "--bytes", form, "--count", "1"]);
    await server.client(["--format", "4s", "--once", "--send", '["ab"]']);
    assertEquals((await server.program.result()).stdout, line + "\n");
  }
});

Deno.test("struct-line --platform and --truncate say how records are packed", async () => {
  using server = bareServer();
  const args = ["--format", "@l2s", "--platform", "windows", "--truncate", "--once"];
  await using program = client(server.port, [...args, "--send", '[1,"a€"]']);
  assertEquals(await readToEnd(await server.accept()), "010000006100");
  await program.result();
});

Deno.test("struct-line server --send greets everybody, --once ends after it", async () => {
  await using server = await serve(["--format", "!H", "--send", "[7]"]);
  for (const _ of [1, 2]) {
    using conn = await server.connect();
    assertEquals((await readExactly(conn, 2)).toHex(), "0007");
  }
  await using once = await serve(["--format", "!H", "--send", "[7]", "--once"]);
  using conn = await once.connect();
  assertEquals(await readToEnd(conn), "0007");
  assertEquals((await once.program.result()).code, 0);
});

Deno.test("struct-line --once ends after the lines of stdin", async () => {
  using server = bareServer();
  await using program = client(server.port, ["--format", "!H", "--once"], { stdin: "piped" });
  const conn = await server.accept();
  await program.write("[1]\n[2]\n");
  await program.closeInput();
  assertEquals(await readToEnd(conn), "00010002");
  assertEquals((await program.result()).code, 0);
});

Deno.test("struct-line --count ends after so many records, though more have come", async () => {
  await using server = await serve(["--format", "!B", "--count", "3"]);
  using conn = await server.connect();
  await conn.write(Uint8Array.of(1, 2, 3, 4, 5));
  const ends = readToEnd(conn);
  const { code, stdout } = await server.program.result();
  assertEquals([code, stdout], [0, "[1]\n[2]\n[3]\n"]);
  await ends;
});

Deno.test("struct-line --handler calls the module with each record and the line", async () => {
  const module = `
    export default async function ([n, text], line) {
      if (n === 0) throw new Error("zero is not for me");
      await line.send([n * 2, new TextDecoder().decode(text.subarray(0, 2)) + "!"]);
    }`;
  await withFile("double.js", module, async (path) => {
    const args = ["--format", "!I5s", "--handler", path];
    await using server = await serve([...args, "--output", "none"]);
    const { stdout } = await server.client(
      ["--format", "!I5s", "--count", "1"],
      { input: '[0,"a"]\n[4,"hi"]\n' },
    );
    assertEquals(stdout, '[8,"hi!"]\n');
    const { stderr } = await server.stop();
    assertStringIncludes(stderr, "warning: Handling a record failed: zero is not for me");
  });
});

Deno.test("struct-line --handler says what is wrong with a module", async () => {
  await withFile("none.js", "export const x = 1;", async (path) => {
    const wrong = await labwire(["struct-line", "server", "--handler", path]);
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.stderr, 'expected "export default function (values, line) { … }"');
  });
  const missing = await labwire(["struct-line", "server", "--handler", "/nowhere.js"]);
  assertEquals([missing.code, missing.stderr], [
    2,
    'error: Cannot load handler "/nowhere.js": no such file\n',
  ]);
});

const python = needs("python3");

Deno.test({
  name:
    `struct-line --exec gives each record to a program and sends back what it prints${python.note}`,
  ignore: python.ignore,
  async fn() {
    const script = `
import json, sys
record = json.loads(sys.stdin.readline())
if record["n"] == 0: sys.exit("no zero, please")
for i in range(record["n"]): print(json.dumps({"n": i, "t": record["t"]}))
`;
    await withFile("repeat.py", script, async (path) => {
      const args = ["--format", "!I3s", "--fields", "n,t"];
      await using server = await serve([
        ...args,
        "--exec",
        `python3 ${path}`,
        "--exec-timeout",
        "60",
      ]);
      const { code, stdout } = await server.client(args, {
        input: '[0,"x"]\n[1,"a"]\n{"n":2,"t":"b"}\n',
      });
      assertEquals([code, stdout], [
        0,
        '{"n":0,"t":"a"}\n{"n":0,"t":"b"}\n{"n":1,"t":"b"}\n',
      ]);
      assertStringIncludes(
        (await server.stop()).stderr,
        "Handling a record failed: no zero, please",
      );
    });
  },
});

Deno.test({
  name: `struct-line --exec-timeout ends a program that takes too long${python.note}`,
  ignore: python.ignore,
  async fn() {
    const program = `python3 -c "import time; time.sleep(600)"`;
    await using server = await serve([
      "--format",
      "!B",
      "--exec",
      program,
      "--exec-timeout",
      "0.2",
    ]);
    assertEquals((await server.client(["--format", "!B"], { input: "[1]\n" })).code, 0);
    const { stderr } = await server.stop();
    assertStringIncludes(stderr, "Handling a record failed: No answer from program");
    assertStringIncludes(stderr, "within 0.2 s");
    assertStringIncludes(stderr, "1 record received, 0 sent, 1 connection, 1 failed\n");
  },
});

Deno.test({
  name:
    `struct-line --exec: a program may finish its work after Ctrl-C, within the grace${python.note}`,
  ignore: python.ignore,
  async fn() {
    const script = `
import socket, sys
record = sys.stdin.readline()
with socket.create_connection(("127.0.0.1", int(record.strip("[]\\n")))) as test: test.recv(1)
print(record)
`;
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await withFile("slow.py", script, async (path) => {
      await using server = await serve(["--format", "!H", "--exec", `python3 ${path}`]);
      using client = await server.connect();
      const { port } = listener.addr as Deno.NetAddr;
      const record = new Uint8Array([port >> 8, port & 0xff]);
      await client.write(record);
      using begun = await listener.accept();
      server.program.interrupt();
      await server.program.until("stderr", /Waiting up to 5 s/);
      await begun.write(record);
      assertEquals(await readExactly(client, 2), record);
      const { stderr } = await server.program.result();
      assertStringIncludes(stderr, "1 record received, 1 sent, 1 connection\n");
    });
  },
});

Deno.test("struct-line refuses options that do not go together or make no sense", async () => {
  const notPem = new URL(import.meta.url).pathname.replace(/^\/(?=[A-Z]:)/, "");
  const cases: [string[], string][] = [
    [
      ["server", "--echo", "--exec", "x"],
      "Cannot use several of --handler, --exec, --exec-persistent and --echo",
    ],
    [["server", "--exec", "no-such-program-anywhere"], "Cannot find program"],
    [["server", "--format", "!I2y"], 'Cannot parse struct format "!I2y" at character 4'],
    [["server", "--format", "!"], 'Cannot use "!" for the records of a stream: it has no bytes'],
    [["server", "--format", "999999999999s"], "it has 999999999999 bytes, more than 1073741824"],
    [["server", "--format", "20000000b"], "it has 20000000 values, more than 16777216"],
    [["server", "--fields", "a,b"], 'Cannot name the fields of "!I2sd": expected 3 names, got 2'],
    [["server", "--tls-cert", "x"], "expected both --tls-cert and --tls-key"],
    [["server", "--allow", "x"], 'Cannot parse network "x"'],
    [["client", "--send", "[1]"], "Cannot read --send: Cannot read record: expected 3 values"],
    [["client", "--send", "1,x,0"], "Cannot read --send: expected JSON, such as [1,0.5]: Cannot"],
    [
      ["client", "--send", '[-1,"",0]'],
      'Cannot read --send: Cannot pack item 0 ("I" in "!I2sd"): -1',
    ],
    [["client", "--ca", "/nowhere.pem"], 'Cannot read --ca "/nowhere.pem": no such file'],
    [["client", "--ca", notPem], "expected a PEM file"],
    [["client", "--count", "0"], "Cannot read --count"],
    [["client", "--output", "xml"], "expected one of json, csv, hex, raw, none"],
    [["clients"], 'did you mean "struct-line client"?'],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await labwire(["struct-line", ...args]);
    assertEquals(code, 2, `${args}: ${stderr}`);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("struct-line server --max-connections and --allow keep others out", async () => {
  await using server = await serve(["--format", "!H", "--max-connections", "1"]);
  using first = await server.connect();
  await first.write(Uint8Array.of(0, 1));
  await server.program.until("stdout", /\[1\]/);
  using second = await server.connect();
  assertEquals(await second.read(new Uint8Array(1)).catch(() => null), null);
  await server.program.until("stderr", /Refused 127\.0\.0\.1:\d+: 1 connection is open already/);

  await using strict = await serve(["--host", "0.0.0.0", "--allow", "192.0.2.0/24"]);
  using third = await strict.connect();
  assertEquals(await third.read(new Uint8Array(1)).catch(() => null), null);
  await strict.program.until("stderr", /Refused 127\.0\.0\.1:\d+: not in the allow list/);
});

Deno.test("struct-line server warns when everybody can connect", async () => {
  await using server = await serve(["--host", "0.0.0.0"]);
  assertStringIncludes(server.program.stderr, "Everybody who can reach 0.0.0.0 can connect");
});

Deno.test({
  name: `struct-line speaks TLS${openssl.note}`,
  ignore: openssl.ignore,
  async fn() {
    await using files = await makeCertificate();
    const { certFile, keyFile } = files;
    await using server = await serve(
      ["--format", "!H", "--echo", "--tls-cert", certFile, "--tls-key", keyFile],
    );
    const args = ["--format", "!H", "--count", "1", "--send", "[7]", "--attempts", "1"];
    const { code, stdout } = await server.client([...args, "--ca", certFile]);
    assertEquals([code, stdout], [0, "[7]\n"]);
    const wary = await server.client([...args, "--tls"]);
    assertEquals(wary.code, 4);
    assertStringIncludes(wary.stderr, "TLS");
  },
});

Deno.test("struct-line --quiet says nothing, --help shows examples", async () => {
  for (const args of [["--help"], ["-h"]]) {
    const { code, stdout } = await labwire(["struct-line", ...args]);
    assertEquals(code, 0);
    assertMatch(stdout, /^Usage: labwire struct-line server\|client\|pack\|unpack\|size/);
    assertStringIncludes(stdout, "  struct-line size    print how many bytes");
  }
  await using server = await serve(["--format", "!H", "--echo"]);
  const args = ["--format", "!H", "--quiet", "--count", "1", "--send", "[7]"];
  const quiet = await server.client(args);
  assertEquals([quiet.code, quiet.stdout, quiet.stderr], [0, "[7]\n", ""]);
  for (const name of ["server", "client", "pack", "unpack", "size"]) {
    const { code, stdout } = await labwire(["struct-line", name, "--help"]);
    assertEquals(code, 0);
    assert(stdout.includes("Examples:") && stdout.includes(`labwire struct-line ${name} `), name);
  }
});

Deno.test("struct-line server --echo slows down a peer that does not read", async () => {
  const size = 1 << 16;
  await using server = await serve(["--format", `${size}s`, "--echo", "--output", "none"]);
  using conn = await server.connect();
  const record = new Uint8Array(size).fill(65);
  let [sent, stuck] = [0, false];
  const sending = (async () => {
    while (!stuck && sent < 4000 * size) sent += await conn.write(record);
  })();
  // The buffers on the way are finite: from some byte on nothing is taken any more.
  for (let [last, looks] = [-1, 0]; looks < 4;) {
    looks = last === sent ? looks + 1 : 0;
    last = sent;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  stuck = true;
  const held = sent;
  let back = 0;
  const buffer = new Uint8Array(1 << 20);
  for (let done = false; !done || back < sent - sent % size;) {
    back += (await conn.read(buffer))!;
    await Promise.race([sending.then(() => done = true), Promise.resolve()]);
  }
  assert(held > 0 && held < 500 * size, `${held}`);
});
