/** How a line begins and ends: attempts to connect, bad input, either side that ends first. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { labwire } from "./run.ts";
import { freePort } from "../net/free_port.ts";
import { bareServer, client, readToEnd, serve } from "./struct_serve.ts";

Deno.test("struct-line client tells each attempt and exits with 4", async () => {
  const port = String(freePort());
  const { code, stderr } = await labwire([
    ...["struct-line", "client", "--host", "127.0.0.1", "--port", port],
    ...["--attempts", "3", "--retry-delay", "0.01", "--timeout", "3"],
  ]);
  assertEquals(code, 4);
  assertEquals(
    stderr.split("\n").slice(0, 3),
    [1, 2, 3].map((n) => `Connection attempt ${n} of 3 failed.`),
  );
  assertMatch(stderr, /error: Cannot connect to "127\.0\.0\.1:\d+": .*refused/);
});

Deno.test("struct-line client --timeout ends an attempt that nobody answers", async () => {
  using server = bareServer(); // accepts, but does not speak TLS
  const { code, stderr } = await labwire([
    ...["struct-line", "client", "--host", "127.0.0.1", "--port", server.port, "--tls"],
    ...["--attempts", "1", "--timeout", "0.2"],
  ]);
  assertEquals(code, 4);
  assertStringIncludes(stderr, "no answer in 0.2 s");
});

Deno.test("struct-line client tries five times, a second apart, unless told otherwise", async () => {
  const { code, stdout } = await labwire(["struct-line", "client", "--help"]);
  assertEquals(code, 0);
  assertMatch(stdout, /--attempts N .*\(default 5\)/);
  assertMatch(stdout, /--retry-delay SECONDS .*\(default 1\)/);
  assertMatch(stdout, /--port PORT .*\(default 10000\)/);
  assertMatch(stdout, /--format FORMAT .*\(default !I2sd\)/);
});

Deno.test("struct-line client reports a rest at the end of the stream and exits with 5", async () => {
  using server = bareServer();
  await using program = client(server.port, ["--format", "!I30sd"]);
  const conn = await server.accept();
  await conn.write(new Uint8Array(42 + 17));
  conn.close();
  const { code, stdout, stderr } = await program.result();
  assertEquals([code, stdout], [5, '[0,"",0]\n']);
  assertStringIncludes(stderr, "stream ended 17 bytes into a 42-byte record");
  assertStringIncludes(stderr, "1 record received, 0 sent, 1 connection, 1 cut");
});

Deno.test("struct-line server reports a rest, goes on, and exits with 0", async () => {
  await using server = await serve(["--format", "!I"]);
  const conn = await server.connect();
  await conn.write(new Uint8Array(3));
  conn.close();
  await server.program.until("stderr", /stream ended 3 bytes into a 4-byte record \(from 127/);
  await server.client(["--format", "!I", "--once", "--send", "[1]"]);
  const { code, stdout, stderr } = await server.stop();
  assertEquals([code, stdout], [0, "[1]\n"]);
  assertStringIncludes(stderr, "1 record received, 0 sent, 2 connections, 1 cut\nBye.\n");
});

Deno.test("struct-line client tells a line that is no record, sends the others and exits with 5", async () => {
  await using server = await serve(["--format", "!H"]);
  const input = "[1]\n\n[65536]\nnonsense\n[1,2]\n[2]\n";
  const { code, stderr } = await server.client(["--format", "!H"], { input });
  assertEquals(code, 5);
  assertStringIncludes(
    stderr,
    'Cannot send line 3: Cannot pack item 0 ("H" in "!H"): 65536 is out',
  );
  assertEquals((await server.stop()).stdout, "[1]\n[2]\n");
});

Deno.test("struct-line server tells and counts what it cannot send because nobody is there", async () => {
  await using server = await serve(["--format", "!H"], { stdin: "piped" });
  const first = await server.connect();
  await server.program.write("[1]\n");
  assertEquals(await first.read(new Uint8Array(2)), 2);
  first.close();
  await server.program.until("stderr", /Disconnected from/);
  await server.program.write("[2]\n");
  await server.program.until("stderr", /warning: Cannot send line 2: no peer is connected\n/);
  using second = await server.connect();
  await server.program.until("stderr", /Connected with[^]*Connected with/);
  await server.program.write("[3]\n");
  const buffer = new Uint8Array(2);
  assertEquals([await second.read(buffer), buffer[1]], [2, 3]);
  const ends = readToEnd(second);
  const { code, stderr } = await server.stop();
  await ends;
  assertEquals(code, 0);
  assertStringIncludes(stderr, "0 records received, 2 sent, 2 connections, 1 unsent\n");
});

Deno.test("struct-line client exits with 4 when the server takes no more of what is sent", async () => {
  using server = bareServer();
  await using program = client(server.port, ["--format", "!1000s"], { stdin: "piped" });
  const conn = await server.accept();
  await program.write('["first"]\n');
  await conn.read(new Uint8Array(1000));
  conn.close();
  const writing = program.write('["more"]\n'.repeat(100_000)).catch(() => {});
  const { code, stderr } = await program.result();
  assertEquals(code, 4, stderr);
  assertMatch(
    stderr,
    /0 records received, \d+ sent, 1 connection, (\d+ unsent|1 lost|\d+ unsent, 1 lost)\n/,
  );
  await writing;
});

Deno.test("struct-line client --reconnect sends to the next server what is read after the end of the last", async () => {
  using server = bareServer();
  await using program = client(
    server.port,
    ["--format", "!H", "--reconnect", "--retry-delay", "0.05"],
    { stdin: "piped" },
  );
  (await server.accept()).close();
  await program.until("stderr", /Disconnected, connecting again\.|nothing/);
  await program.write("[5]\n");
  using conn = await server.accept();
  const buffer = new Uint8Array(2);
  assertEquals([await conn.read(buffer), buffer[1]], [2, 5]);
  const ends = readToEnd(conn);
  program.interrupt();
  assertEquals((await program.result()).code, 0);
  await ends;
});

Deno.test("struct-line client --reconnect goes on with the next server", async () => {
  using server = bareServer();
  await using program = client(
    server.port,
    ["--format", "!H", "--reconnect", "--retry-delay", "0.05", "--count", "2"],
  );
  for (const n of [1, 2]) {
    const conn = await server.accept();
    await conn.write(Uint8Array.of(0, n));
    conn.close();
  }
  const { code, stdout, stderr } = await program.result();
  assertEquals([code, stdout], [0, "[1]\n[2]\n"]);
  assertStringIncludes(stderr, "Disconnected, connecting again.");
});

Deno.test("struct-line client ends its half at the end of stdin and receives the rest", async () => {
  using server = bareServer();
  await using program = client(server.port, ["--format", "!H"], { stdin: "piped" });
  const conn = await server.accept();
  await program.write("[1]\n");
  await program.closeInput();
  const buffer = new Uint8Array(10);
  assertEquals([await conn.read(buffer), await conn.read(buffer)], [2, null]);
  await conn.write(Uint8Array.of(0, 2));
  conn.close();
  const { code, stdout } = await program.result();
  assertEquals([code, stdout], [0, "[2]\n"]);
});

Deno.test("struct-line client stays open for receiving when stdin is empty", async () => {
  using server = bareServer();
  await using program = client(server.port, ["--format", "!H"]);
  const conn = await server.accept();
  await conn.write(Uint8Array.of(0, 1));
  await program.until("stdout", /\[1\]/);
  await conn.write(Uint8Array.of(0, 2));
  await program.until("stdout", /\[2\]/);
  conn.close();
  assertEquals((await program.result()).code, 0);
});

Deno.test("struct-line client stays open for answers when there was only --send to be sent", async () => {
  using server = bareServer();
  const args = ["--format", "!H", "--send", "[7]", "--echo"];
  await using program = client(server.port, args);
  const conn = await server.accept();
  const buffer = new Uint8Array(10);
  assertEquals([await conn.read(buffer), buffer[1]], [2, 7]);
  for (const n of [1, 2]) {
    await conn.write(Uint8Array.of(0, n));
    assertEquals([await conn.read(buffer), buffer[1]], [2, n]);
  }
  conn.close();
  const { code, stderr } = await program.result();
  assertEquals(code, 0);
  assertStringIncludes(stderr, "2 records received, 3 sent, 1 connection\n");
});

Deno.test("struct-line client sends the rest of stdin when the server has ended its half", async () => {
  using server = bareServer();
  await using program = client(server.port, ["--format", "!H"], { stdin: "piped" });
  const conn = await server.accept();
  await conn.closeWrite();
  const all = readToEnd(conn);
  for (const n of [1, 2, 3]) await program.write(`[${n}]\n`);
  await program.closeInput();
  assertEquals(await all, "000100020003");
  assertEquals((await program.result()).code, 0);
});

Deno.test("struct-line client ends when the server is gone and stdin says nothing", async () => {
  using server = bareServer();
  await using program = client(server.port, ["--format", "!H"], { stdin: "piped" });
  const conn = await server.accept();
  conn.close();
  assertEquals((await program.result()).code, 0);
  await program.closeInput().catch(() => {});
});
