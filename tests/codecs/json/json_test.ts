import { Buffer } from "node:buffer";
import { assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  createJsonCodec,
  jsonCodec,
  parseJson,
  stringifyJson,
} from "../../../lib/codecs/json/json.ts";
import { JsonFault, readJson } from "../../../lib/codecs/json/reader.ts";
import { CodecError } from "../../../lib/errors.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function faultOf(input: string | Uint8Array): CodecError {
  return assertThrows(
    () => jsonCodec.decode(typeof input === "string" ? bytes(input) : input),
    CodecError,
  ) as CodecError;
}

Deno.test("jsonCodec carries every kind of value", () => {
  const value = { a: [1, -2.5, 1e300, true, false, null, "µ \u0000 \u{1F600}"], b: {}, "": [[]] };
  assertEquals(jsonCodec.decode(jsonCodec.encode(value)), value);
  assertEquals(jsonCodec.name, "json");
});

Deno.test("jsonCodec encodes in one line", () => {
  const text = new TextDecoder().decode(jsonCodec.encode({ a: "1\n2\r3\u2028" }));
  assertEquals(/[\r\n]/.test(text), false);
});

Deno.test("jsonCodec keeps integers beyond 2^53 exact", () => {
  const text = '{"id":18446744073709551615,"n":[-9223372036854775808,9007199254740993,12]}';
  const value = parseJson(text);
  assertEquals(value, {
    id: 18446744073709551615n,
    n: [-9223372036854775808n, 9007199254740993n, 12],
  });
  assertEquals(stringifyJson(value), text);
});

Deno.test("jsonCodec leaves safe integers and floats with many digits numbers", () => {
  assertEquals(
    parseJson(
      "[9007199254740991,0.12345678901234567,1234567890123456.5,1e22,1E+300,-0.0,-0,0e999]",
    ),
    [9007199254740991, 0.12345678901234567, 1234567890123456.5, 1e22, 1e300, -0, -0, 0],
  );
  assertEquals(parseJson("1".repeat(400)), BigInt("1".repeat(400)));
});

Deno.test("jsonCodec says where a number is that JavaScript cannot hold", () => {
  const cases: [string, number, string][] = [
    [
      '{"w":1e400}',
      5,
      "1e400 is beyond the range of 64-bit floats, which ends at 1.8e308; send it as text",
    ],
    ["[-1E+0400]", 1, "-1E+0400 is beyond the range"],
    ["[1,2e-400]", 3, "2e-400 is nearer to 0 than 64-bit floats come, which is 5e-324"],
    [`[0.${"0".repeat(400)}1]`, 1, "… is nearer to 0"],
    [`[${"1".repeat(401)}]`, 1, "… is an integer of more than 400 digits"],
  ];
  for (const [text, offset, why] of cases) {
    const error = faultOf(text);
    assertEquals(error.offset, offset);
    const where = `Cannot parse JSON at byte ${offset} (line 1, column ${offset + 1}): `;
    assertEquals(error.message.startsWith(where), true, error.message);
    assertEquals(error.message.includes(why), true, error.message);
  }
  assertEquals(parseJson("[1e400,-1e400,1e-400]", { anyNumber: true }), [Infinity, -Infinity, 0]);
});

Deno.test("jsonCodec says where NaN, an infinity or what JSON has no form of is", () => {
  const cases: [unknown, string][] = [
    [NaN, "value is NaN"],
    [{ values: [1, 2, { "x y": [0, -Infinity] }] }, 'value.values[2]["x y"][1] is -Infinity'],
    [[{ a: { b: 1 }, c: [2] }, { big: 1n, d: NaN }], "value[1].d is NaN"],
    [{ at: { toJSON: () => ({ t: Infinity }) } }, "value.at.t is Infinity"],
  ];
  for (const [value, why] of cases) {
    const message = `Cannot write value as JSON: ${why}, which JSON does not have`;
    assertEquals(assertThrows(() => stringifyJson(value), CodecError).message, message);
  }
  assertEquals(
    stringifyJson({ a: null, b: "null", c: 0, d: [0], e: {}, f: new Number(0), g: new Number(-0) }),
    '{"a":null,"b":"null","c":0,"d":[0],"e":{},"f":0,"g":-0.0}',
  );
});

Deno.test("jsonCodec keeps -0.0", () => {
  assertEquals(stringifyJson([-0, { a: -0, b: 0, c: 1n }]), '[-0.0,{"a":-0.0,"b":0,"c":1}]');
  assertEquals(stringifyJson(-0), "-0.0");
  assertEquals(Object.is(parseJson("-0.0"), -0), true);
});

