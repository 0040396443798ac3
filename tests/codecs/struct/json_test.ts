import { compileStruct, type StructInput } from "../../../lib/codecs/struct/struct.ts";
import { StructCsv } from "../../../lib/codecs/struct/csv.ts";
import { StructJson, type StructJsonOptions } from "../../../lib/codecs/struct/json.ts";
import { CodecError, UsageError } from "../../../lib/errors.ts";
import { assertEquals, assertThrows } from "@std/assert";

function write(format: string, values: StructInput[], options?: StructJsonOptions): string {
  const struct = compileStruct(format);
  return new StructJson(struct, options).stringify(struct.unpack(struct.pack(values)));
}

const bytes = (...values: number[]) => Uint8Array.from(values);

Deno.test("StructJson writes arrays, and objects if the fields have names", () => {
  assertEquals(write("!I30sd", [3, "hello", 0.5]), '[3,"hello",0.5]');
  assertEquals(
    write("!I30sd", [3, 'say "hi"\n', 0.5], { fields: ["repetitions", "a text", "__proto__"] }),
    String.raw`{"repetitions":3,"a text":"say \"hi\"\n","__proto__":0.5}`,
  );
  assertEquals(write("<?D2x", [true, { re: 1, im: -2.5 }]), '[true,{"re":1,"im":-2.5}]');
  assertEquals(write("", []), "[]");
});

Deno.test("StructJson keeps all digits, signs and special numbers", () => {
  assertEquals(
    write("<qQ4d", [-(2n ** 63n), 2n ** 64n - 1n, NaN, -Infinity, -0, 5e-324]),
    '[-9223372036854775808,18446744073709551615,"NaN","-Infinity",-0.0,5e-324]',
  );
});

Deno.test("StructJson writes bytes as text where they are text, else as digits", () => {
  assertEquals(write("4s4s", ["é", bytes(255, 0, 1, 0)]), '["é",{"hex":"ff000100"}]');
  assertEquals(write("3s3s", [bytes(0, 65, 0), bytes(0, 0, 0)]), String.raw`["\u0000A",""]`);
  // The zero bytes of these are not filling.
  assertEquals(write("c4p", [bytes(0), bytes(65, 0)]), String.raw`["\u0000","A\u0000"]`);
  assertEquals(write("3s", [bytes(0xef, 0xbb, 0xbf)]), '["\ufeff"]');
  const all = (form: "text" | "hex" | "base64") =>
    write("3s2s", ["ab", bytes(255, 65)], { bytes: form });
  assertEquals(all("text"), '["ab","\ufffdA"]');
  assertEquals(all("hex"), '[{"hex":"616200"},{"hex":"ff41"}]');
  assertEquals(all("base64"), '[{"base64":"YWIA"},{"base64":"/0E="}]');
});

Deno.test("StructJson reads what it writes", () => {
  const struct = compileStruct("!cbB?hHiIlLqQefd4s4p4sFD");
  const cases: StructInput[][] = [
    [
      "a",
      -1,
      1,
      true,
      -2,
      2,
      -3,
      3,
      -4,
      4,
      -5n,
      2n ** 64n - 1n,
      0.5,
      1.5,
      0.1,
      "hé",
      "x\0",
      "",
      1,
      2,
    ],
    [
      bytes(0),
      0,
      0,
      false,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      -0,
      NaN,
      -Infinity,
      bytes(255, 1),
      bytes(254),
      "\u{1f600}",
      { re: NaN, im: -0 },
      { re: 0.1, im: Infinity },
    ],
  ];
  const names = [..."abcdefghijklmnopqrst"];
  for (const values of cases) {
    const packed = struct.pack(values as never);
    for (const form of ["auto", "hex", "base64"] as const) {
      for (const fields of [undefined, names]) {
        const json = new StructJson(struct, { bytes: form, fields });
        const text = json.stringify(struct.unpack(packed));
        JSON.parse(text);
        assertEquals(struct.pack(json.parse(text) as never), packed, text);
      }
    }
  }
});

