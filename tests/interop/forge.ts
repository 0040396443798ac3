/** Datagrams that say they come from somewhere else. */

import { PYTHON } from "./python.ts";

/** A raw socket writes the addresses itself; the checksum of 0 means that there is none. */
const SCRIPT = `
import socket, struct, sys
source, destination, port, data = sys.argv[1], sys.argv[2], int(sys.argv[3]), bytes.fromhex(sys.argv[4])
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
addresses = socket.inet_aton(source) + socket.inet_aton(destination)
ip = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(data), 0, 0, 64, 17, 0) + addresses
raw.sendto(ip + struct.pack("!HHHH", port, port, 8 + len(data), 0) + data, (destination, 0))
`;

/** Whether datagrams can be forged here: that takes Linux and the right to. */
export const CAN_FORGE = Deno.build.os === "linux" && canForge();

function canForge(): boolean {
  try {
    return forge("127.0.0.1", "127.0.0.1", 9, new Uint8Array());
  } catch {
    return false; // no Python
  }
}

/**
 * Sends a UDP datagram over IPv4 with a forged sender.
 *
 * @param source The address that it says to come from.
 * @param destination Where it goes.
 * @param port The port of both.
 * @returns Whether the system let it.
 */
export function forge(
  source: string,
  destination: string,
  port: number,
  bytes: Uint8Array,
): boolean {
  const args = ["-c", SCRIPT, source, destination, String(port), bytes.toHex()];
  return new Deno.Command(PYTHON, { args, stderr: "null" }).outputSync().success;
}
