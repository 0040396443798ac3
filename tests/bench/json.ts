/**
 * Requests per second of `labwire json-server`, beside a Python server that behaves as the template does.
 *
 *     deno run -A tests/bench/json.ts [--rounds N] [--seconds S]
 *
 * The load generator is written in C, so that it is not the bottleneck. Both servers parse the message of the documentation, call a
 * function that does nothing, and answer. The template's server closes each connection after one message, so its rate with 8 clients
 * is also what kept-open connections are compared with. Each is measured in turn, several rounds in one run, and its best
 * round counts: whatever else the machine does can only slow it down. Exits with 1 when labwire misses a goal. Needs gcc and python3.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { fileURLToPath } from "node:url";
import { Child, programCommand } from "../cli/run.ts";
import { PYTHON } from "../interop/python.ts";

/** What is measured: clients, whether they keep their connection, and how many times the template's rate is the goal. */
const CASES = [
  { clients: 1, mode: "connect", goal: 0.9 },
  { clients: 8, mode: "connect", goal: 0.9 },
  { clients: 8, mode: "keep", goal: 3 },
] as const;

const args = parseArgs(Deno.args, { string: ["rounds", "seconds"] });
const rounds = Number(args.rounds ?? 5);
const seconds = Number(args.seconds ?? 2);

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

function spawn(program: string, args: string[]): Child {
  return new Child(
    new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn(),
  );
}

/** Messages answered per second. */
async function load(
  generator: string,
  port: string,
  clients: number,
  mode: string,
): Promise<number> {
  const { success, stdout } = await new Deno.Command(generator, {
    args: [port, String(clients), String(seconds), mode],
  }).output();
  const result = success && JSON.parse(new TextDecoder().decode(stdout));
  if (!result || result.errors > 0) throw new Error(`Cannot measure: ${JSON.stringify(result)}`);
  return result.answers / result.seconds;
}

const folder = await Deno.makeTempDir({ prefix: "labwire-bench-" });
const generator = `${folder}/json_load`;
const compiler = new Deno.Command("gcc", {
  args: ["-O2", "-Wall", "-pthread", "-o", generator, here("json_load.c")],
});
if (!(await compiler.output()).success) throw new Error("Cannot compile json_load.c");
await Deno.writeTextFile(`${folder}/nothing.js`, "export function interact() {}\n");

await using python = spawn(PYTHON, ["-u", here("../interop/template_server.py"), "--quiet"]);
const [pythonPort] = await python.until("stdout", /^\d+/);
const [program, before] = programCommand();
await using labwire = spawn(program, [
  ...before,
  ...["json-server", "--port", "0", "--handler", `${folder}/nothing.js`],
]);
const [, labwirePort] = await labwire.until("stderr", /Listening on [\d.]+:(\d+)/);

const best = { python: CASES.map(() => 0), labwire: CASES.map(() => 0) };
for (let round = 0; round < rounds; round++) {
  for (const [i, { clients, mode }] of CASES.entries()) {
    const measured = [
      ["python", await load(generator, pythonPort!, clients, "connect")],
      ["labwire", await load(generator, labwirePort!, clients, mode)],
    ] as const;
    for (const [who, rate] of measured) best[who][i] = Math.max(best[who][i]!, rate);
  }
}

let good = true;
console.log("clients  connections  template/s  labwire/s  ratio  goal");
for (const [i, { clients, mode, goal }] of CASES.entries()) {
  const ratio = best.labwire[i]! / best.python[i]!;
  good &&= ratio >= goal;
  console.log(
    String(clients).padStart(7),
    (mode === "keep" ? "kept open" : "per message").padStart(12),
    ...[best.python[i]!, best.labwire[i]!].map((rate) =>
      Math.round(rate).toLocaleString("en").padStart(10)
    ),
    ratio.toFixed(2).padStart(6),
    goal.toFixed(1).padStart(5),
  );
}
await Deno.remove(folder, { recursive: true });
if (!good) Deno.exitCode = 1;
