import { compileStruct, type StructInput } from "../../../lib/codecs/struct/struct.ts";
import { StructCsv } from "../../../lib/codecs/struct/csv.ts";
import {
  parseStructFields,
  type StructField,
  timeName,
  valueNames,
} from "../../../lib/codecs/struct/fields.ts";
import { StructJson } from "../../../lib/codecs/struct/json.ts";
import { CodecError, UsageError } from "../../../lib/errors.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

const words = (text: string) => text.split(",");

Deno.test("parseStructFields() reads names of values and of arrays", () => {
  const cases: [format: string, names: string, fields: [string, number, number?][]][] = [
    ["<I4d", "n,arr*4", [["n", 0], ["arr", 1, 4]]],
    ["<I4d", "n,arr*", [["n", 0], ["arr", 1, 4]]],
    ["<I4d", "n,first,arr*", [["n", 0], ["first", 1], ["arr", 2, 3]]],
    ["<I4d", "n,a,b,c,d", [["n", 0], ["a", 1], ["b", 2], ["c", 3], ["d", 4]]],
    ["<I4d", "n,a*1,b*2,c", [["n", 0], ["a", 1, 1], ["b", 2, 2], ["c", 4]]],
    ["<dd2x2d", "arr*4", [["arr", 0, 4]]],
    ["<16d16dH", "x*,y*,n", [["x", 0, 16], ["y", 16, 16], ["n", 32]]],
    ["<3s3s0d3s", "texts*3", [["texts", 0, 3]]],
    ["<2d", "a*b,c", [["a*b", 0], ["c", 1]]],
  ];
  for (const [format, names, fields] of cases) {
    const expected = fields.map(([name, first, count]): StructField => {
      return count === undefined ? { name, first } : { name, first, count };
    });
    const { layout } = compileStruct(format);
    assertEquals(parseStructFields(words(names), layout), expected, names);
  }
  const fields = parseStructFields(["n", "arr*2"], compileStruct("<I2d").layout);
  assertEquals(valueNames(fields), ["n", "arr[0]", "arr[1]"]);
  assertEquals(timeName(["a", "time", "_time"]), "__time");
});

Deno.test("parseStructFields() says which names would fit", () => {
  const cases: [format: string, names: string, message: string][] = [
    ["<I4d", "n", "it has 5 values, the names stand for 1; n,field2*4 would fit"],
    ["<I4d", "n,arr", "it has 5 values, the names stand for 2; n,arr*4 would fit"],
    ["<I4d", "n,arr*5", "it has 5 values, the names stand for 6; n,arr*4 would fit"],
    ["<I4d", "n,arr*3", "it has 5 values, the names stand for 4; n,arr*4 would fit"],
    [
      "<I4d",
      "arr*4,n",
      '"arr*4" stands for values of different codes, "I" and "d"; arr,n*4 would fit',
    ],
    ["<I4d", "n,arr*0", '"arr*0" has no values; n,arr*4 would fit'],
    ["<I4d", "n,*4", '"*4" has no name before its count; n,field2*4 would fit'],
    ["<I4d", "n,n*4", '"n" is given twice'],
    ["<I4d", "arr[0],arr*4", '"arr[0]" is given twice'],
    ["<Id", "n", "expected 2 names, got 1"],
    ["<I", "n,d", "expected 1 name, got 2"],
    ["<I4d", `n,arr*${"9".repeat(400)}`, "it has 5 values, the names stand for far more; n,arr*4"],
  ];
  for (const [format, names, message] of cases) {
    assertThrows(
      () => new StructJson(compileStruct(format), { fields: words(names) }),
      UsageError,
      `Cannot name the fields of "${format}": ${message}`,
    );
  }
});

