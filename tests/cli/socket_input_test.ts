/** What `socket-client` sends, and what it does not, without a message on the command line; and what it sends for no answer. */

import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { listenBytes, listenDatagrams, listenStream } from "../../mod.ts";
import { makeCertificate } from "../interop/certificate.ts";
import { needs, startPeer, startPython } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { startOnTerminal } from "./pty.ts";
import { labwire, programCommand, startServer } from "./run.ts";
import { startHere } from "./run_here.ts";
import { freePort } from "../net/free_port.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);
const POSIX = Deno.build.os !== "windows";
const python = needs(PYTHON);

/** A server over TCP and UDP that keeps what it gets, and echoes it. */
async function echoServer(answers = true) {
  const received: string[] = [];
  let connections = 0;
  let arrival = Promise.withResolvers<void>();
  const answer = (message: Uint8Array) => {
    received.push(text(message));
    arrival.resolve();
    arrival = Promise.withResolvers();
    return answers ? message : null;
  };
  const udp = await listenDatagrams({ port: 0, answer });
  const tcp = listenBytes({ port: 0, answer, onConnection: () => void connections++ });
  return {
    received,
    /** Waits until it has got so many messages. */
    async has(count: number): Promise<string[]> {
      while (received.length < count) await arrival.promise;
      return received;
    },
    get connections() {
      return connections;
    },
    tcp: ["socket-client", "--timeout", "60", "--port", String(tcp.addr.port)],
    udp: ["socket-client", "--timeout", "60", "--udp", "--port", String(udp.addr.port)],
    async [Symbol.asyncDispose]() {
      await udp.close();
      await tcp.close();
    },
  };
}

Deno.test("socket-client sends exactly what is piped in", async () => {
  await using echo = await echoServer();
  for (const args of [echo.tcp, echo.udp]) {
    const { code, stdout } = await labwire(args, { input: "*IDN?\nMEAS?" });
    assertEquals([code, stdout], [0, "*IDN?\nMEAS?"]);
    assertEquals(echo.received.splice(0), ["*IDN?\nMEAS?"]);
  }
  const repeated = await labwire([...echo.tcp, "--repeat", "3"], { input: "ping" });
  assertEquals([repeated.code, echo.received.splice(0)], [0, ["ping", "ping", "ping"]]);
  const newline = await labwire([...echo.udp, "--newline"], { input: "*IDN?" });
  assertEquals([newline.code, echo.received.splice(0)], [0, ["*IDN?\n"]]);
});

Deno.test("socket-client sends nothing where there is no message", async () => {
  await using echo = await echoServer();
  for (
    const args of [echo.tcp, echo.udp, [...echo.tcp, "--repeat", "2"], [...echo.udp, "--no-answer"]]
  ) {
    for (const input of [undefined, ""]) {
      const { code, stdout, stderr } = await labwire(args, { input });
      assertEquals([code, stdout], [2, ""]);
      assertEquals(
        stderr,
        "error: Cannot send nothing: expected MESSAGE, --hex, --file or piped input\n",
      );
    }
  }
  assertEquals([echo.connections, echo.received], [0, []]);
});

Deno.test("socket-client sends nothing where standard input is closed", {
  ignore: !POSIX,
}, async () => {
  await using echo = await echoServer();
  const [program, before] = programCommand();
  const { code } = await new Deno.Command("sh", {
    args: ["-c", '"$@" <&-', "sh", program, ...before, ...echo.tcp],
    stderr: "null",
  }).output();
  assertEquals([code, echo.connections, echo.received], [2, 0, []]);
});

Deno.test(`socket-client on a terminal sends what is typed and nothing else${python.note}`, {
  ignore: python.ignore || !POSIX,
}, async () => {
  await using echo = await echoServer();
  await using client = startOnTerminal(echo.tcp);
  await client.until("stdout", /What you type goes to localhost:\d+\. Ctrl-D to end\./);
  await client.write("*IDN?\n");
  await client.until("stdout", /Received: b'\*IDN\?\\n'/);
  await client.write("\x04");
  assertEquals((await client.result()).code, 0);
  assertEquals(echo.received, ["*IDN?\n"]);
  for (const flags of [["--no-answer"], ["--repeat", "2"]]) {
    await using asked = startOnTerminal([...echo.tcp, ...flags]);
    assertEquals((await asked.result()).code, 2);
  }
  assertEquals(echo.received.length, 1);
});

