import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Child, start } from "../cli/run.ts";
import { bitsOf } from "../codecs/struct/random_values.ts";
import { PROTOBUF } from "./python.ts";
import { freePort } from "../net/free_port.ts";

const PEER = fileURLToPath(new URL("villas_peer.py", import.meta.url));
const COMPARABLE = PROTOBUF?.implementation === "cpp";

/** A test that needs Python's protobuf in C++, which is the one whose text format labwire writes. */
function interopTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: name +
      (COMPARABLE ? "" : " (ignored: no Python with the C++ implementation of protobuf)"),
    ignore: !COMPARABLE,
    fn,
  });
}

function startPython(mode: "client" | "generator", args: string[]): Child {
  return new Child(
    new Deno.Command(PROTOBUF!.python, {
      args: ["-u", PEER, mode, ...args],
      env: { PYTHONDONTWRITEBYTECODE: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
}

/** The port of a Python peer. */
async function portOf(peer: Child, stream: "stdout" | "stderr"): Promise<string> {
  return (await peer.until(stream, /"event": "ready", "port": (\d+)/))[1]!;
}

/** The port of a labwire program that listens on some port. */
async function listeningPort(program: Child): Promise<string> {
  return (await program.until("stderr", /Listening on 127\.0\.0\.1:(\d+)/))[1]!;
}

/** What the generator says about each datagram, and at the end. */
type Event = Record<string, unknown> & {
  event: "ready" | "returned" | "lost" | "sent" | "summary";
};

/** Lets a Python generator send what it is told to a villas-echo, and returns what both said. */
async function generate(
  lines: unknown[],
  echoArgs: string[],
): Promise<{ events: Event[]; code: number; stdout: string; stderr: string }> {
  await using generator = startPython("generator", []);
  const remote = `127.0.0.1:${await portOf(generator, "stdout")}`;
  await using echo = start([
    "villas-echo",
    ...["--listen", "127.0.0.1:0", "--remote", remote],
    ...echoArgs,
  ]);
  const to = `127.0.0.1:${await listeningPort(echo)}`;
  await echo.until("stderr", /Ready/);
  await generator.write([{ to }, ...lines].map((line) => JSON.stringify(line) + "\n").join(""));
  await generator.process.stdin.close();
  const { stdout, code } = await generator.result();
  if (Deno.build.os !== "windows") echo.interrupt();
  const said = await echo.result();
  const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
  return { events, code, stdout: said.stdout, stderr: said.stderr };
}

interopTest(
  "villas-echo sends back every message of a Python generator, byte for byte",
  async () => {
    const { events, code, stdout, stderr } = await generate([{ builtin: true }], [
      "--output",
      "text",
    ]);
    const returned = events.filter(({ event }) => event === "returned");
    assertEquals(events.at(-1), {
      event: "summary",
      sent: 13,
      returned: 13,
      same: 13,
      lost: 0,
      unexpected: 0,
    });
    assertEquals(code, 0);
    // What labwire printed is what Python prints.
    assertEquals(stdout, returned.map(({ text }) => text).join(""));
    assertMatch(stderr, /13 messages, \d+ samples, .* 13 replies, 0 invalid, 0 refused, 0 ignored/);
  },
);

interopTest("villas-echo never answers what would end VILLASnode, and goes on", async () => {
  const good = (sequence: number) => [{ sequence: `${sequence}`, values: [["f", bitsOf(0.5)]] }];
  const { events, code, stderr } = await generate([
    good(0),
    { hex: "ff00ff", answer: false }, // garbage
    { hex: "0a40080110", answer: false }, // truncated
    { hex: "0a0408021001", answer: false }, // START
    { hex: "0a0408031002", answer: false }, // STOP
    { hex: "0a0708011003a20600", answer: false }, // an unset value
    good(4),
  ], ["--output", "none"]);
  assertEquals(events.map(({ event }) => event), [
    "ready",
    "returned",
    ...["sent", "sent", "sent", "sent", "sent"],
    "returned",
    "summary",
  ]);
  assertEquals(code, 0);
  assertMatch(stderr, /, 2 replies, 2 invalid, 3 refused, /);
});

interopTest("villas-echo sends back every message over unix sockets too", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const [node, own] = [`${directory}/node.sock`, `${directory}/client.sock`];
    await using echo = start([
      ...["villas-echo", "--layer", "unix", "--listen", own, "--remote", node],
      ...["--output", "none"],
    ]);
    await echo.until("stderr", /Not connected/); // as nobody is there yet
    await using generator = startPython("generator", ["--unix", node]);
    await generator.until("stdout", /"ready"/);
    await echo.until("stderr", /Ready/);
    await generator.write(`{"to": "${own}"}\n{"builtin": true}\n`);
    await generator.process.stdin.close();
    const { code, stdout } = await generator.result();
    assertEquals(code, 0, stdout);
    assertMatch(stdout, /"sent": 13, "returned": 13, "same": 13, "lost": 0/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** The samples of printed messages, without the blank lines between messages. */
function samplesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

for (const vectorize of [1, 4]) {
  interopTest(
    `villas-signal gets all its samples back from a Python client, ${vectorize} in a datagram`,
    async () => {
      // The client is bound before the port of the signal is known, so it is given one that is free.
      const node = `127.0.0.1:${freePort("udp")}`;
      await using client = startPython("client", [
        ...["--listen", "127.0.0.1:0", "--remote", node],
      ]);
      const to = `127.0.0.1:${await portOf(client, "stderr")}`;
      await using signal = start([
        ...["villas-signal", "mixed", "--values", "9", "--rate", "200", "--limit", "40"],
        ...["--vectorize", `${vectorize}`, "--listen", node, "--to", to],
        ...["--output", "text", "--check", "--wait", "30"],
      ]);
      const { code, stdout, stderr } = await signal.result();
      assertEquals(code, 0, stderr);
      client.interrupt();
      const printed = await client.result();
      assertEquals(printed.code, 0, printed.stderr);
      const [begin, ready, ...texts] = printed.stdout.split("\n");
      assertEquals([begin, ready, texts.pop(), texts.pop()], [
        "Start client...",
        "Ready. Ctrl-C to quit.",
        "",
        "Bye.",
      ]);
      assert(stdout.startsWith("samples {\n  type: DATA\n  sequence: 0\n"));
      assertEquals(samplesOf(stdout), samplesOf(texts.join("\n")));
      assertMatch(stderr, /0 lost, 0 changed/);
    },
  );
}
