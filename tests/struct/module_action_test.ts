import type { ModuleHandler } from "../../lib/handlers/handler.ts";
import { Line } from "../../lib/struct/line.ts";
import { moduleAction } from "../../lib/struct/module_action.ts";
import type { LinePeer } from "../../lib/struct/peer.ts";
import { take } from "./line_peers.ts";
import { compileStruct } from "../../lib/codecs/struct/struct.ts";
import { assertEquals } from "@std/assert";

/** A module in JavaScript that is written here. */
function moduleOf(
  handle: (values: number[], peer: LinePeer) => unknown,
  depth: number,
  refresh?: () => Promise<void> | undefined,
): ModuleHandler {
  return {
    kind: "module",
    language: "javascript",
    file: "handler.js",
    exports: { default: handle },
    depth,
    counters: { restarts: 0 },
    refresh,
    describe: () => Promise.resolve([]),
    release() {},
    stop() {},
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

Deno.test("moduleAction() reports a record once that fails before an earlier one is answered", async () => {
  const problems: string[] = [];
  const slow = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<void>();
  const handle = async ([n]: number[]) => {
    if (n === 1) await slow.promise;
    if (n === 3) slow.resolve();
    if (n !== 2) return [n!];
    failed.resolve();
    throw new Error("no 2");
  };
  const { action, concurrency } = moduleAction(moduleOf(handle, 4), compileStruct<string>("<I"));
  await using server = Line.listen<string>({
    format: "<I",
    port: 0,
    action,
    concurrency,
    onProblem: ({ message }) => void problems.push(message),
  });
  await using client = await Line.connect({ format: "<I", port: server.addr.port });
  void client.send([1]);
  await client.send([2]);
  await failed.promise;
  // This one arrives when nobody had asked for the failure for a whole turn of the event loop.
  await client.send([3]);
  assertEquals(await take(client, 2), [[1], [3]]);
  assertEquals([problems, server.stats.failed], [["no 2"], 1]);
});

for (const [kind, isAsync] of [["a promise", true], ["the array itself", false]] as const) {
  Deno.test(`moduleAction() sends what a function returned as it was then, also where it returns ${kind} and uses the array again`, async () => {
    const reply = [[0], [0]];
    const first = Promise.withResolvers<void>();
    const handle = ([n]: number[]) => {
      if (n === 0) return first.promise;
      for (const record of reply) record[0] = n!;
      return isAsync ? Promise.resolve(reply) : reply;
    };
    const { action } = moduleAction(moduleOf(handle, 1), compileStruct<string>("<I"));
    let waiting = 0;
    const all = Promise.withResolvers<void>();
    await using server = Line.listen<string>({
      format: "<I",
      port: 0,
      action(values, peer) {
        const result = action(values, peer);
        if (++waiting === 4) all.resolve();
        return result;
      },
    });
    const connect = () => Line.connect({ format: "<I", port: server.addr.port });
    await using holding = await connect();
    await holding.send([0]);
    await using a = await connect();
    await using b = await connect();
    await using c = await connect();
    await Promise.all([a, b, c].map((line, i) => line.send([i + 1])));
    await all.promise;
    first.resolve();
    assertEquals(await Promise.all([a, b, c].map((line) => take(line, 2))), [
      [[1], [1]],
      [[2], [2]],
      [[3], [3]],
    ]);
  });
}

Deno.test("moduleAction() calls a function with the bytes of its record, also where that had to wait and others have come since", async () => {
  const held = Promise.withResolvers<void>();
  const seen: [values: number, bytes: number, time: number][] = [];
  const done = Promise.withResolvers<void>();
  const times: number[] = [];
  const handle = ([n]: number[], { recordBytes, recordTime }: LinePeer) => {
    if (n! < 10) return held.promise;
    seen.push([n!, recordBytes[0]!, recordTime]);
    if (seen.length === 2) done.resolve();
    return Promise.resolve();
  };
  const { action, concurrency } = moduleAction(moduleOf(handle, 2), compileStruct<string>("<I"));
  const come = [10, 11].map(() => Promise.withResolvers<void>());
  await using server = Line.listen<string>({
    format: "<I",
    port: 0,
    concurrency,
    action(values, peer) {
      const result = action(values, peer);
      if ((values[0] as number) >= 10) times.push(peer.recordTime);
      come[(values[0] as number) - 10]?.resolve();
      return result;
    },
  });
  const connect = () => Line.connect({ format: "<I", port: server.addr.port });
  await using holding = await connect();
  await holding.send([1]);
  await holding.send([2]);
  await using line = await connect();
  await line.send([10]);
  await come[0]!.promise;
  await line.send([11]); // in the same memory
  await come[1]!.promise;
  held.resolve();
  await done.promise;
  assertEquals(seen, [[10, 10, times[0]!], [11, 11, times[1]!]]);
});

Deno.test("moduleAction() calls a function with the bytes of its record, also where its module had to be loaded again", async () => {
  const loading = Promise.withResolvers<void>();
  const seen: [values: number, bytes: number][] = [];
  const done = Promise.withResolvers<void>();
  const handle = ([n]: number[], { recordBytes }: LinePeer) => {
    seen.push([n!, recordBytes[0]!]);
    if (seen.length === 2) done.resolve();
  };
  let calls = 0;
  const refresh = () => {
    if (++calls === 2) loading.resolve();
    return calls <= 2 ? loading.promise : undefined;
  };
  const module = moduleOf(handle, 2, refresh);
  const { action, concurrency } = moduleAction(module, compileStruct<string>("<I"));
  await using server = Line.listen<string>({ format: "<I", port: 0, concurrency, action });
  await using client = await Line.connect({ format: "<I", port: server.addr.port });
  void client.send([10]);
  await client.send([11]);
  await done.promise;
  assertEquals(seen, [[10, 10], [11, 11]]);
});

Deno.test("moduleAction() sends the replies of a peer in the order of its records, also where one is a promise and the next is not", async () => {
  const slow = Promise.withResolvers<number[]>();
  const reply = [0];
  const handle = ([n]: number[]) => {
    if (n === 1) return slow.promise;
    if (n === 4) slow.resolve([1]);
    reply[0] = n!;
    return n === 3 ? undefined : reply;
  };
  const { action, concurrency } = moduleAction(moduleOf(handle, 4), compileStruct<string>("<I"));
  await using server = Line.listen<string>({ format: "<I", port: 0, action, concurrency });
  await using client = await Line.connect({ format: "<I", port: server.addr.port });
  for (const n of [1, 2, 3, 4]) void client.send([n]);
  assertEquals(await take(client, 3), [[1], [2], [4]]);
  await client.send([5]);
  assertEquals(await take(client, 1), [[5]]);
});
