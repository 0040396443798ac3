import type { HostPort } from "../net/address.ts";
import { askClock } from "./ask_clock.ts";
import { checkAddresses, reachableAddresses } from "./check_addresses.ts";
import { checkFirewall } from "./check_firewall.ts";
import { checkLargestDatagram, checkTcp, checkUdp, hasAddress } from "./check_loopback.ts";
import { checkPeer } from "./check_peer.ts";
import { checkPermissions } from "./check_permissions.ts";
import { checkPorts, type DefaultPort } from "./check_ports.ts";
import { checkReceiveBuffer, measureReceiveBuffer } from "./check_receive_buffer.ts";
import type { Finding } from "./finding.ts";

/** What {@linkcode examine} looks at. */
export interface ExamineOptions {
  /** The ports that commands use unless told otherwise. */
  ports: readonly DefaultPort[];
  /** Another computer's `labwire doctor --serve`. */
  peer?: HostPort;
}

/**
 * Looks for the reasons why nothing works.
 *
 * @param options What to look at.
 * @returns The findings, each as soon as it is there.
 */
export async function* examine(options: ExamineOptions): AsyncGenerator<Finding, void, void> {
  const { ports, peer } = options;
  const permissions = checkPermissions();
  yield permissions;
  if (permissions.status === "problem") return; // nothing else could be tried
  const interfaces = Deno.networkInterfaces();
  yield checkAddresses(interfaces);
  yield* await checkPorts(ports);
  const loopback = ["127.0.0.1", "::1"].filter(hasAddress);
  const own = reachableAddresses(interfaces).map(({ address }) => address).filter(hasAddress);
  for (const address of [...loopback, ...own]) yield await checkUdp(address);
  for (const address of loopback) yield await checkTcp(address);
  yield await checkLargestDatagram();
  yield checkReceiveBuffer(await measureReceiveBuffer());
  yield await checkFirewall(ports);
  if (peer) yield* checkPeer(peer, await askClock(peer));
}
