/** What all commands have in common that listen. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connectBytes, connectStream } from "../../mod.ts";
import { makeCertificate } from "../interop/certificate.ts";
import { needs } from "../interop/peer.ts";
import { folder } from "./json_serve.ts";
import { labwire, type Running, startServer } from "./run.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array | null) => chunk && new TextDecoder().decode(chunk);

/** Starts a server on a free port of 127.0.0.1. */
async function serve(...args: string[]): Promise<{ server: Running; port: number }> {
  const server = startServer([...args, "--host", "127.0.0.1", "--port", "0"]);
  const [, port] = await server.until("stderr", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready/);
  return { server, port: Number(port) };
}

/** Ends a server with Ctrl-C and returns what it printed. */
async function stop(server: Running) {
  server.interrupt();
  const result = await server.result();
  assertEquals(result.code, 0, result.stderr);
  return result;
}

/** Sends a text and returns what comes back until the server closes. */
async function send(port: number, message: string): Promise<string> {
  await using connection = await connectStream({ host: "127.0.0.1", port, timeout: 60 });
  await connection.write(bytes(message));
  let answer = "";
  for await (const chunk of connection) answer += text(chunk);
  return answer;
}

/** Whether somebody listens on a port. */
async function reaches(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

const REQUEST = 'POST / HTTP/1.1\r\nHost: x\r\n\r\n{"command_id":"fire"}\n';

for (
  const command of [
    ["json-server", "--output", "json"],
    ["struct-line", "server", "--format", "B", "--echo"],
    ["socket-server"],
    ["socket-server", "--reply-else", "1.25"],
  ]
) {
  Deno.test(`${command.join(" ")} refuses HTTP requests, says so once and counts them`, async () => {
    const { server, port } = await serve(...command);
    await using _ = server;
    for (let i = 0; i < 3; i++) assertEquals(await send(port, REQUEST), "");
    const { stdout, stderr } = await stop(server);
    assertEquals(stdout, "");
    assertEquals(stderr.match(/Refused an HTTP request from .*/g)?.length, 1);
    assertMatch(
      stderr,
      /^warning: Refused an HTTP request from 127\.0\.0\.1:\d+: a web page may have sent it; further ones are only counted; --allow-http lets them in$/m,
    );
    assertStringIncludes(stderr, "3 HTTP requests refused\n");
  });
}

Deno.test("struct-line server takes no record from a STUN request, unless --allow-http is given", async () => {
  const request = "\0\x01\0\x08\x21\x12\xa4\x42" + "x".repeat(20);
  for (const more of [[], ["--allow-http"]]) {
    const { server, port } = await serve(
      ...["struct-line", "server", "--format", "4s", "--output", "json", ...more],
    );
    await using _ = server;
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(Uint8Array.from(request, (char) => char.charCodeAt(0)));
    await conn.closeWrite();
    await conn.read(new Uint8Array(1)).catch(() => null);
    conn.close();
    const { stdout, stderr } = await stop(server);
    assertEquals(stdout.split("\n").length - 1, more.length === 0 ? 0 : 7);
    const told = /Refused a STUN request .*; --allow-http lets them in$/m.test(stderr);
    assertEquals(told, more.length === 0, stderr);
    assertEquals(/\b1 refused\n/.test(stderr), more.length === 0, stderr);
  }
});

Deno.test("socket-server --exec starts no program for an HTTP request, and answers others", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using it = await folder({});
  const log = `${it.path}/log`;
  const { server, port } = await serve(
    ...["socket-server", "--exec", `sh -c 'echo started >> ${log}; cat'`],
  );
  await using _ = server;
  assertEquals(await send(port, REQUEST), "");
  await using client = await connectBytes({ host: "127.0.0.1", port });
  assertEquals(text(await client.exchange(bytes("*IDN?\n"), { timeout: 60 })), "*IDN?\n");
  assertEquals(await Deno.readTextFile(log), "started\n");
  await client.close();
  assertStringIncludes((await stop(server)).stderr, "1 HTTP request refused");
});

Deno.test("json-server answers a message that is not complete in time, and closes", async () => {
  const { server, port } = await serve("json-server", "--message-timeout", "0.2");
  await using _ = server;
  const why = "Cannot read message: it was not complete within 0.2 s";
  assertEquals(
    await send(port, '{"command_id": "a"}\n{"command_id": "b"'),
    `{"status":"success"}\n{"status":"error","error":"${why}"}\n`,
  );
  assertStringIncludes((await stop(server)).stderr, "2 messages, 1 success, 1 failure");
});