Deno.test("StructJson reads arrays and objects and says what is wrong with others", () => {
  const struct = compileStruct("!Id");
  const plain = new StructJson(struct);
  const named = new StructJson(struct, { fields: ["a", "b"] });
  assertEquals(named.parse('{"b":2,"a":1}'), [1, 2]);
  assertEquals(named.parse("[1,2]"), [1, 2]);
  assertEquals(plain.parse('[1,"-inf"]'), [1, -Infinity]);
  const cases: [StructJson, string, string][] = [
    [plain, "[1]", "Cannot read record: expected 2 values, got 1"],
    [plain, '{"a":1,"b":2}', "Cannot read record: expected an array of values"],
    [named, '"x"', "Cannot read record: expected an array, or an object of fields"],
    [named, '{"a":1}', 'Cannot read record: field "b" is missing'],
    [named, '{"a":1,"b":2,"c":3}', 'Cannot read record: unknown field "c", expected a, b'],
    [plain, "[1,", "Cannot parse JSON at byte 3"],
    [new StructJson(compileStruct("s")), '[{"hex":"0"}]', 'Cannot read bytes "0": not hex'],
    [
      new StructJson(compileStruct("s")),
      '[{"oct":"0"}]',
      'Cannot read bytes {"oct":"0"}: expected text',
    ],
  ];
  for (const [json, text, message] of cases) {
    assertThrows(() => json.parse(text), CodecError, message);
  }
});

Deno.test("StructJson refuses names that do not fit the format", () => {
  const struct = compileStruct("!I2sd");
  for (
    const [fields, message] of [
      [["a", "b"], 'Cannot name the fields of "!I2sd": expected 3 names, got 2'],
      [["a", "b", "a"], 'Cannot name the fields of "!I2sd": "a" is given twice'],
    ] as const
  ) assertThrows(() => new StructJson(struct, { fields }), UsageError, message);
});

Deno.test("readTyped() understands what a person types", () => {
  const cases: [string, string, StructInput][] = [
    ["I", " 12 ", 12n],
    ["q", "-9223372036854775808", -(2n ** 63n)],
    ["B", "0xff", 255n],
    ["B", "-0x1", -1n],
    ["I", "1e3", 1000],
    ["I", "1.5", 1.5],
    ["I", "x", "x"],
    ["d", "0.5", 0.5],
    ["d", "1e-3", 1e-3],
    ["d", ".5", 0.5],
    ["d", "-inf", -Infinity],
    ["d", "0x10", "0x10"],
    ["d", "", ""],
    ["d", "-constructor", "-constructor"],
    ["d", "1.5e308", 1.5e308],
    ["q", `00${"0".repeat(200)}7`, 7n],
    ["Q", "0x00ff", 255n],
    ["?", "True", true],
    ["?", "no", false],
    ["5s", " hello", " hello"],
    ["5s", "12", "12"],
    ["5s", '{"hex":"ff"}', bytes(255)],
    ["D", "1-2j", { re: 1, im: -2 }],
    ["D", "(1e-3+2e+5j)", { re: 1e-3, im: 2e5 }],
    ["D", "-2j", { re: 0, im: -2 }],
    ["D", "3", { re: 3, im: 0 }],
    ["D", '{"re":1,"im":"NaN"}', { re: 1, im: NaN }],
    ["D", '{"real":1,"imag":"NaN"}', { re: 1, im: NaN }],
    ["D", "j", { re: 0, im: 1 }],
    ["D", "2-j", { re: 2, im: -1 }],
    ["D", "(1e+5+J)", { re: 1e5, im: 1 }],
    ["D", "x", "x"],
    ["D", "", ""],
    ["D", "()", "()"],
  ];
  for (const [format, text, value] of cases) {
    assertEquals(
      new StructJson(compileStruct(format)).readTyped(0, text),
      value,
      `${format} ${text}`,
    );
  }
  assertThrows(
    () => new StructJson(compileStruct("?")).readTyped(0, "maybe"),
    CodecError,
    'Cannot read boolean "maybe": expected true or false',
  );
});

Deno.test("misfit() tells why a value does not fit a field", () => {
  const struct = compileStruct("!2Hx30s");
  assertEquals(struct.misfit(1, 70000), "is out of range 0 to 65535");
  assertEquals(struct.misfit(2, "x".repeat(31)), "is 31 bytes long, expected at most 30");
  assertEquals(struct.misfit(2, "x"), undefined);
  for (const index of [-1, 3]) assertThrows(() => struct.misfit(index, 0), RangeError);
});

Deno.test("StructCsv writes a row per record", () => {
  const struct = compileStruct("<qd6s2sF");
  const values = [-(2n ** 63n), -0, 'a"b,', bytes(255, 0), { re: 1, im: -2 }] as const;
  const record = struct.unpack(struct.pack(values));
  assertEquals(
    new StructCsv(struct).stringify(record),
    '-9223372036854775808,-0.0,"a""b,",0xff00,1-2j',
  );
  assertEquals(
    new StructCsv(struct, { bytes: "hex" }).stringify(record),
    "-9223372036854775808,-0.0,0x6122622c0000,0xff00,1-2j",
  );
});
