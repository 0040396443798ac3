import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { labwire, type Running, startServer } from "./run.ts";
import { bareServer, client, readExactly, readToEnd, serve } from "./struct_serve.ts";
import { freePort } from "../net/free_port.ts";

/** Writes all of standard input. */
async function input(program: Running, text: string): Promise<void> {
  await program.write(text);
  await program.closeInput();
}

for (const options of [[], ["--once"], ["--reconnect"], ["--count", "1"]]) {
  const given = ["struct-line client", ...options].join(" ");
  Deno.test(`${given} ends with 5 when no line of stdin was a record`, async () => {
    using server = bareServer();
    await using program = client(server.port, ["--format", "!Hd", ...options], { stdin: "piped" });
    using conn = await server.accept(); // says nothing, and in the first case does not end
    const ends = options.length > 0 ? readToEnd(conn) : undefined;
    await input(program, "nonsense\n\n[1]\n[1,2,3]\n");
    const { code, stderr } = await program.result();
    assertEquals(code, 5, stderr);
    assertStringIncludes(stderr, "Cannot send line 1: ");
    assertMatch(stderr, /\n0 records received, 0 sent, 1 connection, 3 bad lines\n$/);
    assertEquals(await (ends ?? readToEnd(conn)), "");
  });
}

Deno.test("struct-line client --send ends with 5 when no line of stdin was a record", async () => {
  using server = bareServer();
  const args = ["--format", "!H", "--send", "[7]"];
  await using program = client(server.port, args, { stdin: "piped" });
  const conn = await server.accept();
  await input(program, "nonsense\n");
  assertEquals(await readToEnd(conn), "0007"); // to the end, which the client makes
  assertEquals((await program.result()).code, 5);
});

for (const options of [[], ["--once"], ["--reconnect"], ["--count", "1"]]) {
  const given = ["struct-line client", ...options].join(" ");
  Deno.test(`${given} ends with 5 when stdin has blank lines or a header only`, async () => {
    for (const text of ["\n", "\n \r\n\n", "n\n", "\nn\n\n"]) {
      using server = bareServer();
      const args = ["--format", "<I", "--fields", "n", ...options];
      await using program = client(server.port, args, { stdin: "piped" });
      using conn = await server.accept(); // says nothing
      const ends = readToEnd(conn);
      await input(program, text);
      const { code, stderr } = await program.result();
      assertEquals(code, 5, stderr);
      assertStringIncludes(stderr, "error: Cannot find a record in standard input: expected more");
      assertEquals(await ends, "");
    }
  });
}

Deno.test("struct-line client ends with 0 when the server has ended while stdin had blank lines only", async () => {
  using server = bareServer();
  await using program = client(server.port, ["--format", "!H"], { stdin: "piped" });
  const conn = await server.accept();
  await program.write("\n\n");
  await conn.write(Uint8Array.of(0, 1));
  await program.until("stdout", /\[1\]\n/);
  conn.close();
  assertEquals((await program.result()).code, 0);
});

Deno.test("struct-line client sends the good lines among bad ones, as JSON and as CSV", async () => {
  const inputs = [
    "[1]\nnonsense\n[65536]\n{\n[2]\n",
    "1\nnonsense\n65536\n1,2\n2\n",
    '[1]\n"\n2\n',
  ];
  for (const text of inputs) {
    using server = bareServer();
    await using program = client(server.port, ["--format", "!H"], { stdin: "piped" });
    const conn = await server.accept();
    await input(program, text);
    assertEquals(await readToEnd(conn), "00010002", text);
    const { code, stderr } = await program.result();
    assertEquals(code, 5);
    assertStringIncludes(stderr, "Cannot send line 2: ");
  }
});

Deno.test("struct-line server --once ends with 5 when a line of stdin was no record", async () => {
  await using server = await serve(["--format", "!H", "--once"], { stdin: "piped" });
  await input(server.program, "[1]\nnonsense\n[2]\n");
  const conn = await server.connect();
  assertEquals(await readToEnd(conn), "00010002");
  const { code, stderr } = await server.program.result();
  assertEquals(code, 5);
  assertStringIncludes(stderr, "Cannot send line 2: ");
});

Deno.test("struct-line client --reconnect waits for a server that is not up yet, and says so once", async () => {
  const port = String(freePort());
  const args = ["--format", "!H", "--reconnect", "--retry-delay", "0.01", "--send", "[7]"];
  await using program = client(port, args);
  await program.until(
    "stderr",
    /Cannot connect to "127\.0\.0\.1:\d+": connection refused; trying again every 0\.01 s\n/,
  );
  {
    using server = bareServer(Number(port));
    using conn = await server.accept();
    assertEquals((await readExactly(conn, 2)).toHex(), "0007");
    await program.until("stderr", /Connected with server\./);
    assertEquals(program.stderr.match(/Cannot connect/g)?.length, 1, program.stderr);
  }
  // When it goes and comes again, the same.
  await program.until("stderr", /connecting again\.[^]*Cannot connect[^]*trying again/);
  using server = bareServer(Number(port));
  using conn = await server.accept();
  await conn.write(Uint8Array.of(0, 9));
  await program.until("stdout", /\[9\]/);
  assertEquals(program.stderr.match(/Cannot connect/g)?.length, 2, program.stderr);
  program.interrupt();
  assertEquals((await program.result()).code, 0);
});

