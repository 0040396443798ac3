import { ConnectError } from "../errors.ts";
import { formatAddress } from "../net/address/address.ts";
import {
  connectDatagram,
  type DatagramAnswer,
  type DatagramClientOptions,
} from "./datagram_client.ts";

/** Where {@linkcode exchangeDatagram} sends and how long it waits. */
export interface ExchangeDatagramOptions extends DatagramClientOptions {
  /** Seconds to wait for the answer. Default: 5. */
  timeout?: number;
}

/**
 * Sends one datagram and waits for one back.
 *
 * @param message What to send.
 * @param options Where to.
 * @returns The answer and who sent it.
 * @throws {ConnectError} If there is no such host, nobody listens there, or no answer comes in time. The message tells these
 * apart, but only Windows reports that nobody listens.
 *
 * @example A datagram to an echo
 * ```ts
 * import { exchangeDatagram, listenDatagrams } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await listenDatagrams({ port: 0 });
 * const { port } = server.addr;
 * const answer = await exchangeDatagram(new TextEncoder().encode("Hello, world"), { port });
 * assertEquals(answer.bytes, new TextEncoder().encode("Hello, world"));
 * assertEquals(answer.from.port, port);
 * ```
 */
export async function exchangeDatagram(
  message: Uint8Array,
  options: ExchangeDatagramOptions,
): Promise<DatagramAnswer> {
  const { host = "localhost", port, timeout = 5, signal } = options;
  await using client = await connectDatagram(options);
  await client.send(message);
  const answer = await client.receive(timeout);
  if (answer) return answer;
  signal?.throwIfAborted();
  const where = formatAddress({ hostname: host, port });
  throw new ConnectError(`No answer from "${where}" in ${timeout} s`);
}
