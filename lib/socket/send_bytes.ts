import { ConnectError } from "../errors.ts";
import { formatAddress } from "../net/address/address.ts";
import { connectStream } from "../net/stream/connect.ts";
import type { StreamConnection } from "../net/stream/connection.ts";
import { within } from "../time/deadline.ts";
import type { ConnectBytesOptions } from "./byte_client.ts";
import { connectDatagram, type DatagramClientOptions } from "./datagram_client.ts";

/** Seconds that a server has to end its side after this one has ended: until then what it sends is read and dropped. */
const GRACE = 0.5;
/** Seconds in which a system that reports closed ports does so. */
const REFUSAL = 0.02;

/**
 * Sends a message over a connection of its own, and waits for no answer.
 *
 * @param message Its pieces.
 * @param options Where to; `timeout` is also how long the server may take nothing.
 * @throws {ConnectError} If no connection is made, or the message is not taken in time.
 *
 * @example Set a value
 * ```ts
 * import { listenBytes, sendBytes } from "@labwire/labwire/socket";
 *
 * await using server = listenBytes({ port: 0, answer: () => null });
 * await sendBytes([new TextEncoder().encode("VOLT 3\n")], { port: server.addr.port });
 * ```
 */
export async function sendBytes(
  message: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ConnectBytesOptions,
): Promise<void> {
  const { host = "localhost", port, timeout = 5, signal } = options;
  await using connection = await connectStream(options);
  const name = formatAddress({ hostname: host, port });
  // A server that answers all the same must not be kept from reading; and closing with bytes unread could lose what was sent.
  const dropping = (async () => {
    while (await connection.read() !== null);
  })();
  for await (const piece of message) await sendPiece(connection, piece, name, timeout);
  await connection.closeWrite();
  await within(dropping, GRACE);
  if (connection.readEnd === "lost" && !signal?.aborted) {
    throw new ConnectError(
      `Lost the connection to "${name}" after the message (${reason(connection)}): ` +
        "it may not have been taken whole",
    );
  }
}

/** Sends a piece, as long as the server takes any of it within the timeout. */
async function sendPiece(
  connection: StreamConnection,
  piece: Uint8Array,
  name: string,
  timeout: number,
): Promise<void> {
  const writing = connection.write(piece);
  for (;;) {
    const before = connection.bytesSent;
    const written = await within(writing, timeout);
    if (written) return;
    if (written === false) {
      throw new ConnectError(`Cannot send to "${name}": ${reason(connection)}`);
    }
    if (connection.bytesSent > before) continue;
    throw new ConnectError(`Cannot send to "${name}": it took nothing for ${timeout} s`);
  }
}

function reason({ error, closeReason }: StreamConnection): string {
  if (error) return error.message;
  return closeReason === "aborted" ? "called off" : "the connection is closed";
}

/**
 * Sends one datagram, and waits for no answer but the system's that nobody listens there.
 *
 * @param message What to send.
 * @param options Where to.
 * @throws {ConnectError} If there is no such host, the datagram cannot be sent, or nobody listens there, as far as the system
 * reports that.
 */
export async function sendDatagram(
  message: Uint8Array,
  options: DatagramClientOptions,
): Promise<void> {
  await using client = await connectDatagram(options);
  await client.send(message);
  await client.receive(REFUSAL);
}
