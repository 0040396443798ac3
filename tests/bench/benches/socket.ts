/** `socket-server` and `socket-client` beside socat and C. */

import { hasProgram } from "../../interop/peer.ts";
import type { Bench, Contestant, Settings } from "../bench.ts";
import { cProgram, folder, freeTcpPort, labwireForms, needsCompiler, spawn } from "../programs.ts";

const SOCAT = "socat";
const C = "C";

/** A file goes through an echo server and back. */
function transfer(
  name: string,
  client: (port: string) => readonly string[],
  server: (port: number) => readonly string[],
  ready: RegExp,
  { quick }: Settings,
): Contestant {
  const megabytes = quick ? 20 : 100;
  const [sent, returned] = [`${folder}/sent-${megabytes}`, `${folder}/returned`];
  return {
    name,
    start: () =>
      Promise.resolve({
        async measure() {
          await makeFile(sent, megabytes);
          const free = freeTcpPort();
          await using echo = spawn(server(free));
          const [, port = String(free)] = await echo.until("stderr", ready);
          const start = performance.now();
          const script = 'in=$1 out=$2; shift 2; exec "$@" < "$in" > "$out"';
          const command = ["sh", "-c", script, "sh", sent, returned, ...client(port)];
          await using process = spawn(command);
          const { code, stderr } = await process.result();
          const seconds = (performance.now() - start) / 1000;
          if (code !== 0) throw new Error(`${name}: ${stderr}`);
          const same = await new Deno.Command("cmp", { args: [sent, returned] }).output();
          if (!same.success) throw new Error(`${name} changed the file`);
          return { rate: megabytes / seconds };
        },
        async [Symbol.asyncDispose]() {},
      }),
  };
}

async function makeFile(path: string, megabytes: number): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  if ((await file.stat()).size === megabytes * 1e6) return;
  for (let i = 0; i < megabytes * 16; i++) {
    const block = crypto.getRandomValues(new Uint8Array(62_500));
    for (let at = 0; at < block.length;) at += await file.write(block.subarray(at));
  }
}

/** 100 MB through an echo server and back. */
export const socketTransfer: Bench = {
  name: "socket-transfer",
  title: "a file sent to an echo server and back, both ends by the same program",
  units: { rate: "MB/s" },
  goals: [{ figure: "rate", least: 0.8, times: SOCAT }],
  needs: () => hasProgram("socat") ? undefined : "socat",
  contestants: (settings) => [
    transfer(
      SOCAT,
      (port) => ["socat", "-t", "60", "-", `TCP:127.0.0.1:${port}`],
      (port) => [
        ...["socat", "-d", "-d", `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr`, "EXEC:cat"],
      ],
      /listening on/,
      settings,
    ),
    ...labwireForms().map(({ name, command }) =>
      transfer(
        name,
        (port) => [...command, "socket-client", "--port", port, "--interactive"],
        () => [...command, "socket-server", "--port", "0", "--output", "none"],
        /Listening on [\d.]+:(\d+)/,
        settings,
      )
    ),
  ],
};

/** A client that says the median of its round trips. */
function pingPong(
  name: string,
  client: (port: string, count: string) => readonly string[],
  median: RegExp,
  { quick }: Settings,
): Contestant {
  return {
    name,
    async start() {
      const echo = spawn([cProgram("socket_pingpong")]);
      const [, port] = await echo.until("stdout", /^(\d+)\n/);
      return {
        async measure() {
          await using process = spawn(client(port!, quick ? "2000" : "10000"));
          const { stdout } = await process.result();
          return { p50: Number(median.exec(stdout)![1]) };
        },
        [Symbol.asyncDispose]: () => echo[Symbol.asyncDispose](),
      };
    },
  };
}

/** The round trip of "Hello, world" over TCP. */
export const socketRoundTrip: Bench = {
  name: "socket-round-trip",
  title: 'round trip of "Hello, world" to a C echo over TCP',
  units: { p50: "µs" },
  goals: [{ figure: "p50", most: 1.5, times: C }],
  needs: needsCompiler,
  contestants: (settings) => [
    pingPong(
      C,
      (port, count) => [cProgram("socket_pingpong"), port, count],
      /^([\d.]+)\n/,
      settings,
    ),
    ...labwireForms().map(({ name, command }) =>
      pingPong(
        name,
        (port, count) => [
          ...[...command, "socket-client", "--port", port],
          ...["--repeat", count, "Hello, world"],
        ],
        /median ([\d.]+)/,
        settings,
      )
    ),
  ],
};
