/** `socket-server` as a stand-in for an instrument: lines, and tables of replies. */

import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { type ByteClient, connectBytes, ConnectError, exchangeDatagram } from "../../mod.ts";
import { needs, startPeer, startPython } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { labwire, type Running, startServer } from "./run.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);

/** Starts the server on a free port. */
async function serve(...args: string[]): Promise<{ server: Running; port: number }> {
  const server = startServer(["socket-server", "--port", "0", ...args]);
  const [, port] = await server.until("stderr", /(?: port |:)(\d+)\b/);
  return { server, port: Number(port) };
}

/** Receives exactly this text, or fails. */
async function expect(client: ByteClient, expected: string): Promise<void> {
  let received = "";
  for await (const piece of client.receive({ count: expected.length, timeout: 60 })) {
    received += text(piece);
  }
  assertEquals(received, expected);
}

/** Ends the server in order and returns what it printed. */
async function stop(server: Running): Promise<{ stdout: string; stderr: string }> {
  server.interrupt();
  const { code, stdout, stderr } = await server.result();
  assertEquals(code, 0, stderr);
  return { stdout, stderr };
}

const INSTRUMENT = ["--line", "--reply", "*IDN?=ACME,1", "--reply", "MEAS?=+1.25E+00"];

Deno.test("socket-server --line takes queries apart and together, however packets cut them", async () => {
  const { server, port } = await serve(...INSTRUMENT);
  await using _ = server;
  await using client = await connectBytes({ port });
  await client.send(bytes("*ID"));
  await server.until("stderr", /new connection/);
  await using other = await connectBytes({ port });
  await other.send(bytes("MEAS?\r\n*IDN?\nMEAS?\n")); // the first packet is there when these are answered
  await expect(other, "+1.25E+00\r\nACME,1\n+1.25E+00\n");
  await client.send(bytes("N?\nME"));
  await expect(client, "ACME,1\n");
  await client.send(bytes("AS?"));
  await client.closeWrite(); // the last line needs no newline
  await expect(client, "+1.25E+00");
  assertEquals(await client.connection.read(), null);
  await other.close();
  const { stdout, stderr } = await stop(server);
  assertEquals(
    stdout,
    "b'MEAS?\\r\\n'\nb'*IDN?\\n'\nb'MEAS?\\n'\nb'*IDN?\\n'\nb'MEAS?'\n",
  );
  assertStringIncludes(stderr, "5 messages, 30 bytes, 2 connections");
});

Deno.test("socket-server does not answer what is not in its table, and says so", async () => {
  const { server, port } = await serve(...INSTRUMENT, "--reply", "VOLT 3=");
  await using _ = server;
  await using client = await connectBytes({ port });
  await client.send(bytes("VOLT 3\nSYST:ERR?\n*IDN?\n"));
  await expect(client, "ACME,1\n");
  const { stderr } = await stop(server);
  assertStringIncludes(stderr, "No answer to b'SYST:ERR?': no --reply or --replies has it\n");
  assertEquals(stderr.includes("VOLT 3"), false);
});

Deno.test("socket-server says which query of its table is like one that is not in it", async () => {
  const { server, port } = await serve(...INSTRUMENT, "--reply", "VOLT? = 3");
  await using _ = server;
  await using client = await connectBytes({ port });
  await client.send(bytes("VOLT?\n"));
  await server.until(
    "stderr",
    /No answer to b'VOLT\?': no --reply or --replies has it, only b'VOLT\? '\n/,
  );
  await client.send(bytes("*idn?\nMEAS?\n"));
  await expect(client, "+1.25E+00\n");
  const { stderr } = await stop(server);
  assertStringIncludes(
    stderr,
    "No answer to b'*idn?': no --reply or --replies has it, only b'*IDN?'",
  );
});

Deno.test("socket-server --reply-else answers what is not in the table", async () => {
  const { server, port } = await serve(...INSTRUMENT, "--reply", "VOLT 3=", "--reply-else", "ERR");
  await using _ = server;
  await using client = await connectBytes({ port });
  await client.send(bytes("VOLT 3\nSYST:ERR?\r\n*IDN?\n"));
  await expect(client, "ERR\r\nACME,1\n");
  await stop(server);
});

Deno.test("socket-server --replies reads the table from a file, which --reply overrides", async () => {
  const file = await Deno.makeTempFile({ suffix: ".txt" });
  await Deno.writeTextFile(
    file,
    "# ACME\r\n*IDN?=ACME,1\r\n\r\nGAIN\\=?=2\r\nSPAN?=a\\tb\\x21\r\nV?=1\r\n",
  );
  const { server, port } = await serve("--line", "--replies", file, "--reply", "V?=2");
  await using _ = server;
  await using client = await connectBytes({ port });
  await client.send(bytes("*IDN?\nGAIN=?\nSPAN?\nV?\n"));
  await expect(client, "ACME,1\n2\na\tb!\n2\n");
  await stop(server);
  await Deno.writeTextFile(file, "*IDN?=ACME,1\noops\n");
  const { code, stderr } = await labwire(["socket-server", "--replies", file]);
  assertEquals(code, 2);
  assertStringIncludes(
    stderr,
    `error: Cannot read --replies "${file}": line 2, "oops": expected QUERY=ANSWER`,
  );
  await Deno.writeFile(file, new Uint8Array([0x61, 0x3d, 0xff]));
  assertEquals((await labwire(["socket-server", "--replies", file])).code, 2);
  await Deno.remove(file);
});

