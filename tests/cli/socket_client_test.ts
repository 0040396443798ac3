import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { type Answerer, listenBytes, listenDatagrams, listenStream } from "../../mod.ts";
import { makeCertificate } from "../interop/certificate.ts";
import { needs, startPeer, startPython } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { startOnTerminal } from "./pty.ts";
import { labwire, startServer } from "./run.ts";
import { startHere } from "./run_here.ts";
import { freePort } from "../net/free_port.ts";

const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);

/** A server that keeps what it gets, and echoes it. */
function echoServer() {
  const received: string[] = [];
  const server = listenBytes({
    port: 0,
    answer: (message) => {
      received.push(text(message));
      return message;
    },
  });
  return {
    received,
    port: String(server.addr.port),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const python = needs(PYTHON);
Deno.test(`socket-client is the tutorial's client, for its Python server${python.note}`, {
  ignore: python.ignore,
}, async () => {
  // As the tutorial's server behaves: reads up to 1,024 bytes, prints them, sends them back.
  await using server = startPython(`
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.bind(("localhost", 0))
s.listen()
print(s.getsockname()[1])
while True:
    c, address = s.accept()
    data = c.recv(1024)
    print("Received:", data)
    c.sendall(data)
    c.close()`);
  const [, port] = await server.until("stdout", /^(\d+)\n/);
  const args = ["socket-client", "--port", port!, "Hello, world"];
  const { code, stdout, stderr } = await labwire(args);
  assertEquals([code, stdout], [0, "Hello, world"]);
  assertEquals(stderr, "Starting client...\n");
  await server.until("stdout", /Received: b'Hello, world'\n/);
  server.process.kill();
});

Deno.test(`socket-client is the tutorial's client over UDP, for a Python server${python.note}`, {
  ignore: python.ignore,
}, async () => {
  await using server = startPython(`
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("localhost", 0))
print(s.getsockname()[1])
data, address = s.recvfrom(1024)
print("Received:", data)
s.sendto(data, address)`);
  const [, port] = await server.until("stdout", /^(\d+)\n/);
  const args = ["socket-client", "--udp", "--port", port!, "Hello, world"];
  const { code, stdout, stderr } = await labwire(args);
  assertEquals([code, stdout, stderr], [0, "Hello, world", "Starting client...\n"]);
  await server.until("stdout", /Received: b'Hello, world'\n/);
});

const nc = needs("nc");
for (const udp of [false, true]) {
  const name = udp ? "nc -l -u -p" : "nc -l -p";
  Deno.test(`socket-client talks to ${name}${nc.note}`, { ignore: nc.ignore }, async () => {
    const port = String(freePort());
    const flags = udp ? ["--udp"] : [];
    await using peer = startPeer("nc", ["-n", "-v", "-l", ...(udp ? ["-u"] : []), "-p", port]);
    await peer.until("stderr", /(Listening|Bound) on/);
    await using client = startServer([
      ...["socket-client", "--port", port, "--timeout", "60", ...flags],
      ...["--output", "bytes", "Hello, world"],
    ]);
    await peer.until("stdout", /^Hello, world$/);
    await peer.write("This is our typed response\n");
    const { code, stdout } = await client.result();
    assertEquals([code, stdout], [0, "b'This is our typed response\\n'\n"]);
  });
}

Deno.test("socket-client sends the message that its options describe", async () => {
  await using echo = echoServer();
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "from a file");
  const cases: [args: string[], sent: string][] = [
    [["Hello, world"], "Hello, world"],
    [["µ ≤ \\n"], "µ ≤ \\n"],
    [["--escape", String.raw`a\tb\r\n\0\x41\\`], "a\tb\r\n\0A\\"],
    [["--newline", "line"], "line\n"],
    [["--hex", "48656c6c6f 0A:0d"], "Hello\n\r"],
    [["--file", file], "from a file"],
    [["--file", file, "--newline"], "from a file\n"],
  ];
  for (const [args, sent] of cases) {
    const { code, stdout } = await labwire([
      ...["socket-client", "--port", echo.port, "--timeout", "60"],
      ...["--count", String(new TextEncoder().encode(sent).length), ...args],
    ]);
    assertEquals([code, stdout], [0, sent]);
  }
  assertEquals(echo.received, cases.map(([, sent]) => sent));
  await Deno.remove(file);
});

Deno.test("socket-client shows answers in the form of --output", async () => {
  await using echo = echoServer();
  const shown = async (...args: string[]) => {
    const hex = "41c2b50a1b";
    return (await labwire([
      ...["socket-client", "--port", echo.port, "--hex", hex, "--count", "5", "--timeout", "60"],
      ...args,
    ])).stdout;
  };
  assertEquals(await shown(), "Aµ\n\x1b");
  assertEquals(await shown("--output", "raw"), "Aµ\n\x1b");
  assertEquals(await shown("--output", "bytes"), "b'A\\xc2\\xb5\\n\\x1b'\n");
  assertMatch(await shown("--output", "text"), /^Aµ\n.+\n$/);
  assertEquals(await shown("--output", "hex"), "41c2b50a1b\n");
  assertEquals(await shown("--output", "none"), "");
  assertEquals(
    await shown("--output", "hexdump"),
    "00000000  41 c2 b5 0a 1b                                    |A....|\n00000005\n",
  );
  const { time, ...record } = JSON.parse(await shown("--output", "json"));
  assertEquals(record, { peer: `127.0.0.1:${echo.port}`, text: "Aµ\n\x1b" });
  assertLess(Math.abs(Date.now() - Date.parse(time)), 60_000);
  const other = JSON.parse(await shown("--output", "json", "--hex", "ff00802041"));
  assertEquals(other.hex, "ff00802041");
  const strange = JSON.parse(
    await shown("--output", "json", "--hex", "7fc285e280ae", "--count", "6"),
  );
  assertEquals(strange.text, "\x7f\x85\u202e");
});

Deno.test("socket-client takes an answer in several packets as one, beyond 1,024 bytes", async () => {
  await using listener = listenStream({
    port: 0,
    onConnection: async (connection) => {
      await connection.read();
      for (let i = 0; i < 4; i++) {
        await connection.write(new TextEncoder().encode(String(i).repeat(700)));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      while (await connection.read() !== null);
    },
  });
  const args = ["socket-client", "--port", String(listener.addr.port), "go"];
  const expected = ["0", "1", "2", "3"].map((digit) => digit.repeat(700)).join("");
  const { stdout } = await labwire([...args, "--count", "2800", "--timeout", "60"]);
  assertEquals(stdout, expected);
  const waited = await labwire([...args, "--wait", "1.5"]);
  assertEquals(waited.stdout, expected);
});

Deno.test("socket-client waits 100 ms for what else belongs to an answer", async () => {
  const [first, second] = ["first\n", "second\n"].map((line) => new TextEncoder().encode(line));
  const shown = Promise.withResolvers<void>();
  const answer: Answerer = async (_message, _from, peer) => {
    await peer.write(first!);
    await shown.promise;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return second!;
  };
  await using server = listenBytes({ port: 0, answer });
  await using datagrams = await listenDatagrams({ port: 0, answer });
  const clients = [
    startHere(["socket-client", "--port", String(server.addr.port), "go"]),
    startHere(["socket-client", "--udp", "--port", String(datagrams.addr.port), "go"]),
  ];
  await Promise.all(clients.map((client) => client.until("stdout", /first\n/)));
  shown.resolve();
  for (const client of clients) {
    const { code, stdout } = await client.result();
    assertEquals([code, stdout], [0, "first\nsecond\n"]);
  }
});

Deno.test("socket-client shows what has come of an answer that is not completed", async () => {
  await using listener = listenStream({
    port: 0,
    onConnection: async (connection) => {
      await connection.read();
      await connection.write(new TextEncoder().encode("half"));
      await connection.end();
    },
  });
  const args = ["socket-client", "--port", String(listener.addr.port), "--count", "8", "go"];
  for (const [flags, shown] of [[[], "half"], [["--output", "bytes"], "b'half'\n"]] as const) {
    const { code, stdout, stderr } = await labwire([...args, ...flags]);
    assertEquals([code, stdout], [4, shown]);
    assertStringIncludes(stderr, "Only 4 of 8 bytes from");
  }
});

Deno.test("socket-client has a message for each kind of failure, and exits with 4", async () => {
  await using silent = listenBytes({ port: 0, allowHttp: true, answer: () => null });
  await using quitting = listenStream({
    port: 0,
    onConnection: async (connection) => void await connection.read(),
  });
  const port = String(freePort());
  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await labwire(["socket-client", ...args, "x"]);
    assertEquals([code, stdout], [4, ""]);
    return stderr.split("\n").at(-2);
  };
  const to = (server: { addr: { port: number } }) => ["--port", String(server.addr.port)];
  assertEquals(
    await said("--port", port),
    `error: Cannot connect to "localhost:${port}": connection refused`,
  );
  assertEquals(
    await said("--host", "nothing.invalid"),
    'error: Cannot resolve host "nothing.invalid": no such name',
  );
  const noAnswer = `error: No answer from "localhost:${silent.addr.port}" in 0.2 s`;
  assertEquals(
    await said(...to(silent), "--timeout", "0.2"),
    `${noAnswer}: the message had no newline at its end, for which most instruments wait; --newline sends one`,
  );
  assertEquals(await said(...to(silent), "--timeout", "0.2", "--newline"), noAnswer);
  const { stderr } = await labwire([
    ...["socket-client", ...to(silent), "--timeout", "0.2", "*IDN?\\n"],
  ]);
  assertStringIncludes(
    stderr,
    `${noAnswer}: "\\n" was sent as two characters; --escape makes a newline of it`,
  );
  assertEquals(
    await said(...to(quitting)),
    `error: No answer from "localhost:${quitting.addr.port}" before the server closed the connection`,
  );
  assertMatch(
    (await said("--udp", "--port", port, "--timeout", "0.5"))!,
    /connection refused|0\.5 s/,
  );
  assertStringIncludes(
    (await said(...to(silent), "--tls", "--timeout", "0.5"))!,
    "no answer in 0.5 s",
  );
});

Deno.test("socket-client --udp reports a closed port where the system does", async () => {
  await using silent = await listenDatagrams({ port: 0, answer: () => null });
  const port = String(silent.addr.port);
  const args = ["socket-client", "--udp", "--timeout", "0.3", "x", "--port"];
  assertStringIncludes((await labwire([...args, port])).stderr, "No answer from");
  await silent.close();
  const { code, stderr } = await labwire([...args, port]);
  assertEquals(code, 4);
  const report = Deno.build.os === "windows" ? "connection refused" : "No answer from";
  assertStringIncludes(stderr, report);
});

Deno.test("socket-client --interactive sends what is piped in and waits for the rest", async () => {
  await using echo = echoServer();
  const args = ["socket-client", "--port", echo.port, "--interactive"];
  const { code, stdout } = await labwire(args, { input: "one\ntwo\nlast" });
  assertEquals([code, stdout], [0, "one\ntwo\nlast"]);
  const escaped = await labwire([...args, "--escape"], { input: "a\\x41\nbad\\q\nc" });
  assertEquals([escaped.code, escaped.stdout], [5, "aA\nc"]);
  assertStringIncludes(escaped.stderr, 'Cannot send line 2: Cannot read escape "\\q"');
});

Deno.test("socket-client --interactive sends a line per datagram over UDP", async () => {
  await using server = await listenDatagrams({ port: 0 });
  const args = ["socket-client", "--udp", "--port", String(server.addr.port), "--interactive"];
  const { code, stdout } = await labwire(args, { input: "one\ntwo\n" });
  assertEquals([code, stdout], [0, "one\ntwo\n"]);
});

Deno.test(
  `socket-client sends what is typed on a terminal, and shows at once what comes${python.note}`,
  {
    ignore: python.ignore || Deno.build.os === "windows",
  },
  async () => {
    await using listener = listenStream({
      port: 0,
      onConnection: async (connection) => {
        await connection.write(new TextEncoder().encode("ready"));
        for await (const chunk of connection) await connection.write(chunk);
      },
    });
    await using client = startOnTerminal(["socket-client", "--port", String(listener.addr.port)]);
    await client.until("stdout", /What you type goes to localhost:\d+\. Ctrl-D to end\./);
    await client.until("stdout", /Received: b'ready'/);
    await client.write("typed\n");
    await client.until("stdout", /Received: b'typed\\n'/);
    await client.write("\x04");
    assertEquals((await client.result()).code, 0);
  },
);

Deno.test("socket-client --half-close ends its side, so that the answer ends with the server's", async () => {
  await using listener = listenStream({
    port: 0,
    onConnection: async (connection) => {
      let total = 0;
      for await (const chunk of connection) total += chunk.length;
      await new Promise((resolve) => setTimeout(resolve, 300));
      await connection.write(new TextEncoder().encode(`${total} bytes`));
    },
  });
  const args = ["socket-client", "--port", String(listener.addr.port), "--half-close", "12345"];
  assertEquals((await labwire(args)).stdout, "5 bytes");
});

Deno.test("socket-client --repeat reports round-trip times and losses", async () => {
  let [messages, lost] = [0, 0];
  await using server = await listenDatagrams({
    port: 0,
    answer: (message) => ++messages % 4 ? message : (lost++, null),
  });
  const times = /^round trip: min [\d.]+ µs, median [\d.]+ µs, p99 [\d.]+ µs, max [\d.]+ µs\n$/;
  const udp = [
    "--udp",
    "--port",
    String(server.addr.port),
    "--repeat",
    "8",
    "--timeout",
    "0.1",
    "x",
  ];
  const { code, stdout } = await labwire(["socket-client", ...udp]);
  const [counts, ...rest] = stdout.split(/(?<=\n)/);
  assertEquals([code, counts, lost], [0, "8 sent, 6 answered, 2 lost\n", 2]);
  assertMatch(rest.join(""), times);
  await using echo = echoServer();
  const tcp = ["--port", echo.port, "--repeat", "5", "--interval", "0.01", "ping"];
  const over = await labwire(["socket-client", ...tcp]);
  assertEquals(over.stdout.split("\n")[0], "5 sent, 5 answered, 0 lost");
  assertEquals(echo.received, Array(5).fill("ping"));
});

Deno.test("socket-client --udp --repeat takes no late answer for that to the next message", async () => {
  const server = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = server.addr as Deno.NetAddr;
  const serving = (async () => {
    const [message, first] = await server.receive();
    await server.receive();
    await server.send(message, first);
  })();
  const args = ["--udp", "--port", String(port), "--repeat", "2", "--timeout", "0.5", "x"];
  const { code, stdout } = await labwire(["socket-client", ...args]);
  await serving;
  server.close();
  assertEquals([code, stdout], [4, "2 sent, 0 answered, 2 lost\n"]);
});

Deno.test("socket-client --repeat exits with 4 when nothing is answered", async () => {
  await using silent = listenBytes({ port: 0, answer: () => null });
  const args = ["--port", String(silent.addr.port), "--repeat", "3", "--timeout", "0.2", "x"];
  const { code, stdout } = await labwire(["socket-client", ...args]);
  assertEquals([code, stdout], [4, "1 sent, 0 answered, 1 lost\n"]);
});

const openssl = needs("openssl");
Deno.test(`socket-client --tls --ca speaks TLS${openssl.note}`, {
  ignore: openssl.ignore,
}, async () => {
  await using tls = await makeCertificate();
  await using server = listenBytes({ port: 0, tls });
  const args = ["socket-client", "--port", String(server.addr.port), "--timeout", "60", "secret"];
  const trusted = await labwire([...args, "--count", "6", "--ca", tls.certFile]);
  assertEquals([trusted.code, trusted.stdout], [0, "secret"]);
  const distrusted = await labwire([...args, "--tls"]);
  assertEquals(distrusted.code, 4);
  assertStringIncludes(distrusted.stderr, "signed by an unknown authority");
});

Deno.test("socket-client refuses options that do not go together", async () => {
  for (
    const args of [
      ["--udp", "--tls"],
      ["--udp", "--half-close"],
      ["--interactive", "text"],
      ["--hex", "41", "text"],
      ["--hex", "4"],
      ["--file", "/nothing/there"],
      ["--file", "."],
      ["--escape", "\\q"],
      ["--output", "octal"],
      ["--output", "hex", "--repeat", "2", "text"],
      ["--no-answer", "--repeat", "2", "text"],
      ["--no-answer", "--wait", "2", "text"],
      ["--no-answer", "--count", "2", "text"],
      ["--no-answer", "--interactive"],
      ["one", "two"],
      ["--repeat", "2", "--interactive"],
    ]
  ) {
    const { code, stdout, stderr } = await labwire(["socket-client", ...args]);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assert(stderr.startsWith("error: "), stderr);
  }
});

Deno.test("socket-client ends with 130 at Ctrl-C", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const connected = Promise.withResolvers<void>();
  await using silent = listenBytes({ port: 0, onConnection: () => connected.resolve() });
  await using client = startServer([
    ...["socket-client", "--port", String(silent.addr.port), "--wait", "60", "--quiet", "x"],
  ]);
  await connected.promise;
  await client.until("stdout", /^/);
  client.interrupt();
  const { code, stderr } = await client.result();
  assertEquals([code, stderr], [130, ""]);
});

Deno.test("socket-client says what a message with blanks needs", async () => {
  const { code, stderr } = await labwire(["socket-client", "--newline", "VOLT", "3"]);
  assertEquals(code, 2);
  assertEquals(
    stderr,
    'error: Unexpected argument "3" of socket-client: expected MESSAGE only, in quotes where there are blanks\n',
  );
});
