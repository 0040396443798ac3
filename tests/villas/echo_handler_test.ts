/** What a handler may return, and that it is taken apart once. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type BatchHandler,
  bindDatagram,
  type Reply,
  type Sample,
  type SampleHandler,
  startVillasEcho,
  villasProtobuf,
} from "../../mod.ts";
import { within } from "../../lib/time/deadline.ts";
import { lab, refused } from "./echo_lab.ts";

const sample = (sequence: bigint, values: Sample["values"]): Sample => ({
  type: "data",
  sequence,
  values,
});

/** What comes back for samples in one datagram. */
async function replies(handler: SampleHandler, samples: Sample[]): Promise<Sample[]> {
  await using it = await lab({ handler });
  return villasProtobuf.decode(await it.ask(samples));
}

/** An object that counts how often each of its properties is read. */
function counting<T extends object>(target: T, reads: Map<PropertyKey, number>): T {
  return new Proxy(target, {
    get(object, name) {
      reads.set(name, (reads.get(name) ?? 0) + 1);
      return Reflect.get(object, name);
    },
  });
}

Deno.test("a handler may use the same array for each sample of a datagram", async () => {
  const buf: number[] = [];
  const handler: SampleHandler = (s) => {
    buf.length = 0;
    for (const v of s.values) buf.push(2 * Number(v));
    return { values: buf };
  };
  const two = [sample(1n, [1, 2]), sample(2n, [3, 4])];
  assertEquals((await replies(handler, two)).map(({ values }) => values), [[2, 4], [6, 8]]);
  const later: SampleHandler = async (s) => {
    await Promise.resolve();
    return handler(s);
  };
  assertEquals((await replies(later, two)).map(({ values }) => values), [[2, 4], [6, 8]]);
  const again: Reply & { values: number[] } = { values: [] };
  const sameObject: SampleHandler = (s) => {
    again.values = s.values.map((v) => Number(v) + 1);
    again.sequence = s.sequence! * 10n;
    return again;
  };
  assertEquals(await replies(sameObject, two), [sample(10n, [2, 3]), sample(20n, [4, 5])]);
});

Deno.test("what a handler changes after it has returned does not reach the reply", async () => {
  const handler: SampleHandler = (s) => {
    const result = { values: [1.5, { real: 1, imag: 2 }], origin: { sec: 1, nsec: 2 } };
    const spoil = () => {
      result.values[0] = 1n as never;
      (result.values[1] as { real: number }).real = 99;
      result.values.push(7);
      result.origin.sec = 99;
    };
    queueMicrotask(spoil);
    Promise.resolve().then(spoil);
    s.sequence = 5n;
    return result;
  };
  assertEquals(await replies(handler, [sample(1n, [0.5, { real: 0, imag: 0 }])]), [
    { ...sample(1n, [1.5, { real: 1, imag: 2 }]), origin: { sec: 1, nsec: 2 } },
  ]);
});

Deno.test("what a handler leaves out is as it was received, whatever it does to the sample it was given", async () => {
  const received: Sample = { ...sample(1n, [0.5]), origin: { sec: 1, nsec: 2 } };
  const handler: SampleHandler = (s) => {
    (s.origin as { sec: number }).sec = 99;
    s.values.length = 0;
    return { values: [2] };
  };
  assertEquals(await replies(handler, [received]), [{ ...received, values: [2] }]);
});

Deno.test("each part of what a handler returns is read once", async () => {
  const reads = new Map<PropertyKey, number>();
  const handler: SampleHandler = () =>
    counting([
      counting({
        type: "data" as const,
        sequence: 1n,
        origin: counting({ sec: 1, nsec: 2 }, reads),
        newFrame: true,
        values: counting([1, counting({ real: 3, imag: 4 }, reads)], reads),
      }, reads),
    ], reads);
  await replies(handler, [sample(0n, [0, { real: 0, imag: 0 }])]);
  const expected = ["sec", "nsec", "real", "imag", "type", "sequence", "newFrame", "values"];
  for (const name of [...expected, "origin"]) assertEquals(reads.get(name), 1, String(name));
  assertEquals(reads.get("length"), 2); // the list of samples, and that of values
  assertEquals(reads.get("1"), 1);
});