Deno.test("struct-line server gives up a record that is not complete in time", async () => {
  const { server, port } = await serve(
    ...["struct-line", "server", "--format", "4s", "--echo", "--message-timeout", "0.2"],
  );
  await using _ = server;
  assertEquals(await send(port, "abcdef"), "abcd");
  const { stdout, stderr } = await stop(server);
  assertEquals(stdout, '["abcd"]\n');
  assertMatch(
    stderr,
    /Cannot read message: it was not complete within 0\.2 s \(from 127\.0\.0\.1:/,
  );
  assertStringIncludes(stderr, "1 cut");
});

/** Every command that listens, with what makes it listen on a free port of this computer only. */
const LISTENERS: string[][] = [
  ["json-server", "--port", "0"],
  ["struct-line", "server", "--port", "0"],
  ["socket-server", "--port", "0"],
  ["socket-server", "--udp", "--port", "0"],
  ["villas-echo", "--listen", "127.0.0.1:0"],
  ["villas-signal", "--listen", "127.0.0.1:0", "--rate", "1"],
  ["doctor", "--serve", "--listen", "127.0.0.1:0"],
];

for (const command of LISTENERS) {
  const name = command.filter((word) => !/[0-9]/.test(word)).join(" ");
  Deno.test(`${name} says in the same words as all that it listens, and writes its port into --port-file`, async () => {
    await using it = await folder({ port: "99999\n" });
    const file = `${it.path}/port`;
    await using server = startServer([...command, "--port-file", file]);
    const [, address] = await server.until(
      "stderr",
      /^Listening on (\S+)(?: and \S+)?(?:, .*)?\nReady\. Ctrl-C to quit\.\n/m,
    );
    const port = /:(\d+),?$/.exec(address!)![1];
    assertEquals(await Deno.readTextFile(file), `${port}\n`);
    assertEquals([...Deno.readDirSync(it.path)].map(({ name }) => name), ["port"]);
    server.interrupt();
    await server.result();
    assertEquals([...Deno.readDirSync(it.path)], []);
  });
}

Deno.test("--port-file is not removed when another program has written it since", async () => {
  await using it = await folder({});
  const file = `${it.path}/port`;
  await using server = startServer(["json-server", "--port", "0", "--port-file", file]);
  await server.until("stderr", /Ready/);
  await Deno.writeTextFile(file, "1\n");
  await stop(server);
  assertEquals(await Deno.readTextFile(file), "1\n");
});

Deno.test("--port-file is removed when a second Ctrl-C ends the program at once", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using it = await folder({
    "stuck.js":
      "export const interact = () => new Promise(() => setInterval(() => {}, console.error('called')));",
  });
  const file = `${it.path}/port`;
  await using server = startServer([
    ...["json-server", "--port", "0", "--port-file", file, "--handler", `${it.path}/stuck.js`],
  ]);
  const [, port] = await server.until("stderr", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready/);
  await using client = await connectStream({ host: "127.0.0.1", port: Number(port) });
  await client.write(bytes("{}\n"));
  await server.until("stderr", /called/);
  server.interrupt();
  // The first one has been heard when nobody listens any more.
  while (await reaches(Number(port)));
  server.interrupt();
  await server.result();
  assertEquals([...Deno.readDirSync(it.path)].map(({ name }) => name), ["stuck.js"]);
});

for (const ending of ["the end of --grace", "a second Ctrl-C"]) {
  for (const taken of [false, true]) {
    const what = taken ? "left to another program" : "removed";
    Deno.test({
      name: `--port-file is ${what} when ${ending} ends a handler that never returns`,
      ignore: Deno.build.os === "windows",
      async fn() {
        await using it = await folder({
          "busy.js": "export const interact = () => { console.error('called'); for (;;); };",
        });
        const file = `${it.path}/port`;
        const grace = ending.endsWith("--grace") ? "0.1" : "600";
        await using server = startServer([
          ...["json-server", "--port", "0", "--port-file", "port", "--grace", grace],
          ...["--handler", `${it.path}/busy.js`],
        ], { cwd: it.path });
        const [, port] = await server.until("stderr", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready/);
        assertEquals(await Deno.readTextFile(file), `${port}\n`);
        await using client = await connectStream({ host: "127.0.0.1", port: Number(port) });
        await client.write(bytes("{}\n"));
        await server.until("stderr", /called/);
        if (taken) await Deno.writeTextFile(file, "1\n");
        server.interrupt();
        if (grace === "600") {
          await server.until("stderr", /Waiting up to 600 s/);
          server.interrupt();
        }
        assertEquals((await server.result()).code, 130);
        const left = [...Deno.readDirSync(it.path)].map(({ name }) => name).toSorted();
        assertEquals(left, taken ? ["busy.js", "port"] : ["busy.js"]);
      },
    });
  }
}

