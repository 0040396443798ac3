import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CodecError } from "../../../lib/errors.ts";
import { villasFormat } from "../../../lib/codecs/villas/formats.ts";
import { describeLikeness, recogniseFormat } from "../../../lib/codecs/villas/recognise.ts";
import { villasProtobuf } from "../../../lib/codecs/villas/protobuf.ts";
import { hexLines } from "../../fixtures/read.ts";
import { random32 } from "../struct/random_values.ts";

/** What VILLASnode 1.2.0 sent in each format, and what it is to be taken for. */
const captures: readonly [file: string, format: string | undefined][] = [
  ["wire-human", "villas.human"],
  ["wire-json", "json"],
  ["wire-csv", "csv"],
  ["wire-tsv", "tsv"],
  ["wire-binary", "villas.binary"],
  ["wire-raw32be", "raw"],
  ["wire-raw64", "raw"],
  ["formats/villas.human", "villas.human"],
  ["formats/villas.binary", "villas.binary"],
  ["formats/villas.web", "villas.web"],
  ["formats/json", "json"],
  ["formats/json.kafka", "json.kafka"],
  ["formats/json.reserve", "json.reserve"],
  ["formats/json.edgeflex", "json.edgeflex"],
  ["formats/csv", "csv"],
  ["formats/tsv", "tsv"],
  ["formats/value", "value"],
  ["formats/iotagent_ul", "iotagent_ul"],
  ["formats/opal.asyncip", "opal.asyncip"],
  ["formats/raw", "raw"],
  ["formats/gtnet", "raw"],
  ["formats/raw.32.little", "raw"],
  ["formats/raw.32.big", "raw"],
  ["formats/raw.64.little", "raw"],
  ["formats/raw.64.big", "raw"],
  ["formats/raw.16.little", undefined],
  ["formats/raw.8", undefined],
];

for (const [file, format] of captures) {
  Deno.test(`recogniseFormat() takes the capture ${file} for ${format ?? "nothing"}`, async () => {
    const datagrams = await hexLines(`${file}.hex`);
    assert(datagrams.length > 0);
    for (const bytes of datagrams) {
      assertEquals(recogniseFormat(bytes), format, bytes.toHex());
      const error = assertThrows(() => villasProtobuf.decode(bytes), CodecError);
      if (format === undefined) continue;
      assertStringIncludes(error.message, format);
      assertStringIncludes(
        error.message,
        `set format = "protobuf" in that node of VILLASnode's configuration`,
      );
    }
  });
}

const of = (text: string) => recogniseFormat(new TextEncoder().encode(text));

Deno.test("recogniseFormat() knows several samples, header lines, and what is not VILLASnode's", async () => {
  for (const name of ["wire-human", "wire-csv", "wire-tsv", "wire-binary", "formats/villas.web"]) {
    const datagrams = await hexLines(`${name}.hex`);
    const several = Uint8Array.from(datagrams.flatMap((bytes) => [...bytes]));
    assertEquals(recogniseFormat(several), recogniseFormat(datagrams[0]!), name);
  }
  assertEquals(of("# seconds.nanoseconds(sequence)\tf[V]\n1.5(0)\t1\n"), "villas.human");
  assertEquals(of("1700000000.000000001+1.5e-03(7)F\t0.5\n"), "villas.human");
  assertEquals(of("# secs,nsecs,sequence,f\n1,5,0,1\n"), "csv");
  assertEquals(of('{"ts": {"origin": [1, 2]}, "data": [1.0]}\n'), "json");
  assertEquals(of('{"command_id": "set_voltage", "volts": 5}\n'), "JSON");
  assertEquals(of("[1, 2]"), "JSON");
  assertEquals(of("*IDN?\n"), "text");
  assertEquals(of("GET / HTTP/1.1\r\n\r\n"), "text");
  assertEquals(of(`[{${'"name": 1.0, '.repeat(2000)}"created": 1700000000100}]`), "json.edgeflex");
  assertEquals(of(""), undefined);
  assertEquals(of("Größe"), undefined);
});

