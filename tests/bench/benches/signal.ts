/** `villas-signal` at a rate that nobody needs. */

import type { Bench, Figures } from "../bench.ts";
import { labwireForms, spawn } from "../programs.ts";

const RATE = 100_000;

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
              await using source = spawn([
                ...[...command, "villas-signal", "counter", "--no-return", "--output", "none"],
                ...["--listen", "127.0.0.1:0", "--rate", String(RATE), "--limit", String(limit)],
                ...["--to", `127.0.0.1:${(sink.addr as Deno.NetAddr).port}`],
              ]);
              await source.until("stderr", /Listening/);
              const start = performance.now();
              const { stderr } = await source.result();
              const seconds = (performance.now() - start) / 1000;
              const missed = Number(/(\d+) steps? missed/.exec(stderr)?.[1] ?? 0);
              return { missed, rate: limit / seconds };
            } finally {
              sink.close();
            }
          },
          async [Symbol.asyncDispose]() {},
        }),
    })),
};
