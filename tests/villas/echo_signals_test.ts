/** That no reply can end VILLASnode: what is known of its signals, and what is done where nothing is known. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  bindDatagram,
  type Sample,
  type SampleHandler,
  type VillasEchoOptions,
  villasProtobuf,
} from "../../mod.ts";
import { UsageError } from "../../lib/errors.ts";
import { hexLines } from "../fixtures/read.ts";
import { lab, refused } from "./echo_lab.ts";

const data = (...values: Sample["values"]): Sample => ({ type: "data", values });

/** The values that come back for those of one sample. */
async function replied(options: VillasEchoOptions, ...values: Sample["values"]) {
  await using it = await lab(options);
  return villasProtobuf.decode(await it.ask([data(...values)]))[0]!.values;
}

Deno.test("constants beyond what was received are refused, as VILLASnode's next signal may be an integer", async () => {
  const constant = [1, 2, 3, 4, 5, 6];
  assertEquals(
    await refused({ constant }, [data(0, 0, 0, 0, 0)]),
    "Refused a reply of 6 values: expected at most 5, as many as were received",
  );
  assertEquals(await replied({ constant }, 0, 0, 0, 0, 0, 0n), [1, 2, 3, 4, 5, 6n]);
  assertEquals(await replied({ constant, signals: "5f1i" }, 0, 0, 0, 0, 0), [1, 2, 3, 4, 5, 6n]);
  assertEquals(await replied({ constant, signals: "6f" }, 0n), constant);
});

Deno.test("a handler's values beyond what was received are refused, unless the signals are stated", async () => {
  const handler = () => ({ values: [1, 2] });
  assertMatch(await refused({ handler }, [data(1)]), /a reply of 2 values: expected at most 1, as/);
  assertEquals(await replied({ handler, signals: "ff" }, 1), [1, 2]);
  assertEquals(await replied({ handler, signals: ["float", "float", "integer"] }), [1, 2]);
  assertEquals(
    await refused({ handler, signals: "f" }, [data(1, 2)]),
    "Refused a reply of 2 values: expected at most 1, as many as there are signals",
  );
  assertMatch(
    await refused({ handler, signals: "fi" }, [data(1, 2)]),
    /value 1 of what the handler returned: expected an integer .* got the float 2\.0$/,
  );
});

Deno.test("what is refused because nobody stated the signals says so, and nothing else does", async () => {
  const cases: [VillasEchoOptions, Sample, boolean][] = [
    [{ constant: [1, 2] }, data(1), true],
    [{ constant: [1.5] }, data(1n), true],
    [{ handler: () => data(1n) }, data(1), true],
    [{ handler: () => ({ ...data(1), type: "stop" }) }, data(1), false],
    [{ constant: [1, 2], signals: "f" }, data(1), false],
    [{ handler: () => data(1n), signals: "f" }, data(1), false],
    [{ signals: "i" }, data(1), false],
    [{}, { type: "start", values: [] }, false],
  ];
  for (const [options, sample, unstated] of cases) {
    await using it = await lab(options);
    await it.node.send(villasProtobuf.encode([sample]), it.echo.addr);
    await it.ask(new Uint8Array());
    assertEquals(it.problems.map((problem) => problem.unstated ?? false), [unstated]);
  }
});

Deno.test("with stated signals, what does not fit them is not even sent back unchanged", async () => {
  const captured = (await hexLines("types-cast.hex"))[0]!;
  const kinds = villasProtobuf.decode(captured)[0]!.values.map((value) =>
    typeof value === "object"
      ? "c"
      : ({ number: "f", bigint: "i", boolean: "b" } as Record<string, string>)[typeof value]
  ).join("");
  await using fitting = await lab({ signals: kinds });
  assertEquals(await fitting.ask(captured), captured);
  await using longer = await lab({ signals: `${kinds}5f` });
  assertEquals(await longer.ask(captured), captured); // fewer values are fine
  for (const signals of [kinds.slice(1), kinds.slice(0, -1), "64f"]) {
    const message = await refused({ signals }, villasProtobuf.decode(captured));
    assertStringIncludes(message, "Refused");
  }
  assertEquals(
    await refused({ signals: "fi" }, [data(1, 2)]),
    "Refused to send back value 1: its kind is float, and that of the signal is integer",
  );
});

