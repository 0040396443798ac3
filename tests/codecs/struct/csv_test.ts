import { splitCsvRow } from "../../../lib/text/csv.ts";
import { compileStruct, type StructInput } from "../../../lib/codecs/struct/struct.ts";
import { StructCsv } from "../../../lib/codecs/struct/csv.ts";
import { StructJson } from "../../../lib/codecs/struct/json.ts";
import { CodecError } from "../../../lib/errors.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { pythonLines } from "../../interop/python.ts";
import { doubleOf, edgeDoubles, random32 } from "./random_values.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const FORMAT = "<?bBhHiIqQefd8s5pcD";

/** Byte strings that a line of text, a terminal or another form of bytes would have in it. */
const TEXTS: (string | Uint8Array)[] = [
  "",
  "a",
  "a,b",
  'say "hi"',
  '"',
  " ",
  " a ",
  "a\nb",
  "\r\n",
  "\t",
  "\x1b[2J",
  "\x07",
  "\x7f",
  "\x9b2J",
  "\u202eabc",
  "\u2066a",
  "\u2028",
  "\ufeff",
  "é µ 日",
  "[1]",
  '{"a":1}',
  "0x",
  "0x4",
  "0X41",
  "0xyz",
  "base64:",
  "base64:YQ==".slice(0, 8),
  "NaN",
  "-0",
  "true",
  "=1+1",
  ";",
  bytes(0),
  bytes(0, 65),
  bytes(255),
  bytes(0xc3),
  bytes(0xed, 0xa0, 0x80),
  bytes(65, 0, 66),
];

/** Records of {@linkcode FORMAT} with values at the borders of their types. */
function* records(count: number): Generator<StructInput[]> {
  const random = random32(7);
  const doubles = edgeDoubles();
  const pick = <T>(from: readonly T[]) => from[random() % from.length]!;
  const double = () => {
    const value = random() % 3 ? pick(doubles) : doubleOf(random(), random());
    return Number.isNaN(value) ? NaN : value; // without a payload
  };
  const fitting = (max: number) => {
    const value = double();
    return Math.abs(value) <= max || !Number.isFinite(value) ? value : 1 / value;
  };
  const integer = (bits: number, signed: boolean) => {
    const any = BigInt(random()) << 32n | BigInt(random());
    const edge = pick([0n, 1n, -1n, 1n << BigInt(bits - 1), (1n << BigInt(bits - 1)) - 1n]);
    const value = random() % 2 ? any : edge;
    return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  };
  const text = (width: number) => {
    const value = pick(TEXTS);
    const raw = typeof value === "string" ? new TextEncoder().encode(value) : value;
    return raw.slice(0, width);
  };
  const sizes: [number, boolean][] = [
    [8, true],
    [8, false],
    [16, true],
    [16, false],
    [32, true],
    [32, false],
    [64, true],
    [64, false],
  ];
  for (let i = 0; i < count; i++) {
    yield [
      random() % 2 === 0,
      ...sizes.map(([bits, signed]) => integer(bits, signed)),
      fitting(65504),
      fitting(3.4e38),
      double(),
      text(8),
      text(4),
      bytes(random() % 256),
      { re: double(), im: double() },
    ];
  }
}

