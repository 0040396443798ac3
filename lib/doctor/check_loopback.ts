import { formatAddress, type HostPort } from "../net/address.ts";
import { bindStream } from "../net/bind_stream.ts";
import { connectStream } from "../net/connect_stream.ts";
import { bindDatagram, type DatagramEndpoint } from "../net/datagram.ts";
import { within } from "../net/deadline.ts";
import { listenStream } from "../net/stream_listener.ts";
import type { Finding } from "./finding.ts";

/** Datagrams sent to try an address. */
const DATAGRAMS = 10;
/** The largest payload of UDP over IPv4. */
const LARGEST = 65_507;
/** Seconds that an answer on this computer may take, even when it is busy. */
const PATIENCE = 2;

/**
 * Sends datagrams to an address of this computer and back.
 *
 * @param hostname The IP address.
 * @param send How a datagram is sent; a test can lose some.
 */
export async function checkUdp(
  hostname: string,
  send: (from: DatagramEndpoint, bytes: Uint8Array, to: HostPort) => Promise<unknown> = (
    from,
    bytes,
    to,
  ) => from.send(bytes, to),
): Promise<Finding> {
  const check = `UDP ${hostname}`;
  await using near = await bindDatagram({ listen: { hostname, port: 0 } });
  await using far = await bindDatagram({ listen: { hostname, port: 0 } });
  const answering = (async () => {
    for await (const { bytes, from } of far) await send(far, bytes, from as HostPort);
  })();
  let arrived = 0;
  let fastest = Infinity;
  for (let i = 0; i < DATAGRAMS; i++) {
    const start = performance.now();
    await send(near, new Uint8Array([i]), far.addr as HostPort);
    const answer = await within(near.receive(), PATIENCE);
    if (!answer) break;
    arrived++;
    fastest = Math.min(fastest, performance.now() - start);
  }
  await far.close();
  await answering;
  if (arrived === DATAGRAMS) {
    const time = `${Math.round(fastest * 1000)} µs`;
    return { check, status: "ok", message: `${arrived} of ${DATAGRAMS} came back, in ${time}` };
  }
  return {
    check,
    status: "problem",
    message: `only ${arrived} of ${DATAGRAMS} datagrams came back within this computer`,
    remedy: "a firewall or security program swallows them: allow labwire in it",
  };
}

/** Sends the largest datagram there is to this computer itself. */
export async function checkLargestDatagram(): Promise<Finding> {
  const check = "large datagrams";
  await using socket = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  try {
    await socket.send(new Uint8Array(LARGEST), socket.addr);
    const datagram = await within(socket.receive(), PATIENCE);
    if (datagram?.bytes.length === LARGEST) {
      return { check, status: "ok", message: `${LARGEST} bytes arrive whole` };
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
  return {
    check,
    status: "problem",
    message: `the system does not send datagrams of ${LARGEST} bytes`,
    remedy: Deno.build.os === "darwin"
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
    return tcpProblem(check, error instanceof Error ? error.message : String(error));
  }
  return tcpProblem(check, "no answer");
}

function tcpProblem(check: string, message: string): Finding {
  return {
    check,
    status: "problem",
    message,
    remedy: "a firewall or security program keeps it back: allow labwire in it",
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
