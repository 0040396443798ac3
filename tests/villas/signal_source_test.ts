import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bindDatagram,
  formatAddress,
  type Sample,
  startVillasEcho,
  startVillasSignal,
  villasProtobuf,
} from "../../mod.ts";
import { UsageError } from "../../lib/errors.ts";

const anywhere = { hostname: "127.0.0.1", port: 0 };

Deno.test("startVillasSignal() sends what VILLASnode would, and counts what comes back", async () => {
  const seen: Sample[] = [];
  const back: Sample[] = [];
  await using echo = await startVillasEcho({
    listen: anywhere,
    anySource: true,
    replyTo: "sender",
    onMessage: ({ samples }) => void seen.push(...samples),
  });
  await using source = await startVillasSignal({
    type: "mixed",
    values: 7,
    rate: 200,
    limit: 20,
    listen: anywhere,
    to: echo.addr,
    onReturn: ({ sample, unchanged }) => {
      assert(unchanged);
      back.push(sample);
    },
  });
  await source.finished;
  assertEquals(
    seen.map(({ sequence }) => sequence),
    Array.from({ length: 20 }, (_, i) => BigInt(i)),
  );
  assertEquals(back, seen);
  for (const { type, origin, received, values } of seen) {
    assertEquals(type, "data");
    assert(origin && !received);
    assertEquals(values.length, 7);
  }
  const { stats } = source;
  assertEquals([stats.sent, stats.returned, stats.lost, stats.changed, stats.unexpected], [
    20,
    20,
    0,
    0,
    0,
  ]);
  assertEquals(stats.roundTrip.count, 20);
});

Deno.test("startVillasSignal() puts several samples in a datagram, and the rest in the last", async () => {
  const sizes: number[] = [];
  await using echo = await startVillasEcho({
    listen: anywhere,
    anySource: true,
    replyTo: "sender",
    onMessage: ({ samples }) => void sizes.push(samples.length),
  });
  await using source = await startVillasSignal({
    vectorize: 3,
    rate: 1000,
    limit: 8,
    listen: anywhere,
    to: echo.addr,
  });
  await source.finished;
  assertEquals(sizes, [3, 3, 2]);
  assertEquals(source.stats.returned, 8);
});

Deno.test("startVillasSignal() without real time keeps to what the other end takes", async () => {
  await using echo = await startVillasEcho({
    listen: anywhere,
    anySource: true,
    replyTo: "sender",
  });
  await using source = await startVillasSignal({
    realtime: false,
    limit: 5000,
    listen: anywhere,
    to: echo.addr,
  });
  await source.finished;
  assertEquals(source.stats.returned, 5000);
});

Deno.test("startVillasSignal() tells lost, changed and unexpected samples apart", async () => {
  await using client = await bindDatagram({ listen: anywhere });
  await using source = await startVillasSignal({
    limit: 3,
    rate: 1000,
    wait: 0.5,
    listen: anywhere,
    to: client.addr,
  });
  for (let i = 0; i < 3; i++) {
    const { bytes, from } = (await client.receive())!;
    const [sample] = villasProtobuf.decode(bytes);
    if (i === 0) await client.send(villasProtobuf.encode([{ ...sample!, values: [99] }]), from);
    if (i === 1) {
      for (let k = 0; k < 2; k++) await client.send(bytes.slice(), from);
      await client.send(new Uint8Array([255]), from);
    }
  }
  await source.finished;
  const { sent, returned, lost, changed, unexpected, invalid } = source.stats;
  assertEquals({ sent, returned, lost, changed, unexpected, invalid }, {
    sent: 3,
    returned: 2,
    lost: 1,
    changed: 1,
    unexpected: 1,
    invalid: 1,
  });
});

Deno.test("startVillasSignal() ends on close() and on stop(), and when its signal is aborted", async () => {
  await using client = await bindDatagram({ listen: anywhere });
  const options = { rate: 1000, wait: 0, listen: anywhere, to: client.addr };
  const closed = await startVillasSignal(options);
  await client.receive();
  await closed.close();
  const stopped = await startVillasSignal(options);
  await client.receive();
  stopped.stop();
  await stopped.finished;
  const controller = new AbortController();
  const aborted = await startVillasSignal({ ...options, signal: controller.signal });
  await client.receive();
  controller.abort();
  await aborted.finished;
});

Deno.test("startVillasSignal() ends its wait when it is stopped", async () => {
  await using client = await bindDatagram({ listen: anywhere });
  const options = { rate: 1000, wait: 1000, listen: anywhere, to: client.addr };
  const waiting = await startVillasSignal({ ...options, limit: 1 });
  await client.receive();
  waiting.stop();
  waiting.stop();
  await waiting.finished;
  assertEquals(waiting.stats.lost, 1);
});