Deno.test("jsonCodec takes __proto__ and constructor for names like any other", () => {
  const text = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"a":1}';
  const value = parseJson(text) as Record<string, unknown>;
  assertEquals(Object.keys(value), ["__proto__", "constructor", "a"]);
  assertEquals(Object.getPrototypeOf(value), Object.prototype);
  assertEquals(value.polluted, undefined);
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
  assertEquals(stringifyJson(value), text);
  // The same where long integers take the other way through the parser.
  const long = parseJson('{"__proto__":{"polluted":18446744073709551615}}');
  assertEquals(Object.keys(long as object), ["__proto__"]);
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("jsonCodec skips a byte order mark and counts it", () => {
  assertEquals(jsonCodec.decode(bytes('\uFEFF{"a":1}')), { a: 1 });
  assertEquals(faultOf('\uFEFF{"a":}').offset, 8);
});

Deno.test("stringifyJson() writes bytes as base64 and other typed arrays as numbers", () => {
  const cases: [unknown, string][] = [
    [new Uint8Array([1, 2, 255]), '"AQL/"'],
    [{ a: [new Uint8Array()] }, '{"a":[""]}'],
    [Buffer.from([1]), '"AQ=="'],
    [{ b: Buffer.from([1, 2]) }, '{"b":"AQI="}'],
    [new Float64Array([1.5, -0]), "[1.5,-0.0]"],
    [{ n: new Int16Array() }, '{"n":[]}'],
    [new BigInt64Array([9007199254740993n]), "[9007199254740993]"],
    [
      { type: "Buffer", on: true, s: Object("x"), d: new Date(0) },
      '{"type":"Buffer","on":true,"s":"x","d":"1970-01-01T00:00:00.000Z"}',
    ],
    [new (class Supply {})(), "{}"],
    [[Object.create(null), {}, null, 0, Object(false), Object("")], '[{},{},null,0,false,""]'],
  ];
  for (const [value, text] of cases) assertEquals(stringifyJson(value), text);
});

Deno.test("stringifyJson() refuses what has no form in JSON, and says where it is", () => {
  const cases: [unknown, string][] = [
    [(function* () {})(), "value is a Generator: expected a plain value, such as [...generator]"],
    [
      (async function* () {})(),
      "value is an AsyncGenerator: expected a plain value, such as await Array.fromAsync(generator)",
    ],
    [new RangeError("no"), "value is an Error: expected a plain value, such as error.message"],
    [Object.assign(new Error("no"), { code: 5 }), "value is an Error: "],
    [{ r: [/a/] }, "value.r[0] is a RegExp: expected a plain value, such as regexp.source"],
    [
      new DataView(new ArrayBuffer(1)),
      "value is a DataView: expected a plain value, such as new Uint8Array(",
    ],
    [
      { b: new ArrayBuffer(1) },
      "value.b is an ArrayBuffer: expected a plain value, such as new Uint8Array(buffer)",
    ],
    [new WeakMap(), "value is a WeakMap: expected a plain value"],
    [new Map().keys(), "value is a Map Iterator: expected a plain value"],
    [[new Date(NaN)], "value[0] is an invalid Date"],
    [new Float64Array([1, NaN]), "value[1] is NaN, which JSON does not have"],
  ];
  for (const [value, why] of cases) {
    assertThrows(() => stringifyJson(value), CodecError, `Cannot write value as JSON: ${why}`);
  }
});

const FAULTS: [string, number, string][] = [
  ["", 0, "expected a value, found the end of the message"],
  ["  ", 2, "expected a value, found the end of the message"],
  ['{"on": True}', 7, 'expected a value, found "True": JSON writes true, false and null'],
  ['{"a":NaN}', 5, 'found "NaN": JSON has no NaN and no infinities'],
  ["{'a':1}", 1, `found "'": JSON strings have double quotes`],
  ['{"µ":1,}', 8, 'expected a name in double quotes after the comma, found "}"'],
  ["{a:1}", 1, 'expected a name in double quotes, or "}", found "a"'],
  ['{"a" 1}', 5, 'expected ":" after the name, found "1"'],
  ["[1 2]", 3, 'expected "," or "]", found "2"'],
  ["[1,]", 3, 'expected a value, found "]"'],
  ["[1,2", 4, 'expected "," or "]", found the end of the message'],
  ["[1]}", 3, 'expected the end of the message, found "}"'],
  ['["a', 3, "expected the closing quote of the string that starts at character 2"],
  ['"\\x"', 1, 'expected an escape such as \\n, \\\\ or \\u00b5, found "\\\\x"'],
  ['"a\tb"', 2, 'expected a control character to be escaped, found "\\t"'],
  ["[01]", 1, "JSON numbers have no leading zeros"],
  ["[1.]", 1, "JSON numbers have digits after the point"],
  ["[.5]", 1, "JSON numbers start with a digit"],
  ["// x", 0, "JSON has no comments"],
];

Deno.test("jsonCodec says where a message stops being JSON, and why", () => {
  for (const [text, offset, why] of FAULTS) {
    const error = faultOf(text);
    assertEquals([text, error.offset], [text, offset]);
    assertEquals(error.message.includes(`at byte ${offset} (line 1, column `), true, error.message);
    assertEquals(error.message.includes(why), true, error.message);
  }
});

Deno.test("jsonCodec counts lines and columns in characters", () => {
  assertEquals(
    faultOf('{"a":1,\n "µ\u{1F600}": x}').message,
    'Cannot parse JSON at byte 19 (line 2, column 8): expected a value, found "x"',
  );
});

Deno.test("jsonCodec says at which byte a message stops being UTF-8", () => {
  const cases: [number[], number, string][] = [
    [[0x22, 0xff, 0x22], 1, "no character starts with 0xff"],
    [[0x22, 0xc3, 0x28, 0x22], 2, "0x28 does not continue the character"],
    [[0x22, 0xe2, 0x82], 3, "the text ends inside a character"],
    [[0x22, 0xed, 0xa0, 0x80, 0x22], 2, "0xa0 does not continue the character"],
    [[0x22, 0xc0, 0xaf, 0x22], 1, "no character starts with 0xc0"],
    [[0x22, 0xf4, 0x90, 0x80, 0x80], 2, "0x90 does not continue the character"],
  ];
  for (const [message, offset, why] of cases) {
    const error = faultOf(new Uint8Array(message));
    assertEquals(error.message, `Cannot decode UTF-8 at byte ${offset}: ${why}`);
    assertEquals(error.offset, offset);
  }
});

Deno.test("jsonCodec limits nesting without running over any stack", () => {
  const started = performance.now();
  for (const open of ["[", '{"a":', '[{"a":']) {
    const error = faultOf(open.repeat(1_000_000));
    assertEquals(error.message.includes("nest deeper than 512 levels"), true, error.message);
  }
  faultOf("[".repeat(1_000_000) + "]".repeat(1_000_000));
  assertLess(performance.now() - started, 20_000);
});

Deno.test("createJsonCodec() takes the depth of nesting exactly", () => {
  const codec = createJsonCodec({ maxDepth: 3 });
  const pad = " ".repeat(20);
  codec.decode(bytes('[[["[[[[", "\\"[[{"]], {"a":["]]"]}]'));
  codec.decode(bytes(`${pad}[[[]],[[]],{"a":{}}]`));
  assertThrows(() => codec.decode(bytes(`${pad}[[[[]]]]`)), CodecError, "deeper than 3 levels");
  assertThrows(() => codec.decode(bytes("[[[[]]]]")), CodecError, "deeper than 3 levels");
});

Deno.test("stringifyJson() rejects what JSON has no form of", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assertThrows(() => stringifyJson(circle), CodecError, "it contains itself");
  assertThrows(() => stringifyJson(undefined), CodecError, "JSON has no form of undefined");
  assertThrows(() => stringifyJson(() => 1), CodecError, "JSON has no form of function");
});

