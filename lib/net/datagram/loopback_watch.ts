import type { HostPort } from "../address/address.ts";
import { isLoopback } from "../address/localhost.ts";

/** Tells whether a datagram was refused, because nobody listens where it went. */
export interface LoopbackWatch {
  /** To be called when a datagram was sent. */
  sent(): void;
  /** To be called when an answer came: who has answered and gone has not refused. */
  answered(): void;
  /** Whether the last datagram was refused; true once for each. */
  refused(): boolean;
}

/**
 * Learns that nobody listens on a UDP port of this computer's loopback, by trying to bind it. Linux and macOS get the answer
 * (ICMP "port unreachable") but keep it from a socket that is not connected, which Deno's are not; Windows tells by itself.
 *
 * @param to The address that datagrams are sent to.
 * @returns The watch; undefined for other computers, and on Windows, which lets two programs bind one port.
 */
export function watchLoopback(to: HostPort): LoopbackWatch | undefined {
  if (Deno.build.os === "windows" || !isLoopback(to.hostname)) return undefined;
  let asked = false;
  return {
    sent() {
      asked = true;
    },
    answered() {
      asked = false;
    },
    refused() {
      if (!asked) return false;
      asked = false;
      try {
        Deno.listenDatagram({ transport: "udp", ...to }).close();
        return true;
      } catch {
        return false;
      }
    },
  };
}
