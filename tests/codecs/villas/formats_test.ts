/** One row of each table gives a test of reading, of writing, and of the way there and back. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { villasFormat, villasFormats } from "../../../lib/codecs/villas/formats.ts";
import type { Sample } from "../../../lib/codecs/villas/sample.ts";
import { CodecError, UsageError } from "../../../lib/errors.ts";
import { random32 } from "../struct/random_values.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** What each format can carry of anything: signals, and what it leaves of a sample. */
const CARRIED: Readonly<
  Record<string, readonly [signals: string, keep: (sample: Sample) => Sample]>
> = {
  "protobuf": ["fibc", (sample) => sample],
  "villas.human": ["fibc", (sample) => sample],
  "villas.binary": ["fi", (sample) => halved(first(2)(sample))],
  "villas.web": ["fi", (sample) => halved(first(2)(sample))],
  "json": ["fibc", (sample) => sample],
  "json.kafka": ["fibc", timeless],
  "json.reserve": ["fibc", timeless],
  "json.edgeflex": ["fibc", (sample) => valuesOnly(sample)],
  "csv": ["fibc", (sample) => sample],
  "tsv": ["fibc", (sample) => sample],
  "value": ["f", (sample) => first(1)(valuesOnly(sample))],
  "raw": ["fibc", (sample) => halved(valuesOnly(sample))],
  "gtnet": ["fibc", (sample) => halved(valuesOnly(sample))],
  "opal.asyncip": ["fib", (sample) => first(3)(timeless(sample))],
  "iotagent_ul": [
    "f",
    (sample) => ({ type: "data", values: [Math.round(sample.values[0] as number)] }),
  ],
};

function first(count: number) {
  return (sample: Sample): Sample => ({ ...sample, values: sample.values.slice(0, count) });
}

function timeless({ origin: _, ...sample }: Sample): Sample {
  return sample;
}

function valuesOnly({ type, values }: Sample): Sample {
  return { type, values };
}

function halved(sample: Sample): Sample {
  const values = sample.values.map((value) =>
    typeof value === "number"
      ? Math.fround(value)
      : typeof value === "bigint"
      ? BigInt.asIntN(31, value)
      : value
  );
  return { ...sample, values };
}

/** Samples of a float, an integer, a boolean and a complex value. */
function* samplesOf(count: number): Generator<Sample> {
  const random = random32(11);
  for (let i = 0; i < count; i++) {
    yield {
      type: "data",
      sequence: BigInt(random()),
      origin: { sec: 1 + random() % 4_000_000_000, nsec: random() % 1_000_000_000 },
      values: [
        (random() - 2 ** 31) / 2 ** (random() % 24) || 0.5,
        BigInt(random() - 2 ** 31) * (random() % 2 ? 1n : 4096n) || 1n,
        random() % 2 === 1,
        { real: Math.fround(random() / 65536), imag: -Math.fround(random() / 7) },
      ],
    };
  }
}

Deno.test("every format is in the table of tests", () => {
  assertEquals(Object.keys(CARRIED).sort(), Object.keys(villasFormats).sort());
});

