import { ConnectError } from "../errors.ts";
import { formatAddress } from "../net/address/address.ts";
import type { ReceiveOptions } from "./byte_client.ts";
import {
  connectDatagram,
  type DatagramAnswer,
  type DatagramClient,
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
 * @throws {ConnectError} If there is no such host, nobody listens there, or no answer comes in time. Each has a message of its
 * own, but only Windows reports that nobody listens.
 *
 * @example A datagram to an echo
 * ```ts
 * import { exchangeDatagram, listenDatagrams } from "@labwire/labwire/socket";
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

/**
 * Receives the datagrams that make one answer: by default the first, and those that follow it within `quiet`.
 *
 * @param client The client that has asked.
 * @param options When the answer is complete, as for `ByteClient.receive()`; `count` is in datagrams.
 * @returns The datagrams as they come.
 * @throws {ConnectError} If nobody listens there, or not enough comes in time.
 */
export async function* receiveDatagrams(
  client: DatagramClient,
  options: ReceiveOptions = {},
): AsyncGenerator<DatagramAnswer, void, void> {
  const { timeout = 5, quiet = 0.1, count = Infinity, wait } = options;
  const end = wait === undefined ? undefined : performance.now() + wait * 1000;
  for (let total = 0; total < count; total++) {
    const patience = total > 0 && count === Infinity ? quiet : timeout;
    const seconds = end === undefined ? patience : Math.max(0, end - performance.now()) / 1000;
    const datagram = await client.receive(seconds);
    if (datagram) yield datagram;
    else if (total > 0 && count === Infinity) return;
    else {
      const what = total === 0 ? "No answer" : `Only ${total} of ${count} datagrams`;
      const where = formatAddress(client.remoteAddr);
      throw new ConnectError(`${what} from "${where}" in ${end === undefined ? timeout : wait} s`);
    }
  }
}