Deno.test("StructCsv reads what it writes, bit for bit, and writes nothing that acts on a terminal", () => {
  const struct = compileStruct<string>(FORMAT);
  const names = [..."abcdefghijklmnop"];
  for (const values of records(5000)) {
    const packed = struct.pack(values);
    for (const form of ["auto", "hex", "base64"] as const) {
      const csv = new StructCsv(struct, { bytes: form, fields: names });
      const row = csv.stringify(struct.unpack(packed));
      assertMatch(row, /^[^\p{Cc}\p{Cf}\u2028\u2029]*$/u);
      assertEquals(struct.pack(csv.read(splitCsvRow(row)!)), packed, row);
    }
    const json = new StructJson(struct);
    const text = json.stringify(struct.unpack(packed));
    assertMatch(text, /^[^\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*$/u);
    assertEquals(struct.pack(json.parse(text)), packed, text);
  }
});

Deno.test("StructCsv shows text as text where it can, else as hex", () => {
  const struct = compileStruct<string>("12s");
  const cell = (value: string | Uint8Array, form?: "text" | "hex" | "base64") => {
    return new StructCsv(struct, { bytes: form }).stringify(struct.unpack(struct.pack([value])));
  };
  const hex = (text: string) => `0x${text.padEnd(24, "0")}`;
  assertEquals(cell("é µ"), "é µ");
  assertEquals(cell("a,b"), '"a,b"');
  assertEquals(cell(""), '""', "a blank line would be no record");
  assertEquals(cell("a\n"), hex("610a"));
  assertEquals(cell("\x1b"), hex("1b"));
  assertEquals(cell("\u009b"), hex("c29b"));
  assertEquals(cell("\u202e"), hex("e280ae"));
  assertEquals(cell("0x41"), hex("30783431"), "it would be read as hex");
  assertEquals(cell("base64:YQ=="), hex("6261736536343a59513d3d"));
  assertEquals(cell("0xyz"), hex("3078797a"), "what begins with 0x is hex");
  assertEquals(cell(bytes(255, 65)), hex("ff41"));
  assertEquals(cell(bytes(255, 65), "text"), "\ufffdA");
  assertEquals(cell("\x1b", "text"), hex("1b"));
  assertEquals(cell("a", "hex"), hex("61"));
  assertEquals(cell("a", "base64"), "base64:YQAAAAAAAAAAAAAA");
});

Deno.test("StructCsv says what is wrong with a row", () => {
  const csv = new StructCsv(compileStruct("<I4s?"), { fields: ["n", "text", "on"] });
  const cases: [string, string][] = [
    ["1,a", "Cannot read record: expected 3 values, got 2"],
    ["1;a;true", "expected 3 values with commas between them, got 1"],
    ["1,0x123,true", 'Cannot read bytes "123": not hex (field "text")'],
    ["1,base64:?,true", 'Cannot read bytes "?": not base64 (field "text")'],
    ["1,a,2", 'Cannot read boolean "2": expected true or false (field "on")'],
  ];
  for (const [row, message] of cases) {
    assertThrows(() => csv.read(splitCsvRow(row)!), CodecError, message);
  }
});

Deno.test("StructCsv finds the columns in a header", () => {
  const csv = new StructCsv(compileStruct("<I2d"), { fields: ["n", "v*2"] });
  const cases: [string, number[] | undefined][] = [
    ["n,v[0],v[1]", [0, 1, 2]],
    ["v[1], n ,v[0]", [1, 2, 0]],
    ["time,n,v[0],v[1]", [1, 2, 3]],
    ["n,v[0],v[1],time", [0, 1, 2]],
    ["n,v[0]", undefined],
    ["n,n,v[0],v[1]", undefined],
    ["n,v[0],v[1],more", undefined],
    ["1,2,3", undefined],
  ];
  for (const [row, columns] of cases) assertEquals(csv.columns(row.split(",")), columns, row);
  assertEquals(new StructCsv(compileStruct("<I")).columns(["n"]), undefined);
});

/** Writes structs with Python's own csv module, and packs what it reads from ours. */
const PEER = `
import csv, io, json, struct, sys
fmt, time = json.loads(sys.stdin.readline())
s = struct.Struct(fmt)

def cell(value):
    if not isinstance(value, bytes):
        return value
    value = value.rstrip(b"\\0")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return "0x" + value.hex()
    coded = text.lower().startswith("0x") or text.lower().startswith("base64:")
    return "0x" + value.hex() if coded else text

def value(code, text):
    if code == "?":
        return {"true": True, "false": False}[text]
    if code in "efd":
        return float(text)
    if code in "sp":
        return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()
    return int(text)

for line in sys.stdin:
    packed, ours = json.loads(line)
    values = s.unpack(bytes.fromhex(packed))
    written = io.StringIO(newline="")
    csv.writer(written).writerow(["2026-10-05 12:34:56.5"] * time + [cell(v) for v in values])
    (row,) = csv.reader([ours])
    codes = [c for c in fmt if c.isalpha() or c == "?"]
    read = s.pack(*[value(c, t) for c, t in zip(codes, row[time:], strict=True)])
    print(json.dumps([written.getvalue().removesuffix("\\r\\n"), read.hex()]))
`;

for (const time of [false, true]) {
  const times = time ? " with a time of arrival" : "";
  Deno.test(`Python's csv and struct modules read what StructCsv writes, and write what it reads${times}`, async () => {
    const struct = compileStruct<string>("<?bBhHiIqQefd8s");
    const csv = new StructCsv(struct);
    const packed = Array.from(records(2000), (values) => struct.pack(values.slice(0, 13)));
    const arrival = time ? "2026-10-05T12:34:56.789012Z" : undefined;
    const lines = await pythonLines(["-c", PEER], [
      JSON.stringify([struct.format, Number(time)]),
      ...packed.map((bytes) => {
        return JSON.stringify([bytes.toHex(), csv.stringify(struct.unpack(bytes), arrival)]);
      }),
    ]);
    assertEquals(lines.length, packed.length);
    let withNewline = 0;
    for (const [i, line] of lines.entries()) {
      const [row, read] = JSON.parse(line);
      assertEquals(read, packed[i]!.toHex());
      if (row.includes("\n")) withNewline++;
      assertEquals(struct.pack(csv.read(splitCsvRow(row)!)), packed[i], row);
    }
    assert(withNewline > 10, "the comparison has cells of several lines in it");
  });
}