for (const [name, [signals, keep]] of Object.entries(CARRIED)) {
  const format = villasFormat(name, { signals });

  Deno.test(`format ${name} decodes what it encodes`, () => {
    format.check();
    assertEquals(format.decode(format.encode([])), []);
    let count = 0;
    for (const sample of samplesOf(500)) {
      let kept = keep(sample);
      if (name === "json.reserve") {
        const { real } = kept.values[3] as { real: number };
        kept = {
          ...kept,
          values: [kept.values[0]!, BigInt(count), true, { real: Math.fround(real), imag: 1 }],
        };
      }
      if (!format.carried.exact) kept = { ...kept, values: kept.values.map(rounded) };
      assertEquals(format.decode(format.encode([kept])), [kept]);
      if (format.carried.readByNode) assertEquals(format.decode(format.encode([kept])), [kept]);
      count++;
    }
    assertEquals(count, 500);
  });

  if (format.carried.samples > 1) {
    Deno.test(`format ${name} carries several samples in a datagram`, () => {
      const samples = [...samplesOf(5)].map(keep).map((sample) => ({
        ...sample,
        values: sample.values.map((value) => typeof value === "bigint" ? 7n : rounded(value)).map((
          value,
        ) => typeof value === "object" && value !== null ? { real: 1.5, imag: 2 } : value),
      }));
      assertEquals(format.decode(format.encode(samples)), samples);
      assertEquals(format.replies.decode(format.replies.encode(samples)).length, 5);
    });
  }

  Deno.test(`format ${name} throws nothing but CodecError, whatever the bytes`, () => {
    const random = random32(7);
    const datagrams = [...samplesOf(20)].map(keep).flatMap((sample) => {
      try {
        return [format.encode([sample])];
      } catch {
        return []; // a float of random bits that the format cannot carry
      }
    });
    assert(datagrams.length > 5);
    for (const known of [format, villasFormat(name)]) {
      for (let i = 0; i < 2000; i++) {
        const bytes = datagrams[i % datagrams.length]!.slice();
        for (let n = random() % 4; n >= 0; n--) bytes[random() % bytes.length] = random() & 255;
        const cut = bytes.subarray(0, random() % 4 === 0 ? random() % bytes.length : undefined);
        for (const decode of [known.decode, known.replies.decode]) {
          try {
            decode(cut);
          } catch (error) {
            assert(error instanceof CodecError, String(error));
            assert(error.offset !== undefined && error.offset <= bytes.length);
          }
        }
      }
    }
  });
}

/** Makes a float one that six decimals tell. */
function rounded(value: Sample["values"][number]) {
  return typeof value === "number" ? Math.round(value * 64) / 64 : value;
}

Deno.test("villasFormat() names what there is", () => {
  const { message } = assertThrows(() => villasFormat("protobuff"), UsageError);
  assertEquals(
    message,
    'Cannot use format "protobuff": expected protobuf, villas.human, villas.binary, villas.web, json, json.kafka, json.reserve, ' +
      'json.edgeflex, csv, tsv, value, raw, gtnet, opal.asyncip, iotagent_ul; did you mean "protobuf"?',
  );
});

Deno.test("villasFormat() reads settings from a text, a group and JSON, and writes them again", () => {
  for (
    const given of [
      "raw,bits=64,endianess=big,fake=true",
      { type: "raw", bits: 64, endianess: "big", fake: true },
      '{"type": "raw", "bits": 64, "endianess": "big", "fake": true}',
    ]
  ) {
    assertEquals(villasFormat(given).notation, "raw,bits=64,endianess=big,fake=true");
  }
  assertEquals(villasFormat("csv,separator=;").notation, "csv,separator=;");
  assertEquals(villasFormat("csv,separator=\\t").notation, "csv,separator=\\t");
  assertEquals(villasFormat("json").notation, "json");
});

/** Rows of: what is asked for, and what is said. */
const WRONG: readonly (readonly [string, string])[] = [
  ["raw,bits=24", 'Cannot use "24" for setting "bits" of format raw: expected 8, 16, 32 or 64'],
  ["raw,bits=128", "expected 8, 16, 32 or 64"],
  ["raw,endianness=big", 'did you mean "endianess"?'],
  ["raw,endianess=middle", "expected little or big"],
  ["raw,bits=8,endianess=big", "there is no order in one byte"],
  ["raw,bits", "expected NAME,SETTING=VALUE"],
  ["raw,=8", "expected NAME,SETTING=VALUE"],
  ["csv,separator=ab", "expected one character"],
  ["json,indent=32", "expected a whole number from 0 to 31"],
  ["json,real_precision=1.5", "expected a whole number from 0 to 31"],
  ["json,compact=yes", "expected true or false"],
  ["opal.asyncip,dev_id=65536", "expected a whole number from 0 to 65535"],
  ['{"bits": 64}', "expected a JSON object with a type"],
  ["{", "expected a JSON object with a type"],
  ["", "expected protobuf"],
];

for (const [notation, says] of WRONG) {
  Deno.test(`villasFormat() does not take ${JSON.stringify(notation)}`, () => {
    assertStringIncludes(assertThrows(() => villasFormat(notation), UsageError).message, says);
  });
}

