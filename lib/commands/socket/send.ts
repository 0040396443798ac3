import { ConnectError } from "../../errors.ts";
import { formatAddress } from "../../net/address/address.ts";
import { connectStream } from "../../net/stream/connect.ts";
import { within } from "../../time/deadline.ts";
import type { StreamConnection } from "../../net/stream/connection.ts";
import { connectDatagram } from "../../socket/datagram_client.ts";
import type { ClientValues } from "./exchange.ts";
import { wholeMessage } from "./message.ts";

/** Seconds that a server has to end its side when this one has ended: until then what it sends is read and dropped. */
const GRACE = 0.5;
/** Seconds in which a system that reports closed ports does so. */
const REFUSAL = 0.02;

/**
 * Sends one message and waits for no answer.
 *
 * @param values The options' values.
 * @param pieces The message.
 * @throws {ConnectError} If nobody is there, or the message is not taken in time.
 */
export async function sendOnly(
  values: ClientValues,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  if (values.udp) {
    await using client = await connectDatagram(values);
    await client.send(await wholeMessage(pieces));
    await client.receive(REFUSAL);
    return;
  }
  await using connection = await connectStream(values);
  const name = formatAddress({ hostname: values.host, port: values.port });
  // Whoever answers all the same must not be kept from reading; and closing with bytes unread could lose what was sent.
  const dropping = (async () => {
    while (await connection.read() !== null);
  })();
  for await (const piece of pieces) await sendPiece(connection, piece, name, values.timeout);
  await connection.closeWrite();
  await within(dropping, GRACE);
  if (connection.readEnd === "lost" && !values.signal.aborted) {
    throw new ConnectError(
      `Lost the connection to "${name}" behind the message (${reason(connection)}): ` +
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
