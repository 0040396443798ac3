import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  bindDatagram,
  type DatagramSocket,
  type Sample,
  startVillasEcho,
  type VillasEchoProblem,
  villasProtobuf,
} from "../../mod.ts";
import { CodecError, UsageError } from "../../lib/errors.ts";
import { delay } from "../../lib/time/deadline.ts";
import { hexLines } from "../fixtures/read.ts";
import { CAN_FORGE, forge } from "../interop/forge.ts";
import { lab, refused } from "./echo_lab.ts";
import { ipv6 } from "../net/ipv6.ts";

const captured = Deno.readTextFileSync(new URL("../fixtures/types-cast.hex", import.meta.url))
  .trimEnd().split("\n").map((hex) => Uint8Array.fromHex(hex));

/** A sequence number that nothing else uses, to see when everything before it was handled. */
const marker: Sample = { type: "data", sequence: 1_000_000n, values: [] };

Deno.test("startVillasEcho() sends the very bytes back, unknown fields included", async () => {
  await using it = await lab();
  for (const bytes of captured) assertEquals(await it.ask(bytes), bytes);
  const withUnknown = Uint8Array.fromHex("0a0408013805" + "9a0603616263");
  assertEquals(await it.ask(withUnknown), withUnknown);
  assertEquals(it.echo.stats.messages, captured.length + 1);
  assertEquals(it.echo.stats.replies, captured.length + 1);
});

Deno.test("startVillasEcho() tells of each message what is on the wire", async () => {
  const seen: Sample[] = [];
  const now = () => ({ sec: 5, nsec: 6 });
  await using it = await lab({
    now,
    onMessage: ({ samples, received, from }) => {
      seen.push(...samples);
      assertEquals(received, now());
      assertEquals(from, it.node.addr);
    },
  });
  const samples: Sample[] = [{ type: "data", sequence: 1n, values: [1.5, 2n] }, {
    type: "data",
    values: [true],
  }];
  await it.ask(samples);
  assertEquals(seen, samples);
});

Deno.test("startVillasEcho() survives ten thousand random and mutated datagrams between valid ones", async () => {
  await using it = await lab();
  let state = 1;
  const random = (below: number) => (state = Math.imul(state, 48271) >>> 0) % below;
  let invalid = 0, answered = 0;
  for (let i = 0; i < 10_000; i++) {
    const bytes = i % 2 === 0
      ? Uint8Array.from({ length: random(200) }, () => random(256))
      : captured[i % captured.length]!.slice(0, 1 + random(100));
    if (i % 4 === 1 && bytes.length > 0) bytes[random(bytes.length)] = random(256);
    let valid = true;
    try {
      const samples = villasProtobuf.decode(bytes);
      valid = samples.every(({ type, values }) => type === "data" && !values.includes(null));
    } catch (error) {
      assert(error instanceof CodecError);
      valid = false;
      invalid++;
    }
    await it.node.send(bytes, it.echo.addr);
    if (valid) {
      answered++;
      assertEquals((await it.node.receive())!.bytes, bytes);
    }
    const good = captured[i % captured.length]!;
    assertEquals(await it.ask(good), good);
  }
  const { stats } = it.echo;
  assert(invalid > 5000);
  assertEquals([stats.invalid, stats.replies], [invalid, answered + 10_000]);
  assertEquals(stats.messages, 20_000 - invalid);
  assertEquals(stats.messages, stats.replies + stats.refused);
});

Deno.test("startVillasEcho() counts gaps, late ones, repeats and restarts exactly", async () => {
  await using it = await lab();
  for (const sequence of [5, 6, 9, 8, 8, 10, 0, 1, 3]) {
    await it.ask([{ type: "data", sequence: BigInt(sequence), values: [] }]);
  }
  const { missed, reordered, duplicates, restarts, samples } = it.echo.stats;
  assertEquals({ missed, reordered, duplicates, restarts, samples }, {
    missed: 2, // 7 and 2; 8 came late
    reordered: 1,
    duplicates: 1,
    restarts: 1,
    samples: 9,
  });
});