Deno.test("--port-file leaves a file alone that holds something else than a port", async () => {
  const notes = {
    "keep.txt": "my notes\n",
    more: "65432\n1\n",
    long: "1".repeat(100),
    "7": "-7\n",
  };
  await using it = await folder(notes);
  for (const [name, text] of Object.entries(notes)) {
    const file = `${it.path}/${name}`;
    const { code, stderr } = await labwire(["json-server", "--port", "0", "--port-file", file]);
    assertEquals(code, 2, stderr);
    assertStringIncludes(
      stderr,
      `Cannot write --port-file "${file}": it is there and holds something else than a port; name another file, or remove it`,
    );
    assertEquals(await Deno.readTextFile(file), text);
  }
  assertEquals([...Deno.readDirSync(it.path)].length, 4);
  const { code, stderr } = await labwire(["json-server", "--port", "0", "--port-file", it.path]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, `Cannot write --port-file "${it.path}": it is a directory\n`);
});

Deno.test("--port-file takes an empty file, as mktemp makes one", async () => {
  await using it = await folder({ port: "" });
  const file = `${it.path}/port`;
  await using server = startServer(["json-server", "--port", "0", "--port-file", file]);
  await server.until("stderr", /Ready/);
  assertMatch(await Deno.readTextFile(file), /^\d+\n$/);
  await stop(server);
  assertEquals([...Deno.readDirSync(it.path)], []);
});

