/** What a scope costs the echo that it shows. */

import { assert } from "@std/assert";
import { villasProtobuf } from "../../lib/codecs/villas/protobuf.ts";
import { bindDatagram } from "../../lib/net/datagram/datagram.ts";
import { start } from "../cli/run.ts";

const VALUES = Array.from({ length: 64 }, (_, i) => Math.sin(i));
/** Messages that are on their way at the same time. */
const TOGETHER = 50;
const [WARM_UP, MESSAGES] = [10_000, 30_000];

/** Nanoseconds for which a program's first thread has run. */
async function runTime(pid: number): Promise<number> {
  return Number((await Deno.readTextFile(`/proc/${pid}/task/${pid}/schedstat`)).split(" ")[0]);
}

/** A viewer of all signals, that draws at once. */
async function watch(url: string) {
  const socket = new WebSocket(`${url.replace("http:", "ws:")}stream`);
  socket.binaryType = "arraybuffer";
  let frames = 0;
  const channels = [VALUES, VALUES].map((values) => values.map((_, i) => i));
  const view = { type: "view", id: 1, span: 10, columns: 1000, end: null, channels };
  const opened = Promise.withResolvers<void>();
  const closed = new Promise<void>((resolve) => socket.onclose = () => resolve());
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") {
      if (JSON.parse(data).type === "hello") socket.send(JSON.stringify(view));
      return opened.resolve();
    }
    frames++;
    socket.send('{"type":"ready"}');
  };
  await opened.promise;
  return {
    frames: () => frames,
    async [Symbol.asyncDispose]() {
      socket.close();
      await closed;
    },
  };
}

/** Microseconds that the echo's own thread takes for a message. */
async function cost(viewers: number | undefined): Promise<number> {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  await using program = start([
    ...["villas-echo", "--listen", "127.0.0.1:0", "--any-source", "--reply-to", "sender"],
    ...["--output", "none", ...viewers === undefined ? [] : ["--scope", "127.0.0.1:0"]],
  ]);
  const [, port] = await program.until("stderr", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready/);
  const to = { hostname: "127.0.0.1", port: Number(port) };
  let sequence = 0;
  const exchange = async (count: number) => {
    for (const end = sequence + count; sequence < end; sequence += TOGETHER) {
      for (let i = 0; i < TOGETHER; i++) {
        const sample = { type: "data" as const, sequence: BigInt(sequence + i), values: VALUES };
        await node.send(villasProtobuf.encode([sample]), to);
      }
      for (let i = 0; i < TOGETHER; i++) assert(await node.receive());
    }
  };
  await exchange(TOGETHER);
  await using looking = new AsyncDisposableStack();
  const all: { frames(): number }[] = [];
  for (let i = 0; i < (viewers ?? 0); i++) {
    const [, url] = await program.until("stderr", /Scope: (http:\S+)/);
    all.push(looking.use(await watch(url!)));
  }
  await exchange(WARM_UP);
  const { pid } = program.process;
  const before = await runTime(pid);
  const first = sequence;
  const isSeen = () => all.every(({ frames }) => frames() > 10);
  for (let round = 0; round === 0 || round < 20 && !isSeen(); round++) await exchange(MESSAGES);
  const spent = await runTime(pid) - before;
  assert(isSeen());
  program.interrupt();
  const { stderr } = await program.result();
  assert(stderr.includes(`${sequence} replies, 0 invalid, 0 refused, 0 ignored, 0 missed`), stderr);
  return spent / (sequence - first) / 1000;
}

Deno.test({
  name: "an echo that two look at spends little more than one that nobody sees, and misses nothing",
  ignore: Deno.build.os !== "linux" || Deno.env.get("LABWIRE_BIN") !== undefined,
  async fn() {
    // The least of three, as other programs may be in the way.
    const least = async (viewers?: number) =>
      Math.min(await cost(viewers), await cost(viewers), await cost(viewers));
    const [alone, seen] = [await least(), await least(2)];
    console.log(`${alone.toFixed(2)} µs for a message, ${seen.toFixed(2)} µs with two viewers`);
    // A copy of 0.2 µs, and what another busy thread takes from the processors' caches.
    assert(seen < 1.4 * alone, `${seen} µs after ${alone} µs`);
  },
});
