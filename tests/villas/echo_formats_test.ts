/** What villas-echo sends back in each format is read by VILLASnode as what it sent, and never ends it. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { villasFormat } from "../../lib/codecs/villas/formats.ts";
import type { Sample, Value } from "../../lib/codecs/villas/sample.ts";
import { parseSignals } from "../../lib/codecs/villas/signals.ts";
import { UsageError } from "../../lib/errors.ts";
import { bindDatagram } from "../../lib/net/datagram/datagram.ts";
import { startVillasEcho } from "../../lib/villas/echo.ts";
import type { VillasEchoOptions } from "../../lib/villas/echo_options.ts";
import { startVillasSignal } from "../../lib/villas/signal_source.ts";
import { hexLines } from "../fixtures/read.ts";
import { type Kind, villasnodeReads } from "./villasnode_reader.ts";

const anywhere = { hostname: "127.0.0.1", port: 0 };

/** An echo, and who speaks with it. */
async function lab(options: VillasEchoOptions) {
  const node = await bindDatagram({ listen: anywhere });
  const problems: string[] = [];
  let told = Promise.withResolvers<null>();
  const echo = await startVillasEcho({
    listen: anywhere,
    remote: node.addr,
    onProblem({ message }) {
      problems.push(message);
      told.resolve(null);
    },
    ...options,
  });
  return {
    node,
    echo,
    problems,
    /** Resolves with null at the next problem. */
    problem(): Promise<null> {
      told = Promise.withResolvers();
      return told.promise;
    },
    async ask(bytes: Uint8Array): Promise<Uint8Array> {
      await node.send(bytes, echo.addr);
      return (await node.receive())!.bytes.slice();
    },
    async [Symbol.asyncDispose]() {
      await echo.close();
      await node.close();
    },
  };
}

const kindsOf = (signals: string) => parseSignals(signals).map(({ type }): Kind => type);
const namesOf = (signals: string) => parseSignals(signals).map(({ name }) => name);
/** The name and the settings of a format, for the reader. */
function settingsOf(notation: string, signals: string) {
  const [name = "", ...parts] = notation.split(",");
  const given = Object.fromEntries(parts.map((part) => part.split("=")));
  return [name, {
    names: namesOf(signals),
    ...(given.bits && { bits: Number(given.bits) }),
    ...(given.endianess && { big: given.endianess === "big" }),
    ...(given.fake && { fake: true }),
  }] as const;
}

const NAMED = "f:float,i:integer,b:boolean,z:complex";

/** Rows of: capture, format, signals. */
const CAPTURES: readonly (readonly [string, string, string])[] = [
  ["formats/villas.human", "villas.human", NAMED],
  ["formats/json", "json", NAMED],
  ["formats/json.kafka", "json.kafka", NAMED],
  ["formats/json.edgeflex", "json.edgeflex", NAMED],
  ["formats/csv", "csv", NAMED],
  ["formats/tsv", "tsv", NAMED],
  ["formats/value", "value", "f"],
  ["formats/raw", "raw", NAMED],
  ["formats/raw.16.little", "raw,bits=16", "5i"],
  ["formats/raw.16.big", "raw,bits=16,endianess=big", "5i"],
  ["formats/raw.8", "raw,bits=8", "ib"],
  ["formats/raw.32.big", "raw,endianess=big", NAMED],
  ["formats/raw.64.little", "raw,bits=64", NAMED],
  ["formats/raw.64.big", "raw,bits=64,endianess=big", NAMED],
  ["formats/gtnet", "gtnet", NAMED],
  ["formats/opal.asyncip", "opal.asyncip", "4f"],
  ["wire-human", "villas.human", "5f"],
  ["wire-json", "json", "5f"],
  ["wire-csv", "csv", "5f"],
  ["wire-tsv", "tsv", "5f"],
  ["wire-binary", "villas.binary", "5f"],
  ["wire-raw32be", "raw,endianess=big", "5f"],
  ["wire-raw64", "raw,bits=64", "5f"],
];

