/**
 * `labwire socket-server` and `socket-client` beside socat and C.
 *
 *     deno run -A tests/bench/socket.ts [--rounds N] [--megabytes N] [--count N]
 *
 * A file goes through an echo server and back, by socat at both ends and by labwire at both ends; and the median round-trip time to
 * an echo server in C, by a client in C and by `socket-client --repeat`. Both are measured in turn, several rounds in one run, because
 * only figures of one run can be compared; what is printed is the best round. Exits with 1 when labwire misses a target. Linux only:
 * it needs gcc, socat and /proc.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { fileURLToPath } from "node:url";
import { programCommand } from "../cli/run.ts";
import { type Peer, startPeer } from "../interop/peer.ts";

const args = parseArgs(Deno.args, { string: ["rounds", "megabytes", "count"] });
const rounds = Number(args.rounds ?? 5);
const megabytes = Number(args.megabytes ?? 100);
const count = Number(args.count ?? 10_000);

/** What of socat's speed labwire should reach at least, and how many times C's round trip it may take at most. */
const SPEED_GOAL = 0.8;
const ROUND_TRIP_GOAL = 1.5;
/** Resident memory that a process may use, in MiB, whatever goes through it. */
const MEMORY_GOAL = 130;

const folder = await Deno.makeTempDir({ prefix: "labwire-bench-" });
const [sent, returned] = [`${folder}/sent`, `${folder}/returned`];

/** Starts labwire with a shell's redirections, so that no pipe of this process is in the way. */
function labwire(...args: string[]): string {
  const [program, before] = programCommand();
  return [program, ...before, ...args].map((word) => `'${word}'`).join(" ");
}

function shell(command: string): Peer {
  return startPeer("sh", ["-c", `exec ${command}`]);
}

let peak = 0;

/** Notes a process's peak resident memory in MiB now and then until it ends. */
function watchMemory({ process }: Peer): void {
  const timer = setInterval(() => {
    try {
      const status = Deno.readTextFileSync(`/proc/${process.pid}/status`);
      peak = Math.max(peak, Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // it has just ended
    }
  }, 10);
  void process.status.then(() => clearInterval(timer));
}

/** Sends the file through a client and returns MB/s, after it was compared with what came back. */
async function transfer(client: string): Promise<number> {
  const start = performance.now();
  await using peer = shell(`${client} > ${returned}`);
  if (!client.startsWith("socat")) watchMemory(peer);
  const { code, stderr } = await peer.result();
  const seconds = (performance.now() - start) / 1000;
  if (code !== 0) throw new Error(`${client}: ${stderr}`);
  const same = await new Deno.Command("cmp", { args: [sent, returned] }).output();
  if (!same.success) throw new Error(`${client} changed the file`);
  return megabytes / seconds;
}

async function bySocat(): Promise<number> {
  const port = freePort();
  await using server = shell(`socat -d -d TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr EXEC:cat`);
  await server.until("stderr", /listening on/);
  return await transfer(`socat -t 60 - TCP:127.0.0.1:${port} < ${sent}`);
}

async function byLabwire(): Promise<number> {
  await using server = shell(labwire("socket-server", "--port", "0", "--output", "none"));
  const [, port] = await server.until("stderr", /port (\d+)\n/);
  const client = labwire("socket-client", "--port", port!, "--interactive");
  watchMemory(server);
  return await transfer(`${client} < ${sent}`);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function compare(
  what: string,
  unit: string,
  own: () => Promise<number>,
  peer: () => Promise<number>,
  best: (...values: number[]) => number,
) {
  const [owns, peers]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    peers.push(await peer());
    owns.push(await own());
  }
  const [mine, theirs] = [best(...owns), best(...peers)];
  const ratio = mine / theirs;
  console.log(
    `${what}: labwire ${mine.toFixed(1)} ${unit}, peer ${theirs.toFixed(1)} ${unit}, ${
      ratio.toFixed(2)
    } ×`,
  );
  return ratio;
}

try {
  const file = await Deno.open(sent, { create: true, write: true });
  for (let i = 0; i < megabytes * 16; i++) {
    const block = new Uint8Array(62_500);
    crypto.getRandomValues(block);
    for (let at = 0; at < block.length;) at += await file.write(block.subarray(at));
  }
  file.close();
  const speed = await compare(
    `${megabytes} MB there and back`,
    "MB/s",
    byLabwire,
    bySocat,
    Math.max,
  );

  const program = `${folder}/pingpong`;
  const source = fileURLToPath(new URL("./socket_pingpong.c", import.meta.url));
  const built = await new Deno.Command("gcc", { args: ["-O2", "-Wall", "-o", program, source] })
    .output();
  if (!built.success) throw new Error(new TextDecoder().decode(built.stderr));
  await using echo = startPeer(program, []);
  const [, port] = await echo.until("stdout", /^(\d+)\n/);
  const byC = async () => {
    await using client = startPeer(program, [port!, String(count)]);
    return Number((await client.result()).stdout);
  };
  const byClient = async () => {
    await using client = shell(
      labwire("socket-client", "--port", port!, "--repeat", String(count), "Hello, world"),
    );
    return Number(/median ([\d.]+)/.exec((await client.result()).stdout)![1]);
  };
  const roundTrip = await compare("median round trip to a C echo", "µs", byClient, byC, Math.min);
  console.log(`memory of server and client, each at most: ${peak.toFixed(0)} MiB`);
  if (speed < SPEED_GOAL || roundTrip > ROUND_TRIP_GOAL || peak > MEMORY_GOAL) Deno.exitCode = 1;
} finally {
  await Deno.remove(folder, { recursive: true });
}
