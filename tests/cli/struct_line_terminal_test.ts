import { assertEquals, assertStringIncludes } from "@std/assert";
import { Line } from "../../lib/struct/line.ts";
import { screen } from "../guides/screen.ts";
import { needs } from "../interop/peer.ts";
import { plainText, startOnTerminal } from "./pty.ts";
import { start } from "./run.ts";

// Windows has no pseudo-terminals that Python could make.
const python = Deno.build.os === "windows"
  ? { ignore: true, note: " (needs a POSIX system)" }
  : needs("python3");
const FORMAT = "!I30sd";

Deno.test({
  name:
    `struct-line client asks for each field, and again with the reason when it does not fit${python.note}`,
  ignore: python.ignore,
  async fn() {
    const received = Promise.withResolvers<unknown>();
    await using server = Line.listen({
      format: FORMAT,
      port: 0,
      action: ([a, b, c]) => received.resolve([a, new TextDecoder().decode(b.subarray(0, 5)), c]),
    });
    const names = ["--fields", "repetitions,text,pause"];
    const port = String(server.addr.port);
    await using program = startOnTerminal([
      "struct-line",
      "client",
      "--format",
      FORMAT,
      "--port",
      port,
      ...names,
    ]);
    for (
      const [question, answer] of [
        [/repetitions: $/, "three"],
        [/error: "three" is not an integer[^]*repetitions: $/, "4294967296"],
        [/4294967296" is out of range 0 to 4294967295[^]*repetitions: $/, "3"],
        [/text: $/, "x".repeat(31)],
        [/is 31 bytes long, expected at most 30[^]*text: $/, "hello"],
        [/pause: $/, "a while"],
        [/"a while" is not a number[^]*pause: $/, "0.5"],
      ] as const
    ) await type(program, question, answer);
    await untilPlain(program, /Sent\.[^]*repetitions: $/);
    assertEquals(await received.promise, [3, "hello", 0.5]);
    await program.write("\x04");
    assertEquals((await program.result()).code, 0);
  },
});

Deno.test({
  name:
    `struct-line client names fields by their types, and shows what arrives above the prompt${python.note}`,
  ignore: python.ignore,
  async fn() {
    await using server = Line.listen({ format: "!?2sh", port: 0 });
    const port = String(server.addr.port);
    await using program = startOnTerminal([
      "struct-line",
      "client",
      "--format",
      "!?2sh",
      "--port",
      port,
    ]);
    await type(program, /\? \(_Bool\): $/, "maybe");
    await type(program, /expected true or false[^]*\? \(_Bool\): $/, "yes");
    await untilPlain(program, /2s \(text, up to 2 bytes\): $/);
    await program.write("a");
    await untilPlain(program, /bytes\): a$/);
    await server.send([false, "hi", -1]);
    // The half of the answer that was typed is shown again.
    await untilPlain(program, /\[false,"hi",-1\]\n2s \(text, up to 2 bytes\): a$/);
    await program.write("b\r");
    await type(program, /h \(short\): $/, "-5");
    await untilPlain(program, /Sent\./);
    for await (const record of server) {
      assertEquals(record, [true, new TextEncoder().encode("ab"), -5]);
      break;
    }
    await program.write("\x03");
    assertEquals((await program.result()).code, 0);
  },
});

Deno.test({
  name: `struct-line client asks for the values of an array one by one${python.note}`,
  ignore: python.ignore,
  async fn() {
    await using server = Line.listen({ format: "<I2d", port: 0 });
    const port = String(server.addr.port);
    const args = ["--format", "<I2d", "--fields", "n,arr*2", "--port", port];
    await using program = startOnTerminal(["struct-line", "client", ...args]);
    await type(program, /n: $/, "1");
    await type(program, /arr\[0\]: $/, "0.5");
    await type(program, /arr\[1\]: $/, "x");
    await type(program, /error: "x" is not a number\narr\[1\]: $/, "-inf");
    await untilPlain(program, /Sent\.[^]*n: $/);
    for await (const record of server) {
      assertEquals(record, [1, 0.5, -Infinity]);
      break;
    }
    await program.write("\x04");
    assertEquals((await program.result()).code, 0);
  },
});

