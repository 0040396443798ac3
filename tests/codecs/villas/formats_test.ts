/** One row of each table gives a test of reading, of writing, and of the way there and back. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { villasFormat, villasFormats } from "../../../lib/codecs/villas/formats.ts";
import type { Sample } from "../../../lib/codecs/villas/sample.ts";
import { CodecError, UsageError } from "../../../lib/errors.ts";
import { hexLines } from "../../fixtures/read.ts";
import { random32, randomSamples } from "../struct/random_values.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What VILLASnode sent in every format that carries all kinds: `types.dat` of the recordings. */
const SENT: Sample[] = [
  [1, [0, 0n, false, { real: 0, imag: 0 }]],
  [100_000_000, [-0.5, -1n, true, { real: -1.5, imag: 2.25 }]],
  [200_000_000, [1234567.890625, 100n, false, { real: 0.5, imag: -0.25 }]],
  [300_000_000, [0.1, 127n, true, { real: Math.fround(0.1), imag: Math.fround(0.2) }]],
  [400_000_000, [3.141592653589793, -128n, false, { real: 1, imag: 0 }]],
  [999_999_999, [1, 42n, true, { real: 0, imag: 1 }]],
].map(([nsec, values], i) => ({
  type: "data",
  sequence: BigInt(i),
  origin: { sec: 1_700_000_000, nsec: nsec as number },
  values: values as Sample["values"],
}));

const KINDS = ["float", "integer", "boolean", "complex"] as const;

for (const format of Object.values(villasFormats)) {
  Deno.test(`format ${format.name} reads what VILLASnode sent`, async () => {
    const known = format.withSignals?.(KINDS) ?? format;
    const datagrams = await hexLines(`formats/${format.name}.hex`);
    assertEquals(datagrams.map((bytes) => known.decode(bytes)), SENT.map((sample) => [sample]));
  });

  Deno.test(`format ${format.name} writes what VILLASnode sent, but for the digits of floats`, async () => {
    const datagrams = await hexLines(`formats/${format.name}.hex`);
    for (const [i, sample] of SENT.entries()) {
      if (format.name === "json") {
        const digits = /-?\d+\.\d+/g;
        const [written, sent] = [decode(format.encode([sample])), decode(datagrams[i]!)];
        assertEquals(written.replace(digits, "#"), sent.replace(digits, "#"));
        assertEquals(JSON.parse(written), JSON.parse(sent));
      } else assertEquals(format.encode([sample]), datagrams[i]);
    }
  });

  Deno.test(`format ${format.name} decodes what it encodes, any number of samples`, () => {
    for (const samples of [[], SENT, SENT.slice(0, 1)]) {
      const known = format.withSignals?.(KINDS) ?? format;
      assertEquals(known.decode(known.encode(samples)), samples);
    }
    const random: Sample[] = [...randomSamples(500)].filter(({ values }) =>
      values.every((value) => value !== null)
    ).map(({ received: _, newFrame: _2, ...sample }) => ({
      ...sample,
      type: "data",
      values: sample.values.map((value) =>
        typeof value === "bigint" || typeof value === "boolean" ? value : 1.5
      ),
    }));
    assert(random.length > 100);
    for (const sample of random) {
      const kinds = sample.values.map((value) =>
        typeof value === "bigint" ? "integer" : typeof value === "boolean" ? "boolean" : "float"
      );
      const known = format.withSignals?.(kinds) ?? format;
      assertEquals(known.decode(known.encode([sample])), [sample]);
    }
  });

  Deno.test(`format ${format.name} throws nothing but CodecError, whatever the bytes`, async () => {
    const datagrams = await hexLines(`formats/${format.name}.hex`);
    const random = random32(7);
    for (let i = 0; i < 3000; i++) {
      const bytes = datagrams[i % datagrams.length]!.slice();
      for (let n = random() % 4; n >= 0; n--) bytes[random() % bytes.length] = random() & 255;
      try {
        format.decode(bytes.subarray(0, random() % 4 === 0 ? random() % bytes.length : undefined));
      } catch (error) {
        assert(error instanceof CodecError, String(error));
        assert(error.offset !== undefined && error.offset <= bytes.length);
      }
    }
  });
}

Deno.test("villasFormat() names what there is", () => {
  const { message } = assertThrows(() => villasFormat("protobuff"), UsageError);
  assertEquals(
    message,
    'Cannot use format "protobuff": expected protobuf, villas.human, json, csv, tsv; did you mean "protobuf"?',
  );
});

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
  ["json", "[1]", 0, "sample 0 has a sample 1n, expected an object"],
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