/** An echo that handles everybody's samples and sends the replies to its remote, and a stranger. */
async function open(options: VillasEchoOptions) {
  const it = await lab({ anySource: true, ...options });
  const stranger = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  return {
    ...it,
    /** Sends a stranger's sample, and returns what the remote gets for it, undefined where nothing. */
    async passOn(...samples: Sample[]): Promise<Sample[] | undefined> {
      const { messages } = it.echo.stats;
      await stranger.send(villasProtobuf.encode(samples), it.echo.addr);
      while (it.echo.stats.messages === messages) {
        await new Promise((resolve) => setTimeout(resolve));
      }
      await it.node.send(new Uint8Array(), it.echo.addr); // comes back behind it
      const reply = (await it.node.receive())!.bytes.slice();
      if (reply.length === 0) return undefined;
      assertEquals((await it.node.receive())!.bytes.length, 0);
      return villasProtobuf.decode(reply);
    },
    async [Symbol.asyncDispose]() {
      await it[Symbol.asyncDispose]();
      await stranger.close();
    },
  };
}

const double: SampleHandler = ({ values }) => ({
  values: values.map((v) => typeof v === "number" ? 2 * v : v) as never,
});

for (
  const [name, options] of [
    ["the samples", {}],
    ["a handler's replies", { handler: double }],
    ["the handler's own samples", { handler: (s) => s }],
  ] satisfies [string, VillasEchoOptions][]
) {
  Deno.test(`--any-source sends the remote ${name} for strangers only in the kinds that it has sent`, async () => {
    await using it = await open(options);
    assertEquals(await it.passOn(data(1)), undefined);
    assertMatch(
      it.problems.at(-1)!.message,
      /expected none, because 127\.0\.0\.1:\d+ has not sent a sample yet/,
    );
    await it.ask([data(1, 2n)]);
    assert(await it.passOn(data(5, 6n)) !== undefined);
    assert(await it.passOn(data(5)) !== undefined);
    assert(await it.passOn(data()) !== undefined);
    for (
      const values of [[1, 2], [1n, 2n], [1, 2n, 3], [true], [null], [{ real: 1, imag: 1 }, 2n]]
    ) {
      assertEquals(await it.passOn(data(...values)), undefined);
      assertEquals(it.problems.at(-1)!.kind, "refused");
    }
    assertEquals(await it.passOn(data(1), data(1n)), undefined); // all of a message or nothing
    assertEquals(await it.passOn({ type: "start", values: [1] }), undefined);
    // What a stranger has sent meanwhile is not what the remote takes.
    assertEquals(await it.passOn(data(1, 2)), undefined);
    await it.ask([data(true), data(1, 2)]); // the remote has been started again
    assert(await it.passOn(data(1, 2)) !== undefined);
    assertEquals(await it.passOn(data(5, 6n)), undefined);
    const { refused: count, replies, messages } = it.echo.stats;
    assertEquals(count + replies, messages);
  });
}

Deno.test("--any-source sends the remote constants in its own kinds, whoever asked for them", async () => {
  await using it = await open({ constant: [1, 2] });
  assertEquals(await it.passOn(data(0, 0)), undefined);
  await it.ask([data(0n, 0, 0)]);
  assertEquals((await it.passOn(data(true)))![0]!.values, [1n, 2]);
  assertEquals((await it.passOn(data(0, 0, 0, 0, 0)))![0]!.values, [1n, 2]);
  await it.node.send(villasProtobuf.encode([data(0n)]), it.echo.addr); // its own reply is refused
  assertEquals(await it.passOn(data(0, 0)), undefined);
});

Deno.test("--any-source with stated signals needs not wait for the remote", async () => {
  await using it = await open({ signals: "fi" });
  assertEquals((await it.passOn(data(1, 2n)))![0]!.values, [1, 2n]);
  assertEquals(await it.passOn(data(1, 2)), undefined);
});

Deno.test("startVillasEcho() says what is wrong with signals before it binds anything", async () => {
  await assertRejects(() => lab({ signals: "5x" }), UsageError, 'Cannot read signals "5x"');
});
