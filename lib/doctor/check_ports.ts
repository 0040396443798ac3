import { bindDatagram } from "../net/datagram.ts";
import { bindStream } from "../net/bind_stream.ts";
import type { Finding } from "./finding.ts";
import { holderCommand, type PortHolder, portHolder, type Transport } from "./port_holder.ts";
import { type System, thisSystem } from "./system.ts";

/** A port that commands use unless told otherwise. */
export interface DefaultPort {
  /** The transport. */
  readonly transport: Transport;
  /** The port. */
  readonly port: number;
  /** The commands. */
  readonly commands: readonly string[];
}

/** Whether a port can be had; `kept` is one that the system itself keeps. */
export type PortState = "free" | "taken" | "kept";

/** What {@linkcode checkPorts} can be told. */
export interface CheckPortsOptions {
  /** Tells whether a port can be had; tries by default. */
  stateOf?: (transport: Transport, port: number) => Promise<PortState>;
  /** The computer. */
  system?: System;
}

/**
 * Checks whether ports are free, and says who has those that are not.
 *
 * @param ports The ports.
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
  for (const { transport, port, commands } of ports) {
    const name = `${transport.toUpperCase()} ${port} (${commands.join(", ")})`;
    const state = await stateOf(transport, port);
    if (state === "free") free.push(name);
    else if (state === "kept") findings.push(kept(name, transport, system.os));
    else {
      const holder = await portHolder(transport, port, system);
      if (holder === undefined && await stateOf(transport, port) === "free") {
        free.push(name); // its holder has just ended
        continue;
      }
      const tell = holderCommand(system.os, transport, port)
        .map((word) => word.includes(" ") ? `'${word}'` : word).join(" ");
      findings.push(taken(name, holder, system.os === "windows" ? tell : `sudo ${tell}`));
    }
  }
  if (free.length > 0) {
    findings.unshift({ check: "ports", status: "ok", message: `free: ${free.join(", ")}` });
  }
  return findings;
}

function taken(port: string, holder: PortHolder | undefined, tell: string): Finding {
  const who = holder === undefined
    ? "another program, which the system does not name"
    : `${holder.name ?? "the program"} (process ${holder.pid})`;
  return {
    check: "ports",
    status: "problem",
    message: `${port} is taken by ${who}`,
    remedy: holder === undefined
      ? `"${tell}" tells who has it; end that program, or give labwire another port`
      : "end that program if it is not wanted, or give labwire another port",
  };
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

/** Tries all addresses and loopback: Windows lets a program take one of them away. */
async function portState(transport: Transport, port: number): Promise<PortState> {
  for (const hostname of ["0.0.0.0", "127.0.0.1"]) {
    try {
      if (transport === "udp") await (await bindDatagram({ listen: { hostname, port } })).close();
      else bindStream(hostname, port).forEach((socket) => socket.close());
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (cause instanceof Deno.errors.PermissionDenied) return "kept";
      if (cause instanceof Deno.errors.AddrInUse) return "taken";
      throw error;
    }
  }
  return "free";
}
