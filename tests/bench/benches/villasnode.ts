/** Echoes behind a real VILLASnode, which shares the computer with them. */

import { PROTOBUF } from "../../interop/python.ts";
import type { Bench, Contestant, Figures, Settings } from "../bench.ts";
import { median } from "../bench.ts";
import { cProgram, folder, here, labwireForms, needsCompiler, spawn } from "../programs.ts";
import { type Echo, type EchoOptions, startEcho } from "./udp.ts";

const C = "C, recvfrom and sendto";
const PYTHON = "Python with protobuf";
const STOCK = "the stock Python client, printing";

/** An echo, and where in what it says at its end the number of its replies is. */
interface Kind {
  readonly name: string;
  readonly command: (port: number, remote: number) => readonly string[];
  readonly options: EchoOptions;
  readonly replies: RegExp;
}

function kinds(): Kind[] {
  const python = PROTOBUF?.python;
  const ports = (port: number, remote: number) => [String(port), String(remote)];
  return [
    {
      name: C,
      command: (...both) => [cProgram("udp_echo"), ...ports(...both)],
      options: {},
      replies: /\n(\d+)\n$/,
    },
    ...python
      ? [{
        name: PYTHON,
        command: (port: number) => [python, here("peers/python_echo.py"), String(port)],
        options: {},
        replies: /\n(\d+)\n$/,
      }, {
        name: STOCK,
        command: (port: number, remote: number) => [
          ...[python, here("peers/python_client.py"), ...ports(port, remote)],
        ],
        options: { file: `${folder}/stock.out`, ready: /Ready/ },
        replies: /\n(\d+)\n$/,
      }]
      : [],
    ...labwireForms().map(({ name, command }): Kind => ({
      name,
      command: (port, remote) => [
        ...[...command, "villas-echo", "--output", "none"],
        ...["--listen", `127.0.0.1:${port}`, "--remote", `127.0.0.1:${remote}`],
      ],
      options: { ready: /Ready\. Ctrl-C/ },
      replies: /(\d+) repl/,
    })),
  ];
}

/** The socket node of a configuration. */
function socketNode({ port, remote }: Echo, values: number): string {
  return `udp = { type = "socket", layer = "udp", format = "protobuf",
    in = { address = "127.0.0.1:${remote}", signals = { count = ${values}, type = "float" } },
    out = { address = "127.0.0.1:${port}" } }`;
}

/** Runs VILLASnode with a configuration; it is ended after so many seconds, or ends by itself. */
async function villasNode(
  { villasNode = "villas-node" }: Settings,
  name: string,
  configuration: string,
  seconds?: number,
): Promise<void> {
  const file = `${folder}/${name}.conf`;
  await Deno.writeTextFile(file, configuration);
  await using node = spawn([villasNode, file]);
  const timer = seconds === undefined
    ? 0
    : setTimeout(() => node.process.kill("SIGINT"), 1000 * seconds);
  try {
    const { code, stderr } = await node.result();
    if (code !== 0 && seconds === undefined) throw new Error(`VILLASnode: ${stderr.slice(-2000)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** An echo that is started again for each measurement, since it says at its end how many replies it sent. */
function contestant(
  { name, command, options, replies }: Kind,
  measure: (echo: Echo, end: () => Promise<number>) => Promise<Figures>,
): Contestant {
  return {
    name,
    start: () =>
      Promise.resolve({
        async measure() {
          const echo = await startEcho(command, options);
          await using child = echo.child;
          const end = async () => {
            child.process.kill("SIGTERM");
            const { stdout, stderr } = await child.result();
            return Number(replies.exec(`${stdout}\n${stderr}`.replace(/\n\n+$/, "\n"))?.[1]);
          };
          return await measure(echo, end);
        },
        async [Symbol.asyncDispose]() {},
      }),
  };
}

function needs({ villasNode }: Settings): string | undefined {
  if (villasNode === undefined) return "VILLASnode (villas-node on PATH, or --villas-node FILE)";
  return needsCompiler();
}

/** VILLASnode sends as fast as it can. */
export const villasFlood: Bench = {
  name: "villas-flood",
  title: "replies to a VILLASnode that floods (realtime = false)",
  units: { rate: "replies/s" },
  goals: [
    { figure: "rate", least: 0.9, times: C },
    { figure: "rate", least: 1.25, times: PYTHON },
    { figure: "rate", least: 1.5, times: STOCK },
  ],
  needs,
  contestants: (settings) =>
    kinds().map((kind) =>
      contestant(kind, async (echo, end) => {
        const seconds = settings.quick ? 2 : 5;
        await villasNode(
          settings,
          "flood",
          `nodes = { ${socketNode(echo, 5)},
  signal = { type = "signal", signal = "mixed", values = 5, rate = 300000.0, realtime = false } }
paths = ( { in = "signal", out = "udp" }, { in = "udp" } )\n`,
          seconds,
        );
        return { rate: await end() / seconds };
      })
    ),
};

/** VILLASnode measures the round trip itself, at 1 kHz. */
export const villasRoundTrip: Bench = {
  name: "villas-round-trip",
  title: "VILLASnode's test_rtt at 1 kHz",
  units: { p50: "µs", p99: "µs" },
  goals: [{ figure: "p50", most: 1.2, times: C }],
  needs,
  contestants: (settings) =>
    kinds().map((kind) =>
      contestant(kind, async (echo, end) => {
        const output = await Deno.makeTempDir({ dir: folder });
        const seconds = settings.quick ? 2 : 10;
        await villasNode(
          settings,
          "rtt",
          `nodes = { ${socketNode(echo, 5)},
  rtt = { type = "test_rtt", output = "${output}", prefix = "rtt", shutdown = true,
    cases = ( { rates = 1000, values = 5, count = ${
            1000 * seconds
          }, duration = ${seconds}, cooldown = 0.5 } ) } }
paths = ( { in = "rtt", out = "udp" }, { in = "udp", out = "rtt" } )\n`,
        );
        await end();
        const log = await Deno.readTextFile(`${output}/rtt_values5_rate1000.log`);
        const times = [...log.matchAll(/^\d+\.\d+([+-][\d.e+-]+)\(/gm)]
          .map(([, offset]) => Number(offset) * 1e6).sort((a, b) => a - b);
        return { p50: median(times), p99: times[Math.floor(0.99 * (times.length - 1))]! };
      })
    ),
};
