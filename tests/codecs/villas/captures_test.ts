/** What a running VILLASnode sent in each format: it decodes to what was sent, and encodes to the same bytes. */

import { assert, assertEquals } from "@std/assert";
import { villasFormat } from "../../../lib/codecs/villas/formats.ts";
import type { Sample, Value } from "../../../lib/codecs/villas/sample.ts";
import { hexLines } from "../../fixtures/read.ts";

const NAMED = "f:float,i:integer,b:boolean,z:complex";

/** The values of `types.dat`, which VILLASnode sent in every format that carries all kinds. */
const TYPES: readonly (readonly [number, Value[]])[] = [
  [1, [0, 0n, false, { real: 0, imag: 0 }]],
  [100_000_000, [-0.5, -1n, true, { real: -1.5, imag: 2.25 }]],
  [200_000_000, [1234567.890625, 100n, false, { real: 0.5, imag: -0.25 }]],
  [300_000_000, [0.1, 127n, true, { real: Math.fround(0.1), imag: Math.fround(0.2) }]],
  [400_000_000, [3.141592653589793, -128n, false, { real: 1, imag: 0 }]],
  [999_999_999, [1, 42n, true, { real: 0, imag: 1 }]],
];
/** The values of `ib.dat`. */
const INTEGERS: Value[][] = [
  [0n, false],
  [1n, true],
  [-1n, false],
  [127n, true],
  [-128n, false],
  [44n, true], // 300 was sent, and cut to 8 bits
];

type Change = (sample: Sample, index: number) => Sample;

const whole: Change = (sample) => sample;
const timed = (nsec: (nsec: number) => number): Change => ({ origin, ...sample }) => {
  const total = nsec(origin!.nsec);
  return {
    ...sample,
    origin: { sec: origin!.sec + Math.floor(total / 1e9), nsec: total % 1e9 },
  };
};
/** Cut to milliseconds, of which VILLASnode made a double before: the last one is rounded up. */
const millis = timed((nsec) => nsec === 999_999_999 ? 1_000_000_000 : nsec - nsec % 1_000_000);
const values = (change: (value: Value, index: number) => Value): Change => (sample) => ({
  ...sample,
  values: sample.values.map(change),
});
const single = values((value) => typeof value === "number" ? Math.fround(value) : value);
const without = (...names: ("sequence" | "origin")[]): Change => (sample) => {
  const rest = { ...sample };
  for (const name of names) delete rest[name];
  return rest;
};
const first = (count: number): Change => (sample) => ({
  ...sample,
  values: sample.values.slice(0, count),
});
const all = (...changes: Change[]): Change => (sample, i) =>
  changes.reduce((sample, change) => change(sample, i), sample);
const raw = without("sequence", "origin");
/** What VILLASnode makes of a value in 16 bits, where it has no floats. */
const short = values((value) =>
  typeof value === "number" ? -1 : typeof value === "object" ? { real: -1, imag: -1 } : value
);
/** -1 and -128 are NaN as a float, which JSON leaves out. */
const reserved = values((value) => value === -1n || value === -128n ? null : value);
const real = values((value) =>
  typeof value === "object" && value !== null ? { real: value.real, imag: 0 } : value
);

/** Rows of: capture, format, signals, how what was sent looks in it. */
const CAPTURES: readonly (readonly [string, string, string, Change])[] = [
  ["protobuf", "protobuf", NAMED, whole],
  ["villas.human", "villas.human", NAMED, whole],
  ["villas.binary", "villas.binary", "fi", all(single, first(2))],
  ["villas.web", "villas.web", "fi", all(single, first(2))],
  ["json", "json", "", whole],
  ["json", "json", NAMED, whole],
  ["json.kafka", "json.kafka", NAMED, millis],
  ["json.edgeflex", "json.edgeflex", NAMED, all(millis, without("sequence"))],
  ["json.reserve", "json.reserve", NAMED, all(millis, reserved)],
  ["csv", "csv", NAMED, whole],
  ["tsv", "tsv", NAMED, whole],
  ["raw", "raw", NAMED, all(raw, single)],
  ["raw.16.little", "raw,bits=16", NAMED, all(raw, short)],
  ["raw.16.big", "raw,bits=16,endianess=big", NAMED, all(raw, short)],
  ["raw.32.little", "raw,bits=32,endianess=little", NAMED, all(raw, single)],
  ["raw.32.big", "raw,endianess=big", NAMED, all(raw, single)],
  ["raw.64.little", "raw,bits=64", NAMED, raw],
  ["raw.64.big", "raw,bits=64,endianess=big", NAMED, raw],
  ["gtnet", "gtnet", NAMED, all(raw, single)],
  ["opal.asyncip", "opal.asyncip", NAMED, all(without("origin"), real)],
];