Deno.test("StructJson writes arrays of fields, and takes them", () => {
  const struct = compileStruct("<I4d2s3?");
  const json = new StructJson(struct, { fields: ["n", "arr*4", "text", "on*"] });
  const bytes = struct.pack([1, 0.5, -0, NaN, 4, "é", true, false, true]);
  const text = json.stringify(struct.unpack(bytes));
  assertEquals(text, '{"n":1,"arr":[0.5,-0.0,"NaN",4],"text":"é","on":[true,false,true]}');
  const others = [
    text,
    '{"text":"é","on":[true,false,true],"arr":[0.5,-0.0,"NaN",4],"n":1}',
    '[1,0.5,-0.0,"NaN",4,"é",true,false,true]',
    '[1,[0.5,-0.0,"NaN",4],"é",[true,false,true]]',
  ];
  for (const other of others) assertEquals(struct.pack(json.parse(other)), bytes, other);
  const last = new StructJson(compileStruct("<I4d"), { fields: ["n", "arr*4"] });
  assertEquals(last.stringify([1, 2, 3, 4, 5]), '{"n":1,"arr":[2,3,4,5]}');
});

Deno.test("errors name the field that they are about, in arrays with its number", () => {
  const fields = ["n", "arr*4", "on*2"];
  const struct = compileStruct("<I4d2?", { fields });
  const json = new StructJson(struct, { fields });
  const csv = new StructCsv(struct, { fields });
  const cases: [() => unknown, string][] = [
    [
      () => struct.pack(json.parse('{"n":1,"arr":[1,2,"x",4],"on":[true,true]}')),
      'Cannot pack field "arr[2]" ("d" in "<I4d2?"): "x" is not a number',
    ],
    [() => struct.pack([-1, 1, 2, 3, 4, true, true]), 'Cannot pack field "n" ("I" in'],
    [
      () => json.parse('{"n":1,"arr":[1,2,3,4],"on":[true,"maybe"]}'),
      'Cannot read boolean "maybe": expected true or false (field "on[1]")',
    ],
    [
      () => csv.read(words("1,1,2,3,4,true,maybe")),
      'Cannot read boolean "maybe": expected true or false (field "on[1]")',
    ],
    [
      () => csv.read(words("1,1,2,1e999,4,true,true")),
      'Cannot read number "1e999": it is larger than a double can be (field "arr[2]")',
    ],
    [
      () => json.parse('{"n":1,"arr":[1,2,3],"on":[true,true]}'),
      'Cannot read record: field "arr" is an array of 4 values, got 3',
    ],
    [
      () => json.parse('{"n":1,"arr":7,"on":[true,true]}'),
      'Cannot read record: field "arr" is an array of 4 values, got none',
    ],
    [
      () => json.parse("[1,[1,2,3,4]]"),
      "Cannot read record: expected 3 fields, got 2",
    ],
    [
      () => json.parse('{"n":1,"arr":[1,-1e400,3,4],"on":[true,true]}'),
      "-1e400 is beyond the range of 64-bit floats",
    ],
    [() => csv.read(["1"]), "expected 7 values with commas between them, got 1"],
    [
      () => new StructJson(compileStruct("<2?")).parse('[true,"no!"]'),
      'Cannot read boolean "no!": expected true or false (item 1)',
    ],
  ];
  for (const [action, message] of cases) assertThrows(action, CodecError, message);
});

Deno.test("the time of arrival stands first, under a name that no field has, and is not read", () => {
  const time = "2026-10-05T12:34:56.789012Z";
  const struct = compileStruct<string>("<Hs");
  for (
    const [fields, name, record, header] of [
      [["n", "c"], "time", `{"time":"${time}","n":1,"c":"a"}`, "time,n,c"],
      [["n", "time"], "_time", `{"_time":"${time}","n":1,"time":"a"}`, "_time,n,time"],
      [undefined, "", `["${time}",1,"a"]`, undefined],
    ] as const
  ) {
    const json = new StructJson(struct, { fields });
    const csv = new StructCsv(struct, { fields });
    const values = struct.unpack(struct.pack([1, "a"]));
    assertEquals(json.stringify(values, time), record, name);
    assertEquals(struct.pack(json.parse(record)), struct.pack([1, "a"]));
    assertEquals(csv.header(true), header);
    assertEquals(csv.stringify(values, time), `${time},1,a`);
    assertEquals(struct.pack(csv.read([time, "1", "a"])), struct.pack([1, "a"]));
  }
  const arrays = new StructJson(compileStruct("<2H"), { fields: ["time*2"] });
  assertEquals(arrays.stringify([1, 2], time), `{"_time":"${time}","time":[1,2]}`);
  assertEquals(new StructJson(compileStruct("")).stringify([], time), `["${time}"]`);
  // What is no time is one value too many.
  assertThrows(() => new StructJson(struct).parse('["now",1,"a"]'), CodecError, "got 3");
});

