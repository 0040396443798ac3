/** What villas-echo sends back in each format is read by VILLASnode as what it sent, and never ends it. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { villasFormat } from "../../lib/codecs/villas/formats.ts";
import type { Sample, Value } from "../../lib/codecs/villas/sample.ts";
import { parseSignals } from "../../lib/codecs/villas/signals.ts";
import { CodecError, UsageError } from "../../lib/errors.ts";
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

for (const notation of ["raw,fake=true", "raw,bits=64,fake=true", "gtnet,fake=true"]) {
  Deno.test(`several samples in a datagram of ${notation} are told apart by their numbers, signals not stated`, async () => {
    const codec = villasFormat(notation);
    await using it = await lab({ codec });
    const [name, settings] = settingsOf(notation, "2f");
    const bits = notation.includes("64") ? 64 : 32;
    for (const first of [41n, 2n ** BigInt(bits) - 2n]) { // 0 comes after the largest number
      const samples = [[1, 2], [3, 4], [5, 6]].map((values, i): Sample => ({
        type: "data",
        sequence: BigInt.asUintN(bits, first + BigInt(i)),
        origin: { sec: 1_795_253_843 + (i >> 1), nsec: i === 1 ? 999_999_999 : 0 },
        values,
      }));
      assertEquals(codec.decode(codec.encode(samples)), samples);
      await it.node.send(codec.encode(samples), it.echo.addr);
      for (const { values, sequence } of samples) {
        const { bytes } = (await it.node.receive())!;
        const read = villasnodeReads(name, bytes.slice(), ["float", "float"], settings)!;
        assertEquals([read.values, read.sequence], [values, sequence]);
      }
      // One of several values that are all the same is one.
      const one = { ...samples[0]!, values: new Array(7).fill(0) };
      assertEquals(codec.decode(codec.encode([one])), [one]);
    }
  });
}

const utf8 = new TextEncoder();

/** Rows of: format, signals, what arrives and what goes back, or the refusal. */
const ODD: readonly (readonly [string, string | undefined, string, string | RegExp])[] = [
  // What VILLASnode would abort on, or take for another sample, is rewritten.
  [
    "villas.human",
    "2f",
    "1.5(3)\t1\t2",
    "1.000000005(3)\t1.00000000000000000\t2.00000000000000000\n",
  ],
  ["villas.human", undefined, "1.5(3)\t1.5\t2\r\n", "1.000000005(3)\t1.50000000000000000\t2\n"],
  ["villas.human", undefined, "# by hand\n1.5(3)\t2\n", "1.000000005(3)\t2\n"],
  ["villas.human", undefined, "1.5(3)\t2\n\n", "1.000000005(3)\t2\n"],
  ["villas.human", undefined, "1.5(3)\t2\n1.6(4) 3\n", "1.5(3)\t2\n1.6(4) 3\n"],
  ["value", undefined, "1.5", "1.50000000000000000\n"],
  ["json", "fi", '[{"data": [1, 2]}]', '[{"data": [1.0, 2]}]'],
  ["json", "fi", '{"data": [1.5, 2]}', '[{"data": [1.5, 2]}]'],
  [
    "json,indent=1",
    "fi",
    '[\n {\n  "data": [\n   1.5,\n   2\n  ]\n }\n]',
    '[\n {\n  "data": [\n   1.5,\n   2\n  ]\n }\n]',
  ],
  [
    "json",
    "fi",
    '[{"flags": ["new_simulation"], "data": [1.5, 2]}]',
    '[{"flags": ["new_simulation"], "data": [1.5, 2]}]',
  ],
  [
    "json",
    "fi",
    '[{"data": [2]}]',
    /fewer values than signals, as where VILLASnode leaves out NaN/,
  ],
  [
    "json.edgeflex",
    "f",
    '[{"signal0": 1.5, "signal_7": 2, "created": 0}]',
    '[{"signal0": 1.5, "created": 0}]',
  ],
  ["json.edgeflex", "f", '[{"signal0": 1, "created": 0}]', '[{"signal0": 1.0, "created": 0}]'],
  // What VILLASnode leaves out by its settings, it still wants to read.
  [
    "villas.human,ts_origin=false",
    "f",
    "(7)\t1.50000000000000000\n",
    "0.0(7)\t1.50000000000000000\n",
  ],
  ["villas.human,skip_first_line=true", "f", "1.5(7)\t1.5\n", "1.5(7)\t1.5\n"],
  ["csv,ts_origin=false", "f", "7,1.50000000000000000\n", "0,000000000,0,7,1.50000000000000000\n"],
  // Without a time, its line begins with the separator.
  ["csv,ts_origin=false", "f", ",7,1.50000000000000000\n", "0,000000000,0,7,1.50000000000000000\n"],
  [
    "tsv,ts_origin=false",
    "2f",
    "\t7\t1.5\t2.5\n",
    "0\t000000000\t0\t7\t1.50000000000000000\t2.50000000000000000\n",
  ],
  [
    "csv,ts_origin=false,sequence=false",
    "2f",
    ",1.5,2.5\n",
    "0,000000000,0,0,1.50000000000000000,2.50000000000000000\n",
  ],
  ["csv,data=false", "f", "1,000000005,7\n", "1,000000005,0,7\n"],
  ["csv,data=false", "f", "1,000000005,7,1.5\n", "1,000000005,0,7,1.50000000000000000\n"],
  [
    "json.kafka,ts_origin=false",
    "f",
    '[{"payload": {"sequence": 7, "signal0": 1.5}}]',
    '[{"payload": {"sequence": 7, "signal0": 1.5}}]',
  ],
  [
    "json.kafka,sequence=false",
    "f",
    '[{"payload": {"timestamp": 5, "signal0": 1.5}}]',
    '[{"payload": {"timestamp": 5, "signal0": 1.5}}]',
  ],
  [
    "csv,sequence=false",
    "f",
    "1,000000005,1.50000000000000000\n",
    "1,000000005,0,0,1.50000000000000000\n",
  ],
  [
    "csv,ts_origin=false,sequence=false",
    "f",
    "1.50000000000000000\n",
    "0,000000000,0,0,1.50000000000000000\n",
  ],
  ["csv", "f", "nan,nan,nan,1.50000000000000000\n", "0,000000000,0,0,1.50000000000000000\n"],
  [
    "json,data=false",
    "f",
    '[{"ts": {"origin": [1, 5]}, "sequence": 7}]',
    '[{"ts": {"origin": [1, 5]}, "sequence": 7, "data": []}]',
  ],
];