Deno.test("socket-server --udp answers datagrams by its table", async () => {
  const { server, port } = await serve("--udp", "--reply", "*IDN?=ACME,1", "--reply-else", "ERR");
  await using _ = server;
  for (
    const [query, answer] of [["*IDN?", "ACME,1"], ["*IDN?\r\n", "ACME,1\r\n"], ["x\n", "ERR\n"]]
  ) {
    const reply = await exchangeDatagram(bytes(query!), { port, timeout: 60 });
    assertEquals(text(reply.bytes), answer);
  }
  assertStringIncludes((await stop(server)).stderr, "3 datagrams, 14 bytes, 3 answered");
});

Deno.test("socket-server without --line says why several queries at once get no answer", async () => {
  const { server, port } = await serve("--reply", "*IDN?=ACME,1");
  await using _ = server;
  await using client = await connectBytes({ port });
  await client.send(bytes("*IDN?\n*IDN?\n"));
  await server.until("stderr", /No answer to b'\*IDN\?\\n\*IDN\?': .*--line takes one by one/);
  await client.send(bytes("*IDN?"));
  await expect(client, "ACME,1");
});

Deno.test("socket-server --line skips a line that is too long, says so, and goes on", async () => {
  const { server, port } = await serve(...INSTRUMENT, "--max-bytes", "10", "--output", "hex");
  await using _ = server;
  await using client = await connectBytes({ port });
  await client.send(bytes("x".repeat(11) + "\n*IDN?\n" + "y".repeat(200_000) + "\r\nMEAS?\n"));
  await expect(client, "ACME,1\n+1.25E+00\n");
  await client.send(bytes("z".repeat(10) + "\r\n*IDN?\n")); // just as long as allowed
  await expect(client, "ACME,1\n");
  const { stdout, stderr } = await stop(server);
  assertEquals(stdout.trim().split("\n").length, 4);
  assertMatch(
    stderr,
    /warning: Skipped what 127\.0\.0\.1:\d+ sent: Cannot read line: it is longer than 10 bytes; --max-bytes /,
  );
  assertStringIncludes(stderr, "4 messages, 30 bytes, 1 connection, 2 lines skipped");
});

Deno.test("socket-server --line echoes lines, and --discard shows them", async () => {
  for (const flags of [["--output", "raw"], ["--discard", "--output", "text"]]) {
    const { server, port } = await serve("--line", ...flags, "--count", "2");
    await using _ = server;
    await using client = await connectBytes({ port });
    await client.send(bytes("one\r\ntwo\nthree\n"));
    if (flags[0] !== "--discard") await expect(client, "one\r\ntwo\n");
    const { code, stdout } = await server.result();
    assertEquals([code, stdout], [0, flags[0] === "--discard" ? "one\ntwo\n" : "one\r\ntwo\n"]);
  }
});

const tools = needs("nc", "socat", PYTHON);
Deno.test(`socket-server --line --reply is an instrument for nc, socat and Python${tools.note}`, {
  ignore: tools.ignore,
}, async () => {
  const { server, port } = await serve(...INSTRUMENT);
  await using _ = server;
  await using nc = startPeer("nc", ["-N", "127.0.0.1", String(port)]);
  await nc.write("*IDN?\nMEAS?\n");
  await nc.until("stdout", /^ACME,1\n\+1\.25E\+00\n$/);
  await nc.closeInput();
  await nc.result();
  await using socat = startPeer("socat", ["-", `TCP:127.0.0.1:${port},crlf`]);
  await socat.write("*IDN?\n");
  await socat.until("stdout", /^ACME,1\n$/);
  await socat.closeInput();
  await socat.result();
  await using client = startPython(
    `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
f = s.makefile("rw", newline="\\n")
for i in range(1000):
    f.write("MEAS?\\n")
    f.flush()
    assert f.readline() == "+1.25E+00\\n"
print("measured")`,
    port,
  );
  assertEquals((await client.result()).stdout, "measured\n");
  await stop(server);
});

Deno.test("socket-server --line gives up a line whose end does not come in time", async () => {
  const { server, port } = await serve(...INSTRUMENT, "--message-timeout", "0.2");
  await using client = await connectBytes({ port });
  await client.send(bytes("*IDN?\nMEA"));
  await expect(client, "ACME,1\n");
  await assertRejects(() => expect(client, "more"), ConnectError, "the server closed");
  const { stderr } = await stop(server);
  assertMatch(stderr, /Skipped what 127\.0\.0\.1:\d+ sent: .*it was not complete within 0\.2 s/);
  assertStringIncludes(stderr, "1 line skipped");
});