Deno.test("startVillasEcho() ignores strangers, names each once, and handles them where it is told to", async () => {
  await using it = await lab();
  await using stranger = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const bytes = captured[0]!;
  for (let i = 0; i < 3; i++) await stranger.send(bytes, it.echo.addr);
  await it.ask([marker]);
  assertEquals(it.echo.stats.ignored, 3);
  assertEquals(it.echo.stats.messages, 1);
  assertEquals(it.problems.map(({ kind }) => kind), ["ignored"]);

  await using open = await lab({ anySource: true, replyTo: "sender" });
  await stranger.send(bytes, open.echo.addr);
  assertEquals((await stranger.receive())!.bytes, bytes);

  await using remote = await lab({ anySource: true });
  await remote.ask(bytes); // shows which signals it has
  await stranger.send(bytes, remote.echo.addr);
  assertEquals((await remote.node.receive())!.bytes, bytes);
});

Deno.test("startVillasEcho() replies with constants in the kinds that were received", async () => {
  await using it = await lab({ constant: [1, 2, 1, 4] });
  const sample: Sample = {
    type: "data",
    sequence: 3n,
    origin: { sec: 1, nsec: 2 },
    newFrame: true,
    values: [0.5, 7n, false, { real: 0, imag: 1 }],
  };
  const [reply] = villasProtobuf.decode(await it.ask([sample]));
  assertEquals(reply, { ...sample, values: [1, 2n, true, { real: 4, imag: 0 }] });
});

Deno.test("startVillasEcho() refuses a constant that does not fit its place", async () => {
  const samples: Sample[] = [{ type: "data", values: [1n] }];
  assertStringIncludes(await refused({ constant: [1.5] }, samples), "integer");
});

Deno.test("startVillasEcho() refuses what would make VILLASnode abort", async () => {
  assertStringIncludes(await refused({}, [{ type: "start", values: [] }]), "START");
  assertStringIncludes(
    await refused({}, [{ type: "data", values: [1, null] }]),
    "value 1: it is unset",
  );
  assertStringIncludes(await refused({ constant: [1] }, [{ type: "stop", values: [] }]), "STOP");
  const samples: Sample[] = [{ type: "data", values: [1n, 1] }];
  const kinds: Sample["values"][] = [[1], [1n, 1n], [true], [null], [1n, 1, 1n], [{
    real: 1,
    imag: 1,
  }]];
  for (const values of kinds) {
    assertStringIncludes(
      await refused({ handler: () => ({ type: "data", values }) }, samples),
      "Refused",
    );
  }
  assertStringIncludes(
    await refused({ handler: (sample) => ({ ...sample, type: "stop" }) }, samples),
    "stop",
  );
  assertStringIncludes(
    await refused({ handler: () => undefined as never }, samples),
    "expected a sample",
  );
  for (
    const odd of [
      [null],
      [[]],
      {},
      { values: ["1"] },
      { values: [{ real: "1" }] },
      Object.create(null),
    ]
  ) {
    assertStringIncludes(await refused({ handler: () => odd as never }, samples), "Refused");
  }
  assertStringIncludes(await refused({ handler: () => 5 as never }, samples), "expected a sample");
  assertStringIncludes(
    await refused({ handler: (s) => ({ ...s, sequence: -1n }) }, samples),
    "sequence -1",
  );
});

Deno.test("startVillasEcho() sends what a handler returns, sync or async, one or several", async () => {
  await using it = await lab({
    handler: async (sample) => {
      await Promise.resolve();
      if (sample.sequence === 0n) return null;
      const double = { ...sample, values: sample.values.map((value) => Number(value) * 2) };
      return sample.sequence === 1n ? double : [double, sample];
    },
  });
  await it.node.send(
    villasProtobuf.encode([{ type: "data", sequence: 0n, values: [1] }]),
    it.echo.addr,
  );
  const one = await it.ask([{ type: "data", sequence: 1n, values: [1] }]);
  assertEquals(villasProtobuf.decode(one), [{ type: "data", sequence: 1n, values: [2] }]);
  const two = await it.ask([{ type: "data", sequence: 2n, values: [3] }]);
  assertEquals(villasProtobuf.decode(two).map(({ values }) => values), [[6], [3]]);
});

