/**
 * Lets mutated datagrams loose on `labwire villas-echo`, in each of its modes, and looks at everything that comes back.
 *
 *     deno run -A tests/bench/mutations.ts [--count N] [--seed N]
 *
 * 1,200,000 datagrams by default, a fifth of them in each mode: captures of VILLASnode with bytes changed, bits flipped, parts cut off,
 * doubled or swapped, and random bytes. After every few of them a good message must come back; every reply has to be one that
 * VILLASnode survives; at the end the program must end with 0, and its counters must add up. Exits with 1 if not.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { bindDatagram, kindOf, type Sample, villasProtobuf } from "../../mod.ts";
import { start } from "../cli/run.ts";
import { random32 } from "../codecs/struct/random_values.ts";
import { hexLines } from "../fixtures/read.ts";

/** Mutated datagrams between two good messages: they have room in the receive buffer. */
const BURST = 48;

const args = parseArgs(Deno.args, { string: ["count", "seed"] });
const count = Number(args.count ?? 1_200_000);
const random = random32(Number(args.seed ?? 1));
const names = [
  "lab19",
  "vectorize3",
  "types-cast",
  "noseq",
  "newframe",
  "wire-human",
  "wire-binary",
];
const captures = (await Promise.all(names.map((name) => hexLines(`${name}.hex`)))).flat();
const handler = await Deno.makeTempFile({ suffix: ".js" });
await Deno.writeTextFile(
  handler,
  "export default (s) => s.sequence % 3n === 1n ? [s, { values: s.values }] : { values: s.values.map((v) => v) };\n",
);

const modes: string[][] = [
  ["--output", "none"],
  ["--output", "json"],
  ["--output", "villas.human", "--handler", handler],
  ["--output", "text", "--constant", "1,0,1,1,0"],
  ["--output", "none", "--signals", "9f", "--any-source"],
];

function pick<T>(list: readonly T[]): T {
  return list[random() % list.length]!;
}

function mutated(): Uint8Array {
  if (random() % 20 === 0) return Uint8Array.from({ length: random() % 300 }, random);
  const bytes = [...pick(captures)];
  for (let changes = random() % 4; changes >= 0; changes--) {
    const [at, other] = [random() % (bytes.length + 1), random() % (bytes.length + 1)];
    const [low, high] = [Math.min(at, other), Math.max(at, other)];
    switch (random() % 16) {
      case 0:
      case 1:
        bytes[low] = random() % 256;
        break;
      case 2:
        bytes.splice(low, random() % 4);
        break;
      case 3:
        bytes.splice(low, 0, ...bytes.slice(low, Math.min(high, low + 40)));
        break;
      case 4:
        bytes.length = random() % 8 === 0 ? low : bytes.length;
        break;
      case 5:
        bytes.splice(low, 0, pick([0, 0x80, 0xff, 0x0a, 0xa2, 0x7f]));
        break;
      default:
        bytes[low] = (bytes[low] ?? 0) ^ 1 << random() % 8;
    }
  }
  return Uint8Array.from(bytes);
}

/** What VILLASnode would abort on, as far as it does not depend on its signals. */
function isHarmful(samples: Sample[]): boolean {
  return samples.some(({ type, values }) =>
    type !== "data" || values.some((value) => kindOf(value) === "unset")
  );
}

async function attack(mode: string[], total: number): Promise<void> {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const remote = `127.0.0.1:${(node.addr as Deno.NetAddr).port}`;
  await using echo = start(["villas-echo", "--listen", "127.0.0.1:0", "--remote", remote, ...mode]);
  const [, port] = await echo.until("stderr", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready/);
  const to = { hostname: "127.0.0.1", port: Number(port) };
  const values = [0.5, 0.5, 0.5, 0.5, 0.5];
  let [sent, replies, sequence] = [0, 0, 2n ** 40n];
  while (sent < total) {
    for (let i = 0; i < BURST && sent < total; i++, sent++) await node.send(mutated(), to);
    const good = villasProtobuf.encode([{ type: "data", sequence: ++sequence, values }]);
    await node.send(good, to);
    sent++;
    for (let done = false; !done; replies++) {
      const { bytes } = (await node.receive())!;
      const samples = villasProtobuf.decode(bytes);
      if (isHarmful(samples)) throw new Error(`VILLASnode would not survive ${bytes.toHex()}`);
      done = samples[0]?.sequence === sequence;
    }
  }
  echo.interrupt();
  const { code, stderr } = await echo.result();
  const summary = stderr.split("\n").find((line) => /^\d+ messages?, /.test(line)) ?? "";
  const counted = (name: string) => Number(new RegExp(`(\\d+) ${name}`).exec(summary)?.[1] ?? 0);
  console.log(`${mode.join(" ")}: ${sent} sent; ${summary}`);
  const [messages, invalid] = [counted("messages"), counted("invalid")];
  const answered = counted("replies") + counted("refused") + counted("failed");
  if (code !== 0) throw new Error(`It ended with ${code}:\n${stderr.slice(-2000)}`);
  if (messages + invalid !== sent) throw new Error(`${messages} + ${invalid} are not ${sent}`);
  if (counted("replies") !== replies) throw new Error(`${replies} replies came`);
  if (answered > messages) throw new Error(`${answered} answers to ${messages} messages`);
}

for (const mode of modes) await attack(mode, Math.ceil(count / modes.length));
await Deno.remove(handler);
