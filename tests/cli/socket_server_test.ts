import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { connectBytes, connectDatagram, exchangeDatagram } from "../../mod.ts";
import { within } from "../../lib/time/deadline.ts";
import { makeCertificate } from "../interop/certificate.ts";
import { needs, startPeer, startPython } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { startOnTerminal } from "./pty.ts";
import { Child, labwire, programCommand, type Running, startServer } from "./run.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);

/** Starts the server on a free port. */
async function serve(...args: string[]): Promise<{ server: Running; port: number }> {
  const server = startServer(["socket-server", "--port", "0", ...args]);
  const [, port] = await server.until("stderr", /Listening on \S+:(\d+)[^]*Ready\./);
  return { server, port: Number(port) };
}

async function ask(port: number, message: string): Promise<string> {
  await using client = await connectBytes({ port, timeout: 60 });
  return text(await client.exchange(bytes(message), { timeout: 60 }));
}

/** Ends the server in order and returns what it printed. */
async function stop(server: Running): Promise<{ stdout: string; stderr: string }> {
  server.interrupt();
  const { code, stdout, stderr } = await server.result();
  assertEquals(code, 0, stderr);
  assert(stderr.endsWith("Bye.\n"), stderr);
  return { stdout, stderr };
}

/** Every byte value, quotes of each kind, and UTF-8 text. */
const MESSAGES = [
  Uint8Array.from({ length: 256 }, (_, i) => i),
  bytes("Hello, world"),
  bytes("it's"),
  bytes('"quoted"'),
  bytes(`both ' and "`),
  bytes("µ ≤ 5 Ω, 日本語\n"),
];

const python = needs(PYTHON);
for (const udp of [false, true]) {
  const kind = udp ? "UDP" : "TCP";
  Deno.test(
    `socket-server serves the tutorial's Python client over ${kind}, in Python's notation${python.note}`,
    {
      ignore: python.ignore,
    },
    async () => {
      const { server, port } = await serve(...(udp ? ["--udp"] : []));
      await using _ = server;
      // As the tutorial's client behaves, with other messages than its own too.
      await using client = startPython(
        `
for message in map(bytes.fromhex, sys.argv[2:]):
    if ${udp ? "True" : "False"}:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.sendto(message, ("localhost", int(sys.argv[1])))
        data, address = s.recvfrom(1024)
    else:
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.connect(("localhost", int(sys.argv[1])))
        s.sendall(message)
        data = s.recv(1024)
    print(data)
    assert data == message
    s.close()`,
        port,
        ...MESSAGES.map((message) => message.toHex()),
      );
      const printed = await client.result();
      assertEquals(printed.stderr, "");
      const { stdout, stderr } = await stop(server);
      assertEquals(stdout, printed.stdout);
      assertEquals(stdout.split("\n").length, MESSAGES.length + 1);
      const welcomed =
        stderr.match(/^Received new connection from {2}\('127\.0\.0\.1', \d+\)$/gm) ??
          [];
      assertEquals(welcomed.length, udp ? 0 : MESSAGES.length);
    },
  );
}

Deno.test(`socket-server labels what it prints on a terminal, as the tutorial does${python.note}`, {
  ignore: python.ignore || Deno.build.os === "windows",
}, async () => {
  for (const flags of [[], ["--udp"]]) {
    await using server = startOnTerminal(["socket-server", "--port", "0", ...flags]);
    const [, digits] = await server.until("stdout", /(?: port |:)(\d+)\b/);
    const port = Number(digits);
    if (flags.length === 0) {
      await ask(port, "it's");
      await server.until("stdout", /^Received: b"it's"\r$/m);
    } else {
      await exchangeDatagram(bytes("it's"), { port, timeout: 60 });
      await server.until("stdout", /^Received \(from \('127\.0\.0\.1', \d+\)\): b"it's"\r$/m);
    }
    await server.write("\x03");
    assertEquals((await server.result()).code, 0);
  }
});