/** Rows of: format, signals, and what is said of them at the start. */
const MISFITS: readonly (readonly [string, string, string])[] = [
  [
    "villas.binary",
    "2fb",
    'signal "signal2" is a boolean, and the format has float and integer only',
  ],
  ["raw,bits=16", "i2f", 'signal "signal1" is a float'],
  ["raw,bits=8", "ic", 'signal "signal1" is a complex'],
  ["opal.asyncip", "c", "is a complex"],
  ["iotagent_ul", "fi", "is an integer"],
  ["value", "2f", "there are several"],
  ["json.kafka", "a:float,a:float", 'two signals are called "a"'],
  ["json.kafka", "sequence:float", "means something else"],
  ["json.edgeflex", ":float", "has no name"],
];

for (const [notation, signals, says] of MISFITS) {
  Deno.test(`format ${notation} says that it is not for signals ${signals}`, () => {
    const format = villasFormat(notation, { signals });
    assertStringIncludes(assertThrows(() => format.check(), UsageError).message, says);
  });
}

const origin = { sec: 5, nsec: 5 };

/** Rows of: format, text, the samples that it means. */
const READ: readonly (readonly [string, string, Sample[]])[] = [
  ["villas.human", "5.5\t1.5", [{ type: "data", origin, values: [1.5] }]],
  ["villas.human", "5.5(3)F\t1 2,3\n", [
    { type: "data", origin, sequence: 3n, newFrame: true, values: [1n, 2n, 3n] },
  ]],
  ["villas.human", "# seconds\n\n5.5\r\n", [{ type: "data", origin, values: [] }]],
  ["villas.human", "0.0\tnan\t-inf\t1e3\n", [{ type: "data", values: [NaN, -Infinity, 1000] }]],
  ["villas.human", "5.000000005+2.5e-01(1)\t1.0-2.5i\t3j\n", [{
    type: "data",
    origin,
    received: { sec: 5, nsec: 250_000_005 },
    sequence: 1n,
    values: [{ real: 1, imag: -2.5 }, { real: 0, imag: 3 }],
  }]],
  ["json", '{"data": []}\n', [{ type: "data", values: [] }]],
  [
    "json",
    '[{"ts":{"origin":[5,5],"received":[6,7]},"flags":["new_frame"],"more":1,"data":[1e3]}]',
    [
      { type: "data", origin, received: { sec: 6, nsec: 7 }, newFrame: true, values: [1000] },
    ],
  ],
  ["json", '[{"data":[null,{"real":1,"imag":2.5},9223372036854775807]}]', [
    { type: "data", values: [null, { real: 1, imag: 2.5 }, 2n ** 63n - 1n] },
  ]],
];

for (const [name, text, samples] of READ) {
  Deno.test(`format ${name} reads ${JSON.stringify(text)}`, () => {
    assertEquals(villasFormat(name).decode(encode(text)), samples);
  });
}

for (const name of ["villas.human", "csv", "json", "json.kafka", "json.reserve"]) {
  Deno.test(`format ${name} reads every sequence number that it writes`, () => {
    const format = villasFormat(name);
    for (const power of [2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 2n ** 53n, 2n ** 64n]) {
      for (const sequence of [power - 12_345n, power - 1n, power, power + 1n, power + 12_345n]) {
        if (sequence >= 2n ** 64n) continue;
        const bytes = format.encode([{ type: "data", origin, sequence, values: [1.5] }]);
        assertEquals(format.decode(bytes)[0]?.sequence, sequence);
      }
    }
  });
}

for (
  const name of ["villas.binary", "villas.web", "opal.asyncip", "raw,fake=true", "gtnet,fake=true"]
) {
  Deno.test(`format ${name} carries the low 32 bits of a sequence number, both ways`, () => {
    const { decode, encode, replies } = villasFormat(name);
    for (const codec of [{ decode, encode }, replies]) {
      for (
        const [sequence, carried] of [[2n ** 32n - 1n, 2n ** 32n - 1n], [2n ** 32n, 0n], [
          2n ** 64n - 1n,
          2n ** 32n - 1n,
        ]] as const
      ) {
        const bytes = codec.encode([{ type: "data", sequence, values: [1.5] }]);
        assertEquals(codec.decode(bytes)[0]!.sequence, carried);
      }
    }
  });
}

