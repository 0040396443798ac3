/** UDP echoes and the load on them. */

import type { Child } from "../../cli/run.ts";
import type { Contestant, Figures, Running } from "../bench.ts";
import { cProgram, freeUdpPort, labwireForms, run, spawn } from "../programs.ts";

/** What the load generator measured; times in µs. */
interface Load {
  readonly echoed: number;
  readonly lost: number;
  readonly changed: number;
  readonly rate: number;
  readonly rtt: { readonly p50: number; readonly p99: number; readonly p999: number };
}

/** More datagrams than can be sent in the time. */
const MANY = 20_000_000;

/** An echo that runs, and the ports at both ends. */
export interface Echo {
  readonly child: Child;
  readonly port: number;
  readonly remote: number;
}

/** How an echo is started: where it is bound, and who alone sends to it. */
export type EchoCommand = (port: number, remote: number) => readonly string[];

/** What else is to be known of an echo that is started. */
export interface EchoOptions {
  /** The file that it prints to what it receives. */
  readonly file?: string;
  /** What it says on standard error when it is ready; without it, it prints its port. */
  readonly ready?: RegExp;
}

/** Starts an echo. */
export async function startEcho(
  command: EchoCommand,
  { file, ready }: EchoOptions = {},
): Promise<Echo> {
  const [port, remote] = [freeUdpPort(), freeUdpPort()];
  const child = spawn(command(port, remote), file);
  await (ready ? child.until("stderr", ready) : child.until("stdout", /^\d+\n/));
  return { child, port, remote };
}

/** How an echo is loaded. */
export interface LoadOptions {
  /** Datagrams in flight. */
  readonly window: number;
  /** How long, in s. */
  readonly seconds?: number;
  /** How many datagrams. */
  readonly count?: number;
  /** How many a second, one at a time at even intervals. Default: as many as are echoed. */
  readonly rate?: number;
  /** Whether what comes back may be something else. */
  readonly changes?: boolean;
}

/** Loads an echo. */
export async function loadEcho(
  { port, remote }: Echo,
  { window, seconds = 3600, count = MANY, rate = 0, changes = false }: LoadOptions,
): Promise<Load> {
  const args = [port, count, window, remote, seconds, rate];
  const load: Load = JSON.parse(await run([cProgram("udp_load"), ...args.map(String)]));
  if (load.changed > 0 && !changes) throw new Error(`The echo changed ${load.changed} datagrams`);
  return load;
}

/** Makes a contestant of an echo. */
export function echoContestant(
  name: string,
  start: () => Promise<Echo>,
  measure: (echo: Echo, warmUp: boolean) => Promise<Figures>,
): Contestant {
  return {
    name,
    async start(): Promise<Running> {
      const echo = await start();
      return {
        measure: (warmUp) => measure(echo, warmUp),
        [Symbol.asyncDispose]: () => echo.child[Symbol.asyncDispose](),
      };
    },
  };
}

/** `villas-echo` in each form of labwire, for one remote only, as it stands beside VILLASnode. */
export function labwireEchoes(
  args: readonly string[],
): { name: string; start: (file?: string) => Promise<Echo> }[] {
  return labwireForms().map(({ name, command }) => ({
    name,
    start: (file) =>
      startEcho(
        (port, remote) => [
          ...[...command, "villas-echo", ...args],
          ...["--listen", `127.0.0.1:${port}`, "--remote", `127.0.0.1:${remote}`],
        ],
        { file, ready: /Ready\. Ctrl-C/ },
      ),
  }));
}