for (const [notation, signals, arrives, wanted] of ODD) {
  const how = signals === undefined ? "" : ` with signals ${signals}`;
  Deno.test(`an echo of ${JSON.stringify(arrives)} as ${notation}${how} is what VILLASnode reads`, async () => {
    await using it = await lab({ codec: villasFormat(notation), signals });
    if (typeof wanted === "string") {
      const answer = await it.ask(utf8.encode(arrives));
      assertEquals(new TextDecoder().decode(answer), wanted);
      return;
    }
    const problem = it.problem();
    await it.node.send(utf8.encode(arrives), it.echo.addr);
    await problem;
    assertMatch(it.problems[0]!, wanted);
    assertEquals(it.echo.stats.replies, 0);
  });
}

Deno.test("a handler that changes nothing sends a line back as VILLASnode reads it", async () => {
  await using it = await lab({ codec: villasFormat("villas.human"), handler: (sample) => sample });
  const answer = await it.ask(utf8.encode("1.5(3)\t2.5\r\n"));
  assertEquals(new TextDecoder().decode(answer), "1.000000005(3)\t2.50000000000000000\n");
});

Deno.test("a sample of json that is changed keeps its marks", async () => {
  const handler = ({ values }: Sample) => ({
    values: values.map((value) => (value as number) * 2),
  });
  const batchHandler = (samples: readonly Sample[]) =>
    Promise.resolve({
      replies: samples.map((sample, index) => ({ index, sample: handler(sample) })),
      faults: [],
    });
  for (const how of [{ handler }, { batchHandler }]) {
    await using it = await lab({ codec: villasFormat("json"), ...how });
    for (const flags of ["new_simulation", "new_frame", 'new_simulation", "new_frame']) {
      const answer = await it.ask(utf8.encode(`[{"flags": ["${flags}"], "data": [1.5]}]`));
      assertEquals(new TextDecoder().decode(answer), `[{"flags": ["${flags}"], "data": [3.0]}]`);
    }
  }
});