for (const [capture, notation, signals] of CAPTURES) {
  const unstated = !signals.includes("complex") && !signals.includes("i");
  for (const options of unstated ? [{}, { signals }] : [{ signals }]) {
    const how = "signals" in options ? "stated" : "not stated";
    Deno.test(`an echo of ${capture} as ${notation}, signals ${how}, is read as what was sent`, async () => {
      const datagrams = await hexLines(`${capture}.hex`);
      const sent = villasFormat(notation, { signals });
      const [name, settings] = settingsOf(notation, signals);
      await using it = await lab({ codec: villasFormat(notation), ...options });
      for (const bytes of datagrams) {
        const [sample] = sent.decode(bytes);
        const read = villasnodeReads(name, await it.ask(bytes), kindsOf(signals), settings)!;
        assertEquals(read.values, sample!.values);
        if (read.sequence !== undefined) assertEquals(read.sequence, sample!.sequence);
        if (read.origin !== undefined) {
          assertEquals(read.origin, [sample!.origin!.sec, sample!.origin!.nsec]);
        }
      }
      assertEquals([it.problems, it.echo.stats.refused], [[], 0]);
    });
  }
}

/** Floats that are hard to write. */
const EDGES = [
  0,
  -0,
  1,
  -1.5,
  0.1,
  1 / 3,
  1e-7,
  1.2246467991473532e-16,
  1e-20,
  5e-324,
  123456789.125,
  1e22,
  1.7976931348623157e308,
];
const NOT_FINITE = [NaN, Infinity, -Infinity];

for (
  const [notation, signals] of [
    ["protobuf", "fibc"],
    ["villas.human", "fibc"],
    ["villas.binary", "fi"],
    ["villas.web", "fi"],
    ["json", "fibc"],
    ["json,indent=2", "fibc"],
    ["json,compact=true,sort_keys=true", "fibc"],
    ["json.kafka", NAMED],
    ["json.edgeflex", NAMED],
    ["json.reserve", NAMED],
    ["csv", "fibc"],
    ["tsv", "fibc"],
    ["value", "f"],
    ["raw", "fibc"],
    ["raw,bits=64,fake=true", "fibc"],
    ["raw,fake=true", "fibc"],
    ["raw,bits=64,endianess=big", "fibc"],
    ["gtnet", "fibc"],
    ["gtnet,fake=true", "fibc"],
    ["opal.asyncip", "fib"],
  ] as const
) {
  const kinds = kindsOf(signals);
  const format = villasFormat(notation, { signals });
  const { carried } = format;
  const [name, settings] = settingsOf(notation, signals);
  const message = (values: Value[]): Sample => ({
    type: "data",
    ...(carried.sequence && { sequence: 7n }),
    origin: { sec: 1_700_000_000, nsec: 500_000_000 },
    values,
  });

  Deno.test(`what a handler answers in ${notation} is read bit for bit, or refused`, async () => {
    const handler = (): { values: Value[] } => ({ values });
    let values: Value[] = [];
    await using it = await lab({ codec: villasFormat(notation), signals, handler });
    const plain = ([1.5, 7n, true, { real: 1, imag: 2 }] as Value[]).slice(0, kinds.length);
    let refused = 0;
    let answering = it.node.receive();
    for (const float of [...EDGES, ...NOT_FINITE]) {
      for (const integer of [0n, 1n, 2147483647n, -1n, 2n ** 62n, -(2n ** 63n)]) {
        values = plain.with(0, float);
        if (kinds[1] === "integer") values = values.with(1, integer);
        const request = format.encode([message(plain)]);
        const problem = it.problem();
        await it.node.send(request, it.echo.addr);
        const answer = await Promise.race([answering, problem]);
        if (answer === null) {
          refused++;
          continue;
        }
        const bytes = answer!.bytes.slice();
        answering = it.node.receive();
        if (name === "protobuf") continue;
        const read = villasnodeReads(name, bytes, kinds, settings)!;
        const exact = carried.exact || carried.notFinite && format.text || name.startsWith("json");
        assertEquals(read.values, exact ? values : values.with(0, Math.fround(float)));
      }
    }
    const total = (EDGES.length + NOT_FINITE.length) * 6;
    assert(refused < total, "some were answered");
    if (name === "protobuf" || name === "villas.human" || name === "csv") assertEquals(refused, 0);
    assertEquals(it.echo.stats.failed, 0);
  });

  Deno.test(`a constant in ${notation} is read as it is`, async () => {
    const constant = [0.1, 7, 1, 2].slice(0, kinds.length);
    await using it = await lab({ codec: villasFormat(notation), signals, constant });
    const plain = ([1.5, 7n, false, { real: 1, imag: 2 }] as Value[]).slice(0, kinds.length);
    const answer = await it.ask(format.encode([message(plain)]));
    if (name === "protobuf") return;
    const single = !carried.exact && !format.text;
    const first = single ? Math.fround(0.1) : 0.1;
    assertEquals(
      villasnodeReads(name, answer, kinds, settings)!.values,
      [first, 7n, true, { real: 2, imag: 0 }].slice(0, kinds.length),
    );
  });
}

