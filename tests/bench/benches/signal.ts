/** `villas-signal` at a rate that nobody needs. */

import type { Bench, Figures } from "../bench.ts";
import { labwireForms, spawn } from "../programs.ts";
import { labwireEchoes } from "./udp.ts";

const RATE = 100_000;

/** What `villas-signal` says of itself at the end. */
function counted(stderr: string, what: RegExp): number {
  return Number(what.exec(stderr)?.[1] ?? 0);
}

/** Sends at that rate, and tells what was said at the end and how long it took. */
async function send(
  command: readonly string[],
  { limit, listen, to }: { limit: number; listen: number; to: number },
  ...args: string[]
): Promise<{ stderr: string; rate: number }> {
  await using source = spawn([
    ...[...command, "villas-signal", "counter", "--output", "none", ...args],
    ...["--listen", `127.0.0.1:${listen}`, "--to", `127.0.0.1:${to}`],
    ...["--rate", String(RATE), "--limit", String(limit)],
  ]);
  await source.until("stderr", /Listening/);
  const start = performance.now();
  const { stderr } = await source.result();
  return { stderr, rate: limit / ((performance.now() - start) / 1000) };
}

/** 100,000 datagrams per second on time, to a socket that nobody reads. */
export const signal: Bench = {
  name: "signal",
  title: "villas-signal: 100,000 samples/s, a datagram for each, on time",
  units: { missed: "samples", rate: "samples/s" },
  goals: [{ figure: "missed", most: 0 }, { figure: "rate", least: 0.99 * RATE }],
  contestants: ({ quick }) =>
    labwireForms().map(({ name, command }) => ({
      name,
      start: () =>
        Promise.resolve({
          async measure(warmUp): Promise<Figures> {
            const limit = RATE * (quick || warmUp ? 1 : 10);
            const sink = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
            try {
              const { port } = sink.addr as Deno.NetAddr;
              const ends = { limit, listen: 0, to: port };
              const { stderr, rate } = await send(command, ends, "--no-return");
              return { missed: counted(stderr, /(\d+) steps? missed/), rate };
            } finally {
              sink.close();
            }
          },
          async [Symbol.asyncDispose]() {},
        }),
    })),
};

/** The same to an echo, with everything that comes back looked at; both ends want most of a core. */
export const signalBack: Bench = {
  name: "signal-back",
  title: "villas-signal: 100,000 samples/s to villas-echo and back, a datagram for each",
  units: { missed: "samples", lost: "samples", dropped: "datagrams" },
  goals: [{ figure: "missed", most: 0 }, { figure: "dropped", most: 0 }],
  contestants: ({ quick }) =>
    labwireForms().map(({ name, command }, i) => ({
      name,
      async start() {
        const echo = await labwireEchoes(["--output", "none"])[i]!.start();
        return {
          async measure(warmUp): Promise<Figures> {
            const limit = RATE * (quick || warmUp ? 1 : 5);
            const { stderr } = await send(command, {
              limit,
              listen: echo.remote,
              to: echo.port,
            });
            return {
              missed: counted(stderr, /(\d+) steps? missed/),
              lost: counted(stderr, /(\d+) lost/),
              dropped: counted(stderr, /(\d+) dropped/),
            };
          },
          [Symbol.asyncDispose]: () => echo.child[Symbol.asyncDispose](),
        };
      },
    })),
};
