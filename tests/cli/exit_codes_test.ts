import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "@std/assert";
import { programHelp } from "../../lib/cli/help.ts";
import { manPage } from "../../lib/cli/man_page.ts";
import { all, registry } from "../../lib/commands/registry.ts";
import { CodecError, ConnectError, exitCodeOf, exitCodes } from "../../lib/errors.ts";
import { RemoteError, UsageError } from "../../lib/errors.ts";
import { type Child, labwire, programCommand, start, startServer } from "./run.ts";
import { freePort } from "../net/free_port.ts";

const windows = Deno.build.os === "windows";
const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];

/** What others do that a command talks to. */
interface Others extends AsyncDisposable {
  /** A TCP port whose connections get these bytes as the answer to what they send; without them, nothing ever. */
  server(answer?: string): number;
  /** A TCP port where nobody listens. */
  nobody(): number;
  /** A UDP port that is bound; datagrams to it are sent back if it is an echo, else nothing ever is. */
  udp(echo: boolean): number;
  /** What was sent to any of the servers so far. */
  readonly received: string;
  /** Resolves when something was received. */
  arrived(): Promise<void>;
}

function others(): Others {
  const open: { close(): void }[] = [];
  const tasks: Promise<void>[] = [];
  const first = Promise.withResolvers<void>();
  let received = "";
  const take = (bytes: Uint8Array) => {
    received += decoder.decode(bytes);
    first.resolve();
  };
  const serve = async (connection: Deno.Conn, answer?: string) => {
    open.push(connection);
    try {
      for await (const bytes of connection.readable) {
        take(bytes);
        if (answer === undefined) continue;
        await connection.write(encoder.encode(answer));
      }
    } catch {
      // it was closed
    }
  };
  return {
    server(answer) {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      open.push(listener);
      tasks.push((async () => {
        for await (const connection of listener) tasks.push(serve(connection, answer));
      })());
      return listener.addr.port;
    },
    nobody: () => freePort(),
    udp(echo) {
      const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
      open.push(socket);
      tasks.push((async () => {
        for await (const [bytes, from] of socket) {
          take(bytes);
          if (echo) await socket.send(bytes, from);
        }
      })());
      return (socket.addr as Deno.NetAddr).port;
    },
    get received() {
      return received;
    },
    arrived: () => first.promise,
    async [Symbol.asyncDispose]() {
      for (const each of open) {
        try {
          each.close();
        } catch {
          // it was closed by its stream
        }
      }
      for (const task of tasks) await task; // a task may add another
    },
  };
}

/** One way to a code. */
interface Way {
  readonly command: string;
  readonly code: number;
  /** What happens, for the test's name. */
  readonly when: string;
  /** The arguments behind the command. */
  readonly args?: (others: Others) => readonly string[];
  /** Standard input. */
  readonly input?: string;
  /** Sends this signal when stderr or stdout matches, or when others have received something. */
  readonly signal?: readonly [Deno.Signal, RegExp | "received"];
  /** What others must have received. */
  readonly sent?: RegExp;
}

const local = ["--host", "127.0.0.1", "--port"];
const SUCCESS = '{"status":"success"}\n';
const READY = /Ctrl-C to quit/;
/** Samples that VILLASnode has printed. */
const RECORDING = fileURLToPath(new URL("../fixtures/wire-human.print.txt", import.meta.url));
/** Two samples, and between them a line that is none. */
const BAD_RECORDING = fileURLToPath(new URL("../fixtures/recording.bad.dat", import.meta.url));
/** Two fields of a character each, so that a record can be read in what was received. */
const RECORD = ["--format", "!cc"];

