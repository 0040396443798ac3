import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  CodecError,
  ColumnsDecoder,
  type ColumnsOptions,
  type Sample,
  type Value,
} from "../../../../mod.ts";

/** What is read from a text, in chunks of some size; what is bad stands there as its message. */
function read(text: string, options: ColumnsOptions = {}, size = 7): (Sample | string)[] {
  const decoder = new ColumnsDecoder(options);
  const bytes = new TextEncoder().encode(text);
  const all: (Sample | string)[] = [];
  const take = (next: () => Sample | null) => {
    for (;;) {
      try {
        const sample = next();
        if (sample === null) return;
        all.push(sample);
      } catch (error) {
        assert(error instanceof CodecError);
        all.push(error.message);
      }
    }
  };
  for (let at = 0; at < bytes.length; at += size) {
    decoder.push(bytes.slice(at, at + size));
    take(() => decoder.next());
  }
  take(() => decoder.end());
  return all;
}

const values = (text: string, options?: ColumnsOptions) =>
  read(text, options).map((one) => typeof one === "string" ? one : one.values);

for (
  const [name, text, options, expected] of [
    ["rows without a header", "1,2.5\n-3e2,.5\n", {}, [[1, 2.5], [-300, 0.5]]],
    ["rows with a header, which may come again", "a,b\n1,2\na,b\n3,4\n", {}, [[1, 2], [3, 4]]],
    ["a last row without its newline, CR LF and a byte order mark", "\ufeff1,2\r\n3,4", {}, [
      [1, 2],
      [3, 4],
    ]],
    ["tabs and semicolons", "1\t2\n3\t4\n", {}, [[1, 2], [3, 4]]],
    ["empty cells at the ends of rows with tabs", "a\tb\n1\t\n\t2\r\n", {}, [[1, NaN], [NaN, 2]]],
    ["a tab behind each number", "1\t2\t\n3\t4\t\r\n", {}, [[1, 2], [3, 4]]],
    ["blanks, as numpy.savetxt writes them", "# u i\n 1.5e+00  2\n3 nan\n", {}, [[1.5, 2], [
      3,
      NaN,
    ]]],
    ["a header of several words", "u 1\n2\n", {}, [[2]]],
    ["a decimal comma where commas separate nothing", "1,5;2\n-0,25;1.000\n", {}, [[1.5, 2], [
      -0.25,
      1,
    ]]],
    ["quotes", '"a","b, c"\n"1","2"\n', {}, [[1, 2]]],
    ["comments and blank lines", "# by hand\n\n1\n\n# end\n2\n", {}, [[1], [2]]],
    ["words for what is not finite, and empty cells", "nan,inf,-Infinity,,+1\n", {}, [[
      NaN,
      Infinity,
      -Infinity,
      NaN,
      1,
    ]]],
    ["true and false", "true,FALSE\n", {}, [[1, 0]]],
    ["a header with the letter of a complex number", "u,i\n1,2\n", {}, [[1, 2]]],
    ["one number per line", "1\n2.5\n", {}, [[1], [2.5]]],
    ["chosen columns by name, in another order", "a,b,c\n1,2,3\n", { fields: ["c", "a"] }, [[
      3,
      1,
    ]]],
    ["chosen columns by number", "1,2,3\n", { fields: ["3", "1"] }, [[3, 1]]],
    ["texts in columns that are not chosen", "who,volts\nme,2\n", { fields: ["volts"] }, [[2]]],
    ["JSON arrays", "[1, 2.5, null, true]\n[-0.0]\n", {}, [
      [1, 2.5, NaN, 1],
      "Cannot read line 2: the row has 1 column: expected 4",
    ]],
    ["JSON objects, whose members may change places", '{"a":1,"b":2}\n{"b":4,"a":3}\n', {}, [
      [1, 2],
      [3, 4],
    ]],
    [
      "members whose names are integers, as they are written",
      '{"b":1,"10":2,"2":{"x":3,"0" :[4]}}\n{"2":{"0":[8],"x":7},"10":6,"b":5}\n',
      {},
      [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
    ],
    ["what looks like such a name in a text", '{"a\\"":2,"s":"\\"9\\":","1":3}\n', {}, [[2, 3]]],
    ["members that are lists", '{"n":1,"volts":[0.5,1]}\n', {}, [[1, 0.5, 1]]],
    ["members that are objects", '{"data":{"u":1,"i":[2,3]}}\n', {}, [[1, 2, 3]]],
    ["members by their ways", '{"data":{"u":1,"i":[2,3]},"x":"y"}\n', {
      fields: ["data.i[1]", "data.u"],
    }, [[3, 1]]],
    ["a list by its name", '{"i":[2,3],"x":"y"}\n', { fields: ["i"] }, [[2, 3]]],
    ["members that are texts, which are left out", '{"n":3,"text":"hello","x":"1.5"}\n', {}, [[
      3,
      1.5,
    ]]],
    ["a header with numbers behind its time", "time,0,1\n5,2,3\n", {}, [[2, 3]]],
    [
      "what json-server prints",
      '{"time":"2026-11-20T18:13:50.000Z","peer":"127.0.0.1:1","data":{"command_id":"set","volts":1.5,"on":true},"answer":{"status":"success"},"duration":0.1}\n',
      {},
      [[1.5, 1]],
    ],
    [
      "a member of what json-server prints",
      '{"time":"2026-11-20T18:13:50.000Z","peer":"127.0.0.1:1","data":{"command_id":"set","volts":1.5,"on":true},"answer":{"status":"success","result":7},"duration":0.1}\n',
      { fields: ["volts", "answer.result"] },
      [[1.5, 7]],
    ],
    ["a member whose name looks like a way", '{"a.b":1,"x":"y"}\n', { fields: ["a.b"] }, [[1]]],
    ["the words of struct-line for what is not finite", '["NaN","Infinity","-Infinity"]\n', {}, [[
      NaN,
      Infinity,
      -Infinity,
    ]]],
    [
      "the kinds that were stated",
      '1.5,9007199254740993,1,1-2j\n[1,9007199254740993,true,{"re":1,"im":-2}]\n',
      { signals: "fibc" },
      [[1.5, 9007199254740993n, true, { real: 1, imag: -2 }], [1, 9007199254740993n, true, {
        real: 1,
        imag: -2,
      }]],
    ],
    [
      "large floats as JavaScript writes them",
      `n\n${2 ** 63}\n+${2 ** 63}\n[${-(2 ** 64)}]\n${
        JSON.stringify({ n: 1.2345678901234567e20 })
      }\n`,
      {},
      [[2 ** 63], [2 ** 63], [-(2 ** 64)], [1.2345678901234567e20]],
    ],
    [
      "no integer as a float that is another number",
      'n\n9007199254740992\n +9007199254740993 \n-9007199254740993.0\n[18446744073709551615]\n{"n":9007199254740993}\n[1e300]\n',
      {},
      [
        [2 ** 53],
        'Cannot read line 3: column "n" is "+9007199254740993": expected a number that a float holds; --signals says which values are integers',
        [-(2 ** 53)],
        "Cannot read line 5: column 1 is 18446744073709551615: expected a number that a float holds; --signals says which values are integers",
        'Cannot read line 6: "n" is 9007199254740993: expected a number that a float holds; --signals says which values are integers',
        [1e300],
      ],
    ],
    ["complex numbers as VILLASnode writes them", "1.5-2.5i,3,i,-1e-3j\n", { signals: "4c" }, [[
      { real: 1.5, imag: -2.5 },
      { real: 3, imag: 0 },
      { real: 0, imag: 1 },
      { real: 0, imag: -1e-3 },
    ]]],
  ] as [string, string, ColumnsOptions, (Value[] | string)[]][]
) {
  Deno.test(`columns: ${name}`, () => assertEquals(values(text, options), expected));
}

for (
  const [text, options, expected] of [
    [
      "a,b\n1,x\n",
      {},
      'Cannot read line 2: column "b" is "x": expected a number; --fields chooses the values',
    ],
    ["1,2\n1\n", {}, "Cannot read line 2: the row has 1 column: expected 2"],
    ["1,2\n1,2,3\n", {}, "Cannot read line 2: the row has 3 columns: expected 2"],
    ["1,1e400\n", {}, 'Cannot read line 1: column 2 is "1e400": expected a number'],
    ["1\nx\n", {}, 'Cannot read line 2: column 1 is "x": expected a number'],
    ["1.5\n", { signals: "i" }, 'column 1 is "1.5": expected an integer'],
    ["9223372036854775808\n", { signals: "i" }, "expected an integer"],
    ["2\n", { signals: "b" }, "expected true or false"],
    ["1,2\n", { signals: "1f" }, "there are 2 values: expected at most 1, as many as signals"],
    ["a,b\n1,2\n", { fields: ["c"] }, 'Cannot read line 1: there is no column "c": expected a, b'],
    ["1,2\n", { fields: ["volts"] }, "expected numbers from 1 to 2, without a header"],
    ['{"a":1}\n{"b":1}\n', {}, 'Cannot read line 2: there is also "b": expected a as before'],
    ['{"a":1,"b":2}\n{"a":1}\n', {}, 'Cannot read line 2: there is no "b"'],
    ['{"a":"text"}\n', {}, "Cannot read line 1: there is no number in the object"],
    ['{"a":1}\n{"a":"text"}\n', {}, 'Cannot read line 2: "a" is "text": expected a number'],
    ['{"a":1,"b":"x"}\n{"a":1,"b":2,"c":3}\n', {}, 'there is also "c"'],
    [
      "3,hello,0.5\n",
      {},
      'Cannot read line 1: column 2 is "hello": expected a number; --fields chooses',
    ],
    ['{"a":1\n', {}, "Cannot read line 1: "],
    ['{"ts":{"origin":[1,2]},"data":[1]}\n', {}, "expected --input-format json"],
    [
      "time,a\n1795198430123,1\n",
      {},
      'the time is "1795198430123": expected seconds since 1970, not milliseconds',
    ],
    ["time,a\nsoon,1\n", {}, 'the time is "soon": expected seconds'],
    ["seq,a\n-1,1\n", {}, 'the sequence number is "-1": expected a whole number from 0'],
    ['"1,2\n', {}, "the row ends inside quotes"],
  ] as [string, ColumnsOptions, string][]
) {
  Deno.test(`columns: ${JSON.stringify(text)} is refused`, () => {
    const messages = read(text, options).filter((one) => typeof one === "string");
    assert(messages.some((message) => message.includes(expected)), messages.join("\n"));
  });
}

Deno.test("columns: a header without what is wanted is what is wrong with each row", () => {
  assertEquals(read("a,b\n1,2\n3,4\n", { fields: ["c"] }), [
    'Cannot read line 1: there is no column "c": expected a, b',
    'Cannot read line 2: there is no column "c": expected a, b',
    'Cannot read line 3: there is no column "c": expected a, b',
  ]);
});

for (
  const [name, text, options, sec, nsec, sequence] of [
    [
      "seconds with all their digits",
      "time,a\n1795198430.457807691,1\n",
      {},
      1795198430,
      457807691,
    ],
    ["ISO 8601 in UTC", "Time,a\n2026-11-20T18:13:50.457807691Z,1\n", {}, 1795198430, 457807691],
    [
      "ISO 8601 with a zone and a blank",
      "timestamp,a\n2026-11-20 19:13:50.5+01:00,1\n",
      {},
      1795198430,
      500000000,
    ],
    ["ISO 8601 in a first column without a name", "2026-11-20T18:13:50Z,1\n", {}, 1795198430, 0],
    ["a JSON object's", '{"time":1795198430.5,"a":1}\n', {}, 1795198430, 500000000],
    [
      "a JSON array's, as struct-line writes it",
      '["2026-11-20T18:13:50.000001Z",1]\n',
      {},
      1795198430,
      1000,
    ],
    ["a column with a number", "7,0.25,1\n", { time: "2", sequence: "1" }, 0, 250000000, 7n],
    ["a column with a name", "t,k,a\n0.001,9,1\n", { time: "t", sequence: "k" }, 0, 1000000, 9n],
    [
      "a sequence number's by its usual name",
      "sequence,time,a\n18446744073709551615,1,1\n",
      {},
      1,
      0,
      2n ** 64n - 1n,
    ],
    [
      "members of members",
      '{"m":{"t":2,"n":3},"a":1}\n',
      { time: "m.t", sequence: "m.n" },
      2,
      0,
      3n,
    ],
  ] as [string, string, ColumnsOptions, number, number, bigint?][]
) {
  Deno.test(`columns: the time is read, ${name}`, () => {
    const [sample] = read(text, options) as Sample[];
    assertEquals(sample!.origin, { sec, nsec });
    assertEquals(sample!.sequence, sequence);
    assertEquals(sample!.values, [1]);
  });
}

Deno.test("columns: a day that there is not is no time", () => {
  const [first, second] = read("time,a\n2026-02-31T10:00:00Z,1\n2024-02-29T10:00:00Z,2\n");
  assertMatch(String(first), /"2026-02-31T10:00:00Z"/);
  assertEquals((second as Sample).origin!.sec, Date.parse("2024-02-29T10:00:00Z") / 1000);
});

Deno.test("columns: a time without a zone is local, as ISO 8601 says", () => {
  const [sample] = read("time,a\n2026-11-20T18:13:50,1\n") as Sample[];
  assertEquals(sample!.origin!.sec, Date.parse("2026-11-20T18:13:50") / 1000);
});

Deno.test("columns: a line that is too long is refused, and the next ones are read", () => {
  const all = read(`1\n${"2".repeat(99)}\n3\n`, { maxBytes: 20 });
  assertEquals(all[1], "Cannot read line 2: it is longer than 20 bytes");
  assertEquals((all[2] as Sample).values, [3]);
});

Deno.test("columns: whatever is in a line, only CodecError is thrown", () => {
  const decoder = new ColumnsDecoder({ signals: "fibc", time: "1" });
  const parts = [
    "[",
    "]",
    "{",
    "}",
    '"',
    ",",
    ";",
    "1",
    "-",
    "e",
    ".",
    "\\",
    "null",
    "time",
    ":",
    " ",
    "i",
    "\x80",
  ];
  let seed = 1;
  const random = () => (seed = seed * 48271 % 0x7fffffff) / 0x7fffffff;
  for (let n = 0; n < 20_000; n++) {
    const length = Math.floor(random() * 12);
    const line = Array.from({ length }, () => parts[Math.floor(random() * parts.length)]).join("");
    decoder.push(new TextEncoder().encode(`${line}\n`));
    try {
      while (decoder.next() !== null);
    } catch (error) {
      if (!(error instanceof CodecError)) {
        throw new Error(`${JSON.stringify(line)}`, { cause: error });
      }
    }
  }
});

Deno.test("columns: a list that nests too deep, or signals that are none", () => {
  assertEquals(typeof read(`${"[".repeat(5000)}\n`)[0], "string");
  assertThrows(() => new ColumnsDecoder({ signals: "3x" }));
});

Deno.test("columns in UTF-16, as PowerShell writes them, are told from others", () => {
  const decoder = new ColumnsDecoder();
  decoder.push(new Uint8Array([0xff, 0xfe, 0x31, 0, 0x0a, 0]));
  assertThrows(() => decoder.next(), CodecError, "the text is UTF-16, as PowerShell's > writes it");
});