Deno.test("getters that say something else each time cannot get past the check", async () => {
  for (let honest = 0; honest < 3; honest++) {
    let calls = 0;
    const next = () => calls++ < honest;
    const trick: object[] = [
      { get: () => ({ values: next() ? [1] : [1n] }) },
      {
        get values() {
          return next() ? [1] : [1n];
        },
      },
      {
        values: {
          __proto__: Array.prototype,
          length: 1,
          get 0() {
            return next() ? 1 : 1n;
          },
        },
      },
      { values: Object.defineProperty([], 0, { get: () => next() ? 1 : true }) },
      {
        values: [1],
        get type() {
          return next() ? "data" : "stop";
        },
      },
      { values: new Proxy([1], { get: (a, k) => k === "0" && !next() ? 1n : Reflect.get(a, k) }) },
      {
        values: new Proxy([1], {
          get: (a, k) => k === "length" && !next() ? 2 : Reflect.get(a, k),
        }),
      },
    ];
    for (const result of trick) {
      calls = 0;
      await using it = await lab({ handler: () => result as never });
      await it.node.send(villasProtobuf.encode([sample(1n, [0])]), it.echo.addr);
      await it.node.send(new Uint8Array(), it.echo.addr);
      const first = (await it.node.receive())!.bytes;
      if (first.length === 0) {
        assertEquals(it.echo.stats.refused, 1);
        continue;
      }
      const [reply] = villasProtobuf.decode(first);
      assertEquals([reply!.type, reply!.values], ["data", [1]]);
    }
  }
});

Deno.test("a handler may return typed arrays, whose numbers are of the kind that their type has", async () => {
  const floats = await replies(() => ({ values: new Float64Array([1, 2]) }), [sample(1n, [0, 0])]);
  assertEquals(floats[0]!.values, [1, 2]);
  const single = await replies(() => ({ values: new Float32Array([0.1]) }), [sample(1n, [0])]);
  assertEquals(single[0]!.values, [Math.fround(0.1)]);
  const integers = await replies(() => ({ values: new BigInt64Array([-1n]) }), [sample(1n, [0n])]);
  assertEquals(integers[0]!.values, [-1n]);
  const wrong = await refused({ handler: () => ({ values: new Int32Array([1]) }) }, [
    sample(1n, [0n]),
  ]);
  assertStringIncludes(
    wrong,
    "value 0 of what the handler returned: expected an integer (in JavaScript a bigint",
  );
  const view = { values: new DataView(new ArrayBuffer(8)) } as never;
  assertStringIncludes(
    await refused({ handler: () => view }, [sample(1n, [0])]),
    "expected a sample",
  );
});

Deno.test("huge, sparse and broken lists are refused at once", async () => {
  const lists: unknown[] = [
    { values: new Array(2 ** 32 - 1) },
    { values: new Float64Array(10_000_000) },
    { values: new Proxy([], { get: () => 1e300 }) },
    { values: new Proxy([], { get: () => NaN }) },
    { values: new Proxy([], { get: () => ({ valueOf: () => 1 }) }) },
    { values: [1, , 3] }, // deno-lint-ignore no-sparse-arrays
    new Array(2 ** 32 - 1),
    new Array(70_000).fill({ values: [] }),
    [{ values: [1, 2, 3] }, , { values: [1, 2, 3] }], // deno-lint-ignore no-sparse-arrays
    new Array(60_000).fill({ values: [1, 2, 3] }),
  ];
  const start = performance.now();
  for (const list of lists) {
    const message = await refused({ handler: () => list as never }, [sample(1n, [1, 2, 3])]);
    assertStringIncludes(message, "Refused");
  }
  assert(performance.now() - start < 5000);
});