const ways: readonly Way[] = [
  {
    command: "lab19",
    code: 0,
    when: "all came back",
    args: () => ["--port-base", `${freePort("udp", 2)}`],
  },

  {
    command: "villas-echo",
    code: 0,
    when: "ended with Ctrl-C",
    args: () => ["--listen", "127.0.0.1:0"],
    signal: ["SIGINT", READY],
  },
  {
    command: "villas-echo",
    code: 4,
    when: "the remote has no address",
    args: () => ["--listen", "127.0.0.1:0", "--remote", "nosuch.invalid:1"],
  },

  {
    command: "villas-signal",
    code: 0,
    when: "samples came back",
    args: (others) => ["--listen", "127.0.0.1:0", "--to", at(others.udp(true)), "--limit", "3"],
  },
  {
    command: "villas-signal",
    code: 0,
    when: "ended with Ctrl-C",
    args: (others) => ["--listen", "127.0.0.1:0", "--to", at(others.udp(true)), "--rate", "100"],
    signal: ["SIGINT", "received"],
  },
  {
    command: "villas-signal",
    code: 4,
    when: "nothing came back at all",
    args: (
      others,
    ) => [
      ...["--listen", "127.0.0.1:0", "--to", at(others.udp(false))],
      ...["--limit", "3", "--rate", "1000", "--wait", "0.1"],
    ],
  },

  {
    command: "villas-replay",
    code: 0,
    when: "samples came back",
    args: (others) => [RECORDING, "--listen", "127.0.0.1:0", "--to", at(others.udp(true))],
  },
  {
    command: "villas-replay",
    code: 0,
    when: "ended with Ctrl-C",
    args: (others) => [
      ...[RECORDING, "--loop", "--rate", "100"],
      ...["--listen", "127.0.0.1:0", "--to", at(others.udp(true))],
    ],
    signal: ["SIGINT", "received"],
  },
  {
    command: "villas-replay",
    code: 4,
    when: "nothing came back at all",
    args: (others) => [
      ...[RECORDING, "--wait", "0.1"],
      ...["--listen", "127.0.0.1:0", "--to", at(others.udp(false))],
    ],
  },
  {
    command: "villas-replay",
    code: 5,
    when: "a line of the file is not a sample",
    args: (others) => [BAD_RECORDING, "--listen", "127.0.0.1:0", "--to", at(others.udp(true))],
  },

  {
    command: "villas-pipe",
    code: 0,
    when: "what was sent came back",
    args: (others) => ["--columns", "--listen", "127.0.0.1:0", "--remote", at(others.udp(true))],
    input: "1.5\n",
    sent: /./s,
  },
  {
    command: "villas-pipe",
    code: 0,
    when: "ended with Ctrl-C",
    args: () => ["--receive-only", "--listen", "127.0.0.1:0"],
    signal: ["SIGINT", READY],
  },
  {
    command: "villas-pipe",
    code: 4,
    when: "the remote has no address",
    args: () => ["--listen", "127.0.0.1:0", "--remote", "nosuch.invalid:1"],
  },
  {
    command: "villas-pipe",
    code: 5,
    when: "a line is not a sample",
    args: (others) => ["--columns", "--listen", "127.0.0.1:0", "--remote", at(others.udp(true))],
    input: "1.5\nx\n2.5\n",
    sent: /./s,
  },

  {
    command: "villas-convert",
    code: 0,
    when: "all was converted",
    args: () => ["--to", "csv"],
    input: "1.5(1)\t2.5\n",
  },
  {
    command: "villas-convert",
    code: 5,
    when: "a line is not a sample",
    args: () => ["--to", "csv"],
    input: "nonsense\n",
  },
  {
    command: "villas-scope",
    code: 0,
    when: "ended with Ctrl-C",
    args: () => [RECORDING, "--scope", "127.0.0.1:0"],
    signal: ["SIGINT", READY],
  },
  { command: "client-py", code: 0, when: "it was written", args: () => [] },

  {
    command: "json-server",
    code: 0,
    when: "ended with Ctrl-C",
    args: () => [...local, "0"],
    signal: ["SIGINT", READY],
  },
  {
    command: "json-client",
    code: 0,
    when: "success",
    args: (others) => [...local, `${others.server(SUCCESS)}`, "x"],
  },
  {
    command: "json-client",
    code: 3,
    when: "the server reports a failure",
    args: (others) => [...local, `${others.server('{"status":"error","error":"no"}\n')}`, "x"],
  },
  {
    command: "json-client",
    code: 4,
    when: "refused",
    args: (others) => [...local, `${others.nobody()}`, "x"],
  },
  {
    command: "json-client",
    code: 4,
    when: "no answer in time",
    args: (others) => [...local, `${others.server()}`, "--timeout", "0.2", "x"],
  },
  {
    command: "json-client",
    code: 5,
    when: "the answer makes no sense",
    args: (others) => [...local, `${others.server("what?\n")}`, "x"],
  },
  {
    command: "json-client",
    code: 5,
    when: "a bad line among good ones",
    args: (others) => [...local, `${others.server(SUCCESS)}`, "--keep-open"],
    input: '{"command_id":"one"}\n{"command_id":\n{"command_id":"two"}\n',
    sent: /"one"[^]*"two"/,
  },
  {
    command: "json-client",
    code: 130,
    when: "ended with Ctrl-C while it waits for its answer",
    args: (others) => [...local, `${others.server()}`, "--timeout", "600", "x"],
    signal: ["SIGINT", "received"],
  },
  {
    command: "json-client",
    code: 143,
    when: "ended with SIGTERM while it waits for its answer",
    args: (others) => [...local, `${others.server()}`, "--timeout", "600", "x"],
    signal: ["SIGTERM", "received"],
  },

  {
    command: "struct-line server",
    code: 0,
    when: "ended with Ctrl-C",
    args: () => [...local, "0"],
    signal: ["SIGINT", READY],
  },
  {
    command: "struct-line client",
    code: 0,
    when: "a record was sent",
    args: (others) => [
      ...[...local, `${others.server()}`, ...RECORD, "--once", "--send", '["a","b"]'],
    ],
    sent: /^ab$/,
  },
  {
    command: "struct-line client",
    code: 0,
    when: "a stream is ended with Ctrl-C",
    args: (others) => [...local, `${others.server()}`, ...RECORD, "--send", '["a","b"]'],
    signal: ["SIGINT", "received"],
  },
  {
    command: "struct-line client",
    code: 4,
    when: "refused",
    args: (others) => [...local, `${others.nobody()}`, "--attempts", "1"],
  },
  {
    command: "struct-line client",
    code: 5,
    when: "a bad line among good ones",
    args: (others) => [...local, `${others.server("")}`, ...RECORD, "--count", "1"],
    input: '["a","b"]\n["c"]\n["c","d"]\n',
    sent: /^abcd$/,
  },
  {
    command: "struct-line client",
    code: 130,
    when: "ended with Ctrl-C while it tries to connect",
    args: (others) => [
      ...[...local, `${others.nobody()}`, "--attempts", "1000000", "--retry-delay", "600"],
    ],
    signal: ["SIGINT", /attempt 1 /],
  },
  { command: "struct-line pack", code: 0, when: "done", args: () => ["!H", "1"] },
  { command: "struct-line pack", code: 5, when: "no such value", args: () => ["!H", "70000"] },
  { command: "struct-line pack", code: 2, when: "no such format", args: () => ["!Z", "1"] },
  { command: "struct-line unpack", code: 0, when: "done", args: () => ["!H", "0001"] },
  { command: "struct-line unpack", code: 5, when: "too few bytes", args: () => ["!H", "00"] },
  { command: "struct-line size", code: 0, when: "done", args: () => ["!H"] },
  { command: "struct-line size", code: 2, when: "no such format", args: () => ["!Z"] },

  {
    command: "socket-server",
    code: 0,
    when: "ended with Ctrl-C",
    args: () => [...local, "0"],
    signal: ["SIGINT", /Listening on|Starting server on/],
  },
  {
    command: "socket-server",
    code: 0,
    when: "datagrams, ended with Ctrl-C",
    args: () => [...local, "0", "--udp"],
    signal: ["SIGINT", /Listening on|Starting server on/],
  },
  {
    command: "socket-client",
    code: 0,
    when: "answered",
    args: (others) => [...local, `${others.server("1.5\n")}`, "*IDN?"],
  },
  {
    command: "socket-client",
    code: 0,
    when: "a datagram is answered",
    args: (others) => [...local, `${others.udp(true)}`, "--udp", "*IDN?"],
  },
  {
    command: "socket-client",
    code: 4,
    when: "refused",
    args: (others) => [...local, `${others.nobody()}`, "*IDN?"],
  },
  {
    command: "socket-client",
    code: 4,
    when: "no answer in time",
    args: (others) => [...local, `${others.server()}`, "--timeout", "0.2", "*IDN?"],
  },
  {
    command: "socket-client",
    code: 4,
    when: "no datagram in time",
    args: (others) => [...local, `${others.udp(false)}`, "--udp", "--timeout", "0.2", "*IDN?"],
  },
  {
    command: "socket-client",
    code: 5,
    when: "a bad line among good ones",
    args: (others) => [...local, `${others.server("ok\n")}`, "--interactive", "--escape"],
    input: "one\\n\ntwo\\q\nthree\n",
    sent: /one[^]*three/,
  },
  {
    command: "socket-client",
    code: 130,
    when: "ended with Ctrl-C while it waits for its answer",
    args: (others) => [...local, `${others.server()}`, "--timeout", "600", "*IDN?"],
    signal: ["SIGINT", "received"],
  },
  {
    command: "socket-client",
    code: 130,
    when: "ended with Ctrl-C while it waits for a datagram",
    args: (others) => [...local, `${others.udp(false)}`, "--udp", "--timeout", "600", "*IDN?"],
    signal: ["SIGINT", "received"],
  },

  {
    command: "doctor",
    code: 0,
    when: "the other side of it, ended with Ctrl-C",
    args: () => ["--serve", "--listen", "127.0.0.1:0"],
    signal: ["SIGINT", READY],
  },
  {
    command: "doctor",
    code: 1,
    when: "there is a problem",
    args: (others) => ["--peer", at(others.udp(false))],
  },
  { command: "completions", code: 0, when: "done", args: () => ["bash"] },
  { command: "guide", code: 0, when: "done", args: () => ["json"] },
];

