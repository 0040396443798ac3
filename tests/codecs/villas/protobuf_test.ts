import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Sample, villasProtobuf } from "../../../mod.ts";
import { CodecError } from "../../../lib/errors.ts";
import { schemaModule } from "../../../proto/generate.ts";
import { villasSchema } from "../../../lib/codecs/villas/protobuf/schema.ts";

const fixtures = new URL("../../fixtures/", import.meta.url);
const captures = ["lab19", "vectorize3", "types-cast", "noseq", "newframe"];

function readLines(name: string): string[] {
  return Deno.readTextFileSync(new URL(name, fixtures)).trimEnd().split("\n");
}

/** Writes a sample the way the independent decoding of the captures does. */
function describe(sample: Sample, place: string): string {
  const timestamp = sample.origin ? `(${sample.origin.sec}, ${sample.origin.nsec})` : "None";
  const python = (value: boolean | undefined) =>
    value === undefined ? "None" : value ? "True" : "False";
  const head =
    `${place} type=${sample.type.toUpperCase()} seq=${sample.sequence ?? "None"} ts=${timestamp}` +
    ` rcv=${sample.received ? "True" : "False"} new_frame=${python(sample.newFrame)}`;
  return head + sample.values.map((value) => {
    if (typeof value === "number") return ` f:${value}`;
    if (typeof value === "bigint") return ` i:${value}`;
    if (typeof value === "boolean") return ` b:${python(value)}`;
    return ` z:(${value?.real},${value?.imag})`;
  }).join("");
}

/** The same text with every number written as JavaScript writes it, so that `1.0` and `1` compare equal. */
function plainNumbers(line: string): string {
  return line.replace(/(?<=[fz]:\(?|,)-?[\d.]+(e[+-]?\d+)?/g, (digits) => String(Number(digits)));
}

for (const name of captures) {
  Deno.test(`villasProtobuf.decode() reads the capture ${name} as Python does`, () => {
    const decoded = readLines(`${name}.hex`).flatMap((hex, datagram) =>
      villasProtobuf.decode(Uint8Array.fromHex(hex)).map((sample, i) =>
        describe(sample, `${datagram}.${i}`)
      )
    );
    assertEquals(decoded.map(plainNumbers), readLines(`${name}.decoded.txt`).map(plainNumbers));
  });

  Deno.test(`villasProtobuf.encode() gives the bytes of the capture ${name} again`, () => {
    for (const hex of readLines(`${name}.hex`)) {
      assertEquals(
        villasProtobuf.encode(villasProtobuf.decode(Uint8Array.fromHex(hex))).toHex(),
        hex,
      );
    }
  });
}

Deno.test("villasProtobuf keeps 64-bit integers, NaN, infinities, -0 and kinds", () => {
  const sample: Sample = {
    type: "data",
    sequence: 2n ** 64n - 1n,
    origin: { sec: 0, nsec: 0 },
    received: { sec: 2 ** 32 - 1, nsec: 999_999_999 },
    newFrame: false,
    values: [
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 53n + 1n,
      -1n,
      0n,
      NaN,
      Infinity,
      -Infinity,
      -0,
      5e-324,
      true,
      false,
      {
        real: -0,
        imag: NaN,
      },
      null,
    ],
  };
  const [again] = villasProtobuf.decode(villasProtobuf.encode([sample]));
  assertEquals(again, sample);
  assert(Object.is(again!.values[8], -0));
});

Deno.test("villasProtobuf leaves absent fields absent", () => {
  const sample: Sample = { type: "stop", values: [] };
  const bytes = villasProtobuf.encode([sample]);
  assertEquals(bytes.toHex(), "0a020803");
  assertEquals(Object.keys(villasProtobuf.decode(bytes)[0]!).sort(), ["type", "values"]);
});

Deno.test("villasProtobuf.decode() takes an empty datagram and unknown fields", () => {
  assertEquals(villasProtobuf.decode(new Uint8Array()), []);
  const withField7 = Uint8Array.fromHex("0a0408013805");
  assertEquals(villasProtobuf.decode(withField7), [{ type: "data", values: [] }]);
});

Deno.test("villasProtobuf.decode() reads the last of several members of a value", () => {
  // f = 1.0, then i = 5 in the same Value
  const bytes = Uint8Array.fromHex("0a1008" + "01" + "a2060b" + "09000000000000f03f" + "1005");
  assertEquals(villasProtobuf.decode(bytes)[0]!.values, [5n]);
});

Deno.test("villasProtobuf.decode() rejects every truncation of a capture, naming the byte", () => {
  const bytes = Uint8Array.fromHex(readLines("lab19.hex")[0]!);
  for (let length = 1; length < bytes.length; length++) {
    const error = assertThrows(
      () => villasProtobuf.decode(bytes.subarray(0, length)),
      CodecError,
      "at byte ",
    );
    assert(error.offset! <= length);
  }
});

Deno.test("villasProtobuf.decode() rejects a missing and an unknown type", () => {
  assertThrows(() => villasProtobuf.decode(Uint8Array.fromHex("0a00")), CodecError, "type");
  assertThrows(() => villasProtobuf.decode(Uint8Array.fromHex("0a020807")), CodecError);
  assertThrows(
    () => villasProtobuf.decode(Uint8Array.fromHex("0a0408010807")),
    CodecError,
    "unknown sample type",
  );
  // The tag in two bytes, as a careless sender may write it.
  assertThrows(
    () => villasProtobuf.decode(Uint8Array.fromHex("0a050801880005")),
    CodecError,
    "unknown sample type",
  );
});

Deno.test("villasProtobuf.encode() rejects what the format cannot carry", () => {
  const encode = (sample: Partial<Sample>) =>
    villasProtobuf.encode([{ type: "data", values: [], ...sample }]);
  assertThrows(
    () => encode({ values: [2n ** 63n] }),
    CodecError,
    "Cannot encode value 0 9223372036854775808",
  );
  assertThrows(() => encode({ sequence: -1n }), CodecError, "sequence -1");
  assertThrows(() => encode({ origin: { sec: 1.5, nsec: 0 } }), CodecError, "origin timestamp 1.5");
  assertThrows(() => encode({ values: [{ real: 1e39, imag: 0 }] }), CodecError, "32-bit floats");
  assertThrows(() => encode({ values: ["1" as never] }), CodecError);
  assertThrows(() => encode({ type: "pause" as never }), CodecError, 'type "pause"');
});

Deno.test("the schema in the program is proto/villas.proto", async () => {
  const proto = await Deno.readTextFile(new URL("../../../proto/villas.proto", import.meta.url));
  const made = schemaModule(proto).match(/= (\{[\s\S]*\});/)![1]!;
  assertEquals(villasSchema, JSON.parse(made));
});
