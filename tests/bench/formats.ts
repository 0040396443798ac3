/**
 * How fast VILLASnode's formats are: samples of 5 values per second, on one core, each way.
 *
 * Run with `deno run -A tests/bench/formats.ts [NAME…]`.
 *
 * @module
 */

import process from "node:process";
import { villasFormat, villasFormats } from "../../lib/codecs/villas/formats.ts";
import type { Sample } from "../../lib/codecs/villas/sample.ts";

/** Samples per second that each format is to reach at least. */
const GOALS: Readonly<Record<string, number>> = {
  "protobuf": 1_000_000,
  "villas.binary": 1_000_000,
  "villas.web": 1_000_000,
  "raw": 1_000_000,
  "raw,bits=64": 1_000_000,
  "gtnet": 1_000_000,
  "opal.asyncip": 1_000_000,
};
const TEXT_GOAL = 300_000;
/** Seconds that each measurement takes. */
const SECONDS = 0.3;
/** How often it is repeated; the median counts. */
const ROUNDS = 5;

const names = Deno.args.length > 0
  ? Deno.args
  : [...new Set([...Object.keys(GOALS), ...Object.keys(villasFormats)])];
const signals = Array.from({ length: 5 }, (_, i) => `signal${i}:float`).join(",");

for (const name of names) {
  const format = villasFormat(name, { signals: name === "value" ? "1f" : signals });
  const messages = Array.from(
    { length: 64 },
    (_, i): Sample[] => [sample(i, format.carried.sequence, name)],
  );
  const bytes = messages.map(format.encode);
  const rates = {
    encode: rate((i) => format.encode(messages[i & 63]!)),
    decode: rate((i) => format.decode(bytes[i & 63]!)),
  };
  const goal = GOALS[name] ?? TEXT_GOAL;
  for (const [way, found] of Object.entries(rates)) {
    const verdict = found >= goal ? "" : `  below ${goal.toLocaleString("en")}`;
    console.log(
      `${name.padEnd(16)} ${way} ${
        Math.round(found).toLocaleString("en").padStart(12)
      } samples/s${verdict}`,
    );
  }
}

function sample(i: number, numbered: boolean, name: string): Sample {
  const values = [Math.sin(i), Math.cos(i) * 100, i / 7, -i * 0.001, 0.5 + i];
  return {
    type: "data",
    ...(numbered && { sequence: BigInt(i) }),
    origin: { sec: 1_700_000_000, nsec: 1_000_000 * i },
    values: name === "value" ? values.slice(0, 1) : values,
  };
}

function rate(once: (i: number) => unknown): number {
  const rates = Array.from({ length: ROUNDS }, () => {
    // The time that this process has had of a core: others may want it, too.
    const start = process.cpuUsage();
    let count = 0;
    let seconds = 0;
    do {
      for (let i = 0; i < 1000; i++) once(i);
      count += 1000;
      const { user, system } = process.cpuUsage(start);
      seconds = (user + system) / 1e6;
    } while (seconds < SECONDS);
    return count / seconds;
  });
  return rates.sort((a, b) => a - b)[ROUNDS >> 1]!;
}
