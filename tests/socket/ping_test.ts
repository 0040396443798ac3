import { assert, assertEquals } from "@std/assert";
import { listenDatagrams } from "../../lib/socket/listen_datagrams.ts";
import { ping, pingDatagrams, type PingOutcome } from "../../lib/socket/ping.ts";

const message = new TextEncoder().encode("ping");

function outcomes(...list: PingOutcome[]): () => Promise<PingOutcome> {
  return () => Promise.resolve(list.shift()!);
}

Deno.test("ping() counts what happened to each message", async () => {
  const once = outcomes("answered", "lost", "altered", "answered");
  const { latency, ...counts } = await ping(once, { repeat: 4 });
  assertEquals(counts, { sent: 4, answered: 3, altered: 1, lost: 1 });
  assertEquals(latency.count, 3);
  assert(latency.min <= latency.median && latency.median <= latency.max);
});

Deno.test("ping() ends when the other side is gone", async () => {
  const result = await ping(outcomes("answered", "ended", "answered"), { repeat: 3 });
  assertEquals([result.sent, result.answered, result.lost], [2, 1, 1]);
});

Deno.test("ping() waits between messages, and stops at a signal", async () => {
  const controller = new AbortController();
  let sent = 0;
  const once = () => {
    if (++sent === 3) controller.abort();
    return Promise.resolve("answered" as const);
  };
  const start = performance.now();
  const options = { repeat: 100, interval: 0.05, signal: controller.signal };
  assertEquals((await ping(once, options)).sent, 3);
  assert(performance.now() - start >= 95);
});

for (const interval of [0, 0.05]) {
  Deno.test(`pingDatagrams() takes no second answer to a message for that to the next one, with an interval of ${interval} s`, async () => {
    const other = new TextEncoder().encode("once more");
    await using server = await listenDatagrams({
      port: 0,
      answer(bytes, _from, peer) {
        void peer.write(bytes);
        void peer.write(other);
        return null;
      },
    });
    const options = { port: server.addr.port, repeat: 5, interval };
    const { latency: _, ...counts } = await pingDatagrams(message, options);
    assertEquals(counts, { sent: 5, answered: 5, altered: 0, lost: 0 });
  });
}

Deno.test("pingDatagrams() takes the late answer of another device for none to the next message", {
  ignore: Deno.build.os === "darwin", // which has no 127.0.0.2
}, async () => {
  const other = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.2", port: 0 });
  let messages = 0;
  await using server = await listenDatagrams({
    port: 0,
    host: "127.0.0.1",
    async answer(bytes, from) {
      if (++messages === 4) return null; // and the next one may be answered by anybody
      if (messages > 1) {
        await other.send(new TextEncoder().encode("late"), { transport: "udp", ...from });
      }
      return bytes;
    },
  });
  const options = { host: "127.0.0.1", port: server.addr.port, repeat: 6, timeout: 0.2 };
  const { latency: _, ...counts } = await pingDatagrams(message, options);
  other.close();
  assertEquals(counts, { sent: 6, answered: 5, altered: 2, lost: 1 });
});