Deno.test({
  name:
    `struct-line server asks on a terminal once somebody is connected, --once ends after it${python.note}`,
  ignore: python.ignore,
  async fn() {
    await using program = startOnTerminal([
      "struct-line",
      "server",
      "--port",
      "0",
      "--format",
      "!H",
      "--once",
    ]);
    const [, port] = await untilPlain(program, /Listening on 127\.0\.0\.1:(\d+)/);
    await untilPlain(program, /Ready\. Ctrl-C to quit\.\n$/);
    await using client = start(["struct-line", "client", "--format", "!H", "--port", port!]);
    await type(program, /Connected with [^]*H \(unsigned short\): $/, "7");
    assertEquals((await program.result()).code, 0);
    const { code, stdout } = await client.result();
    assertEquals([code, stdout], [0, "[7]\n"]);
  },
});

Deno.test({
  name:
    `struct-line server on a terminal tells what it cannot send, and ends with Ctrl-C${python.note}`,
  ignore: python.ignore,
  async fn() {
    await using program = startOnTerminal([
      "struct-line",
      "server",
      "--port",
      "0",
      "--format",
      "!H",
    ]);
    const [, port] = await untilPlain(program, /Listening on 127\.0\.0\.1:(\d+)/);
    const client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    await untilPlain(program, /Connected with [^]*H \(unsigned short\): $/);
    client.close();
    // What is said meanwhile stands above the prompt.
    await type(program, /Disconnected from \S+\nH \(unsigned short\): $/, "7");
    await untilPlain(program, /warning: Not sent: no peer is connected\nH \(unsigned short\): $/);
    await program.write("\x03");
    const { code, stdout } = await program.result();
    assertEquals(code, 0);
    assertStringIncludes(plainText(stdout), "0 sent, 1 connection, 1 unsent\nBye.");
  },
});

Deno.test({
  name:
    `struct-line client ends with 4 when the server does, though it asks, and says so${python.note}`,
  ignore: python.ignore,
  async fn() {
    await using server = Line.listen({ format: "!H", port: 0 });
    const port = String(server.addr.port);
    await using program = startOnTerminal([
      "struct-line",
      "client",
      "--format",
      "!H",
      "--port",
      port,
    ]);
    await untilPlain(program, /H \(unsigned short\): $/);
    await server.close();
    const { code, stdout } = await program.result();
    assertEquals(code, 4);
    const said = plainText(stdout);
    assertStringIncludes(said, "0 records received, 0 sent, 1 connection");
    assertStringIncludes(said, "error: The server has closed the connection");
  },
});

Deno.test({
  name: `struct-line client --count leaves nothing of the prompt behind${python.note}`,
  ignore: python.ignore,
  async fn() {
    await using server = Line.listen({ format: "!H", port: 0 });
    const args = ["--format", "!H", "--port", String(server.addr.port), "--count", "1"];
    await using program = startOnTerminal(["struct-line", "client", ...args]);
    await untilPlain(program, /H \(unsigned short\): $/);
    await server.send([7]);
    const { code, stdout } = await program.result();
    assertEquals(code, 0);
    const said = screen(stdout).split("\n").map((line) => line.trimEnd());
    assertEquals(said.slice(said.indexOf("Connected with server.")), [
      "Connected with server.",
      "[7]",
      "1 record received, 0 sent, 1 connection",
      "",
    ]);
  },
});

type Program = ReturnType<typeof startOnTerminal>;

/** Waits for a question and types the answer. */
async function type(program: Program, question: RegExp, answer: string): Promise<void> {
  await untilPlain(program, question);
  await program.write(answer + "\r");
}

/** Waits until what is on the terminal matches. */
async function untilPlain(program: Program, pattern: RegExp): Promise<RegExpExecArray> {
  for (let seen = 0;; seen = program.stdout.length) {
    const match = pattern.exec(plainText(program.stdout));
    if (match) return match;
    await program.until("stdout", new RegExp(`^[^]{${seen + 1}}`));
  }
}
