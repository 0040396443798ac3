import { bindDatagram } from "../net/datagram/datagram.ts";
import { bindStream } from "../net/stream/bind.ts";
import { formatAddress } from "../net/address/address.ts";
import { isLocalhost, LOOPBACK } from "../net/address/localhost.ts";
import type { Finding } from "./finding.ts";
import { isOwnProgram } from "./own_program.ts";
import { holderCommand, type PortHolder, portHolder, type Transport } from "./port_holder.ts";
import { failure, refusalOf } from "./refusal.ts";
import { type System, thisSystem } from "./system.ts";

/** A port that commands use by default. */
export interface DefaultPort {
  /** The transport. */
  readonly transport: Transport;
  /** The address: an IP address, or `localhost` for both of loopback. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
  /** The commands. */
  readonly commands: readonly string[];
}

/** Whether a port is free; `kept` is one that the system reserves for itself. */
export type PortState = "free" | "taken" | "kept";

/** How {@linkcode checkPorts} finds out. */
export interface CheckPortsOptions {
  /** Says whether a port is free; binds it by default. */
  stateOf?: (transport: Transport, port: number, hostname: string) => Promise<PortState>;
  /** The computer. */
  system?: System;
}

/**
 * Checks whether ports are free, and says which program has those that are not.
 *
 * @param ports The ports, each at the address at which its commands bind it.
 * @param options How to find out.
 * @returns A finding for each port that is taken, and one for all that are free.
 */
export async function checkPorts(
  ports: readonly DefaultPort[],
  options: CheckPortsOptions = {},
): Promise<Finding[]> {
  const { stateOf = portState, system = thisSystem } = options;
  const free: string[] = [];
  const findings: Finding[] = [];
  for (const port of ports) {
    try {
      const finding = await checkPort(port, stateOf, system);
      if (finding) findings.push(finding);
      else free.push(nameOf(port));
    } catch (error) {
      const { message, ...rest } = failure("ports", error, system.os);
      findings.push({ ...rest, message: `${nameOf(port)}: ${message}` });
    }
  }
  if (free.length > 0) {
    findings.unshift({ check: "ports", status: "ok", message: `free: ${free.join(", ")}` });
  }
  return findings;
}

/** Says why a port cannot be bound; undefined if it is free. */
async function checkPort(
  port: DefaultPort,
  stateOf: NonNullable<CheckPortsOptions["stateOf"]>,
  system: System,
): Promise<Finding | undefined> {
  const { transport, port: number, commands } = port;
  for (const hostname of addressesOf(port.hostname)) {
    const state = await stateOf(transport, number, hostname);
    if (state === "free") continue;
    const name = nameOf(port, hostname);
    if (state === "kept") return kept(name, transport, system.os);
    const holder = await portHolder(transport, number, hostname, system);
    if (holder && await isOwnProgram(holder, commands, system)) {
      const message = `${name} is in use by labwire (process ${holder.pid})`;
      return { check: "ports", status: "note", message };
    }
    if (!holder && await stateOf(transport, number, hostname) === "free") continue; // it has just ended
    return taken(name, port, holder, system.os);
  }
  return undefined;
}

/** The port with its commands; with its address where that is not all of this computer's. */
function nameOf({ transport, port, commands }: DefaultPort, hostname = "0.0.0.0"): string {
  const where = hostname === "0.0.0.0" ? port : formatAddress({ hostname, port });
  return `${transport.toUpperCase()} ${where} (${commands.join(", ")})`;
}

/** What is bound at an address. On Windows a program can take loopback away from one that binds all addresses. */
function addressesOf(hostname: string): readonly string[] {
  if (isLocalhost(hostname)) return LOOPBACK;
  return hostname === "0.0.0.0" ? [hostname, "127.0.0.1"] : [hostname];
}

function taken(
  name: string,
  { transport, port }: DefaultPort,
  holder: PortHolder | undefined,
  os: System["os"],
): Finding {
  const who = holder === undefined
    ? "another program, which the system does not name"
    : `${holder.name ?? "the program"} (process ${holder.pid})`;
  return {
    check: "ports",
    status: "problem",
    message: `${name} is taken by ${who}`,
    remedy: holder === undefined
      ? `${findHolder(os, transport, port)}; end that program, or give labwire another port`
      : "end that program if it is not wanted, or give labwire another port",
  };
}

/** How an administrator finds the holder. Sockets that are bound and do not listen are in no usual list. */
function findHolder(os: System["os"], transport: Transport, port: number): string {
  const command = holderCommand(os, transport, port)
    .map((word) => word.includes(" ") ? `'${word}'` : word).join(" ");
  if (os === "windows") {
    return `"${command}${transport === "tcp" ? "q" : ""}" shows which program has it`;
  }
  const shows = `"sudo ${command}" shows which program has it`;
  if (os !== "linux" || transport === "udp") return shows;
  return `${shows}, or "sudo ss -HBnp -t" (of a recent iproute2) if it is bound without listening`;
}

function kept(port: string, transport: Transport, os: System["os"]): Finding {
  return {
    check: "ports",
    status: "problem",
    message: `the system does not permit ${port}`,
    remedy: os === "windows"
      ? `"netsh interface ipv4 show excludedportrange protocol=${transport}" shows what Windows keeps; give labwire ` +
        "another port"
      : "give labwire another port, above 1023",
  };
}

/** Tries to bind a port. An address that this computer does not have blocks no other. */
async function portState(
  transport: Transport,
  port: number,
  hostname: string,
): Promise<PortState> {
  try {
    if (transport === "udp") await (await bindDatagram({ listen: { hostname, port } })).close();
    else bindStream(hostname, port).forEach((socket) => socket.close());
  } catch (error) {
    const cause = error instanceof Error ? error.cause ?? error : error;
    if (cause instanceof Deno.errors.PermissionDenied) return "kept";
    if (cause instanceof Deno.errors.AddrInUse) return "taken";
    if (refusalOf(cause) !== "unreachable") throw error;
  }
  return "free";
}