Deno.test("startVillasSignal() waits for a month with one timer, which a timer itself cannot", async () => {
  await using client = await bindDatagram({ listen: anywhere });
  const delays: (number | undefined)[] = [];
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((callback: () => void, ms?: number) => {
    delays.push(ms);
    return setTimeout(callback, ms);
  }) as typeof globalThis.setTimeout;
  try {
    const options = { rate: 1000, wait: 30 * 86_400, listen: anywhere, to: client.addr, limit: 1 };
    const waiting = await startVillasSignal(options);
    await client.receive();
    while (delays.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    waiting.stop();
    await waiting.finished;
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assertEquals(delays.filter((ms) => !(ms! < 2 ** 31)), []);
});

Deno.test("startVillasSignal() says which option does not fit before it binds anything", async () => {
  await assertRejects(
    () => startVillasSignal({ vectorize: 0 }),
    UsageError,
    "0 samples per datagram",
  );
  await assertRejects(
    () => startVillasSignal({ vectorize: 1200, values: 5 }),
    UsageError,
    "Cannot send 1200 samples per datagram: at most 770 fit, of 85 bytes each",
  );
  await assertRejects(() => startVillasSignal({ limit: 1.5 }), UsageError, "1.5 samples");
  await assertRejects(() => startVillasSignal({ wait: -1 }), UsageError, "wait for -1 s");
  const unix = { listen: { path: "/tmp/a" }, to: { path: "/tmp/b" } };
  await assertRejects(() => startVillasSignal(unix), UsageError, "expected UDP or TCP addresses");
  await assertRejects(() => startVillasSignal({ values: 2, offset: [1, 2, 3] }), UsageError);
});

Deno.test("startVillasSignal() takes back only what comes from the address that it sends to, unless told otherwise", async () => {
  for (const anySource of [false, true]) {
    await using client = await bindDatagram({ listen: anywhere });
    await using stranger = await bindDatagram({ listen: anywhere });
    const problems: [string, string][] = [];
    await using source = await startVillasSignal({
      limit: 2,
      rate: 1000,
      anySource,
      listen: anywhere,
      to: client.addr,
      onProblem: ({ kind, message }) => problems.push([kind, message]),
    });
    for (let i = 0; i < 2; i++) {
      const { bytes, from } = (await client.receive())!;
      await stranger.send(new Uint8Array([255]), from);
      await stranger.send(bytes.slice(), from);
      if (!anySource) await client.send(bytes.slice(), from);
    }
    await source.finished;
    const { returned, ignored, invalid, unexpected } = source.stats;
    assertEquals([returned, ignored, invalid, unexpected], anySource ? [2, 0, 2, 0] : [2, 4, 0, 0]);
    const [name, to] = [formatAddress(stranger.addr), formatAddress(client.addr)];
    if (anySource) assertEquals(problems.map(([kind]) => kind), ["invalid", "invalid"]);
    else {
      assertEquals(problems, [
        ["ignored", `Ignored datagrams from ${name}: samples are sent to ${to}`],
      ]);
    }
  }
});

Deno.test("startVillasSignal() that expects nothing back waits for nothing and takes nothing", async () => {
  await using client = await bindDatagram({ listen: anywhere });
  await using source = await startVillasSignal({
    limit: 3,
    rate: 1000,
    wait: 1000,
    returns: false,
    listen: anywhere,
    to: client.addr,
    onReturn: () => assert(false),
  });
  for (let i = 0; i < 3; i++) {
    const { bytes, from } = (await client.receive())!;
    if (i < 2) await client.send(bytes.slice(), from);
  }
  await source.finished;
  assertEquals([source.stats.sent, source.stats.returned, source.stats.unexpected], [3, 0, 0]);
});

for (const io of ["deno", "auto"] as const) {
  Deno.test(`startVillasSignal() sends many samples a second one by one, and counts those that it misses, with io "${io}"`, async () => {
    await using echo = await startVillasEcho({
      listen: anywhere,
      anySource: true,
      replyTo: "sender",
      io,
    });
    const limit = 10_000;
    const started = performance.now();
    await using source = await startVillasSignal({
      rate: 50_000,
      limit,
      listen: anywhere,
      to: echo.addr,
      io,
    });
    await source.finished;
    const { sent, missedSteps, returned, lost, changed, unexpected, roundTrip } = source.stats;
    assertEquals([sent + missedSteps, returned + lost], [limit, sent]);
    assertEquals([changed, unexpected, roundTrip.count], [0, 0, returned]);
    // A computer that does other things has two turns of 200 in these 0.2 s; one that does not, all.
    assert(sent > 100 && returned > 100, `${sent} sent, ${returned} returned`);
    assert(roundTrip.min > 0 && roundTrip.max <= (performance.now() - started) * 1000);
    assertEquals(echo.stats.samples <= sent, true);
  });
}

Deno.test("a source that is stopped while nobody is connected ends at once", async () => {
  for (const layer of ["tcp-client", "tcp-server"] as const) {
    const waiting = Promise.withResolvers<void>();
    const source = await startVillasSignal({
      layer,
      ...(layer === "tcp-client" ? { to: "127.0.0.1:1" } : { listen: "127.0.0.1:0" }),
      onProblem: ({ kind }) => kind === "waiting" && waiting.resolve(),
    });
    if (layer === "tcp-client") await waiting.promise;
    source.stop();
    await source.finished;
    assertEquals(source.stats.sent, 0);
  }
});

Deno.test("a source that is stopped does not wait for a peer that reads nothing", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const source = await startVillasSignal({
    layer: "tcp-client",
    to: formatAddress(listener.addr as Deno.NetAddr),
    values: 1000,
    realtime: false,
    returns: false,
  });
  using _connection = await listener.accept();
  let before = -1;
  while (before !== source.stats.sent || before === 0) { // until nothing more fits on the way
    before = source.stats.sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  source.stop();
  await source.finished;
  const { sent, unsent } = source.stats;
  assert(sent > 0 && unsent > 0, `${sent} sent, ${unsent} unsent`);
});

Deno.test("samples that found nobody connected count as unsent, and neither as sent nor as lost", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const gone = Promise.withResolvers<void>();
  await using source = await startVillasSignal({
    layer: "tcp-client",
    to: formatAddress(listener.addr as Deno.NetAddr),
    rate: 1000,
    limit: 100,
    wait: 0,
    onProblem: ({ kind }) => kind === "send" && gone.resolve(),
  });
  (await listener.accept()).close();
  await gone.promise;
  await source.finished;
  const { sent, unsent, missedSteps, lost } = source.stats;
  assert(unsent > 0);
  assertEquals([sent + unsent + missedSteps, lost], [100, sent]);
});