Deno.test("socket-client waits for piped input longer than for an answer", async () => {
  const received: string[] = [];
  await using server = listenBytes({
    port: 0,
    answer: (message) => {
      received.push(text(message));
      return message;
    },
  });
  const args = ["socket-client", "--port", String(server.addr.port), "--timeout", "0.2"];
  await using client = startServer(args, { stdin: "piped" });
  for (const [i, line] of ["one\n", "two\n"].entries()) {
    await client.write(line);
    await client.until("stdout", i === 0 ? /^one\n$/ : /^one\ntwo\n$/);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await client.closeInput();
  assertEquals([(await client.result()).code, received], [0, ["one\n", "two\n"]]);
});

Deno.test("socket-client sends the good lines of its input and exits with 5 for the others", async () => {
  await using echo = await echoServer();
  const input = "a\\x41\nbad\\q\n\\tc\n";
  const { code, stdout, stderr } = await labwire([...echo.udp, "--escape"], { input });
  assertEquals([code, stdout, echo.received], [5, "aA\n\tc\n", ["aA\n\tc\n"]]);
  assertMatch(stderr, /^error: Cannot send line 2: Cannot read escape "\\q" at character 4/m);
  const none = await labwire([...echo.tcp, "--escape"], { input: "\\q" });
  assertEquals([none.code, echo.connections], [5, 0]);
});

Deno.test("socket-client --escape changes nothing but escapes: a byte order mark leaves, and bytes that are no text do not", async () => {
  const received: string[] = [];
  await using server = await listenDatagrams({
    port: 0,
    answer: (message) => {
      received.push(message.toHex());
      return message;
    },
  });
  const args = ["socket-client", "--udp", "--port", String(server.addr.port), "--interactive"];
  const input = Uint8Array.of(0xef, 0xbb, 0xbf, 0x41, 0x0a, 0x42, 0xb0, 0x0a, 0x43, 0x0a);
  const { code, stderr } = await labwire([...args, "--escape"], { input });
  assertEquals([code, received], [5, ["efbbbf410a", "430a"]]);
  assertMatch(stderr, /^error: Cannot send line 2: Cannot decode UTF-8 at byte 1/m);
});

Deno.test("socket-client takes a piped answer that comes while it still sends", async () => {
  await using echo = await echoServer();
  const sent = new Uint8Array(5_000_000).map((_, i) => i % 100);
  const { code, stdout } = await labwire([...echo.tcp, "--half-close"], { input: sent });
  assertEquals([code, stdout.length], [0, sent.length]);
  assert(stdout === text(sent));
});

Deno.test("socket-client prints the answer's bytes where a shell takes them", {
  ignore: !POSIX,
}, async () => {
  await using server = listenBytes({ port: 0, answer: () => bytes("ACME,1\n") });
  const [program, before] = programCommand();
  const args = ["socket-client", "--port", String(server.addr.port), "--quiet", "*IDN?"];
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", 'v=$("$@"); printf "<%s>" "$v"', "sh", program, ...before, ...args],
  }).output();
  assertEquals(text(stdout), "<ACME,1>");
});

Deno.test(`socket-client labels what it prints on a terminal, as the tutorial does${python.note}`, {
  ignore: python.ignore || !POSIX,
}, async () => {
  await using echo = await echoServer();
  const printed = async (...args: string[]) => {
    await using client = startOnTerminal([...args, "Hello, world"]);
    const { code, stdout } = await client.result();
    assertEquals(code, 0);
    return stdout.replaceAll("\r", "");
  };
  const port = echo.udp.at(-1);
  assertEquals(await printed(...echo.tcp), "Starting client...\nReceived: b'Hello, world'\n");
  assertEquals(
    await printed(...echo.udp),
    `Starting client...\nReceived (from ('127.0.0.1', ${port})): b'Hello, world'\n`,
  );
  const hex = await printed(...echo.tcp, "--output", "hex");
  assertEquals(hex, "Starting client...\nReceived: 48656c6c6f2c20776f726c64\n");
  const dump = await printed(...echo.tcp, "--output", "hexdump");
  assertStringIncludes(dump, "Received:\n00000000  48 65 6c");
});

