/** Recording to disk at a rate that a laboratory has. */

import type { Bench, Figures } from "../bench.ts";
import { folder, labwireForms, spawn } from "../programs.ts";
import { echoContestant, labwireEchoes } from "./udp.ts";

const RATE = 10_000;
const VALUES = 16;

/** 10,000 samples per second of 16 values, from `villas-signal` to a file. */
export const record: Bench = {
  name: "record",
  title: "10,000 samples/s of 16 values recorded to disk, 10 minutes (--quick: 10 s)",
  units: { sent: "samples", late: "samples", recorded: "samples", lost: "samples" },
  goals: [{ figure: "lost", most: 0 }, { figure: "late", most: 0 }],
  once: true,
  contestants: ({ quick }) =>
    labwireForms().map(({ name, command }) => {
      const limit = RATE * (quick ? 10 : 600);
      const file = `${folder}/record-${name.replace(/\W+/g, "")}.dat`;
      const [{ start }] = labwireEchoes(["--output", "none", "--record", file])
        .filter((echo) => echo.name === name) as [ReturnType<typeof labwireEchoes>[number]];
      return echoContestant(name, start, async ({ child, port, remote }): Promise<Figures> => {
        await using source = spawn([
          ...[...command, "villas-signal", "sine", "--output", "none"],
          ...["--listen", `127.0.0.1:${remote}`, "--to", `127.0.0.1:${port}`],
          ...["--rate", String(RATE), "--values", String(VALUES), "--limit", String(limit)],
        ]);
        const { stderr } = await source.result();
        const late = Number(/(\d+) steps? missed/.exec(stderr)?.[1] ?? 0);
        child.process.kill("SIGINT");
        await child.result();
        const recorded = await samplesIn(file);
        await Deno.remove(file);
        const sent = limit - late; // a step that the source missed was never sent
        return { sent, late, recorded, lost: sent - recorded };
      });
    }),
};

/** Lines of a file that are no comments. */
async function samplesIn(file: string): Promise<number> {
  using opened = await Deno.open(file);
  let [lines, atStart] = [0, true];
  for await (const bytes of opened.readable) {
    for (const byte of bytes) {
      if (atStart && byte !== 0x23) lines++;
      atStart = byte === 0x0a;
    }
  }
  return lines;
}
