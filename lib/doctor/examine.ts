import type { HostPort } from "../net/address.ts";
import { LOOPBACK } from "../net/localhost.ts";
import { askClock } from "./ask_clock.ts";
import { checkAddresses, type Interface, reachableAddresses } from "./check_addresses.ts";
import { checkFirewall } from "./check_firewall.ts";
import {
  checkLargestDatagram,
  checkTcp,
  checkUdp,
  DATAGRAMS,
  hasAddress,
  tryUdp,
} from "./check_loopback.ts";
import { checkPeer, peerFailure } from "./check_peer.ts";
import { checkPermissions } from "./check_permissions.ts";
import { checkPorts, type DefaultPort } from "./check_ports.ts";
import { checkReceiveBuffer, measureReceiveBuffer } from "./check_receive_buffer.ts";
import type { Finding } from "./finding.ts";
import { isLoopbackDown } from "./loopback_state.ts";
import { failure } from "./refusal.ts";
import { type System, thisSystem } from "./system.ts";

/** What {@linkcode examine} looks at. */
export interface ExamineOptions {
  /** The ports that commands use unless told otherwise. */
  ports: readonly DefaultPort[];
  /** Another computer's `labwire doctor --serve`. */
  peer?: HostPort;
  /** The computer. Default: this one. */
  system?: System;
}

/**
 * Looks for the reasons why nothing works. A check that fails is a finding; the others go on.
 *
 * @param options What to look at.
 * @returns The findings, each as soon as it is there.
 */
export async function* examine(options: ExamineOptions): AsyncGenerator<Finding, void, void> {
  const { ports, peer, system = thisSystem } = options;
  const permissions = checkPermissions();
  yield permissions;
  if (permissions.status === "problem") return; // nothing else could be tried
  let interfaces: Interface[] = [];
  yield* await guarded("addresses", system, () => {
    interfaces = Deno.networkInterfaces();
    return checkAddresses(interfaces);
  });
  yield* await guarded("ports", system, () => checkPorts(ports, { system }));
  yield* examineLoopback(interfaces, system);
  yield* await guarded("firewall", system, () => checkFirewall(ports, system));
  if (!peer) return;
  try {
    yield* checkPeer(peer, await askClock(peer, { system }));
  } catch (error) {
    yield peerFailure(peer, error, system.os);
  }
}

/** Tries what this computer sends to itself; what cannot work because something before it does not, is not tried. */
async function* examineLoopback(
  interfaces: readonly Interface[],
  system: System,
): AsyncGenerator<Finding, void, void> {
  let obstacle: string | undefined = "datagrams do not come back on 127.0.0.1";
  let down: string | undefined;
  yield* await guarded("UDP 127.0.0.1", system, async () => {
    const trial = await tryUdp("127.0.0.1", system);
    if (trial.arrived === DATAGRAMS) obstacle = undefined;
    else if (await isLoopbackDown(system, trial.refused)) {
      obstacle = down = "the loopback interface is down";
    }
    return checkUdp("127.0.0.1", trial, system.os, down !== undefined);
  });
  for (const [check, needed, run, hostname] of loopbackChecks(interfaces, system)) {
    const missing = needed === "interface" ? down : obstacle;
    if (missing === undefined) yield* await guarded(check, system, run, hostname);
    else yield { check, status: "note", message: `not checked, because ${missing}` };
  }
}

/** A check, what it needs (the loopback interface, or datagrams that come back), how it is made, and the address. */
type LoopbackCheck = readonly [
  check: string,
  needed: "interface" | "datagrams",
  run: () => Promise<Finding>,
  hostname: string,
];

/** The checks that come after datagrams to 127.0.0.1. */
function loopbackChecks(interfaces: readonly Interface[], system: System): LoopbackCheck[] {
  const others = ["::1", ...reachableAddresses(interfaces).map(({ address }) => address)];
  const udp = async (address: string) =>
    checkUdp(address, await tryUdp(address, system), system.os);
  const buffer = async () => checkReceiveBuffer(await measureReceiveBuffer(undefined, system));
  return [
    ...others.filter(hasAddress).map((
      address,
    ): LoopbackCheck => [`UDP ${address}`, "interface", () => udp(address), address]),
    ...LOOPBACK.filter(hasAddress).map((
      address,
    ): LoopbackCheck => [`TCP ${address}`, "interface", () => checkTcp(address), address]),
    ["large datagrams", "datagrams", () => checkLargestDatagram(system), "127.0.0.1"],
    ["receive buffer", "datagrams", buffer, "127.0.0.1"],
  ];
}

/** Runs a check; whatever it throws is its finding. */
async function guarded(
  check: string,
  { os }: System,
  run: () => Finding | Promise<Finding | Finding[]>,
  hostname?: string,
): Promise<Finding[]> {
  try {
    return [await run()].flat();
  } catch (error) {
    return [failure(check, error, os, hostname)];
  }
}