const tools = needs("nc", "socat");
Deno.test(
  `socket-server echoes to nc and socat${tools.note}`,
  { ignore: tools.ignore },
  async () => {
    const { server, port } = await serve();
    await using _ = server;
    await using nc = startPeer("nc", ["-N", "127.0.0.1", String(port)]);
    await nc.write("through nc\n");
    await nc.closeInput();
    assertEquals((await nc.result()).stdout, "through nc\n");
    await using socat = startPeer("socat", ["-", `TCP:127.0.0.1:${port}`]);
    await socat.write("through socat\n");
    await socat.closeInput();
    assertEquals((await socat.result()).stdout, "through socat\n");
    const udp = await serve("--udp");
    await using _udp = udp.server;
    await using datagrams = startPeer("socat", ["-T", "1", "-", `UDP:127.0.0.1:${udp.port}`]);
    await datagrams.write("datagram\n");
    await datagrams.until("stdout", /^datagram\n$/);
    await stop(udp.server);
    assertStringIncludes((await stop(server)).stderr, "2 messages, 25 bytes, 2 connections");
  },
);

Deno.test("socket-server --reply-else answers with a text, --discard with nothing", async () => {
  const reply = await serve("--reply-else", String.raw`OK\r\n`);
  await using _reply = reply.server;
  assertEquals(await ask(reply.port, "anything"), "OK\r\n");
  const plain = await serve("--reply-else", "OK", "--udp");
  await using _plain = plain.server;
  const { bytes: answer } = await exchangeDatagram(bytes("x"), { port: plain.port, timeout: 60 });
  assertEquals(text(answer), "OK");
  const discard = await serve("--discard");
  await using _discard = discard.server;
  {
    await using client = await connectBytes({ port: discard.port });
    await client.send(bytes("into the void"));
    await discard.server.until("stdout", /^b'into the void'\n/);
    await client.closeWrite();
    assertEquals(await client.connection.read(), null);
    assertEquals(client.connection.bytesReceived, 0);
  }
});

Deno.test(`socket-server --exec pipes each connection through a program${python.note}`, {
  ignore: python.ignore,
}, async () => {
  const script = "import sys\nfor line in sys.stdin: print(len(line), flush=True)\nprint('end')";
  const file = await Deno.makeTempFile({ suffix: ".py" });
  await Deno.writeTextFile(file, script + "\nprint('complaint', file=sys.stderr)");
  const { server, port } = await serve("--exec", `${PYTHON} "${file}"`);
  await using _ = server;
  const clients = await Promise.all([1, 2, 3].map(() => connectBytes({ port, timeout: 60 })));
  for (const [i, client] of clients.entries()) {
    const answer = await client.exchange(bytes("x".repeat(i) + "\n"), { count: 2, timeout: 60 });
    assertEquals(text(answer), `${i + 1}\n`);
  }
  for (const client of clients) {
    await client.closeWrite();
    let rest = "";
    for await (const chunk of client.connection) rest += text(chunk);
    assertEquals(rest, "end\n");
    await client.close();
  }
  await server.until("stderr", /complaint/);
  const { stdout } = await stop(server);
  assertEquals(stdout, "b'\\n'\nb'x\\n'\nb'xx\\n'\n");
  const udp = await serve("--udp", "--grace", "0.5", "--exec", `${PYTHON} "${file}"`);
  await using _udp = udp.server;
  const answer = await exchangeDatagram(bytes("12345"), { port: udp.port, timeout: 60 });
  assertEquals(text(answer.bytes), "5\nend\n");
  await Deno.remove(file);
});

Deno.test(`socket-server --udp sends nothing where a program has printed nothing${python.note}`, {
  ignore: python.ignore,
}, async () => {
  const file = await Deno.makeTempFile({ suffix: ".py" });
  await Deno.writeTextFile(
    file,
    'import sys\nline = sys.stdin.read()\nif line != "VOLT 3": print(line, end="")',
  );
  const { server, port } = await serve(
    ...["--udp", "--concurrency", "1", "--output", "none", "--exec", `${PYTHON} "${file}"`],
  );
  await using _ = server;
  await using client = await connectDatagram({ port });
  await client.send(bytes("VOLT 3"));
  await client.send(bytes("VOLT?"));
  assertEquals(text((await client.receive(60))!.bytes), "VOLT?");
  const { stderr } = await stop(server);
  assertMatch(stderr, /\n2 datagrams, 11 bytes, 1 answered\n/);
  await Deno.remove(file);
});

