/** What a function that only watches throws is reported, and neither ends nor confuses what it watches. */

import { assertEquals } from "@std/assert";
import {
  bindDatagram,
  startVillasEcho,
  startVillasPipe,
  startVillasSignal,
  villasFormat,
  villasProtobuf,
} from "../../mod.ts";

/** Takes what is reported, until it is disposed of. */
function reports() {
  const messages: string[] = [];
  const listener = (event: ErrorEvent) => {
    event.preventDefault();
    messages.push(event.error.message);
  };
  addEventListener("error", listener);
  return { messages, [Symbol.dispose]: () => removeEventListener("error", listener) };
}

/** An observer that throws. */
const fails = (what: string) => () => {
  throw new Error(what);
};
/** One whose promise rejects. */
const rejects = (what: string) => () => Promise.reject(new Error(what));

for (const [how, observer] of Object.entries({ throws: fails, rejects })) {
  Deno.test(`an echo goes on where what watches it ${how}`, async () => {
    using reported = reports();
    await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
    await using echo = await startVillasEcho({
      listen: "127.0.0.1:0",
      remote: node.addr,
      onMessage: observer("message"),
      onProblem: observer("problem"),
    });
    await node.send(new Uint8Array([255]), echo.addr);
    for (let sequence = 0n; sequence < 2n; sequence++) {
      const message = villasProtobuf.encode([{ type: "data", sequence, values: [1.5] }]).slice();
      await node.send(message, echo.addr);
      assertEquals((await node.receive())?.bytes, message);
    }
    await echo.close();
    await echo.finished;
    assertEquals(reported.messages, ["problem", "message", "message"]);
  });

  Deno.test(`a source goes on where what watches it ${how}`, async () => {
    using reported = reports();
    await using echo = await startVillasEcho({
      listen: "127.0.0.1:0",
      anySource: true,
      replyTo: "sender",
    });
    await using source = await startVillasSignal({
      ...{ listen: "127.0.0.1:0", to: echo.addr, rate: 1000, limit: 3, vectorize: 2 },
      onReturn: observer("return"),
    });
    await source.finished;
    assertEquals(source.stats.returned, 3);
    assertEquals(reported.messages, ["return", "return", "return"]);
  });
}

Deno.test("a TCP server goes on where what watches it throws", async () => {
  using reported = reports();
  await using echo = await startVillasEcho({
    layer: "tcp-server",
    listen: "127.0.0.1:0",
    codec: villasFormat("villas.human"),
    onProblem: fails("problem"),
  });
  const { port } = echo.addr as Deno.NetAddr;
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const line = new TextEncoder().encode("1.000000005(7)\t1.50000000000000000\n");
  await connection.write(line);
  const buffer = new Uint8Array(100);
  assertEquals(buffer.subarray(0, (await connection.read(buffer))!), line);
  assertEquals(reported.messages, ["problem"]); // that it is connected
});

Deno.test("a pipe goes on where what watches it throws", async () => {
  using reported = reports();
  await using echo = await startVillasEcho({
    listen: "127.0.0.1:0",
    anySource: true,
    replyTo: "sender",
  });
  const text = "no sample\n1.5(1)\t0.5\n";
  await using pipe = await startVillasPipe({
    listen: "127.0.0.1:0",
    remote: echo.addr,
    input: {
      chunks: ReadableStream.from([new TextEncoder().encode(text)]),
      decoder: villasFormat("villas.human").stream.decoder(),
    },
    onBatch: () => {},
    onProblem: fails("problem"),
  });
  await pipe.finished;
  assertEquals([pipe.stats.bad, pipe.stats.received], [1, 1]);
  assertEquals(reported.messages, ["problem"]);
});
