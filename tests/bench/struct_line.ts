/**
 * Records of `!I30sd` received per second by `labwire struct-line server` and by the library's `Line`, beside a Python program
 * with one recv and one unpack per record.
 *
 *     deno run -A tests/bench/struct_line.ts [--rounds N] [--count N] [--memory]
 *
 * Each is measured in turn, several rounds in one run, because only figures of one run can be compared; what is
 * printed is the best round. `--memory` adds the memory of the server after 1,000,000 and after 10,000,000 records; Linux only.
 * Exits with 1 when labwire receives less than three times what Python does, or its memory grows.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { startPeer } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { programCommand } from "../cli/run.ts";

/** How many times as many records as Python. */
const TARGET = 3;
/** By how much memory may differ between one and ten million records, in KiB. */
const GROWTH = 16 * 1024;

const args = parseArgs(Deno.args, { string: ["rounds", "count"], boolean: ["memory"] });
const rounds = Number(args.rounds ?? 3);
const count = Number(args.count ?? 2_000_000);
const file = (name: string) => new URL(name, import.meta.url).pathname;

const [program, before] = programCommand();
const server = [
  "struct-line",
  "server",
  "--host",
  "127.0.0.1",
  "--port",
  "0",
  "--format",
  "!I30sd",
];
const library = [Deno.execPath(), "run", "-A", "--unstable-net", file("struct_receive.ts")];

/** The command of each receiver of so many records. */
const receivers: Record<string, (count: number) => string[]> = {
  "Python, recv and unpack": (n) => [PYTHON, file("struct_receive.py"), `${n}`],
  "labwire struct-line server": (
    n,
  ) => [program, ...before, ...server, "--output", "none", "--count", `${n}`],
  "labwire struct-line server, JSON": (n) => [program, ...before, ...server, "--count", `${n}`],
  "Line with an action": (n) => [...library, "action", `${n}`],
  "Line with for await": (n) => [...library, "iterate", `${n}`],
};

/** Seconds that a receiver takes for so many records. */
async function measure([command = "", ...args]: string[], count: number): Promise<number> {
  await using receiver = startPeer(command, args);
  const [, port] = await receiver.until("stderr", /Listening on 127\.0\.0\.1:(\d+)\n/);
  await using sender = startPeer(PYTHON, [file("struct_send.py"), port!, String(count)]);
  const { stdout, stderr } = await sender.result();
  if (stdout === "") throw new Error(`${command}: ${stderr}\n${receiver.stderr}`);
  return Number(stdout);
}

async function compare(): Promise<boolean> {
  const best = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, command] of Object.entries(receivers)) {
      const rate = count / await measure(command(count), count);
      best.set(name, Math.max(best.get(name) ?? 0, rate));
    }
  }
  const python = best.get("Python, recv and unpack")!;
  console.log("receiver                           records/s  × Python");
  for (const [name, rate] of best) {
    const shown = Math.round(rate).toLocaleString("en").padStart(11);
    console.log(name.padEnd(32), shown, (rate / python).toFixed(2).padStart(9));
  }
  return best.get("labwire struct-line server")! >= TARGET * python;
}

/** Resident memory in KiB of a server that goes on, after so many records. */
async function memory(): Promise<boolean> {
  await using receiver = startPeer(program, [...before, ...server, "--output", "none"]);
  const [, port] = await receiver.until("stderr", /Listening on 127\.0\.0\.1:(\d+)\n/);
  const sizes: number[] = [];
  for (const millions of [1, 9]) {
    await using sender = startPeer(PYTHON, [
      "-c",
      (await Deno.readTextFile(file("struct_send.py"))).replace("while", "link.shutdown(1)\nwhile"),
      port!,
      String(millions * 1_000_000),
    ]);
    await sender.result();
    const status = await Deno.readTextFile(`/proc/${receiver.process.pid}/status`);
    sizes.push(Number(/^VmRSS:\s*(\d+)/m.exec(status)![1]));
  }
  const [one = 0, ten = 0] = sizes;
  const mebibytes = (size: number) => `${(size / 1024).toFixed(1)} MiB`;
  console.log(`\nmemory after 1 and 10 million records: ${mebibytes(one)}, ${mebibytes(ten)}`);
  return ten - one < GROWTH;
}

const fast = await compare();
const flat = !args.memory || await memory();
Deno.exit(fast && flat ? 0 : 1);