Deno.test("a handler whose answer throws when it is read is one that threw, and the echo goes on", async () => {
  const thrower = () => {
    throw new Error("not to be read");
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const hostile = new Proxy([], {
    get: thrower,
    has: thrower,
    getPrototypeOf: thrower,
    ownKeys: thrower,
  });
  const results: unknown[] = [
    hostile,
    [hostile],
    { values: hostile },
    {
      values: [1],
      get sequence() {
        return thrower();
      },
    },
    {
      values: [{
        get real() {
          return thrower();
        },
      }],
    },
    {
      get then() {
        return thrower();
      },
    },
    revoked.proxy,
  ];
  await using it = await lab({
    handler: (s) => s.sequence === 99n ? s : results[Number(s.sequence)] as never,
  });
  for (const i of results.keys()) {
    await it.node.send(villasProtobuf.encode([sample(BigInt(i), [1])]), it.echo.addr);
  }
  await it.ask([sample(99n, [1])]);
  assertEquals([it.echo.stats.failed, it.echo.stats.replies], [results.length, 1]);
  assertEquals(new Set(it.problems.map(({ kind }) => kind)), new Set(["handler"]));
  assertStringIncludes(it.problems[0]!.message, "The handler threw: not to be read");
});

Deno.test("a handler may return a promise of its own, which is asked once", async () => {
  let asked = 0;
  const handler = () => ({
    get then() {
      asked++;
      return (resolve: (reply: Reply) => void) => resolve({ values: [5] });
    },
  });
  const [reply] = await replies(handler as never, [sample(1n, [1])]);
  assertEquals([reply!.values, asked], [[5], 1]);
});

Deno.test("fields of the wrong type are refused, each with what was expected", async () => {
  const wrong: [object, string][] = [
    [{ sequence: 5 }, "sequence 5: expected a bigint"],
    [{ sequence: { valueOf: () => 5n } }, "expected a bigint"],
    [{ origin: 5 }, "origin of what the handler returned: expected { sec, nsec }"],
    [{ origin: { sec: "1", nsec: 0 } }, "origin timestamp"],
    [{ origin: {} }, "origin timestamp"],
    [{ newFrame: "yes" }, "newFrame of what the handler returned: expected true or false"],
    [{ type: "start" }, 'type "start"'],
    [{ type: undefined }, "type undefined"],
  ];
  for (const [fields, message] of wrong) {
    const handler = () => ({ ...fields, values: [1] }) as never;
    assertStringIncludes(await refused({ handler }, [sample(1n, [1])]), message);
  }
  const classy = new class {
    get values() {
      return [8];
    }
  }();
  assertEquals((await replies(() => classy, [sample(3n, [1])]))[0], sample(3n, [8]));
});

Deno.test("with a concurrency so many messages are handled at once, and replies keep their order", async () => {
  const started: PromiseWithResolvers<void>[] = [];
  let [all, more] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const handle = async (s: Sample) => {
    const done = Promise.withResolvers<void>();
    if (started.push(done) === 3) all.resolve();
    if (started.length === 4) more.resolve();
    await done.promise;
    return s;
  };
  const batchHandler: BatchHandler = async (samples) => {
    const sample = await handle(samples[0]!);
    return { replies: [{ index: 0, sample }], faults: [] };
  };
  for (const options of [{ handler: handle }, { batchHandler }]) {
    started.length = 0;
    [all, more] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await using it = await lab({ ...options, concurrency: 3 });
    for (let i = 0; i < 4; i++) {
      await it.node.send(villasProtobuf.encode([sample(BigInt(i), [i])]), it.echo.addr);
    }
    await all.promise;
    assertEquals(started.length, 3);
    for (const { resolve } of started.toReversed()) resolve();
    await more.promise;
    started[3]!.resolve();
    for (let i = 0; i < 4; i++) {
      const { bytes } = (await it.node.receive())!;
      assertEquals(villasProtobuf.decode(bytes), [sample(BigInt(i), [i])]);
    }
  }
});

for (const io of ["auto", "deno"] as const) {
  Deno.test(`messages that arrived and are not handled at the end count as dropped, with io "${io}"`, async () => {
    const [begun, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const handler: SampleHandler = async (s) => {
      begun.resolve();
      await done.promise;
      return s;
    };
    await using it = await lab({ handler, io });
    for (let i = 0; i < 50; i++) {
      await it.node.send(villasProtobuf.encode([sample(BigInt(i), [i])]), it.echo.addr);
    }
    await begun.promise;
    const closing = it.echo.close();
    done.resolve();
    await closing;
    const { messages, replies, dropped } = it.echo.stats;
    assertEquals([messages, replies, dropped], [50, 1, 49]);
    assertEquals(it.problems.length, 49);
  });
}

Deno.test("messages whose handling takes longer than the grace count as dropped", async () => {
  for (const concurrency of [1, 3]) {
    for (const kind of ["handler", "batchHandler"]) {
      const begun = Promise.withResolvers<void>();
      const never = () => {
        begun.resolve();
        return new Promise<never>(() => {});
      };
      await using it = await lab({ [kind]: never, concurrency, grace: 0.05 });
      for (let i = 0; i < 20; i++) {
        await it.node.send(villasProtobuf.encode([sample(BigInt(i), [i])]), it.echo.addr);
      }
      await begun.promise;
      await it.echo.close();
      const { messages, replies, failed, dropped } = it.echo.stats;
      assertEquals([messages, replies, failed, dropped], [20, 0, 0, 20], `${kind} ${concurrency}`);
    }
  }
});

Deno.test("a message that was dropped at the end of the grace counts as nothing else, whatever its handler still does", async () => {
  for (const concurrency of [1, 3]) {
    for (const isAnswered of [true, false]) {
      const begun = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<Sample>();
      const handler = (sample: Sample) => {
        begun.resolve();
        return answer.promise.then(() => sample);
      };
      const onProblem = () => {
        if (isAnswered) answer.resolve(sample(0n, [1]));
        else answer.reject(new Error("too late"));
      };
      await using it = await lab({ handler, onProblem, concurrency, grace: 0.05 });
      await it.node.send(villasProtobuf.encode([sample(0n, [0])]), it.echo.addr);
      await begun.promise;
      await it.echo.close();
      const { messages, replies, failed, dropped } = it.echo.stats;
      const what = `concurrency ${concurrency}, ${isAnswered ? "answered" : "failed"}`;
      assertEquals([messages, replies, failed, dropped], [1, 0, 0, 1], what);
    }
  }
});

Deno.test({
  name:
    "a reply that nobody takes counts as unsent, and its message not as dropped (not on Windows)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "labwire-echo-" });
    try {
      const [listen, remote] = [{ path: `${folder}/echo.sock` }, { path: `${folder}/node.sock` }];
      await using node = await bindDatagram({ listen: remote });
      const handler = (sample: Sample) => Promise.resolve(sample);
      await using echo = await startVillasEcho({
        layer: "unix",
        listen,
        remote,
        handler,
        grace: 0,
      });
      // Until the replies find no room any more, and the messages neither.
      const message = villasProtobuf.encode([sample(0n, [0])]);
      let isTaken: true | undefined;
      do {
        isTaken = await within(node.send(message, listen).then(() => true as const), 0.3);
      } while (isTaken);
      await echo.close();
      const { messages, replies, unsent, dropped } = echo.stats;
      assertEquals([unsent, dropped, replies + unsent], [1, 0, messages]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("an onProblem that throws neither ends the echo nor confuses its counts", async () => {
  const reported: unknown[] = [];
  const listen = (event: ErrorEvent) => {
    event.preventDefault();
    reported.push(event.error);
  };
  addEventListener("error", listen);
  try {
    const mistake = new Error("the observer's own");
    const begun = Promise.withResolvers<void>();
    const handler = () => {
      begun.resolve();
      return new Promise<null>(() => {});
    };
    const onProblem = () => {
      throw mistake;
    };
    await using it = await lab({ handler, onProblem, concurrency: 2, grace: 0 });
    for (let i = 0; i < 5; i++) {
      await it.node.send(villasProtobuf.encode([sample(BigInt(i), [i])]), it.echo.addr);
    }
    await begun.promise;
    await it.echo.close();
    assertEquals([it.echo.stats.messages, it.echo.stats.dropped], [5, 5]);
    assertEquals(reported, Array(5).fill(mistake));
  } finally {
    removeEventListener("error", listen);
  }
});

Deno.test("the replies to messages that are handled together leave in the order of the messages, whatever theirs is", async () => {
  const [begun, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const together: number[] = [];
  const batchHandler: BatchHandler = async (samples) => {
    together.push(samples.length);
    if (samples[0]!.sequence === 100n) {
      begun.resolve();
      await done.promise;
    }
    const replies = samples.map((sample, index) => ({ index, sample })).toReversed();
    if (samples[0]!.sequence === 101n) replies.unshift({ index: 9, sample: sample(0n, [0]) });
    return { replies, faults: [], seconds: 0 };
  };
  await using it = await lab({ batchHandler });
  // Until it is seen to be quick enough to be given several.
  for (let n = 0n; n < 30n; n++) await it.ask([sample(n, [1])]);
  await it.node.send(villasProtobuf.encode([sample(100n, [1])]), it.echo.addr);
  await begun.promise;
  for (const n of [101n, 103n, 105n]) {
    const samples = [sample(n, [1]), sample(n + 1n, [2])];
    await it.node.send(villasProtobuf.encode(samples), it.echo.addr);
  }
  assertEquals((await it.ask(new Uint8Array())).length, 0); // all have arrived
  done.resolve();
  for (const n of [100n, 101n, 103n, 105n]) {
    const { bytes } = (await it.node.receive())!;
    const expected = n === 100n ? [sample(n, [1])] : [sample(n + 1n, [2]), sample(n, [1])];
    assertEquals(villasProtobuf.decode(bytes), expected);
  }
  assertEquals(together.at(-1), 6);
  assertEquals(it.problems.map(({ message }) => message), [
    "The handler threw: Cannot send the reply to sample 9: the handler was given 6 samples",
  ]);
});
