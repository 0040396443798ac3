import { type System, thisSystem } from "./system.ts";

/** A transport with ports. */
export type Transport = "udp" | "tcp";

/** The program that has a port. */
export interface PortHolder {
  /** Its process number. */
  readonly pid: number;
  /** Its name, where the system tells. */
  readonly name?: string;
}

/**
 * Finds out who has a port, from the system's own program for it: `ss`, `lsof` or `netstat`.
 *
 * @param transport The transport.
 * @param port The port.
 * @param system The computer.
 * @returns The holder; undefined where the system does not tell, as it does of other users' programs.
 */
export async function portHolder(
  transport: Transport,
  port: number,
  system: System = thisSystem,
): Promise<PortHolder | undefined> {
  const [program, ...args] = holderCommand(system.os, transport, port);
  const text = await system.run(program!, args);
  if (text === undefined) return undefined;
  if (system.os === "linux") return parseSs(text);
  if (system.os !== "windows") return parseLsof(text);
  const pid = parseNetstat(text, transport, port);
  if (pid === undefined) return undefined;
  const task = await system.run("tasklist", ["/FI", `PID eq ${pid}`, "/FO", "CSV", "/NH"]);
  const name = /^"([^"]+)"/m.exec(task ?? "")?.[1];
  return name === undefined ? { pid } : { pid, name };
}

/**
 * The command line that tells who has a port.
 *
 * @param os The operating system.
 * @param transport The transport.
 * @param port The port.
 */
export function holderCommand(os: System["os"], transport: Transport, port: number): string[] {
  if (os === "linux") {
    return ["ss", "-Hlnp", transport === "udp" ? "-u" : "-t", `sport = :${port}`];
  }
  if (os === "windows") return ["netstat", "-ano"];
  const listening = transport === "tcp" ? ["-sTCP:LISTEN"] : [];
  return ["lsof", "-nP", `-i${transport.toUpperCase()}:${port}`, ...listening, "-Fpc"];
}

/** `users:(("python3",pid=123,fd=3))` at the end of a line. */
function parseSs(text: string): PortHolder | undefined {
  const match = /users:\(\("([^"]*)",pid=(\d+)/.exec(text);
  return match ? { name: match[1]!, pid: Number(match[2]) } : undefined;
}

/** A line `p` with the process number, then a line `c` with the name. */
function parseLsof(text: string): PortHolder | undefined {
  const match = /^p(\d+)\nc(.*)$/m.exec(text);
  return match ? { name: match[2]!, pid: Number(match[1]) } : undefined;
}

/** Columns: transport, local address, remote address, for TCP a state in the system's language, process number. */
function parseNetstat(text: string, transport: Transport, port: number): number | undefined {
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    const [kind, local = "", remote = ""] = words;
    const isOpen = transport === "udp" || /:0$/.test(remote);
    if (kind?.toLowerCase() === transport && local.endsWith(`:${port}`) && isOpen) {
      return Number(words.at(-1));
    }
  }
  return undefined;
}