Deno.test("describeLikeness() names the settings of raw and csv that a datagram shows", () => {
  const sample = {
    type: "data" as const,
    sequence: 70_000n,
    origin: { sec: 1_795_253_843, nsec: 999_999_999 },
    values: [0.5, -1.25, 3e6, 1e-9],
  };
  for (
    const notation of [
      "raw,fake=true",
      "raw,bits=64,fake=true",
      "raw,bits=64,endianess=big,fake=true",
      "gtnet,fake=true",
    ]
  ) {
    const said = describeLikeness(villasFormat(notation).encode([sample]))!;
    assertStringIncludes(said, `use --format ${notation} here`);
  }
  const text = describeLikeness(villasFormat("csv,separator=;").encode([sample]))!;
  assertStringIncludes(text, 'use --format "csv,separator=;" here');
});

Deno.test("recogniseFormat() knows the format of a datagram that was cut off, from its beginning", async () => {
  for (const name of ["wire-human", "wire-json", "wire-csv", "wire-tsv"]) {
    const [bytes] = await hexLines(`${name}.hex`);
    for (let length = 50; length < bytes!.length; length++) {
      assertEquals(recogniseFormat(bytes!.subarray(0, length)), recogniseFormat(bytes!), name);
    }
  }
});

Deno.test("describeLikeness() says what to set where, and that villas.binary is spoken without a format", async () => {
  const [binary] = await hexLines("wire-binary.hex");
  assertEquals(
    describeLikeness(binary!),
    "it looks like villas.binary, which a socket node of VILLASnode speaks without a format: " +
      `set format = "protobuf" in that node of VILLASnode's configuration, ` +
      "or use --format villas.binary here with --signals, as in --signals 3f2i",
  );
  const [gtnet] = await hexLines("formats/gtnet.hex").then((lines) => lines.slice(1));
  assertStringIncludes(describeLikeness(gtnet!)!, "or use --format gtnet here with --signals");
  assertEquals(describeLikeness(gtnet!, "gtnet"), undefined);
  const [raw] = await hexLines("wire-raw64.hex");
  assertStringIncludes(describeLikeness(raw!, "json")!, "--format raw,bits=64 here");
  const [protobuf] = await hexLines("vectorize3.hex");
  assertStringIncludes(describeLikeness(protobuf!, "csv")!, "--format protobuf here");
  assertEquals(describeLikeness(protobuf!), undefined);
  assertEquals(describeLikeness(new TextEncoder().encode("1;5;7;1.5\n"), "csv"), undefined);
  assertEquals(describeLikeness(new Uint8Array()), undefined);
  assertEquals(describeLikeness(Uint8Array.of(0x0a, 0x05, 0xff)), undefined);
});

Deno.test("recogniseFormat() takes as little time for the largest datagrams of any content", () => {
  const size = 65_507;
  const random = random32(9);
  const encoder = new TextEncoder();
  const contents = [
    new Uint8Array(size),
    new Uint8Array(size).fill(0x20),
    Uint8Array.from({ length: size }, () => random()),
    ...["{", "[", '{"', " ", "1", "1.", "1,", "1\t", "|", "-", "\n", "# ", '"created": ']
      .map((text) => encoder.encode(text.repeat(size)).subarray(0, size)),
  ];
  for (const [i, bytes] of contents.entries()) {
    const times = Array.from({ length: 20 }, () => {
      const start = performance.now();
      recogniseFormat(bytes);
      return performance.now() - start;
    });
    assert(Math.min(...times) < 0.5, `content ${i}: ${Math.min(...times)} ms`);
  }
});

Deno.test("villasProtobuf.decode() rejects text that happens to be a message without samples", () => {
  for (const text of ["1795198439.565371934(9)\t-0.84701645246585255\n", "1.638219816597033\n"]) {
    const bytes = new TextEncoder().encode(text);
    const error = assertThrows(() => villasProtobuf.decode(bytes), CodecError, "without samples");
    assertStringIncludes(error.message, "it looks like VILLASnode's format");
  }
  assertEquals(villasProtobuf.decode(Uint8Array.of(0x38, 0x05)), []);
});
