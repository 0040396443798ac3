import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ConnectError, UsageError } from "../../../lib/errors.ts";
import { connectStream } from "../../../lib/net/stream/connect.ts";
import type { StreamConnection } from "../../../lib/net/stream/connection.ts";
import { listenStream, type StreamProblem } from "../../../lib/net/stream/listener.ts";
import { makeCertificate } from "../../interop/certificate.ts";
import { needs, startPeer, startPython } from "../../interop/peer.ts";
import { PYTHON } from "../../interop/python.ts";
import { ManualClock } from "../../time/manual_clock.ts";

const { ignore, note } = needs("openssl", PYTHON);
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array | null) => chunk && new TextDecoder().decode(chunk);

async function echo(connection: StreamConnection): Promise<void> {
  for await (const chunk of connection) await connection.write(chunk);
}

async function readAll(connection: StreamConnection): Promise<string> {
  let all = "";
  for await (const chunk of connection) all += text(chunk);
  return all;
}

Deno.test(`TLS: both ends talk, and end in order${note}`, { ignore }, async () => {
  await using tls = await makeCertificate();
  await using listener = listenStream({ port: 0, tls, onConnection: echo });
  const { port } = listener.addr;
  for (const host of ["localhost", "127.0.0.1"]) {
    await using connection = await connectStream({ host, port, ca: tls.cert, timeout: 60 });
    await connection.write(bytes("secret"));
    assertEquals(text(await connection.read()), "secret");
    void connection.write(new Uint8Array(1_000_000));
    await connection.closeWrite();
    assertEquals((await readAll(connection)).length, 1_000_000);
    assertEquals(connection.readEnd, "ended");
  }
});

Deno.test(`TLS: a certificate that does not fit is told as such${note}`, { ignore }, async () => {
  await using tls = await makeCertificate("DNS:instrument.example");
  await using other = await makeCertificate("DNS:localhost", []);
  await using listener = listenStream({ port: 0, tls });
  await using authority = listenStream({ port: 0, tls: other });
  const refusal = async (port: number, ca?: string) => {
    const options = { port, ca, tls: true, timeout: 60 };
    return (await assertRejects(() => connectStream(options), ConnectError) as Error).message;
  };
  const { port } = listener.addr;
  assertStringIncludes(await refusal(port), "signed by an unknown authority");
  assertStringIncludes(await refusal(port, tls.cert), "issued for another name");
  assertStringIncludes(
    await refusal(authority.addr.port, other.cert),
    "it is the certificate of an authority",
  );
});

Deno.test(
  `TLS: the error of an authority's own certificate names the command that makes a server's${note}`,
  {
    ignore,
  },
  async () => {
    await using authority = await makeCertificate(undefined, []);
    await using listener = listenStream({ port: 0, tls: authority });
    const hosts = ["localhost", "127.0.0.1", ...(listener.addrs.length > 1 ? ["::1"] : [])];
    for (const host of hosts) {
      const options = { host, timeout: 60 };
      const { message } = await assertRejects(
        () => connectStream({ ...options, port: listener.addr.port, ca: authority.cert }),
        ConnectError,
      );
      const command = /make one for this server with "(openssl [^"]*)"$/.exec(message)?.[1];
      assert(command, message);
      const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
      try {
        const [program, ...args] = command.split(" ");
        const { success } = await new Deno.Command(program!, { args, cwd: folder }).output();
        assert(success, command);
        const [cert, key] = await Promise.all(
          ["cert.pem", "key.pem"].map((name) => Deno.readTextFile(`${folder}/${name}`)),
        );
        await using better = listenStream({
          port: 0,
          tls: { cert: cert!, key: key! },
          onConnection: echo,
        });
        await using connection = await connectStream({
          ...options,
          port: better.addr.port,
          ca: cert,
        });
        await connection.write(bytes("trusted"));
        assertEquals(text(await connection.read()), "trusted");
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    }
  },
);

/** Whether this Deno can ask clients for certificates. */
const verifies = !/^2\.[0-8]\./.test(Deno.version.deno);

Deno.test(`TLS: a client shows its certificate to Python's ssl${note}`, { ignore }, async () => {
  await using tls = await makeCertificate();
  await using own = await makeCertificate("DNS:client");
  await using python = startPython(
    `
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.load_verify_locations(sys.argv[3])
context.verify_mode = ssl.CERT_REQUIRED
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1])
s = context.wrap_socket(listener.accept()[0], server_side=True)
s.sendall(str(s.getpeercert()["subjectAltName"]).encode())
s.close()`,
    tls.certFile,
    tls.keyFile,
    own.certFile,
  );
  const [, port] = await python.until("stdout", /(\d+)\n/);
  await using connection = await connectStream({
    port: Number(port),
    ca: tls.cert,
    identity: own,
    timeout: 60,
  });
  assertEquals(await readAll(connection), "(('DNS', 'client'),)");
});

