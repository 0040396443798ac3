/**
 * Runs all benches, one after the other, and says of each whether it reached its goals.
 *
 *     deno task bench [NAME…]
 *
 * Names are those of the files beside this one, without their endings: all of them by default. Exits with 1 when a bench misses a goal
 * or cannot run.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** The benches; each is a program that exits with 0 when it reached its goals. */
const BENCHES = ["echo", "json", "struct_line", "socket"];

const names = Deno.args.length > 0 ? Deno.args : BENCHES;
const unknown = names.filter((name) => !BENCHES.includes(name));
if (unknown.length > 0) {
  console.error(`Unknown bench "${unknown.join('", "')}": expected some of ${BENCHES.join(", ")}`);
  Deno.exit(2);
}

const verdicts: string[] = [];
for (const name of names) {
  console.log(`\n── ${name} ──`);
  const started = performance.now();
  const bench = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fileURLToPath(new URL(`${name}.ts`, import.meta.url))],
    stdin: "null",
  });
  const { success } = await bench.spawn().status;
  const seconds = Math.round((performance.now() - started) / 1000);
  const verdict = success ? "reached its goals" : "missed a goal, or did not run";
  verdicts.push(`${name.padEnd(12)} ${verdict} (${seconds} s)`);
  if (!success) Deno.exitCode = 1;
}
console.log(`\n${verdicts.join("\n")}`);