Deno.test("struct-line client --reconnect --attempts limits the attempts in a row", async () => {
  const args = ["--format", "!H", "--reconnect", "--attempts", "2", "--retry-delay", "0.01"];
  const never = await client(String(freePort()), args).result();
  assertEquals(never.code, 4);
  assertMatch(
    never.stderr,
    /^Connection attempt 1 of 2 failed\.\nConnection attempt 2 of 2 failed\.\nerror: Cannot connect to ".*": connection refused\n$/,
  );
  let port: string;
  let program: Running;
  {
    using server = bareServer();
    port = server.port;
    program = client(port, args, { stdin: "piped" });
    (await server.accept()).close();
    await program.until("stderr", /Connected with server\./);
  }
  await using _ = program;
  const { code, stderr } = await program.result();
  assertEquals(code, 4);
  assertMatch(
    stderr,
    /attempt 2 of 2 failed\.\n0 records received, 0 sent, \d connections?\nerror: Cannot connect to ".*": connection refused\n$/,
  );
});

Deno.test("struct-line client ends with 4 when fewer records come than --count", async () => {
  using server = bareServer();
  const args = ["--format", "!H", "--count", "2", "--send", "[1]"];
  await using program = client(server.port, args);
  const conn = await server.accept();
  await conn.write(Uint8Array.of(0, 1));
  assertEquals((await readExactly(conn, 2)).toHex(), "0001");
  conn.close();
  const { code, stdout, stderr } = await program.result();
  assertEquals([code, stdout], [4, "[1]\n"]);
  assertMatch(stderr, /error: Cannot receive 2 records: the server ended after 1\n$/);
});

Deno.test("struct-line client ends with 4 when nobody is there", async () => {
  const { code, stderr } = await client(String(freePort()), ["--attempts", "1"]).result();
  assertEquals(code, 4);
  assertStringIncludes(stderr, "connection refused");
});

/** Which exit code Ctrl-C gives, by the options of a client. */
const INTERRUPTED: [options: string[], connected: boolean, code: number][] = [
  [[], true, 0],
  [["--reconnect"], true, 0],
  [["--reconnect"], false, 0],
  [["--count", "2"], true, 130],
  [["--count", "2", "--reconnect"], false, 130],
  [["--send", "[7]", "--reconnect"], false, 130],
  [["--attempts", "1000"], false, 130],
];

for (const [options, connected, expected] of INTERRUPTED) {
  const state = connected ? "connected" : "not connected";
  Deno.test(`struct-line ${["client", ...options].join(" ")}, ${state}: Ctrl-C gives ${expected}`, async () => {
    using server = bareServer();
    const port = connected ? server.port : String(freePort());
    await using program = client(port, ["--format", "!H", ...options]);
    await program.until("stderr", connected ? /Connected with server\./ : /failed|trying again/);
    if (connected) {
      const conn = await server.accept();
      await conn.write(Uint8Array.of(0, 1));
      await program.until("stdout", /\[1\]\n/);
      program.interrupt();
      await readToEnd(conn);
    } else program.interrupt();
    const { code, stderr } = await program.result();
    assertEquals(code, expected, stderr);
    assert(!stderr.includes("error:"), stderr);
  });
}

Deno.test("struct-line server ends with 0 by Ctrl-C, with 2 where it cannot listen", async () => {
  await using server = await serve(["--format", "!H"]);
  using conn = await server.connect();
  await server.program.until("stderr", /Connected with/);
  const ends = readToEnd(conn);
  assertEquals((await server.stop()).code, 0);
  await ends;
  using other = bareServer();
  await using second = startServer(
    ["struct-line", "server", "--host", "127.0.0.1", "--port", other.port],
  );
  assertEquals((await second.result()).code, 2);
});

Deno.test("struct-line tells one of a thing as one", async () => {
  using server = bareServer();
  await using program = client(server.port, ["--format", "!H", "--count", "1"]);
  const conn = await server.accept();
  await conn.write(Uint8Array.of(0, 1));
  const ends = readToEnd(conn);
  assertStringIncludes(
    (await program.result()).stderr,
    "1 record received, 0 sent, 1 connection\n",
  );
  await ends;
  const short = await labwire(["struct-line", "unpack", "B", "--", ""]);
  assertEquals(short.stderr, 'error: Cannot unpack "B": expected 1 byte, got 0\n');
  const many = await labwire(["struct-line", "pack", "B"], { input: "[1,2]" });
  assertStringIncludes(many.stderr, "Cannot read record: expected 1 value, got 2");
  const names = await labwire(["struct-line", "pack", "B", "--fields", "a,b", "1"]);
  assertStringIncludes(names.stderr, "expected 1 name, got 2");
});