Deno.test("--port-file that cannot be written is a usage error", async () => {
  await using it = await folder({});
  const cases: [string[], string][] = [
    [
      ["json-server", "--port", "0", "--port-file", `${it.path}/none/port`],
      `Cannot write --port-file "${it.path}/none/port": no such directory`,
    ],
    [["socket-server", "--port", "0", "--port-file", it.path], "Cannot write --port-file"],
    [
      ["doctor", "--port-file", `${it.path}/port`],
      "Cannot use --port-file alone: expected --serve",
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await labwire(args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, message);
  }
  assertEquals([...Deno.readDirSync(it.path)], []);
});

Deno.test("a server that everybody can reach warns when it listens, and of what is there for its transport", async () => {
  const warning = /^warning: Everybody who can reach 0\.0\.0\.0 (.*)\nListening on 0\.0\.0\.0:/m;
  const open = async (...args: string[]) => {
    await using server = startServer([...args, "--host", "0.0.0.0", "--port", "0"]);
    await server.until("stderr", /Ready/);
    return warning.exec((await stop(server)).stderr)?.[1];
  };
  assertMatch(
    (await open("socket-server"))!,
    /^can connect: restrict that with --allow, or serve TLS/,
  );
  assertEquals(await open("socket-server", "--udp"), "is served: restrict that with --allow");
  assertEquals(await open("socket-server", "--allow", "127.0.0.1"), undefined);

  using taken = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  for (const command of [["json-server"], ["struct-line", "server"], ["socket-server"]]) {
    const { code, stderr } = await labwire([...command, "--host", "0.0.0.0", "--port", `${port}`]);
    assertEquals(code, 2);
    assert(!stderr.includes("Everybody"), stderr);
    assertStringIncludes(stderr, "another program uses this address; --port takes another one\n");
  }
});

const tlsNeeds = needs("openssl");
Deno.test(
  `--tls-client-ca serves those who show a certificate, or says that it cannot${tlsNeeds.note}`,
  {
    ignore: tlsNeeds.ignore,
  },
  async () => {
    await using tls = await makeCertificate();
    await using own = await makeCertificate("DNS:client");
    const serving = ["--tls-cert", tls.certFile, "--tls-key", tls.keyFile];
    const clientCa = ["--tls-client-ca", own.certFile];
    const identity = ["--tls-cert", own.certFile, "--tls-key", own.keyFile];
    const { stdout } = await labwire(["--version"]);
    const runtime = /^deno 2\.(\d+)/im.exec(stdout)![1];
    if (Number(runtime) < 9) {
      const { code, stderr } = await labwire([
        "json-server",
        "--port",
        "0",
        ...serving,
        ...clientCa,
      ]);
      assertEquals(code, 2);
      assertMatch(
        stderr,
        /Cannot verify client certificates with Deno 2\.\d+\.\d+: expected 2\.9 or later/,
      );
      return;
    }
    for (
      const [command, client, answer] of [
        [["json-server"], ["json-client", "--output", "json", "x"], '{"status":"success"}\n'],
        [
          ["struct-line", "server", "--format", "4s", "--echo"],
          ["struct-line", "client", "--format", "4s", "--send", '["abcd"]', "--count", "1"],
          '["abcd"]\n',
        ],
      ] as const
    ) {
      const { server, port } = await serve(...command, ...serving, ...clientCa);
      await using _ = server;
      const to = ["--port", `${port}`, "--ca", tls.certFile];
      const known = await labwire([...client, ...to, ...identity]);
      assertEquals([known.code, known.stdout], [0, answer], known.stderr);
      const unknown = await labwire([...client, ...to]);
      assertEquals([unknown.code, unknown.stdout], [4, ""], unknown.stderr);
      assertStringIncludes(
        unknown.stderr,
        "the other side asks for a TLS certificate that it trusts",
      );
      assertStringIncludes((await stop(server)).stderr, "failed: the client sent no certificate");
    }
  },
);

Deno.test(`certificates and keys belong together${tlsNeeds.note}`, {
  ignore: tlsNeeds.ignore,
}, async () => {
  await using tls = await makeCertificate();
  const cert = ["--tls-cert", tls.certFile];
  const cases: [string[], string][] = [
    [["json-server", ...cert], "Cannot serve TLS: expected both --tls-cert and --tls-key"],
    [
      ["struct-line", "server", "--tls-client-ca", tls.certFile],
      "Cannot verify client certificates without TLS: expected --tls-cert and --tls-key with",
    ],
    [["socket-server", "--udp", ...cert, "--tls-key", tls.keyFile], "Cannot use --udp with TLS"],
    [["json-client", ...cert, "x"], "Cannot show the server a certificate: expected both"],
    [["socket-client", "--tls-key", tls.keyFile, "x"], "expected both --tls-cert and --tls-key"],
    [["socket-client", "--udp", ...cert, "x"], "Cannot use --udp with TLS"],
    [
      ["struct-line", "client", "--tls-cert", "/none.pem", "--tls-key", tls.keyFile],
      'Cannot read --tls-cert "/none.pem": no such file',
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await labwire(args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
});

Deno.test(
  `certificates and keys may have a byte order mark, and have to be what they are given as${tlsNeeds.note}`,
  {
    ignore: tlsNeeds.ignore,
  },
  async () => {
    await using tls = await makeCertificate();
    const [certFile, keyFile] = await Promise.all([tls.certFile, tls.keyFile].map(async (file) => {
      await Deno.writeTextFile(`${file}.bom`, `\ufeff${await Deno.readTextFile(file)}`);
      return `${file}.bom`;
    }));
    const { server, port } = await serve(
      "json-server",
      "--tls-cert",
      certFile!,
      "--tls-key",
      keyFile!,
    );
    await using _server = server;
    const client = ["json-client", "--port", `${port}`, "--ca", certFile!, "x"];
    const { code, stderr } = await labwire(client);
    assertEquals(code, 0, stderr);

    const encrypted = `${keyFile}.encrypted`;
    const openssl = [
      "pkcs8",
      "-topk8",
      "-in",
      tls.keyFile,
      "-passout",
      "pass:x",
      "-out",
      encrypted,
    ];
    assert((await new Deno.Command("openssl", { args: openssl }).output()).success);
    const cert = ["json-server", "--tls-cert", tls.certFile];
    const cases: [string[], string][] = [
      [["json-client", "--ca", tls.keyFile, "x"], 'expected a certificate, found "PRIVATE KEY"'],
      [[...cert, "--tls-key", tls.certFile], 'expected a private key, found "CERTIFICATE"'],
      [[...cert, "--tls-key", encrypted], "expected a private key without a passphrase"],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await labwire(args);
      assertStringIncludes(stderr, message);
      assertEquals(code, 2);
    }
  },
);
