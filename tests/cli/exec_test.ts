/** What a program of `--exec` leaves in the background, in every server that has the option. */

import { assertEquals, assertMatch } from "@std/assert";
import { connectBytes, exchangeDatagram, Line, sendJson } from "../../mod.ts";
import { isAlive } from "../process/is_alive.ts";
import { startPeer } from "../interop/peer.ts";
import { type Child, programCommand, start } from "./run.ts";

const POSIX = Deno.build.os !== "windows";
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);

/** Starts a server on a free port, with a shell script as its program. */
async function serve(command: string[], script: string) {
  const file = await Deno.makeTempFile({ suffix: ".sh" });
  await Deno.writeTextFile(file, script);
  const server = start([...command, "--port", "0", "--exec", `sh "${file}"`]);
  const [, port] = await server.until("stderr", /(?: port |:)(\d+)\b/);
  return {
    server,
    port: Number(port),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(file);
    },
  };
}

/** How each server is asked, and gives the process id that its program prints. */
const servers: [command: string[], ask: (port: number) => Promise<number>][] = [
  [["socket-server"], async (port) => {
    await using client = await connectBytes({ port });
    return Number(text(await client.exchange(bytes("x"), { timeout: 20, quiet: 20 })));
  }],
  [["socket-server", "--udp"], async (port) => {
    return Number(text((await exchangeDatagram(bytes("x"), { port, timeout: 20 })).bytes));
  }],
  [["json-server"], async (port) => {
    const answer = await sendJson({}, { port, timeout: 20 });
    return answer.outcome === "success" ? Number(answer.result) : NaN;
  }],
  [["struct-line", "server", "--format", "I"], async (port) => {
    await using line = await Line.connect({ format: "I", port });
    await line.send([0]);
    for await (const [pid] of line) return pid;
    return NaN;
  }],
];

for (const [command, ask] of servers) {
  Deno.test({
    name: `${
      command.join(" ")
    } --exec answers although its program leaves a child, and ends the child`,
    ignore: !POSIX,
    async fn() {
      const list = command[0] === "struct-line" ? ["[", "]"] : ["", ""];
      const script = `sleep 300 &\necho ${list.join("$!")}\n`;
      await using running = await serve(command, script);
      const pid = await ask(running.port);
      assertMatch(`${pid}`, /^\d+$/);
      assertEquals(await isAlive(pid), false);
    },
  });
}

/** Presses Ctrl-C, twice if that is wanted, and waits for the end. */
async function interrupt(server: Child, times: number): Promise<number> {
  const again = setInterval(() => {
    if (times > 1) server.interrupt();
  }, 50);
  server.interrupt();
  try {
    return (await server.result()).code;
  } finally {
    clearInterval(again);
  }
}

for (const times of [1, 2]) {
  Deno.test({
    name: `socket-server leaves no program behind that Ctrl-C ends, pressed ${times} times`,
    ignore: !POSIX,
    async fn() {
      const script = 'trap "" TERM\nsleep 300 &\necho "$! $$"\nwait\n';
      await using running = await serve(["socket-server", "--grace", "0.5"], script);
      await using client = await connectBytes({ port: running.port });
      await client.send(bytes("x"));
      const pids = text((await client.connection.read())!).trim().split(" ").map(Number);
      assertEquals(await interrupt(running.server, times), times === 1 ? 0 : 130);
      for (const pid of pids) assertEquals(await isAlive(pid), false);
    },
  });
}

Deno.test(
  "json-server --exec says that no program can be started where no more files may be open",
  {
    ignore: !POSIX,
  },
  async () => {
    const [command, first] = programCommand();
    const args = [...first, "json-server", "--port", "0", "--output", "none", "--exec", "true"];
    const script = 'ulimit -n 40 && exec "$0" "$@"';
    await using server = startPeer("sh", ["-c", script, command, ...args]);
    const [, port] = await server.until("stderr", /:(\d+)\b[^]*Ready/);
    const connect = () => Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const clients = [];
    for (let i = 0; i < 60; i++) clients.push(await connect());
    await server.until("stderr", /Cannot accept a connection: .*open files/);
    await clients[0]!.write(bytes("{}\n"));
    const buffer = new Uint8Array(1000);
    const answer = text(buffer.subarray(0, await clients[0]!.read(buffer) ?? 0));
    assertMatch(answer, /^\{"status":"error","error":"Cannot start program .*open files/);
    for (const client of clients) client.close();
  },
);
