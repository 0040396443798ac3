/**
 * Compares labwire with programs in C, Python and bare Deno on this computer, and says whether it reached its goals.
 *
 *     deno task bench [NAME…] [--quick] [--rounds N] [--json] [--save] [--list] [--villas-node FILE]
 *
 * Names are those of benches or their beginnings: all benches by default. `--quick` measures shortly, to see whether something is wrong;
 * `--rounds` measures so often (5); `--json` prints everything that was measured as JSON; `--save` writes `.github/BENCHMARKS.md`;
 * `LABWIRE_BIN` names an executable that takes part beside `deno run`; `--villas-node` the one of VILLASnode (default: on PATH).
 * Exits with 1 when a goal is missed.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { hasProgram } from "../interop/peer.ts";
import { type Outcome, runBench, type Settings } from "./bench.ts";
import { benches } from "./benches/mod.ts";
import { load, thisMachine } from "./machine.ts";
import { markdownOf, textOf } from "./report.ts";

const args = parseArgs(Deno.args, {
  boolean: ["quick", "json", "save", "list"],
  string: ["rounds", "villas-node"],
  unknown: (word: string) => {
    if (!word.startsWith("-")) return true;
    console.error(`Unknown option "${word}"`);
    Deno.exit(2);
  },
});
const names = args._.map(String);
const wanted = names.length === 0
  ? benches
  : benches.filter(({ name }) => names.some((word) => name.startsWith(word)));
const unknown = names.filter((word) => !benches.some(({ name }) => name.startsWith(word)));
if (unknown.length > 0) {
  const known = benches.map(({ name }) => name).join(", ");
  console.error(`Unknown bench "${unknown.join('", "')}": expected some of ${known}`);
  Deno.exit(2);
}
if (args.list) {
  for (const { name, title } of benches) console.log(name.padEnd(18), title);
  Deno.exit(0);
}

const settings: Settings = {
  rounds: Number(args.rounds ?? (args.quick ? 3 : 5)),
  quick: args.quick === true,
  villasNode: typeof args["villas-node"] === "string"
    ? args["villas-node"]
    : hasProgram("villas-node")
    ? "villas-node"
    : undefined,
};
const [machine, when, before] = [thisMachine(), new Date(), load()];
const outcomes: Outcome[] = [];
for (const bench of wanted) {
  const outcome = await runBench(bench, settings);
  outcomes.push(outcome);
  if (!args.json) console.log(`${textOf(outcome)}\n`);
}
const loads = [before, load()] as const;
const verdicts = outcomes.flatMap(({ verdicts }) => verdicts);
const missed = verdicts.filter(({ met }) => !met);
if (args.json) {
  console.log(JSON.stringify({ when, machine, load: loads, settings, outcomes }, null, 1));
} else {
  const skipped = outcomes.filter(({ skipped }) => skipped !== undefined).length;
  console.log(
    `${verdicts.length - missed.length} of ${verdicts.length} goals met, ` +
      `${skipped} of ${outcomes.length} benches not run; load ${
        loads.map((one) => one.toFixed(2)).join(" to ")
      }`,
  );
}
if (args.save) {
  const file = new URL("../../.github/BENCHMARKS.md", import.meta.url);
  await Deno.writeTextFile(file, markdownOf(outcomes, machine, when, loads, settings.quick));
}
if (missed.length > 0 || outcomes.some(({ failed }) => failed !== undefined)) Deno.exitCode = 1;
