/** What a program takes that runs for long: memory, and the processor while nothing happens. */

import type { Bench, Contestant, Figures } from "../bench.ts";
import { memoryOf, processorTimeOf } from "../machine.ts";
import { folder, labwireForms, needsCompiler, spawn } from "../programs.ts";
import { echoContestant, labwireEchoes, loadEcho } from "./udp.ts";

/** Resident memory after many datagrams, beside that after some. */
export const memory: Bench = {
  name: "memory",
  title:
    "memory of villas-echo after 1,000,000 and after 50,000,000 datagrams (--quick: 300,000 and 3,000,000)",
  units: { early: "MiB", late: "MiB", growth: "×" },
  goals: [{ figure: "growth", most: 1.1 }],
  once: true,
  needs: needsCompiler,
  contestants: ({ quick }) =>
    labwireEchoes(["--output", "none"]).map(({ name, start }) =>
      echoContestant(name, start, async (echo): Promise<Figures> => {
        const [few, many] = quick ? [300_000, 3_000_000] : [1_000_000, 50_000_000];
        const { pid } = echo.child.process;
        await loadEcho(echo, { window: 32, count: few });
        const early = await memoryOf(pid);
        // In parts, as the load generator keeps the time of each.
        for (let left = many - few; left > 0; left -= 5_000_000) {
          await loadEcho(echo, { window: 32, count: Math.min(left, 5_000_000) });
        }
        const late = await memoryOf(pid);
        return { early, late, growth: late / early };
      })
    ),
};

/** A server that has worked, and has nothing to do any more. */
function idleServer(name: string, command: readonly string[], quick: boolean): Contestant {
  return {
    name,
    async start() {
      const child = spawn(command);
      await child.until("stderr", /Ready|Listening/);
      return {
        async measure() {
          const seconds = quick ? 3 : 20;
          await pause(2); // what has to be done at the start has been
          const before = await processorTimeOf(child.process.pid);
          await pause(seconds);
          const used = await processorTimeOf(child.process.pid) - before;
          return { used: 100 * used / seconds };
        },
        [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
      };
    },
  };
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}

/** Processor time while nothing arrives. */
export const idle: Bench = {
  name: "idle",
  title: "processor time of a server while nothing arrives",
  units: { used: "% of a processor" },
  goals: [{ figure: "used", most: 0.5 }],
  once: true,
  needs: () => Deno.build.os === "linux" ? undefined : "Linux",
  contestants({ quick }) {
    const handler = `${folder}/idle.js`;
    Deno.writeTextFileSync(handler, "export function interact() {}\n");
    const servers = [
      ["villas-echo", "--listen", "127.0.0.1:0"],
      ["json-server", "--port", "0", "--handler", handler],
      ["struct-line", "server", "--host", "127.0.0.1", "--port", "0", "--format", "!I"],
      ["socket-server", "--port", "0"],
    ];
    return labwireForms().flatMap(({ name, command }) =>
      servers.map((args) => idleServer(`${name} ${args[0]}`, [...command, ...args], quick))
    );
  },
};