for (const [capture, notation, signals, change] of CAPTURES) {
  Deno.test(`format ${notation} of signals "${signals}" decodes what VILLASnode sent, and encodes the same`, async () => {
    const format = villasFormat(notation, signals === "" ? {} : { signals });
    const datagrams = await hexLines(`formats/${capture}.hex`);
    assertEquals(datagrams.length, TYPES.length);
    for (const [i, [nsec, sent]] of TYPES.entries()) {
      const sample: Sample = {
        type: "data",
        sequence: BigInt(i),
        origin: { sec: 1_700_000_000, nsec },
        values: sent,
      };
      const decoded = format.decode(datagrams[i]!);
      assertEquals(decoded, [change(sample, i)]);
      assertEquals(format.encode(decoded), datagrams[i]);
    }
  });
}

Deno.test("format protobuf leaves out what its settings say, as VILLASnode does", async () => {
  const format = villasFormat("protobuf,sequence=false,ts_origin=false");
  for (const bytes of await hexLines("noseq.hex")) {
    const samples = format.decode(bytes).map((sample) => ({
      ...sample,
      sequence: 7n,
      origin: { sec: 1, nsec: 5 },
    }));
    for (const encode of [format.encode, format.replies.encode, format.stream.encoder().encode]) {
      assertEquals(encode(samples), bytes);
    }
    assert(samples.every(({ sequence }) => sequence === 7n));
  }
  assertEquals([format.carried.sequence, format.carried.origin], [false, false]);
});

Deno.test("format raw,bits=8 decodes what VILLASnode sent, and encodes the same", async () => {
  const format = villasFormat("raw,bits=8", { signals: "ib" });
  const datagrams = await hexLines("formats/raw.8.hex");
  assertEquals(datagrams.map(format.decode), INTEGERS.map((values) => [{ type: "data", values }]));
  assertEquals(datagrams.map((bytes) => format.encode(format.decode(bytes))), datagrams);
});

Deno.test("format value decodes what VILLASnode sent, and encodes the same", async () => {
  const format = villasFormat("value");
  const datagrams = await hexLines("formats/value.hex");
  assertEquals(format.decode(datagrams[4]!), [{ type: "data", values: [0.48392537454425472] }]);
  for (const bytes of datagrams) assertEquals(format.encode(format.decode(bytes)), bytes);
});

Deno.test("format iotagent_ul decodes what VILLASnode sent, and encodes the same, with the sign of a NaN", async () => {
  const format = villasFormat("iotagent_ul", { signals: "f:float,i:float,b:float,z:float" });
  const datagrams = await hexLines("formats/iotagent_ul.hex");
  assertEquals(format.decode(datagrams[1]!), [{ type: "data", values: [-0.5, NaN, 0, 4.000003] }]);
  for (const bytes of datagrams) assertEquals(format.encode(format.decode(bytes)), bytes);
});

/** Captures of the signal node, with five floats in each sample. */
const WIRES: Readonly<Record<string, string>> = {
  "wire-human": "villas.human",
  "wire-json": "json",
  "wire-csv": "csv",
  "wire-tsv": "tsv",
  "wire-binary": "villas.binary",
  "wire-raw32be": "raw,endianess=big",
  "wire-raw64": "raw,bits=64",
};

for (const [capture, notation] of Object.entries(WIRES)) {
  Deno.test(`format ${notation} encodes the capture ${capture} as it is, signals stated or not`, async () => {
    for (const options of [{}, { signals: "5f" }]) {
      const format = villasFormat(notation, options);
      const datagrams = await hexLines(`${capture}.hex`);
      for (const [i, bytes] of datagrams.entries()) {
        const samples = format.decode(bytes);
        const [sample] = samples;
        assertEquals(samples.length, 1);
        if (sample!.sequence !== undefined) assertEquals(sample!.sequence, BigInt(i));
        assert(sample!.values.every((value) => typeof value === "number" && Math.abs(value) <= 1));
        assertEquals(format.encode(samples), bytes);
      }
      if (notation.startsWith("raw")) continue;
      // Several samples in a datagram follow one another; JSON has them in one list.
      const samples = datagrams.flatMap(format.decode);
      const joined = datagrams.map((bytes) => new TextDecoder("latin1").decode(bytes)).join("")
        .replaceAll("][", ", ");
      assertEquals(new TextDecoder("latin1").decode(format.encode(samples)), joined);
      assertEquals(format.decode(format.encode(samples)), samples);
    }
  });
}