Deno.test("format opal.asyncip reads all integers of 64 bits, and no others", () => {
  const format = villasFormat("opal.asyncip", { signals: "i" });
  const bytesOf = (value: number) =>
    villasFormat("opal.asyncip").encode([{ type: "data", sequence: 1n, values: [value] }]);
  for (const value of [-(2 ** 63), -1, 2 ** 63 - 1024]) {
    assertEquals(format.decode(bytesOf(value))[0]!.values, [BigInt(value)]);
  }
  for (const value of [2 ** 63, -(2 ** 63) - 2048, 0.5, NaN]) {
    assertThrows(() => format.decode(bytesOf(value)), CodecError, "expected an integer of 64 bits");
  }
});

Deno.test("format json writes sequence numbers from 2^63 on as VILLASnode does: negative and exact", () => {
  for (const sequence of [2n ** 63n, 2n ** 63n + 1n, 2n ** 64n - 2n ** 53n - 1n, 2n ** 64n - 1n]) {
    const bytes = villasFormat("json").encode([{ type: "data", sequence, values: [] }]);
    assertEquals(bytes, encode(`[{"sequence": ${sequence - 2n ** 64n}, "data": []}]`));
  }
});

/** Rows of: format with a setting, and what VILLASnode writes then in a datagram and in a file. */
const SETTINGS: readonly (readonly [string, string, string])[] = [
  ["csv", "1,000000005,7,1.5,3\n", "1,000000005,nan,7,1.5,3\n"],
  ["csv,sequence=false", "1,000000005,1.5,3\n", "1,000000005,nan,1.5,3\n"],
  ["csv,data=false", "1,000000005,7\n", "1,000000005,nan,7\n"],
  // A separator stands before every column but the seconds.
  ["csv,ts_origin=false", ",7,1.5,3\n", ",nan,7,1.5,3\n"],
  ["tsv,ts_origin=false", "\t7\t1.5\t3\n", "\tnan\t7\t1.5\t3\n"],
  ["csv,ts_origin=false,sequence=false", ",1.5,3\n", ",nan,1.5,3\n"],
  ["villas.human,ts_origin=false", "(7)\t1.5\t3\n", "(7)\t1.5\t3\n"],
  ["villas.human,sequence=false", "1.000000005\t1.5\t3\n", "1.000000005\t1.5\t3\n"],
  ["villas.human,data=false", "1.000000005(7)\n", "1.000000005(7)\n"],
  [
    "json,ts_origin=false",
    '[{"sequence": 7, "data": [1.5, 3]}]',
    '{"sequence": 7, "data": [1.5, 3]}\n',
  ],
  [
    "json,sequence=false",
    '[{"ts": {"origin": [1, 5]}, "data": [1.5, 3]}]',
    '{"ts": {"origin": [1, 5]}, "data": [1.5, 3]}\n',
  ],
  [
    "json,data=false",
    '[{"ts": {"origin": [1, 5]}, "sequence": 7}]',
    '{"ts": {"origin": [1, 5]}, "sequence": 7}\n',
  ],
];

for (const [setting, datagram, line] of SETTINGS) {
  const notation = setting.startsWith("json") ? setting : `${setting},real_precision=1`;
  Deno.test(`format ${notation} leaves out what its setting says, and reads what is left`, () => {
    const whole: Sample = {
      type: "data",
      sequence: 7n,
      origin: { sec: 1, nsec: 5 },
      values: [1.5, 3n],
    };
    const format = villasFormat(notation, { signals: "fi" });
    const left: Sample = { ...whole, values: setting.includes("data=") ? [] : whole.values };
    if (setting.includes("ts_origin")) delete left.origin;
    if (setting.includes("sequence")) delete left.sequence;
    assertEquals(new TextDecoder().decode(format.encode([whole])), datagram);
    assertEquals(format.decode(encode(datagram)), [left]);
    assertEquals(
      format.decode(encode(datagram.repeat(format.name === "json" ? 1 : 3))).at(-1),
      left,
    );
    const encoder = format.stream.encoder({ header: false });
    assertEquals(new TextDecoder().decode(encoder.encode([whole])), line);
    const decoder = format.stream.decoder();
    decoder.push(encode(line));
    assertEquals(decoder.next(), left);
  });
}

