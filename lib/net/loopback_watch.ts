import type { HostPort } from "./address.ts";
import { isLoopback } from "./localhost.ts";
import type { RefusalWatch } from "./refusal_watch.ts";

/**
 * Learns that nobody listens on a UDP port of this computer's loopback, by trying to bind it. This needs no permission beyond
 * that to use the network, so it serves where {@linkcode watchRefusals} is not permitted, as in the executable.
 *
 * @param to The address that datagrams are sent to.
 * @returns The watch; undefined for other computers, and on Windows, which tells of refusals by itself and lets two programs
 * bind one port.
 */
export function watchLoopback(to: HostPort): RefusalWatch | undefined {
  if (Deno.build.os === "windows" || !isLoopback(to.hostname)) return undefined;
  let asked = false;
  return {
    sent() {
      asked = true;
    },
    refused() {
      // Once for each datagram: who has answered and gone has not refused.
      if (!asked) return false;
      asked = false;
      try {
        Deno.listenDatagram({ transport: "udp", ...to }).close();
        return true;
      } catch {
        return false;
      }
    },
    [Symbol.dispose]() {},
  };
}