/** Servers, and how each is told to bind a port that is taken. */
const servers: readonly (readonly [string, (port: number) => string[], "tcp" | "udp"])[] = [
  ["villas-echo", (port) => ["--listen", at(port)], "udp"],
  ["villas-signal", (port) => ["--listen", at(port), "--limit", "1"], "udp"],
  ["json-server", (port) => [...local, `${port}`], "tcp"],
  ["struct-line server", (port) => [...local, `${port}`], "tcp"],
  ["socket-server", (port) => [...local, `${port}`], "tcp"],
  ["socket-server", (port) => [...local, `${port}`, "--udp"], "udp"],
  ["doctor", (port) => ["--serve", "--listen", at(port)], "udp"],
];

function at(port: number): string {
  return `127.0.0.1:${port}`;
}

for (const { command, code, when, args, input, signal, sent } of ways) {
  Deno.test({
    name: `${command} ends with ${code}: ${when}`,
    ignore: windows && signal !== undefined,
    fn: async () => {
      await using world = others();
      const stdin = input === undefined ? "null" : "piped";
      const [name, cue] = signal ?? [];
      const begin = name === undefined || name === "SIGINT" ? startServer : start;
      await using program = begin([...command.split(" "), ...args?.(world) ?? []], { stdin });
      if (input !== undefined) {
        await program.write(input);
        await program.closeInput();
      }
      if (cue) await (cue === "received" ? world.arrived() : program.until("stderr", cue));
      if (name === "SIGINT") program.interrupt();
      else if (name) (program as Child).process.kill(name);
      const result = await program.result();
      assertEquals(result.code, code, result.stderr);
      if (sent) assert(sent.test(world.received), `received ${Deno.inspect(world.received)}`);
      if (code === 4) assert(/^error: /m.test(result.stderr), result.stderr);
    },
  });
}

