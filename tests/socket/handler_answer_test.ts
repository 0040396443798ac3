import type { HandlerPeer, ModuleHandler } from "../../lib/handlers/handler.ts";
import { connectBytes } from "../../lib/socket/byte_client.ts";
import { moduleAnswerer } from "../../lib/socket/handler_answer.ts";
import { listenBytes } from "../../lib/socket/listen_bytes.ts";
import { assertEquals } from "@std/assert";

/** A module in JavaScript that is written here. */
function moduleOf(handle: (data: Uint8Array, peer: HandlerPeer) => unknown): ModuleHandler {
  return {
    kind: "module",
    language: "javascript",
    file: "handler.js",
    exports: { handle },
    depth: 1,
    counters: { restarts: 0 },
    describe: () => Promise.resolve([]),
    release() {},
    stop() {},
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

for (const kind of ["a promise", "the buffer itself"]) {
  Deno.test(`moduleAnswerer() sends what a function returned as it was then, also where it returns ${kind} and uses the buffer again`, async () => {
    const reply = new Uint8Array(1);
    const first = Promise.withResolvers<null>();
    const { answer } = moduleAnswerer(moduleOf(([n]) => {
      if (n === 200) return first.promise;
      reply[0] = n!;
      return kind === "a promise" ? Promise.resolve(reply) : reply;
    }));
    let waiting = 0;
    const all = Promise.withResolvers<void>();
    await using server = listenBytes({
      port: 0,
      answer(message, from, peer) {
        const result = answer(message, from, peer);
        if (++waiting === 4) all.resolve();
        return result;
      },
    });
    const connect = () => connectBytes({ port: server.addr.port });
    await using holding = await connect();
    await holding.send(new Uint8Array([200]));
    await using a = await connect();
    await using b = await connect();
    await using c = await connect();
    const answers = [a, b, c].map((client, i) =>
      client.exchange(new Uint8Array([i + 201]), { count: 1 })
    );
    await all.promise;
    first.resolve(null);
    assertEquals((await Promise.all(answers)).map(([n]) => n), [201, 202, 203]);
  });
}

Deno.test("peer.send() of a function sends the bytes as they are then", async () => {
  const { answer } = moduleAnswerer(moduleOf((data, peer) => {
    for (let n = 1; n <= 3; n++) {
      data.fill(n);
      void peer.send(data);
    }
  }));
  await using server = listenBytes({ port: 0, answer });
  await using client = await connectBytes({ port: server.addr.port });
  assertEquals(
    await client.exchange(new Uint8Array([200]), { count: 3 }),
    new Uint8Array([1, 2, 3]),
  );
});