Deno.test("startVillasEcho() sends the received bytes where a handler changes nothing", async () => {
  await using it = await lab({ handler: (sample) => sample });
  const withUnknown = Uint8Array.fromHex("0a0408013805");
  assertEquals(await it.ask(withUnknown), withUnknown);
  await using changing = await lab({
    handler: (sample) => {
      sample.values[0] = 5;
      return sample;
    },
  });
  const reply = await changing.ask([{ type: "data", values: [1] }]);
  assertEquals(villasProtobuf.decode(reply)[0]!.values, [5]);
});

Deno.test("startVillasEcho() survives a handler that throws", async () => {
  await using it = await lab({
    handler: (sample) => {
      if (sample.sequence === 0n) throw new Error("no");
      return sample;
    },
  });
  await it.node.send(
    villasProtobuf.encode([{ type: "data", sequence: 0n, values: [] }]),
    it.echo.addr,
  );
  await it.ask([{ type: "data", sequence: 1n, values: [] }]);
  assertEquals(it.echo.stats.failed, 1);
  assertEquals(it.problems[0]!.message, "The handler threw: no");
});

Deno.test("startVillasEcho() takes what a handler leaves out from what was received", async () => {
  await using it = await lab({
    handler: ({ values }) => ({ values: [Number(values[0]) + 1], newFrame: undefined }),
  });
  const sample: Sample = {
    type: "data",
    sequence: 5n,
    origin: { sec: 1, nsec: 2 },
    newFrame: true,
    values: [1],
  };
  const [reply] = villasProtobuf.decode(await it.ask([sample]));
  const { newFrame: _, ...rest } = sample;
  assertEquals(reply, { ...rest, values: [2] });
});

Deno.test("startVillasEcho() ends although a handler does not", async () => {
  const called = Promise.withResolvers<void>();
  await using it = await lab({
    handler: () => {
      called.resolve();
      return new Promise(() => {});
    },
  });
  await it.node.send(captured[0]!, it.echo.addr);
  await called.promise;
  await it.echo.close();
  await it.echo.finished;
  assertEquals(it.echo.stats.replies, 0);
});

Deno.test("startVillasEcho() with a signal that was aborted before ends at once", async () => {
  await using it = await lab({ signal: AbortSignal.abort() });
  await it.echo.finished;
});

Deno.test("startVillasEcho() ends after so many messages", async () => {
  await using it = await lab({ count: 2 });
  await it.ask(captured[0]!);
  await it.ask(captured[1]!);
  await it.echo.finished;
  assertEquals(it.echo.stats.messages, 2);
});

Deno.test("startVillasEcho() answers the message that is being handled before it ends", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { promise: called, resolve: call } = Promise.withResolvers<void>();
  const controller = new AbortController();
  await using it = await lab({
    signal: controller.signal,
    handler: async (sample) => {
      call();
      await promise;
      return sample;
    },
  });
  await it.node.send(captured[0]!, it.echo.addr);
  await called;
  controller.abort();
  resolve();
  assertEquals((await it.node.receive())!.bytes, captured[0]!);
  await it.echo.finished;
});

Deno.test(
  `startVillasEcho() works over IPv6, and from an IPv6 socket with an IPv4 remote${ipv6.note}`,
  {
    ignore: ipv6.ignore,
  },
  async () => {
    const node: DatagramSocket = await bindDatagram({ listen: { hostname: "::1", port: 0 } });
    await using _node = node;
    await using echo = await startVillasEcho({ listen: "[::1]:0", remote: node.addr });
    await node.send(captured[0]!, echo.addr);
    assertEquals((await node.receive())!.bytes, captured[0]!);

    await using node4 = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
    await using both = await startVillasEcho({ listen: "[::]:0", remote: node4.addr });
    await node4.send(captured[0]!, {
      hostname: "127.0.0.1",
      port: (both.addr as Deno.NetAddr).port,
    });
    assertEquals((await node4.receive())!.bytes, captured[0]!);
  },
);

