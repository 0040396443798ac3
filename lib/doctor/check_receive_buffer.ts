import type { HostPort } from "../net/address/address.ts";
import { bindDatagram, RECEIVE_BUFFER } from "../net/datagram/datagram.ts";
import { within } from "../time/deadline.ts";
import type { Finding } from "./finding.ts";
import { refusalOf } from "./refusal.ts";
import { type System, thisSystem } from "./system.ts";

/** Size of a message with one sample of five floats, as in Lab 19. */
const DATAGRAM_BYTES = 80;
/** Datagrams sent: more than any usual buffer takes. */
const SENT = 4096;
/** Datagrams that should find room: a tenth of a second at 1,000 samples per second. */
const WANTED = 100;
/** Seconds of silence after which nothing more comes. */
const SILENCE = 0.2;

/** What the system keeps for a program that is busy. */
export interface ReceiveBuffer {
  /** How many of the datagrams that were sent before the first was read were there to be read. */
  readonly kept: number;
  /** How many bytes it granted, where it says so. */
  readonly granted?: number | undefined;
}

/**
 * Counts how many datagrams the system keeps for a program that is busy.
 *
 * @param sent How many are sent before the first is read; less if the system has no room to send so many.
 * @param system The computer.
 * @returns How many were there to be read, and the bytes that were granted.
 * @throws What the system throws if it forbids sending, knows no way, or does not send even one.
 */
export async function measureReceiveBuffer(
  sent = SENT,
  { send }: Pick<System, "send"> = thisSystem,
): Promise<ReceiveBuffer> {
  await using sender = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  await using receiver = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const bytes = new Uint8Array(DATAGRAM_BYTES);
  const to = receiver.addr as HostPort;
  await send(sender, bytes, to);
  try {
    for (let i = 1; i < sent; i++) await send(sender, bytes, to);
  } catch (error) {
    if (refusalOf(error) !== "other") throw error;
  }
  let kept = 0;
  while (kept < sent && await within(receiver.receive(), SILENCE)) kept++;
  return { kept, granted: receiver.receiveBuffer };
}

/**
 * Checks the receive buffer by experiment.
 *
 * @param buffer What was kept of the datagrams sent in one go.
 * @param sent How many were sent.
 * @param system The computer.
 */
export function checkReceiveBuffer(
  { kept, granted }: ReceiveBuffer,
  sent: number = SENT,
  system: Pick<System, "os"> = thisSystem,
): Finding {
  const amount = kept === sent ? `at least ${kept}` : String(kept);
  const isLess = granted !== undefined && granted < RECEIVE_BUFFER;
  const more = `sudo sysctl -w net.core.rmem_max=${RECEIVE_BUFFER}`;
  const bytes = granted === undefined
    ? ""
    : isLess
    ? `, as Linux grants ${granted} of ${RECEIVE_BUFFER} bytes`
    : `, in the ${granted} bytes that were asked for`;
  const message =
    `keeps ${amount} datagrams of ${DATAGRAM_BYTES} bytes for a program that is busy${bytes}`;
  if (kept >= WANTED) {
    const hint = isLess ? `; "${more}" lets it grant them` : "";
    return { check: "receive buffer", status: "ok", message: message + hint };
  }
  const remedies: Partial<Record<System["os"], string>> = {
    linux: granted === undefined ? "sudo sysctl -w net.core.rmem_default=1048576" : more,
    darwin: "sudo sysctl -w net.inet.udp.recvspace=1048576",
  };
  return {
    check: "receive buffer",
    status: "problem",
    message,
    remedy: remedies[system.os] ?? "send less often, or more samples in a message",
  };
}
