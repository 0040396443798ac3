import { assertEquals, assertRejects } from "@std/assert";
import { ConnectError } from "../../lib/errors.ts";
import type { DatagramSocket } from "../../lib/net/datagram/datagram.ts";
import { DatagramClient } from "../../lib/socket/datagram_client.ts";
import { listenDatagrams } from "../../lib/socket/listen_datagrams.ts";

/** A socket whose system says, as Windows does, that nobody listens there. */
function refusing() {
  const { promise, resolve } = Promise.withResolvers<null>();
  const counters = { bounced: 0 };
  const endpoint = {
    counters,
    send: () => Promise.resolve(),
    receive: () => promise,
    close: () => Promise.resolve(resolve(null)),
  };
  return { endpoint: endpoint as unknown as DatagramSocket, counters };
}

for (const count of [1, 2]) {
  Deno.test(`DatagramClient goes on with another address only if it is certain that nobody has what was sent: ${count} sent`, async () => {
    const received: number[] = [];
    await using server = await listenDatagrams({
      port: 0,
      answer: (message) => {
        received.push(message[0]!);
        return message;
      },
    });
    const { port } = server.addr;
    const { endpoint, counters } = refusing();
    const socket = { endpoint, to: { hostname: "::1", port } };
    await using client = new DatagramClient(socket, ["127.0.0.1"], { port });
    for (let i = 1; i <= count; i++) await client.send(Uint8Array.of(i));
    counters.bounced = 1; // one of them
    if (count === 1) {
      assertEquals((await client.receive(10))?.bytes, Uint8Array.of(1));
      assertEquals(received, [1]);
    } else {
      await assertRejects(() => client.receive(10), ConnectError, "connection refused");
      assertEquals(received, []);
    }
  });
}