Deno.test("socket-client --no-answer sends over TCP and UDP, and succeeds", async () => {
  await using echo = await echoServer(false);
  for (const args of [echo.tcp, echo.udp]) {
    const { code, stdout, stderr } = await labwire([...args, "--no-answer", "VOLT 3"]);
    assertEquals([code, stdout, stderr], [0, "", "Starting client...\n"]);
    const piped = await labwire([...args, "--no-answer"], { input: "VOLT 4\n" });
    assertEquals(piped.code, 0);
    assertEquals((await echo.has(2)).splice(0), ["VOLT 3", "VOLT 4\n"]);
  }
});

Deno.test("socket-client --no-answer delivers everything, also to a server that answers or keeps the connection", async () => {
  const sent = new Uint8Array(20_000_000).map((_, i) => i % 100);
  const file = await Deno.makeTempFile();
  await Deno.writeFile(file, sent);
  for (const behaviour of ["ends", "answers", "keeps"]) {
    let total = 0;
    const whole = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    await using server = listenStream({
      port: 0,
      onConnection: async (connection) => {
        for await (const chunk of connection) {
          total += chunk.length;
          if (behaviour === "answers") await connection.write(chunk);
        }
        whole.resolve();
        if (behaviour === "keeps") await over.promise;
      },
    });
    const args = ["--port", String(server.addr.port), "--file", file, "--no-answer"];
    const { code, stdout, stderr } = await labwire(["socket-client", ...args]);
    assertEquals([code, stdout], [0, ""], stderr);
    await whole.promise;
    over.resolve();
    assertEquals(total, sent.length);
  }
  await Deno.remove(file);
});

const openssl = needs("openssl");
Deno.test(`socket-client --no-answer delivers over TLS${openssl.note}`, {
  ignore: openssl.ignore,
}, async () => {
  await using tls = await makeCertificate();
  const received = Promise.withResolvers<string>();
  await using server = listenBytes({
    port: 0,
    tls,
    answer: (message) => {
      received.resolve(text(message));
      return null;
    },
  });
  const args = ["--port", String(server.addr.port), "--ca", tls.certFile, "--no-answer", "VOLT 3"];
  assertEquals((await labwire(["socket-client", ...args])).code, 0);
  assertEquals(await received.promise, "VOLT 3");
});

Deno.test(`socket-client --no-answer exits with 4 when the message is not taken${python.note}`, {
  ignore: python.ignore || !POSIX,
}, async () => {
  const port = freePort();
  const args = ["socket-client", "--port", String(port), "--no-answer", "VOLT 3"];
  const { code, stderr } = await labwire(args);
  assertEquals(code, 4);
  assertStringIncludes(stderr, "connection refused");
  // One server breaks off each connection, the other never reads.
  await using server = startPython(`
servers = [socket.create_server(("127.0.0.1", 0)) for i in range(2)]
print(*(s.getsockname()[1] for s in servers))
lazy = None
while True:
    if lazy is None:
        c, _ = servers[0].accept()
        c.recv(1)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close()
    lazy, _ = servers[1].accept()`);
  const [, breaking, lazy] = await server.until("stdout", /^(\d+) (\d+)\n/);
  const file = await Deno.makeTempFile();
  await Deno.writeFile(file, new Uint8Array(20_000_000));
  const common = ["socket-client", "--file", file, "--no-answer", "--timeout", "1", "--port"];
  const broken = await labwire([...common, breaking!]);
  assertEquals(broken.code, 4);
  assertMatch(broken.stderr, /error: (Cannot send to|Lost the connection to) "localhost:\d+"/);
  const stuck = await labwire([...common, lazy!]);
  assertEquals(stuck.code, 4);
  assertMatch(stuck.stderr, /Cannot send to "localhost:\d+": it took nothing for 1 s/);
  server.process.kill();
  await Deno.remove(file);
});