Deno.test("formats of a huge count are refused where their values would be held", () => {
  const { layout } = compileStruct("4000000000d");
  const message = 'Cannot use "4000000000d" for records: it has 4000000000 values';
  assertThrows(() => new StructJson({ layout }), UsageError, message);
  assertThrows(() => new StructCsv({ layout }), UsageError, message);
  assertThrows(() => compileStruct("4000000000d").pack([]), CodecError, "expected 4000000000 val");
});

/** Seconds that something takes. */
function secondsOf(action: () => unknown): number {
  const start = performance.now();
  action();
  return (performance.now() - start) / 1000;
}

Deno.test("long lists of fields, long digits and long texts cost no more than their length", () => {
  const count = 50_000;
  const fields = Array.from({ length: count }, (_, i) => `a field with the number ${i}`);
  const struct = compileStruct(`<${count}b`, { fields });
  const record = Object.fromEntries(fields.map((name) => [name, 1]));
  const text = "1".repeat(250_000);
  const plain = new StructJson(compileStruct("<Id?D5s"));
  const target = compileStruct<string>("<Id?D5s");
  const refused = (index: number, typed: string) => () => {
    const values: StructInput[] = [1, 1, true, 1, "a"];
    try {
      values[index] = plain.readTyped(index, typed);
      target.pack(values);
    } catch (error) {
      assert(error instanceof CodecError && error.message.length < 300, String(error));
    }
  };
  const actions: Record<string, () => unknown> = {
    "fields of an object": () => new StructJson(struct, { fields }).read(record),
    "an unknown field": () => {
      assertThrows(() => new StructJson(struct, { fields }).read({ ...record, x: 1 }), CodecError);
    },
    "columns of a header": () => new StructCsv(struct, { fields }).columns(fields.toReversed()),
    "an integer": refused(0, text),
    "no integer": refused(0, `${text}x`),
    "hex": refused(0, `0x${text}`),
    "no number": refused(1, `${text}x`),
    "no fraction": refused(1, `1.${text}x`),
    "no boolean": refused(2, text),
    "no complex number": refused(3, `${"1-".repeat(125_000)}x`),
    "no complex number, with exponents": refused(3, `${"1e-1".repeat(60_000)}x`),
    "no text": refused(4, text),
  };
  for (const [name, action] of Object.entries(actions)) {
    const seconds = secondsOf(action);
    assert(seconds < 6, `${name}: ${seconds} s`);
  }
});

Deno.test("messages about long formats, names and values are short", () => {
  const long = "é".repeat(10_000);
  const cases: (() => unknown)[] = [
    () => compileStruct(`<${"i".repeat(10_000)}y`),
    () => compileStruct(`<${"1".repeat(10_000)}`),
    () => compileStruct(`<${"0".repeat(10_000)}30s`).pack([long]),
    () => compileStruct(`<${"i".repeat(10_000)}`).pack([]),
    () => compileStruct(`<${"i".repeat(10_000)}`).unpack(new Uint8Array(1)),
    () => compileStruct(`<${"i".repeat(10_000)}`).unpackFrom(new Uint8Array(1)),
    () => compileStruct("<I", { fields: [long, long] }),
    () => compileStruct("<I", { fields: [`${long}*2`] }),
    () => compileStruct("<II", { fields: [long, long] }),
    () => compileStruct("<I", { fields: [long] }).pack([-1]),
    () => new StructJson(compileStruct("<I"), { fields: [long] }).parse(`{"${long}x":1}`),
    () => new StructJson(compileStruct("<s")).parse(`[{"hex":"${long}"}]`),
    () => new StructJson(compileStruct("<?")).parse(`["${long}"]`),
  ];
  for (const action of cases) {
    const error = assertThrows(action) as Error;
    assert(error.message.length < 300, `${error.message.length}: ${error.message.slice(0, 400)}`);
  }
  const circle: unknown[] = [];
  circle.push(circle);
  assertThrows(
    () => compileStruct("<I").pack([circle] as never),
    CodecError,
    'Cannot pack item 0 ("I" in "<I"): <ref',
  );
});