Deno.test("several samples in a datagram of raw are answered one by one, as VILLASnode reads them", async () => {
  const codec = villasFormat("raw,bits=64", { signals: "2f" });
  await using it = await lab({ codec, signals: "2f" });
  const samples = [[1, 2], [3, 4], [5, 6]].map((values): Sample => ({ type: "data", values }));
  await it.node.send(codec.encode(samples), it.echo.addr);
  for (const { values } of samples) {
    const { bytes } = (await it.node.receive())!;
    assertEquals(villasnodeReads("raw", bytes, ["float", "float"], { bits: 64 })!.values, values);
  }
});

Deno.test("a negative integer is not sent back in villas.binary, which VILLASnode would read as another", async () => {
  await using it = await lab({ codec: villasFormat("villas.binary"), signals: "fi" });
  const [, negative, positive] = await hexLines("formats/villas.binary.hex");
  await it.node.send(negative!, it.echo.addr);
  assertEquals(await it.ask(positive!), positive);
  assertEquals(it.echo.stats.refused, 1);
  assertStringIncludes(
    it.problems[0]!,
    "VILLASnode reads its integers without a sign; protobuf carries it",
  );
});

/** Rows of: options, and what is said before anything is bound. */
const REFUSED: readonly (readonly [VillasEchoOptions, string])[] = [
  [{ codec: villasFormat("iotagent_ul") }, "VILLASnode writes it, but does not read it"],
  [{ codec: villasFormat("raw,bits=8") }, "values are floats unless --signals says otherwise"],
  [{ codec: villasFormat("villas.binary"), signals: "fc" }, 'signal "signal1" is a complex'],
  [{ codec: villasFormat("json"), constant: [1, NaN] }, "Cannot answer with constant NaN"],
  [{ codec: villasFormat("raw"), constant: [1e300] }, "Cannot answer with constant 1e+300"],
  [{ codec: villasFormat("json.kafka"), constant: [1] }, "it names the values; state them"],
  [{ codec: villasFormat("json.edgeflex"), handler: () => null }, "it names the values"],
];

for (const [options, says] of REFUSED) {
  Deno.test(`startVillasEcho() does not start with ${options.codec!.name}: ${says}`, async () => {
    const error = await assertRejects(
      () => startVillasEcho({ listen: anywhere, ...options }),
      UsageError,
    );
    assertStringIncludes(error.message, says);
  });
}

for (
  const notation of [
    "villas.binary",
    "villas.web",
    "csv",
    "tsv",
    "json.kafka",
    "json.reserve",
    "raw,fake=true",
    "raw,bits=64,fake=true",
    "gtnet,fake=true",
    "opal.asyncip",
    "json,real_precision=5",
    "villas.human,real_precision=3",
  ]
) {
  Deno.test(`startVillasSignal() and startVillasEcho() exchange samples as ${notation}, unchanged but for what it rounds`, async () => {
    const codec = villasFormat(notation);
    await using echo = await startVillasEcho({
      listen: anywhere,
      anySource: true,
      replyTo: "sender",
      codec,
    });
    await using source = await startVillasSignal({
      listen: anywhere,
      to: echo.addr,
      codec,
      type: "sine",
      frequency: [70],
      rate: 1000,
      limit: 20,
      values: 3,
    });
    await source.finished;
    const { returned, changed, invalid } = source.stats;
    assertEquals([returned, changed, invalid, echo.stats.refused], [20, 0, 0, 0]);
  });
}

Deno.test("startVillasSignal() only sends in a format without sequence numbers, and says so", async () => {
  const codec = villasFormat("gtnet");
  const error = await assertRejects(
    () => startVillasSignal({ listen: anywhere, codec }),
    UsageError,
  );
  assertStringIncludes(
    error.message,
    "it carries no sequence number; only send, with --no-return, or use gtnet,fake=true",
  );
  await assertRejects(
    () => startVillasSignal({ listen: anywhere, codec, vectorize: 2, returns: false }),
    UsageError,
  );
  await using peer = await bindDatagram({ listen: anywhere });
  await using source = await startVillasSignal({
    listen: anywhere,
    to: peer.addr,
    codec,
    type: "constant",
    amplitude: [2.5],
    values: 2,
    limit: 1,
    returns: false,
  });
  await source.finished;
  assertEquals((await peer.receive())!.bytes.toHex(), "4020000040200000");
});