Deno.test("socket-client exits with 130 at Ctrl-C while it waits for input or an answer", {
  ignore: !POSIX,
}, async () => {
  await using silent = await echoServer(false);
  for (const args of [["--interactive"], ["MEAS?"], ["--repeat", "3", "MEAS?"]]) {
    const { connections } = silent;
    await using client = startServer([...silent.tcp, ...args], { stdin: "piped" });
    while (silent.connections === connections) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    client.interrupt();
    const { code, stderr } = await client.result();
    assertEquals([code, stderr], [130, "Starting client...\n"], args.join(" "));
  }
  await using waiting = startServer([...silent.tcp, "--escape"], { stdin: "piped" });
  await waiting.write("\\q\n");
  await waiting.until("stderr", /^error: Cannot send line 1: .*\n/);
  waiting.interrupt();
  const { code, stderr } = await waiting.result();
  assertEquals([code, stderr.split("\n").length], [130, 2]);
});

Deno.test("socket-client exits with 0 at Ctrl-C that ends a measurement", {
  ignore: !POSIX,
}, async () => {
  await using echo = await echoServer();
  await using client = startServer([...echo.tcp, "--repeat", "1000000", "--interval", "0.01", "x"]);
  await echo.has(3);
  client.interrupt();
  const { code, stdout } = await client.result();
  assertEquals(code, 0);
  assertMatch(stdout, /^\d+ sent, \d+ answered, \d lost\nround trip: /);
});

Deno.test(`socket-client exits with 0 at Ctrl-C that ends what is typed${python.note}`, {
  ignore: python.ignore || !POSIX,
}, async () => {
  await using echo = await echoServer();
  await using client = startOnTerminal(echo.tcp);
  await client.until("stdout", /Ctrl-D to end\./);
  await client.write("\x03");
  assertEquals((await client.result()).code, 0);
});

Deno.test("socket-client --repeat --output json prints a record, times in seconds", async () => {
  await using echo = await echoServer();
  const args = [...echo.udp, "--repeat", "4", "--output", "json", "x"];
  const { stdout } = await labwire(args);
  const { roundTrip, ...counts } = JSON.parse(stdout);
  assertEquals(counts, { sent: 4, answered: 4, altered: 0, lost: 0 });
  assertEquals(Object.keys(roundTrip), ["min", "median", "p99", "max"]);
  assertLess(0, roundTrip.min);
  assertLess(roundTrip.max, 60);
  assertEquals((await labwire([...echo.udp, "--repeat", "2", "--output", "none", "x"])).stdout, "");
});

const socat = needs("socat");
Deno.test(`socket-client --no-answer delivers to socat${socat.note}`, {
  ignore: socat.ignore,
}, async () => {
  const port = freePort();
  const listen = `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr`;
  await using peer = startPeer("socat", ["-u", "-d", "-d", listen, "-"]);
  await peer.until("stderr", /listening on/);
  const args = ["socket-client", "--port", String(port), "--no-answer", "--newline", "VOLT 3"];
  assertEquals((await labwire(args)).code, 0);
  assertEquals((await peer.result()).stdout, "VOLT 3\n");
});

Deno.test("socket-client has a server that pauses take all of a long message", async () => {
  const taken = Promise.withResolvers<number>();
  await using server = listenStream({
    port: 0,
    onConnection: async (connection) => {
      let count = (await connection.read())!.length;
      await connection.write(bytes("ready\n"));
      await new Promise((resolve) => setTimeout(resolve, 300));
      for await (const chunk of connection) {
        count += chunk.length;
        await connection.write(bytes("taken\n"));
      }
      taken.resolve(count);
    },
  });
  const input = new Uint8Array(200_000).fill(0x78);
  const args = ["socket-client", "--port", String(server.addr.port), "--quiet"];
  const { code, stderr } = await labwire(args, { input });
  assertEquals([code, stderr, await taken.promise], [0, "", input.length]);
});

Deno.test("socket-client sends and records no part of a datagram at Ctrl-C", async () => {
  const folder = await Deno.makeTempDir();
  for (const more of [[], ["--no-answer"]]) {
    await using echo = await echoServer();
    const args = [...echo.udp, ...more];
    args.push("--record", `${folder}/${more.length}.log`);
    await using client = startHere(args, { stdin: "piped" });
    await client.write("VOLT 1");
    await client.until("stderr", /Starting client/);
    client.interrupt();
    const { code, stderr } = await client.result();
    assertEquals(code, 130, stderr);
    assertMatch(stderr, /Recorded 0 pieces/);
    assertEquals((await labwire([...echo.udp, "end"])).code, 0);
    assertEquals(echo.received, ["end"]);
  }
  await Deno.remove(folder, { recursive: true });
});