Deno.test("readJson() finds a fault exactly where JSON.parse() throws, and reads the same otherwise", () => {
  const seeds = [
    '{"a":[1,2.5e-3,{"b":null}],"c":"x\\u00b5\\n","d":true}',
    '[[],{},"",0,-0.0,1E5,[[[false]]]]',
    '"text"',
    " -12 ",
    '{"":{"__proto__":[1,{}],"a":{"b":{"c":[]}}},"x":[[2]]}',
  ];
  const alphabet = '{}[]",:0123456789.eE+-truefalsn\\u \n\t\u0001µ';
  let state = 1;
  const random = (n: number) => (state = (state * 48271) % 2147483647) % n;
  let good = 0;
  let bad = 0;
  for (let i = 0; i < 50_000; i++) {
    let text = seeds[random(seeds.length)]!;
    for (let edits = random(3); edits > 0; edits--) {
      const at = random(text.length + 1);
      const insert = random(3) > 0 ? alphabet[random(alphabet.length)]! : "";
      text = text.slice(0, at) + insert + text.slice(at + random(2));
    }
    let value: unknown;
    let parses = true;
    try {
      value = JSON.parse(text);
    } catch {
      parses = false;
    }
    const read = readJson(text, 100, Number);
    assertEquals([text, read instanceof JsonFault], [text, !parses]);
    if (parses && JSON.stringify(read) !== JSON.stringify(value)) assertEquals(read, value, text);
    parses ? good++ : bad++;
  }
  assertEquals(good > 5000 && bad > 5000, true, `${good} good, ${bad} bad`);
});