for (const [command, args, transport] of servers) {
  Deno.test(`${[command, ...args(0).filter((arg) => arg === "--udp")].join(" ")} ends with 2: its port is taken`, async () => {
    const options = { hostname: "127.0.0.1", port: 0 };
    const socket = transport === "tcp"
      ? Deno.listen(options)
      : Deno.listenDatagram({ transport: "udp", ...options });
    const { port } = socket.addr as Deno.NetAddr;
    const { code, stderr } = await labwire([...command.split(" "), ...args(port)]);
    socket.close();
    assertEquals(code, 2, stderr);
  });
}

Deno.test("Every command ends with 2 when its command line is wrong, and with 0 when asked for help", async () => {
  for (const name of Object.keys(registry)) {
    const wrong = await labwire([...name.split(" "), "--nosuch-option"]);
    assertEquals([wrong.code, wrong.stdout], [2, ""], name);
    assertEquals((await labwire([...name.split(" "), "--help"])).code, 0, name);
  }
  assertEquals((await labwire([])).code, 2);
  assertEquals((await labwire(["--version"])).code, 0);
});

Deno.test({
  name: "A fault of the machine ends with 1 (needs /dev/full)",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const [program, before] = programCommand();
    for (const args of [["completions", "bash"], ["struct-line", "size", "!H"], ["--help"]]) {
      const { code, stderr } = await new Deno.Command("sh", {
        args: ["-c", 'exec "$@" > /dev/full', "sh", program, ...before, ...args],
      }).output();
      assertEquals(code, 1);
      assert(decoder.decode(stderr).startsWith("error: Cannot write to standard output: "));
    }
  },
});

