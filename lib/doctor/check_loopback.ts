import { messageOf } from "../errors.ts";
import { formatAddress, type HostPort } from "../net/address/address.ts";
import { bindStream } from "../net/stream/bind.ts";
import { connectStream } from "../net/stream/connect.ts";
import { bindDatagram } from "../net/datagram/datagram.ts";
import { within } from "../time/deadline.ts";
import { listenStream } from "../net/stream/listener.ts";
import type { Finding } from "./finding.ts";
import { loopbackRemedy } from "./loopback_state.ts";
import { failure, refusalOf } from "./refusal.ts";
import { type System, thisSystem } from "./system.ts";

/** Datagrams sent to try an address. */
export const DATAGRAMS = 10;
/** The largest payload of UDP over IPv4. */
const LARGEST = 65_507;
/** Seconds that an answer on this computer may take, even when it is busy. */
const PATIENCE = 2;

/** What happened to datagrams that were sent within this computer. */
export interface UdpTrial {
  /** How many of {@linkcode DATAGRAMS} came back. */
  readonly arrived: number;
  /** Milliseconds that the fastest took there and back. */
  readonly fastest: number;
  /** What the system threw instead of sending, if it did. */
  readonly refused?: unknown;
}

/**
 * Sends datagrams to an address of this computer and back.
 *
 * @param hostname The IP address.
 * @param system The computer.
 */
export async function tryUdp(
  hostname: string,
  { send }: Pick<System, "send"> = thisSystem,
): Promise<UdpTrial> {
  await using near = await bindDatagram({ listen: { hostname, port: 0 } });
  await using far = await bindDatagram({ listen: { hostname, port: 0 } });
  let refused: unknown;
  const answering = (async () => {
    for await (const { bytes, from } of far) await send(far, bytes, from as HostPort);
  })().catch((error) => refused = error);
  let arrived = 0;
  let fastest = Infinity;
  try {
    for (; arrived < DATAGRAMS; arrived++) {
      const start = performance.now();
      await send(near, new Uint8Array([arrived]), far.addr as HostPort);
      if (!await within(near.receive(), PATIENCE)) break;
      fastest = Math.min(fastest, performance.now() - start);
    }
  } catch (error) {
    refused = error;
  }
  await far.close();
  await answering;
  return { arrived, fastest, ...(refused === undefined ? {} : { refused }) };
}

/**
 * Judges what happened to datagrams that were sent within this computer.
 *
 * @param hostname The IP address that they were sent to.
 * @param trial What happened to them.
 * @param os The operating system.
 * @param isDown Whether the loopback interface is known to be switched off.
 */
export function checkUdp(
  hostname: string,
  { arrived, fastest, refused }: UdpTrial,
  os: System["os"] = thisSystem.os,
  isDown = false,
): Finding {
  const check = `UDP ${hostname}`;
  if (arrived === DATAGRAMS) {
    const time = `${Math.round(fastest * 1000)} µs`;
    return { check, status: "ok", message: `${arrived} of ${DATAGRAMS} came back, in ${time}` };
  }
  if (isDown) {
    return {
      check,
      status: "problem",
      message: "the loopback interface is down, so nothing reaches this computer itself",
      remedy: loopbackRemedy(os),
    };
  }
  if (refused !== undefined) return failure(check, refused, os, hostname);
  return {
    check,
    status: "problem",
    message: `only ${arrived} of ${DATAGRAMS} datagrams came back within this computer`,
    remedy: "a firewall or security program blocks them: allow labwire in it",
  };
}

/**
 * Sends the largest datagram there is to this computer itself.
 *
 * @param system The computer.
 */
export async function checkLargestDatagram(
  { os, send }: Pick<System, "os" | "send"> = thisSystem,
): Promise<Finding> {
  const check = "large datagrams";
  await using socket = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  try {
    await send(socket, new Uint8Array(LARGEST), socket.addr as HostPort);
    const datagram = await within(socket.receive(), PATIENCE);
    if (datagram?.bytes.length === LARGEST) {
      return { check, status: "ok", message: `${LARGEST} bytes arrive whole` };
    }
  } catch (error) {
    if (refusalOf(error) !== "other") return failure(check, error, os, "127.0.0.1");
  }
  return {
    check,
    status: "problem",
    message: `the system does not send datagrams of ${LARGEST} bytes`,
    remedy: os === "darwin"
      ? "sudo sysctl -w net.inet.udp.maxdgram=65535; until then only fewer samples fit in a message"
      : "send fewer samples in a message",
  };
}

/**
 * Connects to a TCP server on this computer and has it send back what it gets.
 *
 * @param hostname The IP address.
 */
export async function checkTcp(hostname: string): Promise<Finding> {
  const check = `TCP ${hostname}`;
  try {
    await using listener = listenStream({
      host: hostname,
      port: 0,
      onConnection: async (connection) => {
        for await (const chunk of connection) await connection.write(chunk);
      },
    });
    await using connection = await connectStream({
      host: hostname,
      port: listener.addr.port,
      timeout: PATIENCE,
    });
    await connection.write(new TextEncoder().encode("labwire"));
    const answer = await within(connection.read(), PATIENCE);
    if (answer) return { check, status: "ok", message: `${formatAddress(listener.addr)} answers` };
  } catch (error) {
    return tcpProblem(check, messageOf(error));
  }
  return tcpProblem(check, "no answer");
}

function tcpProblem(check: string, message: string): Finding {
  return {
    check,
    status: "problem",
    message,
    remedy: "a firewall or security program blocks it: allow labwire in it",
  };
}

/** Whether this computer has an address, by binding it. */
export function hasAddress(hostname: string): boolean {
  try {
    bindStream(hostname, 0).forEach((socket) => socket.close());
    return true;
  } catch {
    return false;
  }
}
