/** `struct-line server` and the library's `Line` beside a Python program with one recv and one unpack per record. */

import { PYTHON } from "../../interop/python.ts";
import type { Bench, Contestant, Settings } from "../bench.ts";
import { here, labwireForms, run, spawn } from "../programs.ts";

const PEER = "Python, recv and unpack";

/** A receiver of so many records, started again each time. */
function receiver(
  name: string,
  command: (count: number) => readonly string[],
  { quick }: Settings,
): Contestant {
  return {
    name,
    start: () =>
      Promise.resolve({
        async measure() {
          const count = quick ? 200_000 : 2_000_000;
          await using child = spawn(command(count));
          const [, port] = await child.until("stderr", /Listening on 127\.0\.0\.1:(\d+)\n/);
          const sender = [PYTHON, here("peers/struct_send.py"), port!, String(count)];
          return { rate: count / Number(await run(sender)) };
        },
        async [Symbol.asyncDispose]() {},
      }),
  };
}

const SERVER = [
  "struct-line",
  "server",
  "--host",
  "127.0.0.1",
  "--port",
  "0",
  "--format",
  "!I30sd",
];

/** Records of `!I30sd` received. */
export const structLine: Bench = {
  name: "struct-line",
  title: "records of !I30sd received",
  units: { rate: "records/s" },
  goals: [{ figure: "rate", least: 3, times: PEER }],
  contestants: (settings) => [
    receiver(PEER, (count) => [PYTHON, here("peers/struct_receive.py"), String(count)], settings),
    ...labwireForms().map(({ name, command }) =>
      receiver(
        name,
        (count) => [...command, ...SERVER, "--output", "none", "--count", String(count)],
        settings,
      )
    ),
    ...(["action", "iterate"] as const).map((way) =>
      receiver(
        `the library's Line, ${way}`,
        (count) => [
          ...[Deno.execPath(), "run", "-A", "--quiet", "--unstable-net"],
          ...[here("peers/struct_receive.ts"), way, String(count)],
        ],
        settings,
      )
    ),
  ],
};
