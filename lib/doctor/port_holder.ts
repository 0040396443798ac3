import { unmapped } from "../net/address/address.ts";
import { type System, thisSystem } from "./system.ts";

/** A transport with ports. */
export type Transport = "udp" | "tcp";

/** The program that has a port. */
export interface PortHolder {
  /** Its process number. */
  readonly pid: number;
  /** Its name, where the system shows it. */
  readonly name?: string;
}

/** A program, and the address at which it has a port, as the system writes it. */
interface Holding extends PortHolder {
  readonly local: string;
}

/** Addresses that stand for all. */
const ALL: readonly string[] = ["*", "0.0.0.0", "::"];

/**
 * Finds out which program has a port, from the system's own program for it: `ss`, `lsof` or `netstat`.
 *
 * @param transport The transport.
 * @param port The port.
 * @param hostname The IP address that cannot be bound; programs at other addresses are not in its way.
 * @param system The computer.
 * @returns The holder; undefined where the system does not show it, as with other users' programs.
 */
export async function portHolder(
  transport: Transport,
  port: number,
  hostname = "0.0.0.0",
  system: System = thisSystem,
): Promise<PortHolder | undefined> {
  const [program, ...args] = holderCommand(system.os, transport, port);
  const text = await system.run(program!, args) ?? "";
  const parse = system.os === "linux"
    ? parseSs
    : system.os === "windows"
    ? parseNetstat
    : parseLsof;
  const inTheWay = parse(text, transport)
    .find(({ local }) => local.endsWith(`:${port}`) && overlap(hostOf(local), hostname));
  if (inTheWay === undefined) return undefined;
  const { pid } = inTheWay;
  const name = system.os === "windows" ? await taskName(pid, system) : inTheWay.name;
  return name === undefined ? { pid } : { pid, name };
}

/**
 * The command line that shows which program has a port.
 *
 * @param os The operating system.
 * @param transport The transport.
 * @param port The port.
 */
export function holderCommand(os: System["os"], transport: Transport, port: number): string[] {
  if (os === "linux") {
    return ["ss", "-Hanp", transport === "udp" ? "-u" : "-t", `sport = :${port}`];
  }
  if (os === "windows") return ["netstat", "-ano"];
  return ["lsof", "-nP", `-i${transport.toUpperCase()}:${port}`, "-Fpcn"];
}

/** State, two lengths, local and remote address, and `users:(("python3",pid=123,fd=3))`; listeners come first. */
function parseSs(text: string): Holding[] {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/))
    .toSorted((a, b) => Number(isOpen(b[0])) - Number(isOpen(a[0])));
  return lines.flatMap((words) => {
    const match = /users:\(\("([^"]*)",pid=(\d+)/.exec(words.join(" "));
    return match ? [{ local: words[3]!, name: match[1]!, pid: Number(match[2]) }] : [];
  });
}

function isOpen(state: string | undefined): boolean {
  return state === "LISTEN" || state === "UNCONN";
}

/** Lines `p` with the process number and `c` with the name, then for each socket `n` with the addresses. */
function parseLsof(text: string): Holding[] {
  const holdings: Holding[] = [];
  let pid = 0;
  let name = "";
  for (const line of text.split("\n")) {
    const value = line.slice(1);
    if (line.startsWith("p")) pid = Number(value);
    else if (line.startsWith("c")) name = value;
    else if (line.startsWith("n")) holdings.push({ local: value.split("->")[0]!, name, pid });
  }
  return holdings;
}

/** Columns: transport, local address, remote address, for TCP a state in the system's language, process number. */
function parseNetstat(text: string, transport: Transport): Holding[] {
  return text.split("\n").flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const [kind, local = "", remote = ""] = words;
    const isOpen = transport === "udp" || /:0$/.test(remote);
    if (kind?.toLowerCase() !== transport || !isOpen) return [];
    return [{ local, pid: Number(words.at(-1)) }];
  });
}

/** What Windows calls a process. */
async function taskName(pid: number, system: System): Promise<string | undefined> {
  const task = await system.run("tasklist", ["/FI", `PID eq ${pid}`, "/FO", "CSV", "/NH"]);
  return /^"([^"]+)"/m.exec(task ?? "")?.[1];
}

/** The address without port, brackets and interface. */
function hostOf(local: string): string {
  return unmapped(local.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, ""));
}

function overlap(a: string, b: string): boolean {
  return a === b || ALL.includes(a) || ALL.includes(b);
}