Deno.test(`socket-server --udp leaves no program behind that takes too long${python.note}`, {
  ignore: python.ignore || Deno.build.os === "windows",
}, async () => {
  using witness = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const file = await Deno.makeTempFile({ suffix: ".py" });
  await Deno.writeTextFile(
    file,
    "import socket, time\n" +
      `s = socket.create_connection(("127.0.0.1", ${(witness.addr as Deno.NetAddr).port}))\n` +
      "time.sleep(60)",
  );
  const { server, port } = await serve("--udp", "--grace", "0.5", "--exec", `${PYTHON} "${file}"`);
  await using _ = server;
  await using client = await connectDatagram({ port });
  await client.send(bytes("x"));
  using program = await witness.accept();
  await stop(server);
  assertEquals(await within(program.read(new Uint8Array(1)), 20), null);
  await Deno.remove(file);
});

Deno.test("socket-server says at once that there is no such program", async () => {
  const { code, stderr } = await labwire(["socket-server", "--exec", "no-such-program --x"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, 'Cannot find program "no-such-program"');
});

Deno.test("socket-server shows what arrives in the form of --output", async () => {
  const shown = async (format: string) => {
    const { server, port } = await serve("--output", format, "--count", "1");
    await using _ = server;
    assertEquals(await ask(port, "Aµ\n"), "Aµ\n");
    const { code, stdout } = await server.result();
    assertEquals(code, 0);
    return stdout;
  };
  assertEquals(await shown("bytes"), "b'A\\xc2\\xb5\\n'\n");
  assertEquals(await shown("text"), "Aµ\n");
  assertEquals(await shown("hex"), "41c2b50a\n");
  assertEquals(await shown("raw"), "Aµ\n");
  assertEquals(await shown("none"), "");
  assertMatch(
    await shown("hexdump"),
    /^00000000 {2}41 c2 b5 0a {39}\|A\.\.\.\|\n00000004\n$/,
  );
  const { time, peer, ...record } = JSON.parse(await shown("json"));
  assertEquals(record, { text: "Aµ\n" });
  assertMatch(peer, /^127\.0\.0\.1:\d+$/);
  assertLess(Math.abs(Date.now() - Date.parse(time)), 60_000);
});

Deno.test("socket-server --count ends after so many messages, all of them answered", async () => {
  for (const flags of [[], ["--udp"]]) {
    const { server, port } = await serve("--count", "3", ...flags);
    await using _ = server;
    for (let i = 0; i < 3; i++) {
      const answer = flags.length > 0
        ? text((await exchangeDatagram(bytes(`${i}`), { port, timeout: 60 })).bytes)
        : await ask(port, `${i}`);
      assertEquals(answer, `${i}`);
    }
    const { code, stdout } = await server.result();
    assertEquals([code, stdout.split("\n").length], [0, 4]);
  }
});

Deno.test("socket-server --idle-timeout ends a silent connection", async () => {
  const { server, port } = await serve("--idle-timeout", "0.2");
  await using _ = server;
  await using client = await connectBytes({ port });
  assertEquals(await client.connection.read(), null);
  assertEquals(await ask(port, "still there"), "still there");
});

Deno.test("socket-server --max-connections turns away those who are too many", async () => {
  const { server, port } = await serve("--max-connections", "1");
  await using _ = server;
  const first = await connectBytes({ port });
  assertEquals(text(await first.exchange(bytes("in"))), "in");
  await using second = await connectBytes({ port });
  assertEquals(await second.connection.read(), null);
  await server.until("stderr", /warning: Refused 127\.0\.0\.1:\d+: 1 connection is open already/);
  await first.close();
  assertStringIncludes((await stop(server)).stderr, "1 message, 2 bytes, 1 connection, 1 refused");
});

Deno.test("socket-server --allow keeps others out, over TCP and UDP", async () => {
  for (const flags of [[], ["--udp"]]) {
    const { server, port } = await serve("--allow", "192.0.2.0/24,::1", ...flags);
    await using _ = server;
    if (flags.length === 0) {
      await using client = await connectBytes({ port, host: "127.0.0.1" });
      assertEquals(await client.connection.read(), null);
    } else {
      const options = { port, host: "127.0.0.1", timeout: 0.2 };
      await exchangeDatagram(bytes("x"), options).then(() => assert(false), () => {});
    }
    await server.until("stderr", /warning: Refused 127\.0\.0\.1:\d+: not in the allow list/);
  }
});

const openssl = needs("openssl");
Deno.test(`socket-server --tls-cert --tls-key serves TLS to openssl s_client${openssl.note}`, {
  ignore: openssl.ignore,
}, async () => {
  await using tls = await makeCertificate();
  const { server, port } = await serve("--tls-cert", tls.certFile, "--tls-key", tls.keyFile);
  await using _ = server;
  await using client = startPeer("openssl", [
    ...["s_client", "-connect", `127.0.0.1:${port}`, "-quiet", "-no_ign_eof"],
    ...["-CAfile", tls.certFile, "-verify_return_error", "-servername", "localhost"],
  ]);
  await client.write("secret\n");
  await client.until("stdout", /^secret\n$/);
  await client.closeInput();
  await client.result();
  assertStringIncludes((await stop(server)).stdout, "b'secret\\n'\n");
});

Deno.test("socket-server refuses options that do not go together", async () => {
  for (
    const args of [
      ["--reply-else", "x", "--discard"],
      ["--reply", "a=b", "--exec", "cat"],
      ["--reply", "1.25"],
      ["--reply", "=1.25"],
      ["--reply", "a=\\q"],
      ["--reply-else", "\\q"],
      ["--replies", "/nothing/there"],
      ["--replies", "."],
      ["--line", "--exec", "cat"],
      ["--line", "--udp"],
      ["--max-bytes", "10"],
      ["--exec", "cat", "--discard"],
      ["--udp", "--tls-cert", "a", "--tls-key", "b"],
      ["--tls-cert", "a"],
      ["--exec", '"unclosed'],
      ["--allow", "everybody"],
      ["--host", "203.0.113.7"],
      ["--host", "nothing.invalid"],
      ["--host", "nothing.invalid", "--udp"],
    ]
  ) {
    const { code, stdout, stderr } = await labwire(["socket-server", ...args]);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertMatch(stderr, /^error: Cannot /m);
  }
});

Deno.test("socket-server warns of a port that everybody can reach", async () => {
  const { server } = await serve("--host", "0.0.0.0");
  await using _ = server;
  assertStringIncludes(server.stderr, "warning: Everybody who can reach 0.0.0.0 can connect");
});

Deno.test("a file that goes through socket-server and back through socket-client is unchanged", async () => {
  const { server, port } = await serve("--output", "none");
  await using _ = server;
  const file = await Deno.makeTempFile();
  const sent = new Uint8Array(20_000_000);
  for (let at = 0; at < sent.length; at += 65_536) {
    crypto.getRandomValues(sent.subarray(at, at + 65_536));
  }
  await Deno.writeFile(file, sent);
  const [program, before] = programCommand();
  const { code, stdout } = await new Deno.Command(program, {
    args: [
      ...[...before, "socket-client", "--port", String(port), "--file", file],
      ...["--half-close", "--timeout", "60"],
    ],
  }).output();
  await Deno.remove(file);
  assertEquals([code, stdout.length], [0, sent.length]);
  const digest = async (data: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", data)).toHex();
  assertEquals(await digest(stdout), await digest(sent));
});

Deno.test(
  `socket-server outlives 1,000 clients at once, those that vanish and one that never reads${python.note}`,
  {
    ignore: python.ignore || Deno.build.os === "windows",
  },
  async () => {
    const { server, port } = await serve("--output", "none", "--max-connections", "3000");
    await using _ = server;
    const openFiles = () =>
      Deno.build.os === "linux"
        ? [...Deno.readDirSync(`/proc/${server instanceof Child ? server.process.pid : "self"}/fd`)]
          .length
        : 0;
    const before = openFiles();
    await using clients = startPython(
      `
def connect(): return socket.create_connection(("127.0.0.1", int(sys.argv[1])))
lazy = connect()
lazy.settimeout(0.5)
try:
    while True: lazy.sendall(bytes(65536))
except socket.timeout: pass
for round in range(2):
    clients = [connect() for i in range(1000)]
    for i, s in enumerate(clients): s.sendall(b"client %d" % i)
    print(all(s.recv(100) == b"client %d" % i for i, s in enumerate(clients)))
    for i, s in enumerate(clients):
        if i % 3 == 0: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if i % 5 == 0: s.sendall(bytes(5000))
        s.close()
lazy.close()`,
      port,
    );
    const { stdout, stderr } = await clients.result();
    assertEquals([stdout, stderr], ["True\nTrue\n", ""]);
    assertEquals(await ask(port, "still there"), "still there");
    while (openFiles() > before + 1) await new Promise((resolve) => setTimeout(resolve, 20));
    assertStringIncludes((await stop(server)).stderr, "2002 connections");
  },
);