Deno.test({
  name:
    "startVillasEcho() waits for the other unix socket and answers it (not on Windows, which has none)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const waiting = Promise.withResolvers<VillasEchoProblem>();
    {
      await using echo = await startVillasEcho({
        listen: { path: `${folder}/client.sock` },
        remote: { path: `${folder}/server.sock` },
        onProblem: (problem) => waiting.resolve(problem),
      });
      assertEquals((await waiting.promise).kind, "waiting");
      await using node = await bindDatagram({ listen: { path: `${folder}/server.sock` } });
      await node.send(captured[0]!, echo.addr);
      assertEquals((await node.receive())!.bytes, captured[0]!);
    }
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test({
  name:
    "replies that come later leave a unix socket, too, in order and from its own address (not on Windows, which has none)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    {
      await using node = await bindDatagram({ listen: { path: `${folder}/server.sock` } });
      const problem = Promise.withResolvers<never>();
      await using echo = await startVillasEcho({
        listen: { path: `${folder}/client.sock` },
        remote: node.addr,
        batchHandler: async (samples) => {
          await delay(0); // a handler in another process answers in another turn
          return { replies: samples.map((sample, index) => ({ index, sample })), faults: [] };
        },
        onProblem: ({ message }) => problem.reject(new Error(message)),
      });
      const messages = [0n, 1n, 2n].map((sequence) =>
        villasProtobuf.encode([{ type: "data", sequence, values: [1.5] }]).slice()
      );
      for (const message of messages) await node.send(message, echo.addr);
      for (const message of messages) {
        const { bytes, from } = (await Promise.race([node.receive(), problem.promise]))!;
        assertEquals([bytes, from], [message, echo.addr]);
      }
      assertEquals(echo.stats.replies, 3);
    }
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("startVillasEcho() says what is wrong with addresses", async () => {
  for (const { address } of Deno.networkInterfaces()) {
    const both = address.includes(":") ? `[${address}]:12345` : `${address}:12345`;
    await assertRejects(
      () =>
        startVillasEcho({ listen: address.includes(":") ? "[::]:12345" : ":12345", remote: both }),
      UsageError,
      "for both ends: expected two addresses",
    );
  }
  await assertRejects(
    () => startVillasEcho({ listen: "x:y" }),
    UsageError,
    'Cannot parse address "x:y"',
  );
  await assertRejects(
    () => startVillasEcho({ listen: "/tmp/x" }),
    UsageError,
    "two network addresses or two paths",
  );
});

Deno.test("startVillasEcho() says what a datagram looks like that does not decode, and what to set where", async () => {
  await using it = await lab();
  const formats = ["villas.human", "villas.binary", "json", "csv", "raw.64.little"];
  for (const format of formats) {
    const [bytes] = await hexLines(`formats/${format}.hex`);
    await it.node.send(bytes!, it.echo.addr);
  }
  await it.ask([marker]);
  assertEquals(it.echo.stats.invalid, formats.length);
  const [human, binary, ...others] = it.problems.map(({ message }) => message);
  const remedy = `set format = "protobuf" in that node of VILLASnode's configuration`;
  assertStringIncludes(human!, `it looks like VILLASnode's format villas.human: ${remedy}`);
  assertStringIncludes(binary!, "it looks like villas.binary, which a socket node of VILLASnode");
  for (const message of others) assertStringIncludes(message, remedy);
});

Deno.test({
  name: "startVillasEcho() ignores a datagram that seems to come from itself" +
    (CAN_FORGE ? "" : " (ignored: nobody here may forge one)"),
  ignore: !CAN_FORGE,
  async fn() {
    for (const listen of ["127.0.0.1:0", "0.0.0.0:0"]) {
      await using it = await lab({ listen, anySource: true, replyTo: "sender" });
      const { port } = it.echo.addr as Deno.NetAddr;
      for (let i = 0; i < 2; i++) assert(forge("127.0.0.1", "127.0.0.1", port, captured[0]!));
      await it.node.send(captured[1]!, { hostname: "127.0.0.1", port });
      assertEquals((await it.node.receive())!.bytes, captured[1]!);
      assertEquals([it.echo.stats.ignored, it.echo.stats.messages], [2, 1]);
      assertEquals(it.problems.map(({ kind, message }) => [kind, message]), [
        ["own", `Ignored datagrams from 127.0.0.1:${port}: that is this program's own address`],
      ]);
    }
  },
});