Deno.test("samples of csv without a number are answered with numbers that count", async () => {
  await using it = await lab({ codec: villasFormat("csv,sequence=false") });
  for (const number of [0, 1, 2]) {
    const answer = await it.ask(utf8.encode("1,000000005,2.50000000000000000\n"));
    const text = new TextDecoder().decode(answer);
    assertEquals(text, `1,000000005,0,${number},2.50000000000000000\n`);
  }
});

/** Rows of: format, signals, a whole sample, one of which VILLASnode has left out a value, and what is said. */
const LEFT_OUT: readonly (readonly [string, string | undefined, string, string, string])[] = [
  [
    "json",
    undefined,
    '[{"data": [1.5, 2.5]}]',
    '[{"data": [2.5]}]',
    "it has 1 value, and 2 came before. In format json VILLASnode leaves out NaN and infinities, so that those behind them move up; protobuf and villas.human carry them",
  ],
  [
    "json",
    "2f",
    '[{"data": [1.5, 2.5]}]',
    '[{"data": [2.5]}]',
    "it has 1 value, and there are 2 signals. In format json VILLASnode leaves out NaN and infinities, so that those behind them move up; protobuf and villas.human carry them; if it has fewer, state those with --signals",
  ],
  [
    "json.kafka",
    undefined,
    '[{"schema": {"fields": [{"field": "a"}, {"field": "b"}]}, "payload": {"a": 1.5, "b": 2.5}}]',
    '[{"schema": {"fields": [{"field": "a"}, {"field": "b"}]}, "payload": {"b": 2.5}}]',
    "value 0 is missing. In format json.kafka VILLASnode leaves out NaN and infinities, and would read an old value",
  ],
  [
    "json.kafka",
    "a:float,b:float",
    '[{"payload": {"a": 1.5, "b": 2.5}}]',
    '[{"payload": {"a": 2.5}}]',
    'value 1 ("b") is missing',
  ],
  [
    "json.edgeflex",
    undefined,
    '[{"a": 1.5, "b": 2.5, "created": 1}]',
    '[{"b": 2.5, "created": 1}]',
    "it has 1 value, and 2 came before",
  ],
  [
    "json.edgeflex",
    "a:float,b:float",
    '[{"a": 1.5, "b": 2.5, "created": 1}]',
    '[{"b": 2.5, "created": 1}]',
    'value 0 ("a") is missing',
  ],
  [
    "json.reserve",
    undefined,
    '[{"measurements": [{"name": "a", "value": 1.5}, {"name": "b", "value": 2.5}]}]',
    '[{"measurements": [{"name": "b", "value": 2.5}]}]',
    "it has 1 value, and 2 came before",
  ],
  [
    "json.reserve",
    "a:float,b:float",
    '[{"measurements": [{"name": "a", "value": 1.5}, {"name": "b", "value": 2.5}]}]',
    '[{"measurements": [{"name": "b", "value": 2.5}]}]',
    'value 0 ("a") is missing',
  ],
];

for (const [notation, signals, whole, short, says] of LEFT_OUT) {
  const how = signals === undefined ? "not stated" : "stated";
  Deno.test(`a value that VILLASnode left out of ${notation}, signals ${how}, is never answered with another`, async () => {
    for (const options of [{}, { handler: (sample: Sample) => sample }]) {
      if ("handler" in options && notation !== "json" && signals === undefined) continue;
      await using it = await lab({ codec: villasFormat(notation), signals, ...options });
      assertEquals(await it.ask(utf8.encode(whole)), utf8.encode(whole));
      const problem = it.problem();
      await it.node.send(utf8.encode(short), it.echo.addr);
      await problem;
      assertStringIncludes(it.problems[0]!, `Refused to answer a sample: ${says}`);
      await it.ask(utf8.encode(whole));
      assertEquals([it.echo.stats.replies, it.echo.stats.refused], [2, 1]);
    }
  });
}