Deno.test("The table of ways goes through every command and every code", () => {
  const commands = new Set(ways.filter(({ code }) => code === 0).map(({ command }) => command));
  assertEquals(Object.keys(registry).filter((name) => !commands.has(name)), []);
  const codes = new Set([2, ...ways.map(({ code }) => code)]);
  assertEquals(exitCodes.map(({ code }) => code).filter((code) => !codes.has(code)), []);
});

Deno.test("exitCodeOf() knows the class of an error", () => {
  const errors = [UsageError, RemoteError, ConnectError, CodecError].map((kind) => new kind("x"));
  assertEquals(errors.map(exitCodeOf), [2, 3, 4, 5]);
  assertEquals([new TypeError("x"), "x", undefined].map(exitCodeOf), [1, 1, 1]);
});

Deno.test("Help, manual page, README and guide list the exit codes as they are", async () => {
  const commands = await all();
  const plain = (text: string) => text.replaceAll("\\-", "-").replace(/\s+/g, " ").toLowerCase();
  const help = plain(programHelp(commands));
  const page = plain(manPage(commands, { version: "1.2.3", date: "2026-01-31" }));
  for (const { code, meaning } of exitCodes) {
    assert(help.includes(plain(`${code} ${meaning}`)), `${code} in help`);
    assert(page.includes(plain(`.B ${code} ${meaning}.`)), `${code} in the manual page`);
  }
  for (const name of ["README.md", "lib/guides/scripting.md"]) {
    const text = await Deno.readTextFile(new URL(`../../${name}`, import.meta.url));
    const table = /\| exit code \|.*\n\|.*\n((?:\|.*\n)+)/.exec(text)![1]!.trimEnd().split("\n");
    assertEquals(
      table.map((row) => row.split("|").slice(1, 3).map((cell) => cell.trim())),
      exitCodes.map(({ code, meaning }) => [`${code}`, meaning]),
      name,
    );
  }
});
