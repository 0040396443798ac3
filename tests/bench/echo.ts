/**
 * Echo throughput and round trip of `labwire villas-echo`, beside a Python echo with real protobuf and a plain C one.
 *
 *     deno run -A tests/bench/echo.ts [--rounds N] [--count N] [--memory] [--idle]
 *
 * Each peer is measured in turn, several rounds in one run, because only figures of one run can be compared;
 * what is printed is the best round. `--memory` adds labwire's memory after 1,000,000 and after 10,000,000 datagrams,
 * under the settings of V8 that the executable is compiled with (`LABWIRE_BIN` measures an executable itself),
 * `--idle` its processor time while nothing arrives. Exits with 1 when labwire misses a target. Linux only: it needs gcc and /proc.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { type Load, type Peer, Tools } from "./load.ts";

/** Datagrams on the way, and how much of `--count` is sent that way. */
const WINDOWS: readonly [number, number][] = [[1, 0.1], [32, 1]];
/** Processor time that a process may use in an idle second. */
const IDLE_LIMIT = 0.005;

const args = parseArgs(Deno.args, { string: ["rounds", "count"], boolean: ["memory", "idle"] });
const rounds = Number(args.rounds ?? 3);
const count = Number(args.count ?? 300_000);

/** All rounds of each peer in each window, by `peer, window`. */
async function measure(tools: Tools): Promise<Map<string, Load[]>> {
  const loads = new Map<string, Load[]>();
  for (let round = 0; round < rounds; round++) {
    for (const kind of tools.peers()) {
      await using peer = await kind.start();
      await peer.load(20_000, 32); // to warm up
      for (const [window, part] of WINDOWS) {
        const load = await peer.load(Math.ceil(count * part), window);
        const key = `${kind.name}, ${window} in flight`;
        loads.set(key, [...loads.get(key) ?? [], load]);
      }
    }
  }
  return loads;
}

/** The round with the highest rate: whatever else the machine does can only slow a peer down. */
function best(loads: Load[]): Load {
  return loads.reduce((a, b) => a.rate >= b.rate ? a : b);
}

function report(loads: Map<string, Load[]>): boolean {
  console.log(
    "peer                                    echoes/s  RTT p50 µs  p99 µs  lost  changed",
  );
  for (const [name, measured] of loads) {
    const { rate, rtt, lost, changed } = best(measured);
    console.log(
      name.padEnd(38),
      Math.round(rate).toLocaleString("en").padStart(9),
      rtt.p50.toFixed(1).padStart(11),
      rtt.p99.toFixed(1).padStart(7),
      String(lost).padStart(5),
      String(changed).padStart(8),
    );
  }
  const rateOf = (name: string) => {
    const measured = loads.get(`${name}, 32 in flight`);
    return measured ? best(measured).rate : undefined;
  };
  const [own, python] = [rateOf("labwire villas-echo")!, rateOf("Python with protobuf")];
  const faithful = [...loads.values()].flat().every((load) => load.changed === 0);
  if (python !== undefined) console.log(`\nlabwire is ${(own / python).toFixed(2)} × Python`);
  return faithful && (python === undefined || own >= python);
}

/** Resident memory in KiB. */
async function memoryOf({ pid }: Peer): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)![1]);
}

/** Processor time used so far, in seconds. */
async function processorTimeOf({ pid }: Peer): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function checkMemory(peer: Peer): Promise<boolean> {
  await peer.load(1_000_000, 32);
  const early = await memoryOf(peer);
  await peer.load(9_000_000, 32);
  const late = await memoryOf(peer);
  console.log(`memory: ${early} KiB after 1,000,000 datagrams, ${late} KiB after 10,000,000`);
  return late <= early * 1.1;
}

async function checkIdle(peer: Peer, seconds = 10): Promise<boolean> {
  await peer.load(1000, 1);
  const before = await processorTimeOf(peer);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const used = (await processorTimeOf(peer) - before) / seconds;
  console.log(`idle: ${(used * 100).toFixed(2)} % of a processor`);
  return used <= IDLE_LIMIT;
}

await using tools = await Tools.compile();
let good = report(await measure(tools));
const labwire = tools.peers().find(({ name }) => name.startsWith("labwire"))!;
for (const [wanted, check] of [[args.idle, checkIdle], [args.memory, checkMemory]] as const) {
  if (!wanted) continue;
  await using peer = await labwire.start();
  good = await check(peer) && good;
}
if (!good) Deno.exitCode = 1;
