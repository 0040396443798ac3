import { ConnectError } from "../errors.ts";
import { formatAddress } from "../net/address/address.ts";
import type { ReceiveOptions } from "./byte_client.ts";
import type { DatagramAnswer, DatagramClient } from "./datagram_client.ts";

/**
 * Receives the datagrams that make one answer: by default the first, and those that follow it within `quiet`.
 *
 * @param client Who asked.
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