Deno.test(`TLS: a client's certificate that is not valid is reported as such${note}`, {
  ignore,
}, async () => {
  await using tls = await makeCertificate();
  await using other = await makeCertificate();
  await using listener = listenStream({ port: 0, tls });
  for (const identity of [{ cert: "x", key: "y" }, { cert: tls.cert, key: other.key }]) {
    await assertRejects(
      () => connectStream({ port: listener.addr.port, ca: tls.cert, identity, timeout: 60 }),
      UsageError,
      "the client's TLS certificate or its key is invalid",
    );
  }
  using free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr as Deno.NetAddr;
  free.close();
  await assertRejects(
    () => connectStream({ port, ca: tls.cert, identity: tls }),
    ConnectError,
    "connection refused",
  );
});

Deno.test(
  `TLS: with clientCa only those are served whose certificate the authority has signed${note}`,
  {
    ignore: ignore || !verifies,
  },
  async () => {
    await using tls = await makeCertificate();
    await using known = await makeCertificate("DNS:known");
    await using stranger = await makeCertificate("DNS:known");
    const problems: StreamProblem[] = [];
    const served: string[] = [];
    await using listener = listenStream({
      port: 0,
      tls: { ...tls, clientCa: known.cert },
      onConnection: async (connection) => {
        for await (const chunk of connection) {
          served.push(text(chunk)!.slice(0, 6));
          await connection.write(chunk);
        }
      },
      onProblem: (problem) => void problems.push(problem),
    });
    const { port } = listener.addr;
    await using friend = await connectStream({ port, ca: tls.cert, identity: known, timeout: 60 });
    await friend.write(bytes("secret"));
    assertEquals(text(await friend.read()), "secret");
    void friend.write(new Uint8Array(1_000_000));
    await friend.closeWrite();
    assertEquals((await readAll(friend)).length, 1_000_000);
    assertEquals(friend.readEnd, "ended");

    served.length = 0;
    for (const identity of [undefined, stranger]) {
      await using other = await connectStream({ port, ca: tls.cert, identity, timeout: 60 });
      await other.write(bytes("attack"));
      assertEquals(await other.read(), null);
    }
    const plain = await Deno.connect({ hostname: "127.0.0.1", port });
    await plain.write(bytes("GET / HTTP/1.0\r\n\r\n"));
    while (problems.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    plain.close();
    assertEquals(served, []);
    const [none, wrong, http] = problems.map(({ message }) => message);
    assert(none!.endsWith("failed: the client sent no certificate"), none);
    assert(/failed: its certificate is not signed by the authority/.test(wrong!), wrong);
    assert(/^TLS with 127\.0\.0\.1:\d+ failed: /.test(http!), http);
    while (listener.stats.open > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  },
);

Deno.test(`TLS: a client that has to show a certificate, and says nothing, is given up${note}`, {
  ignore: ignore || !verifies,
}, async () => {
  await using tls = await makeCertificate();
  const told = Promise.withResolvers<string>();
  const clock = new ManualClock();
  await using listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    handshakeTimeout: 10,
    clock,
    tls: { ...tls, clientCa: tls.cert },
    onProblem: ({ message }) => told.resolve(message),
  });
  const handshake = clock.nextWake();
  const silent = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  await handshake;
  clock.pass(11);
  assert((await told.promise).endsWith("failed: no TLS handshake in 10 s"));
  while (listener.stats.open > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  silent.close();
});

Deno.test(
  `TLS: a client that disconnects before it has shown a certificate keeps no place${note}`,
  {
    ignore: ignore || !verifies,
  },
  async () => {
    await using tls = await makeCertificate();
    const told = Promise.withResolvers<string>();
    await using listener = listenStream({
      port: 0,
      host: "127.0.0.1",
      handshakeTimeout: 10,
      clock: new ManualClock(),
      tls: { ...tls, clientCa: tls.cert },
      onProblem: ({ message }) => told.resolve(message),
    });
    const scan = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    scan.close();
    assert((await told.promise).endsWith("failed: it disconnected in the handshake"));
    while (listener.stats.open > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  },
);

Deno.test(
  `TLS: clients' certificates are refused to be verified where that cannot be done${note}`,
  {
    ignore,
  },
  async () => {
    await using tls = await makeCertificate();
    const cases: [Parameters<typeof listenStream>[0], string][] = verifies
      ? [
        [{ port: 0, tls: { ...tls, clientCa: "x" } }, "the authority's certificate is invalid"],
        [{ port: 0, tls: { ...tls, clientCa: tls.key } }, "the authority's certificate is invalid"],
        [
          { port: 0, tls: { cert: "x", key: "y", clientCa: tls.cert } },
          "the TLS certificate or its key is invalid",
        ],
      ]
      : [[{ port: 0, tls: { ...tls, clientCa: tls.cert } }, "expected 2.9 or later"]];
    for (const [options, message] of cases) {
      assertThrows(() => listenStream(options), UsageError, message);
    }
  },
);

Deno.test(`TLS: openssl s_client and Python's ssl are served${note}`, { ignore }, async () => {
  await using tls = await makeCertificate();
  await using listener = listenStream({ port: 0, host: "127.0.0.1", tls, onConnection: echo });
  const { port } = listener.addr;
  const verify = ["-CAfile", tls.certFile, "-verify_return_error", "-servername", "localhost"];
  await using openssl = startPeer("openssl", [
    ...["s_client", "-connect", `127.0.0.1:${port}`, "-quiet", "-no_ign_eof", ...verify],
  ]);
  await openssl.write("to openssl and back\n");
  await openssl.until("stdout", /to openssl and back\n/);
  await openssl.closeInput();
  await openssl.result();
  await using python = startPython(
    `
context = ssl.create_default_context(cafile=sys.argv[2])
raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s = context.wrap_socket(raw, server_hostname="localhost")
s.sendall(b"to Python and back")
print(s.recv(100))
s.unwrap()
print("ended in order")`,
    port,
    tls.certFile,
  );
  const { stdout, stderr } = await python.result();
  assertEquals([stdout, stderr], ["b'to Python and back'\nended in order\n", ""]);
});

Deno.test(`TLS: openssl s_server and Python's ssl serve${note}`, { ignore }, async () => {
  await using tls = await makeCertificate();
  await using python = startPython(
    `
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1])
s = context.wrap_socket(listener.accept()[0], server_side=True)
data = b""
while True:
    chunk = s.recv(1024)
    if not chunk: break
    data += chunk
s.sendall(str(len(data)).encode())
s.close()`,
    tls.certFile,
    tls.keyFile,
  );
  const [, port] = await python.until("stdout", /(\d+)\n/);
  await using connection = await connectStream({ port: Number(port), ca: tls.cert, timeout: 60 });
  await connection.write(new Uint8Array(50_000));
  await connection.closeWrite();
  assertEquals(await readAll(connection), "50000");
});

Deno.test(`TLS: who does not speak it is told of and holds up nobody${note}`, {
  ignore,
}, async () => {
  await using tls = await makeCertificate();
  const problems: StreamProblem[] = [];
  const told = Promise.withResolvers<void>();
  const clock = new ManualClock();
  await using listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    tls,
    handshakeTimeout: 10,
    clock,
    onConnection: echo,
    onProblem: (problem) => {
      problems.push(problem);
      if (problems.length === 3) told.resolve();
    },
  });
  const { port } = listener.addr;
  const silent = await Deno.connect({ hostname: "127.0.0.1", port });
  const plain = await Deno.connect({ hostname: "127.0.0.1", port });
  await plain.write(bytes("GET / HTTP/1.0\r\n\r\n"));
  const gone = await Deno.connect({ hostname: "127.0.0.1", port });
  gone.close();
  await using connection = await connectStream({ port, ca: tls.cert, timeout: 60 });
  await connection.write(bytes("fine"));
  assertEquals(text(await connection.read()), "fine");
  clock.pass(11);
  await told.promise;
  assertEquals(problems.map(({ kind }) => kind), ["tls", "tls", "tls"]);
  assert(problems.some(({ message }) => message.endsWith("failed: no TLS handshake in 10 s")));
  while (listener.stats.open > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  silent.close();
  plain.close();
});

Deno.test(`TLS: handshakes that hang are limited, and there is room again when peers go${note}`, {
  ignore,
}, async () => {
  await using tls = await makeCertificate();
  const full = Promise.withResolvers<string>();
  const clock = new ManualClock();
  await using listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    tls,
    maxHanging: 2,
    clock,
    onConnection: echo,
    onProblem: ({ kind, message }) => kind === "accept" && full.resolve(message),
  });
  const { port } = listener.addr;
  const silent: Deno.Conn[] = [];
  for (let i = 0; i < 2; i++) silent.push(await Deno.connect({ hostname: "127.0.0.1", port }));
  while (listener.stats.open < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  clock.pass(11);
  assert((await full.promise).startsWith("Cannot accept more connections: 2 peers connected and"));
  while (listener.stats.open > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(listener.stats.hanging, 2);
  // An accept that was under way takes one; what follows waits.
  silent.push(await Deno.connect({ hostname: "127.0.0.1", port }));
  while (listener.stats.open < 1) await new Promise((resolve) => setTimeout(resolve, 1));
  const connecting = connectStream({ port, ca: tls.cert, timeout: 60 });
  for (const conn of silent) conn.close();
  await using connection = await connecting;
  await connection.write(bytes("fine"));
  assertEquals(text(await connection.read()), "fine");
  while (listener.stats.hanging > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(listener.stats.accepted, 4);
});

Deno.test(`TLS: a client that never reads is given up${note}`, {
  ignore,
  // Deno before 2.9 ends a write that waits for the peer only when the peer does something.
  sanitizeOps: !/^2\.[0-8]\./.test(Deno.version.deno),
}, async () => {
  await using tls = await makeCertificate();
  const clock = new ManualClock();
  await using listener = listenStream({
    port: 0,
    tls,
    idleTimeout: 30,
    clock,
    onConnection: async (connection) => void await connection.write(new Uint8Array(64 << 20)),
  });
  await using connection = await connectStream({ port: listener.addr.port, ca: tls.cert });
  await connection.read();
  while (listener.stats.open > 0) {
    clock.pass(31);
    await new Promise((resolve) => setTimeout(resolve));
  }
});
