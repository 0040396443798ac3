import type { HostPort } from "../net/address/address.ts";
import { LOOPBACK } from "../net/address/localhost.ts";
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
  /** The ports that commands use by default. */
  ports: readonly DefaultPort[];
  /** Another computer's `labwire doctor --serve`. */
  peer?: HostPort;
  /** The computer. Default: this one. */
  system?: System;
  /** Called before each check. */
  onCheck?: (check: string) => void;
}

/**
 * Looks for the reasons why nothing works. A check that fails is a finding; the others are made all the same. One that cannot be made, or makes no
 * sense on this computer, says so.
 *
 * @param options What to look at.
 * @returns The findings, each as soon as it is there.
 */
export async function* examine(options: ExamineOptions): AsyncGenerator<Finding, void, void> {
  const { ports, peer, system = thisSystem, onCheck = () => {} } = options;
  const permissions = checkPermissions();
  yield permissions;
  if (permissions.status === "problem") {
    for (const check of ["addresses", "ports", "UDP", "TCP", "firewall", "peer"]) {
      yield notChecked(check, "permissions are missing");
    }
    return;
  }
  const world: World = { system, onCheck };
  let interfaces: Interface[] = [];
  yield* await guarded("addresses", world, () => {
    interfaces = Deno.networkInterfaces();
    return checkAddresses(interfaces);
  });
  yield* await guarded("ports", world, () => checkPorts(ports, { system }));
  yield* examineLoopback(interfaces, world);
  yield* await guarded("firewall", world, () => checkFirewall(ports, system));
  yield* await examinePeer(peer, world);
}

/** The computer, and what is called before each check. */
interface World {
  readonly system: System;
  readonly onCheck: (check: string) => void;
}

function notChecked(check: string, why: string): Finding {
  return { check, status: "note", message: `not checked, because ${why}` };
}

/** Tries the way to another computer and back. */
async function examinePeer(
  peer: HostPort | undefined,
  { system, onCheck }: World,
): Promise<Finding[]> {
  if (!peer) return [notChecked("peer", "no other computer was named with --peer")];
  onCheck("peer");
  try {
    return checkPeer(peer, await askClock(peer, { system }));
  } catch (error) {
    return [peerFailure(peer, error, system.os)];
  }
}

/** Tries what this computer sends to itself; what cannot work because something before it does not, is not tried. */
async function* examineLoopback(
  interfaces: readonly Interface[],
  world: World,
): AsyncGenerator<Finding, void, void> {
  const { system } = world;
  let obstacle: string | undefined = "datagrams do not come back on 127.0.0.1";
  let down: string | undefined;
  yield* await guarded("UDP 127.0.0.1", world, async () => {
    const trial = await tryUdp("127.0.0.1", system);
    if (trial.arrived === DATAGRAMS) obstacle = undefined;
    else if (await isLoopbackDown(system, trial.refused)) {
      obstacle = down = "the loopback interface is down";
    }
    return checkUdp("127.0.0.1", trial, system.os, down !== undefined);
  });
  for (const [check, needed, run, hostname] of loopbackChecks(interfaces, system)) {
    const missing = (needed === "interface" ? down : obstacle) ??
      (hasAddress(hostname) ? undefined : `this computer has no ${hostname}`);
    if (missing === undefined) yield* await guarded(check, world, run, hostname);
    else yield notChecked(check, missing);
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
    ...others.map((
      address,
    ): LoopbackCheck => [`UDP ${address}`, "interface", () => udp(address), address]),
    ...LOOPBACK.map((
      address,
    ): LoopbackCheck => [`TCP ${address}`, "interface", () => checkTcp(address), address]),
    ["large datagrams", "datagrams", () => checkLargestDatagram(system), "127.0.0.1"],
    ["receive buffer", "datagrams", buffer, "127.0.0.1"],
  ];
}

/** Runs a check; whatever it throws is its finding. */
async function guarded(
  check: string,
  { system: { os }, onCheck }: World,
  run: () => Finding | Promise<Finding | Finding[]>,
  hostname?: string,
): Promise<Finding[]> {
  onCheck(check);
  try {
    return [await run()].flat();
  } catch (error) {
    return [failure(check, error, os, hostname)];
  }
}