for (const handler of [undefined, (sample: Sample) => sample]) {
  const how = handler ? "a handler" : "an echo";
  Deno.test(`${how} of json refuses values that moved up behind a NaN: VILLASnode would abort`, async () => {
    await using it = await lab({ codec: villasFormat("json"), handler });
    await it.ask(utf8.encode('[{"sequence": 1, "data": [1.5, 3]}]'));
    const problem = it.problem();
    await it.node.send(utf8.encode('[{"sequence": 2, "data": [3]}]'), it.echo.addr);
    await problem;
    await it.ask(utf8.encode('[{"sequence": 3, "data": [1.5, 4]}]'));
    await it.ask(utf8.encode('[{"sequence": 4, "data": [1.5, 4.5, 2]}]')); // others are configured there
    assertEquals([it.echo.stats.replies, it.echo.stats.refused], [3, 1]);
  });

  Deno.test(`${how} of raw without signals refuses more values than VILLASnode has by default`, async () => {
    await using it = await lab({ codec: villasFormat("gtnet"), handler });
    const problem = it.problem();
    await it.node.send(new Uint8Array(4 * 65), it.echo.addr);
    await problem;
    assertStringIncludes(it.problems[0]!, "65 values: expected at most 64, as many as VILLASnode");
    assertEquals((await it.ask(new Uint8Array(4 * 64))).length, 256);
    assertEquals([it.echo.stats.replies, it.echo.stats.refused], [1, 1]);
  });
}

Deno.test("opal.asyncip with more values than VILLASnode fills in is refused", () => {
  const many = { type: "data" as const, sequence: 1n, values: new Array(64).fill(1.5) };
  const bytes = villasFormat("opal.asyncip").encode([many]);
  const more = new Uint8Array(bytes.length + 8);
  more.set(bytes);
  more[7] = 2; // 65 * 8 bytes
  more[6] = 8;
  assertThrows(() => villasFormat("opal.asyncip").decode(more), CodecError, "at most 64 values");
  assertThrows(
    () => villasFormat("opal.asyncip", { signals: "65f" }).check(),
    UsageError,
    "64 values at most",
  );
});

for (const name of ["villas.binary", "villas.web"]) {
  Deno.test(`an echo of ${name} keeps the source index, signals stated or not`, async () => {
    const sample: Sample = {
      type: "data",
      sequence: 1n,
      origin: { sec: 1, nsec: 5 },
      values: [1.5, 7n],
    };
    const bytes = villasFormat(`${name},source_index=5`, { signals: "fi" }).encode([
      sample,
      sample,
    ]);
    for (const signals of [undefined, "fi"]) {
      await using it = await lab({ codec: villasFormat(name), signals });
      assertEquals(await it.ask(bytes), bytes);
    }
  });
}

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
    "csv,ts_origin=false",
    "tsv,ts_origin=false",
    "json.kafka,ts_origin=false",
    "json.reserve,ts_origin=false",
    "json,ts_origin=false",
    "villas.human,ts_origin=false",
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

Deno.test("an integer that is no float of 64 bits is refused where a float is expected, as from Python", async () => {
  const problems: string[] = [];
  const values = [2n, 2n ** 53n + 1n, 10n ** 400n];
  await using it = await lab({
    codec: villasFormat("json"),
    batchHandler: (samples) =>
      Promise.resolve({
        replies: samples.map(({ sequence }, index) => ({
          index,
          sample: { values: [values[Number(sequence)]!] },
        })),
        faults: [],
      }),
    onProblem: ({ message }) => problems.push(message),
  });
  const message = (n: number) => utf8.encode(`[{"sequence": ${n}, "data": [0.5]}]`);
  for (const n of [1, 2]) await it.node.send(message(n), it.echo.addr);
  const answer = new TextDecoder().decode(await it.ask(message(0)));
  assertEquals(answer, '[{"sequence": 0, "data": [2.0]}]');
  assertEquals(problems.length, 2);
  assertStringIncludes(problems[0]!, "9007199254740993");
});