Deno.test("struct-line client says after Ctrl-C which lines it did not send, and ends with 130", async () => {
  using server = bareServer();
  const args = ["--format", "60000s", "--fields", "text"];
  await using program = client(server.port, args, { stdin: "piped" });
  using _conn = await server.accept(); // reads nothing
  const lines = (count: number) => '["x"]\n'.repeat(count);
  // More than the system takes for a peer that does not read.
  await program.write(lines(1000));
  await program.closeInput();
  await program.until("stderr", /Connected/);
  program.interrupt();
  const { code, stderr } = await program.result();
  assertMatch(stderr, /\nerror: (At least )?\d+ lines were not sent, from line \d+\n$/);
  assertEquals(code, 130);
});

Deno.test("struct-line client says after Ctrl-C that one line was not sent, and ends with 130", async () => {
  using server = bareServer();
  const args = ["--format", "!H", "--reconnect", "--retry-delay", "1000"];
  await using program = client(server.port, args, { stdin: "piped" });
  (await server.accept()).close();
  await program.until("stderr", /connecting again\./);
  await input(program, "[7]\n");
  program.interrupt();
  const { code, stderr } = await program.result();
  assertStringIncludes(stderr, "\nerror: 1 line was not sent, from line 1\n");
  assertEquals(code, 130);
});

Deno.test("struct-line client ends with 0 after Ctrl-C where all was sent that was there", async () => {
  using server = bareServer();
  await using program = client(server.port, ["--format", "!H"], { stdin: "piped" });
  using conn = await server.accept();
  await program.write("[7]\n");
  assertEquals((await readExactly(conn, 2)).toHex(), "0007");
  program.interrupt();
  const { code, stderr } = await program.result();
  assertMatch(stderr, /\n0 records received, 1 sent, 1 connection\n$/);
  assertEquals(code, 0);
});

Deno.test("struct-line client --replay says after Ctrl-C that there was more to send, and ends with 130", async () => {
  const path = Deno.makeTempFileSync({ suffix: ".jsonl" });
  try {
    const line = (time: string, n: number) => `["2026-11-21T14:00:0${time}Z",${n}]\n`;
    Deno.writeTextFileSync(path, line("0.0", 7) + line("9.9", 8));
    using server = bareServer();
    await using program = client(server.port, ["--format", "!H", "--replay", path]);
    using conn = await server.accept();
    assertEquals((await readExactly(conn, 2)).toHex(), "0007");
    program.interrupt();
    const { code, stderr } = await program.result();
    assertStringIncludes(stderr, `error: "${path}" was not sent to its end\n`);
    assertEquals(code, 130);
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("struct-line client --replay goes on where the server has ended its half, however long the pauses are", async () => {
  const path = Deno.makeTempFileSync({ suffix: ".jsonl" });
  try {
    const line = (time: string, n: number) => `["2026-11-21T14:00:0${time}Z",${n}]\n`;
    Deno.writeTextFileSync(path, line("0.0", 7) + line("1.3", 8)); // longer than standard input may pause
    using server = bareServer();
    await using program = client(server.port, ["--format", "!H", "--replay", path]);
    using conn = await server.accept();
    await conn.closeWrite();
    assertEquals(await readToEnd(conn), "00070008");
    const { code, stderr } = await program.result();
    assertMatch(stderr, /\n0 records received, 2 sent, 1 connection\n$/);
    assertEquals(code, 0);
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("struct-line client says that the server closed before the end of a recording, or of standard input", async () => {
  const path = Deno.makeTempFileSync({ suffix: ".jsonl" });
  try {
    const line = (i: number) => `["2026-11-21T14:00:00.${i}Z",${i}]\n`;
    Deno.writeTextFileSync(path, Array.from({ length: 10 }, (_, i) => line(i)).join(""));
    using server = bareServer();
    await using replay = client(server.port, ["--format", "!H", "--replay", path]);
    const conn = await server.accept();
    assertEquals((await readExactly(conn, 2)).toHex(), "0000");
    conn.close();
    const { code, stderr } = await replay.result();
    assertStringIncludes(stderr, `error: "${path}" was not sent to its end: the server closed\n`);
    assertEquals(code, 4);

    await using piped = client(server.port, ["--format", "!H"], { stdin: "piped" });
    (await server.accept()).close();
    const second = await piped.result();
    assertStringIncludes(second.stderr, "The server closed before the end of the input\n");
    assertEquals(second.code, 0);
  } finally {
    Deno.removeSync(path);
  }
});