/** Rows of: format, text, the offset at which it does not fit, and what is said. */
const REFUSED: readonly (readonly [string, string, number, string])[] = [
  ["villas.human", "7\n", 0, "expected SECONDS.NANOSECONDS"],
  ["villas.human", "5.5\t1\n5.5F(3)\t1\n", 6, "expected SECONDS.NANOSECONDS"],
  ["villas.human", "99999999999.5\t1\n", 0, "expected SECONDS.NANOSECONDS"],
  ["villas.human", "5.5\t1\tx\n", 6, 'expected a value, got "x"'],
  ["villas.human", "5.5\t1\t\t2\n", 6, 'expected a value, got ""'],
  ["villas.human", "5.5\t9223372036854775808\n", 4, "expected a value"],
  ["villas.human", '[{"data": [1.0]}]', 0, 'set format = "villas.human" in that node'],
  ["json", "[", 1, "expected"],
  ["json", "[1]", 0, "sample 0 has a sample 1, expected an object"],
  ["json", '[{"data": 5}]', 0, "expected a list"],
  ["json", '[{"data": ["x"]}]', 0, "sample 0 has value 0"],
  ["json", '[{"data": [1], "sequence": 1.0}]', 0, "expected an integer from 0"],
  ["json", '[{"data": [1], "ts": {"origin": [1.5, 2]}}]', 0, "in whole numbers"],
  [
    "json",
    "5.5(3)\t1.5\n",
    3,
    'it looks like VILLASnode\'s format villas.human: set format = "json"',
  ],
];

for (const [name, text, offset, says] of REFUSED) {
  Deno.test(`format ${name} does not read ${JSON.stringify(text)}`, () => {
    const error = assertThrows(() => villasFormat(name).decode(encode(text)), CodecError);
    assertStringIncludes(error.message, says);
    assertEquals(error.offset, offset);
  });
}

/** Rows of: format, what it cannot carry, and what is said. */
const UNFIT: readonly (readonly [string, Partial<Sample>, string])[] = [
  ["villas.human", { type: "start" }, "the only type that it has"],
  ["villas.human", { values: [1, null] }, "value 1 as villas.human: it is unset"],
  ["villas.human", { values: ["1" as never] }, "expected a float, integer"],
  ["villas.human", { values: [2n ** 63n] }, "from -2^63 to 2^63 - 1"],
  ["villas.human", { sequence: -1n }, "from 0 to 2^64 - 1"],
  ["villas.human", { origin: { sec: 1.5, nsec: 0 } }, "expected whole seconds"],
  ["json", { values: [1, NaN] }, "value 1 NaN as json: expected a finite number"],
  ["json", { values: [{ real: 1, imag: Infinity }] }, "expected a finite number"],
  ["json", { type: "stop" }, "the only type that it has"],
];

for (const [name, sample, says] of UNFIT) {
  Deno.test(`format ${name} does not write ${Deno.inspect(sample)}`, () => {
    const whole: Sample = { type: "data", values: [], ...sample };
    const { message } = assertThrows(() => villasFormat(name).encode([whole]), CodecError);
    assertStringIncludes(message, says);
  });
}

Deno.test("what a format cannot carry is said in words that are not JavaScript's", () => {
  for (
    const [name, value, message] of [
      [
        "json.reserve",
        2n ** 63n - 1n,
        /value 0 9223372036854775807 as json.reserve: it carries the/,
      ],
      [
        "csv",
        2n ** 63n,
        /value 0 9223372036854775808: expected an integer from -2\^63 to 2\^63 - 1/,
      ],
      [
        "json",
        2n ** 63n,
        /value 0 9223372036854775808: expected an integer from -2\^63 to 2\^63 - 1/,
      ],
      ["opal.asyncip", 2n ** 53n + 1n, /value 0 9007199254740993 as opal.asyncip/],
    ] as const
  ) {
    const format = villasFormat(name, { signals: "i" });
    const sample: Sample = { type: "data", sequence: 1n, values: [value] };
    const error = assertThrows(() => format.encode([sample]), CodecError);
    assertMatch(error.message, message);
  }
});

for (const name of ["json.kafka", "json.reserve", "json.edgeflex"]) {
  Deno.test(`format ${name} reads the last time of all that it writes`, () => {
    const format = villasFormat(name);
    const origin = { sec: 2 ** 32 - 1, nsec: 999_999_999 };
    const [sample] = format.decode(format.encode([{ type: "data", origin, values: [1.5] }]));
    assertEquals(sample!.origin, { sec: 2 ** 32 - 1, nsec: 999_000_000 });
  });
}
