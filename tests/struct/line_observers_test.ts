import { Line } from "../../lib/struct/line.ts";
import type { LineOptions } from "../../lib/struct/line_options.ts";
import { ReportedErrors } from "../time/reported_errors.ts";
import { bareServer, readToEnd, take } from "./line_peers.ts";
import { assertEquals } from "@std/assert";

const WAYS: [string, (name: string) => () => void][] = [
  ["throws", (name) => () => {
    throw new Error(name);
  }],
  ["rejects", (name) => () => Promise.reject(new Error(name))],
];

for (const [how, fail] of WAYS) {
  for (const name of ["onConnect", "onEnd", "onDisconnect", "onSent"] as const) {
    Deno.test(`Line serves a peer to its end, and the next one, though ${name} ${how}`, async () => {
      using reported = new ReportedErrors();
      let over = Promise.withResolvers<void>();
      const failing = fail(name);
      const observers: Partial<LineOptions<"<I">> = { onDisconnect: () => over.resolve() };
      const observer = observers[name] as (() => void) | undefined;
      observers[name] = () => {
        observer?.();
        return failing();
      };
      await using server = Line.listen({
        format: "<I",
        port: 0,
        action: ([n], peer) => peer.send([n + 1]),
        ...observers,
      });
      for (const n of [1, 2]) {
        const client = await Line.connect({ format: "<I", port: server.addr.port });
        await client.send([n]);
        assertEquals(await take(client, 1), [[n + 1]]);
        await client.close();
        await over.promise;
        await reported.reach(n);
        over = Promise.withResolvers();
        assertEquals([server.peers.length, server.stats.open, server.stats.sent], [0, 0, n]);
      }
      assertEquals(reported.messages, [name, name]);
    });
  }

  Deno.test(`Line goes on with the next record though onProblem ${how}`, async () => {
    for (const concurrency of [1, 2]) {
      using reported = new ReportedErrors();
      await using server = Line.listen({
        format: "<I",
        port: 0,
        concurrency,
        action: async ([n], peer) => {
          if (n === 1) throw new Error("one");
          await peer.send([n]);
        },
        onProblem: fail("onProblem"),
      });
      await using client = await Line.connect({ format: "<I", port: server.addr.port });
      for (const n of [1, 2]) void client.send([n]);
      assertEquals(await take(client, 1), [[2]]);
      await reported.reach(1);
      assertEquals([server.stats.failed, reported.messages], [1, ["onProblem"]]);
    }
  });

  Deno.test(`Line that connected closes its connection though onConnect ${how}`, async () => {
    using reported = new ReportedErrors();
    const server = bareServer();
    await using line = await Line.connect({
      format: "<I",
      port: server.port,
      action: () => {},
      onConnect: fail("onConnect"),
    });
    const reading = server.accept().then(readToEnd);
    assertEquals(await line.send([1]), true);
    await line.close();
    assertEquals((await reading).length, 4);
    await line.finished;
    assertEquals([line.peers.length, reported.messages], [0, ["onConnect"]]);
    server.close();
  });
}
