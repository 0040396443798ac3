/** Formats in files, on standard input and output, and over TCP. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import type { SampleDecoder, VillasFormat } from "../../../lib/codecs/villas/format.ts";
import { villasFormat } from "../../../lib/codecs/villas/formats.ts";
import type { Sample } from "../../../lib/codecs/villas/sample.ts";
import { CodecError, UsageError } from "../../../lib/errors.ts";
import { hexLines } from "../../fixtures/read.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What a stream holds, in chunks of some size, and what is wrong with it. */
function read(
  decoder: SampleDecoder,
  bytes: Uint8Array,
  size = bytes.length,
): (Sample | string)[] {
  const found: (Sample | string)[] = [];
  const take = (next: () => Sample | null) => {
    for (;;) {
      try {
        const sample = next();
        if (sample === null) return;
        found.push(sample);
      } catch (error) {
        assert(error instanceof CodecError, String(error));
        assert(error.offset !== undefined && error.offset <= bytes.length);
        found.push(error.message);
      }
    }
  };
  for (let at = 0; at < bytes.length; at += size) {
    decoder.push(bytes.slice(at, at + size));
    take(() => decoder.next());
  }
  take(() => decoder.end());
  return found;
}

const samples: Sample[] = [
  { origin: { sec: 100, nsec: 5 }, sequence: 1n, values: [1.5, 2n] },
  {
    origin: { sec: 101, nsec: 5 },
    sequence: 2n,
    values: [-1, 3n],
    received: { sec: 101, nsec: 1_000_005 },
  },
  { origin: { sec: 102, nsec: 0 }, sequence: 3n, values: [1e-20, -(2n ** 31n)] },
].map((sample) => ({ type: "data", ...sample }));

/** Rows of: format, what a file of it looks like. */
const WRITTEN: readonly (readonly [string, string])[] = [
  [
    "villas.human",
    "# seconds.nanoseconds+offset(sequence)\tvoltage[V]\tn\n100.000000005(1)\t1.50000000000000000\t2\n" +
    "101.000000005+1.000000e-03(2)\t-1.00000000000000000\t3\n102.000000000(3)\t1e-20\t-2147483648\n",
  ],
  [
    "csv",
    "# secs,nsecs,offset,sequence,voltage[V],n\n100,000000005,nan,1,1.50000000000000000,2\n" +
    "101,000000005,0.001000000,2,-1.00000000000000000,3\n102,000000000,nan,3,1e-20,-2147483648\n",
  ],
  [
    "tsv,header=false",
    "100\t000000005\tnan\t1\t1.50000000000000000\t2\n101\t000000005\t0.001000000\t2\t-1.00000000000000000\t3\n" +
    "102\t000000000\tnan\t3\t1e-20\t-2147483648\n",
  ],
  [
    "json",
    '{"ts": {"origin": [100, 5]}, "sequence": 1, "data": [1.5, 2]}\n' +
    '{"ts": {"origin": [101, 5], "received": [101, 1000005]}, "sequence": 2, "data": [-1.0, 3]}\n' +
    '{"ts": {"origin": [102, 0]}, "sequence": 3, "data": [9.9999999999999995e-21, -2147483648]}\n',
  ],
];

for (const [notation, text] of WRITTEN) {
  Deno.test(`a stream of ${notation} is written as VILLASnode writes it, and read in chunks of any size`, () => {
    const format = villasFormat(notation, { signals: "voltage:float:V,n:integer" });
    const encoder = format.stream.encoder();
    assertEquals(samples.map((sample) => decode(encoder.encode([sample]))).join(""), text);
    for (const size of [1, 3, 64, 10_000]) {
      assertEquals(read(format.stream.decoder(), encode(text), size), samples);
      assertEquals(read(format.stream.decoder(), encode(text.trimEnd()), size), samples);
      assertEquals(
        read(format.stream.decoder(), encode(text.replaceAll("\n", "\r\n")), size),
        samples,
      );
    }
  });
}

Deno.test("streams of every format that carries them give the samples back", () => {
  for (
    const notation of [
      "protobuf",
      "villas.human",
      "json",
      "csv",
      "tsv",
      "json,indent=2",
      "json,compact=true",
      "csv,separator=;",
      "raw,bits=64,fake=true",
      "raw,bits=64,endianess=big,fake=true",
    ]
  ) {
    const format = villasFormat(notation, { signals: "fi" });
    const plain = samples.map(({ received: _, ...sample }) => sample);
    const encoder = format.stream.encoder();
    const bytes = encoder.encode(plain);
    for (const size of [1, 7, 10_000]) {
      assertEquals(read(format.stream.decoder(), bytes, size), plain, notation);
    }
  }
});

Deno.test("a header line has as many signals as there are values where none were stated, and is written once", () => {
  const encoder = villasFormat("villas.human").stream.encoder({ offset: false });
  assertEquals(
    decode(encoder.encode([samples[0]!])).split("\n")[0],
    "# seconds.nanoseconds(sequence)\tsignal0\tsignal1",
  );
  assert(!decode(encoder.encode([samples[0]!])).includes("#"));
  const csv = villasFormat("csv", { signals: "2f" }).stream.encoder({ offset: false });
  assertEquals(decode(csv.encode([])), "# secs,nsecs,sequence,signal0,signal1\n");
});

Deno.test("lines of csv have no column for the time of receipt where the header says so", () => {
  const text = "# secs,nsecs,sequence,signal0\n1,5,7,1.5\n";
  assertEquals(read(villasFormat("csv").stream.decoder(), encode(text)), [
    { type: "data", origin: { sec: 1, nsec: 5 }, sequence: 7n, values: [1.5] },
  ]);
});

for (const name of ["csv", "tsv"]) {
  Deno.test(`lines of ${name} without the time of receipt are read so, whatever the signals are called`, () => {
    const sample: Sample = {
      type: "data",
      origin: { sec: 1, nsec: 5 },
      sequence: 7n,
      values: [1.5, 2.5],
    };
    const { sequence: _, ...unnumbered } = sample;
    for (
      const [setting, reader, wanted] of [
        ["offset=false", `${name}`, sample],
        ["offset=false", `${name},offset=false`, sample],
        ["offset=false,header=false", `${name},offset=false`, sample],
        ["offset=false,sequence=false", `${name},offset=false,sequence=false`, unnumbered],
        ["header=true", `${name},offset=false`, sample], // the header says that they have it
      ] as const
    ) {
      const { stream } = villasFormat(`${name},${setting}`, {
        signals: "dc_offset:float,offset:float",
      });
      const bytes = stream.encoder().encode([sample]);
      assertEquals(read(villasFormat(reader).stream.decoder(), bytes), [wanted], setting);
    }
  });
}

Deno.test("a header says what the lines of csv behind it are, wherever it stands", () => {
  const text =
    "# by hand\n# secs,nsecs,sequence,u\n1,5,7,1.5\n# secs,nsecs,offset,sequence,u\n1,5,nan,8,2.5\n";
  const found = read(villasFormat("csv").stream.decoder(), encode(text));
  assertEquals(found.map((sample) => (sample as Sample).sequence), [7n, 8n]);
  assertEquals(found.map((sample) => (sample as Sample).values), [[1.5], [2.5]]);
});

Deno.test("a comment before lines of csv does not change what they are", () => {
  for (const comment of ["# 10 seconds of data", "# secs", "# offset", "#"]) {
    assertEquals(
      read(villasFormat("csv").stream.decoder(), encode(`${comment}\n1,5,nan,7,1.5\n`)),
      [
        { type: "data", origin: { sec: 1, nsec: 5 }, sequence: 7n, values: [1.5] },
      ],
    );
  }
});

Deno.test("values of a stream are floats unless signals say otherwise, and what no float holds is told", () => {
  const of = (format: VillasFormat, text: string) => read(format.stream.decoder(), encode(text));
  const human = villasFormat("villas.human");
  assertEquals(of(human, "1.5(1)\t1\t-2\n"), [
    { type: "data", origin: { sec: 1, nsec: 5 }, sequence: 1n, values: [1, -2] },
  ]);
  const [complex, long] = of(human, "1.5(1)\t1+2i\n1.5(1)\t9007199254740993\n");
  assertStringIncludes(
    String(complex),
    'in line 1 (byte 7): "1+2i" is a complex number; --signals says',
  );
  assertStringIncludes(String(long), "is an integer that no float holds; --signals says");
  const [sample] = of(
    villasFormat("villas.human", { signals: "fibc" }),
    "1.5(1)\t1\t-2\t1\t1+2i\n",
  );
  assertEquals((sample as Sample).values, [1, -2n, true, { real: 1, imag: 2 }]);
});

/** Rows of: format, text with a mistake in its second line, and what is said of it. */
const MISTAKES: readonly (readonly [string, string, string])[] = [
  [
    "villas.human",
    "1.5(1)\t1\n7\n\n# x\n1.5(2)\t2\n",
    "Cannot read villas.human in line 2 (byte 9): expected SECONDS",
  ],
  [
    "villas.human",
    "1.5(1)\t1\n1.5(2)\tx\n1.5(2)\t2\n",
    'in line 2 (byte 16): expected a value, got "x"',
  ],
  [
    "csv",
    "1,5,0,1,1\n1,5,0,x,2\n1,5,0,2,2\n",
    'in line 2 (byte 16): expected a sequence number, got "x"',
  ],
  [
    "csv",
    "1,5,0,1,1\n1,5\n1,5,0,2,2\n",
    "in line 2 (byte 13): expected a sequence number, got the end",
  ],
  [
    "json",
    '{"sequence": 1, "data": [1.0]}\n{"sequence": 1, "data": [1.0\n{"sequence": 2, "data": [2.0]}\n',
    "in line 2 (byte 31): the line ends inside a sample",
  ],
  [
    "json",
    '{"sequence": 1, "data": [1.0]}\nnonsense\n{"sequence": 2, "data": [2.0]}\n',
    "in line 2 (byte 31): expected an object or a list",
  ],
  [
    "json",
    '{"sequence": 1, "data": [1.0]}\n{"data": 5}\n{"sequence": 2, "data": [2.0]}\n',
    "in line 2 (byte 31): data 5, expected a list",
  ],
  [
    "json",
    '{"sequence": 1, "data": [1.0]}\n{"data": [1,]}\n{"sequence": 2, "data": [2.0]}\n',
    "in line 2",
  ],
];

for (const [notation, text, says] of MISTAKES) {
  Deno.test(`a mistake in a stream is told with its line, and the rest is read: ${JSON.stringify(text)}`, () => {
    for (const size of [1, 5, 1000]) {
      const [first, mistake, second, ...rest] = read(
        villasFormat(notation).stream.decoder(),
        encode(text),
        size,
      );
      assertEquals((first as Sample).sequence, 1n);
      assertStringIncludes(String(mistake), says);
      assertEquals([(second as Sample).sequence, (second as Sample).values], [2n, [2]]);
      assertEquals(rest, []);
    }
  });
}

Deno.test("a list of JSON over any number of lines, and of any length, is a stream of its samples", () => {
  const three = ['{"data": [1.5]}', '{"data": [2.5]}', '{"data": [3.5]}'];
  for (
    const text of [
      `[${three}]`,
      `[${three}][]\n`,
      `[\n${three.join(",\n")}\n]\n`,
      `[${three.join(",\r\n ")}]\r\n`,
      `[\n  ${three.join("\n  , ")}\n]`,
      `[\n  {"ts":{},\n   "data": [1.5]},\n  {"data":\n[2.5]}, ${three[2]}]`,
      `[${three[0]}]\n[${three[1]}]\n${three[2]}\n`,
      JSON.stringify(three.map((text) => JSON.parse(text)), null, 2),
    ]
  ) {
    for (const size of [1, 7, 1000]) {
      const found = read(villasFormat("json").stream.decoder(), encode(text), size);
      assertEquals(found.map((each) => (each as Sample).values), [[1.5], [2.5], [3.5]], text);
    }
  }
  const long = encode(`[${new Array(1000).fill(three[0]).join(",\n")}]`);
  assertEquals(read(villasFormat("json").stream.decoder({ maxBytes: 100 }), long).length, 1000);
});

Deno.test("a mistake in a list of JSON is told, and its other samples are read", () => {
  const text = '[{"data": [1.5]},\n{"data": 5},\n{"data": [2.5]\n{"data": [3.5]},\n{"data": [4.';
  const found = read(villasFormat("json").stream.decoder(), encode(text));
  assertEquals(found.map((each) => typeof each === "string" ? each : each.values[0]), [
    1.5,
    "Cannot read json in line 2 (byte 18): data 5, expected a list",
    "Cannot read json in line 3 (byte 31): another sample begins inside it",
    3.5,
    "Cannot read json in line 5 (byte 63): the stream ends inside a sample",
  ]);
});

Deno.test("a list of JSON that was cut off takes none of the lists behind it with it", () => {
  const lists = '[{"data": [2.5]}]\n[{"data": [3.5]}, {"data": [4.5]}]\n';
  for (const cut of ['{"data": [1', '{"data": [1,', '{"ts": {"origin": [1, 2]', '{"data": [']) {
    for (const size of [1, 7, 1000]) {
      const text = `[{"data": [0.5]},${cut}\n${lists}`;
      const found = read(villasFormat("json").stream.decoder(), encode(text), size);
      assertEquals(found.map((each) => typeof each === "string" ? each : each.values[0]), [
        0.5,
        "Cannot read json in line 1 (byte 17): another sample begins inside it",
        ...[2.5, 3.5, 4.5],
      ], cut);
    }
  }
});

Deno.test("a stream that ends inside a sample says so", () => {
  const last = (notation: string, cut: number, signals?: string) => {
    const format = villasFormat(notation, signals ? { signals } : {});
    const [sample] = samples;
    const bytes = format.stream.encoder().encode([{ ...sample!, values: [1.5] }]);
    return String(read(format.stream.decoder(), bytes.subarray(0, bytes.length - cut), 5).at(-1));
  };
  assertStringIncludes(
    last("villas.binary", 2),
    "Cannot read villas.binary at byte 0: the stream ends inside a message, of which 18 bytes came",
  );
  assertStringIncludes(last("protobuf", 2), "the stream ends inside a message");
  assertStringIncludes(last("json", 3), "the stream ends inside a sample");
  assertStringIncludes(last("raw,fake=true", 2, "1f"), "the stream ends inside a message");
});

Deno.test("a binary stream goes on behind bytes that are no message", () => {
  const format = villasFormat("villas.binary");
  const [one, two] = [1n, 2n].map((sequence) =>
    format.encode([{ ...samples[0]!, sequence, values: [1.5] }])
  );
  const bytes = Uint8Array.from([...one!, 0xff, 0xff, 0xff, ...two!]);
  const [first, mistake, second, ...rest] = read(format.stream.decoder(), bytes, 3);
  assertEquals([(first as Sample).sequence, (second as Sample).sequence, rest.length], [1n, 2n, 0]);
  assertStringIncludes(String(mistake), "at byte 20: expected the beginning of a message");
});

Deno.test("a line that is too long is told, and the next one read", () => {
  for (const size of [7, 1000]) {
    const decoder = villasFormat("villas.human").stream.decoder({ maxBytes: 100 });
    const text = `1.5(1)\t1\n${"\t1".repeat(200)}\n1.5(2)\t2\n`;
    const found = read(decoder, encode(text), size);
    assertEquals((found.at(-1) as Sample).sequence, 2n);
    assertEquals(found.length, 3);
    assertEquals(typeof found[1], "string");
  }
});

Deno.test("raw values are told apart in a stream only where the signals are known", () => {
  assertThrows(
    () => villasFormat("raw").stream.decoder(),
    UsageError,
    "--signals does, as in --signals 5f",
  );
  const [bytes] = [encode("abcdefgh")];
  assertEquals(read(villasFormat("raw", { signals: "1i" }).stream.decoder(), bytes!).length, 2);
});

/** Captures that show where their messages end. */
for (
  const capture of [
    "villas.human",
    "csv",
    "tsv",
    "json",
    "json.kafka",
    "json.reserve",
    "json.edgeflex",
    "villas.binary",
    "villas.web",
    "opal.asyncip",
    "value",
    "raw",
    "gtnet",
    "protobuf",
  ]
) {
  Deno.test(`messages of ${capture} one after another are cut apart again`, async () => {
    const datagrams = await hexLines(`formats/${capture}.hex`);
    const signals = capture.startsWith("villas.") && capture !== "villas.human"
      ? "2f"
      : capture === "value"
      ? "f"
      : "fibc";
    const format = villasFormat(capture, { signals });
    const bytes = Uint8Array.from(datagrams.flatMap((bytes) => [...bytes]));
    for (const size of [1, 10, 1000, bytes.length]) {
      const splitter = format.splitter();
      const found: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        splitter.push(bytes.slice(at, at + size));
        for (let message; (message = splitter.next()) !== null;) found.push(message.slice());
      }
      assertEquals([splitter.end(), splitter.partial], [null, false]);
      assertEquals(found, datagrams);
    }
  });
}

for (const name of ["villas.human", "csv", "tsv", "value"]) {
  Deno.test(`a line of ${name} that the end of a stream cuts off is no message`, () => {
    const splitter = villasFormat(name).splitter();
    splitter.push(encode("1.5\n12"));
    assertEquals(splitter.next(), encode("1.5\n"));
    assertEquals([splitter.next(), splitter.partial], [null, true]);
    assertThrows(
      () => splitter.end(),
      CodecError,
      `Cannot read ${name} at byte 4: the stream ends inside a line, of which 2 bytes came`,
    );
    splitter.push(encode(" \r"));
    assertEquals([splitter.next(), splitter.end()], [null, null]);
  });
}

Deno.test("messages of iotagent_ul cannot be told apart in a stream", () => {
  assertThrows(
    () => villasFormat("iotagent_ul").splitter(),
    UsageError,
    "do not show where they end",
  );
});

/** Rows of: format, signals, what somebody else wrote, and what is read. */
const ODD:
  readonly (readonly [string, string | undefined, Uint8Array, Sample["values"] | RegExp])[] = [
    ["json", undefined, encode('\ufeff{"data": [1.5]}\n'), [1.5]],
    ["villas.human", undefined, encode("\ufeff1.5(1)\t1.5\r\n"), [1.5]],
    ["json", undefined, utf16('{"data": [1.5]}\n'), /UTF-16, as PowerShell's > writes it/],
    ["villas.human", undefined, utf16("1.5(1)\t1.5\n"), /UTF-16, as PowerShell's > writes it/],
    ["csv", undefined, utf16("1,5,0,1,2\n").subarray(2), /UTF-16, as PowerShell's > writes it/],
    ["json", undefined, Uint8Array.of(0x1f, 0x8b, 8, 0), /it is compressed: gunzip it first/],
    ["villas.human", undefined, Uint8Array.of(0x1f, 0x8b, 8), /it is compressed: gunzip it first/],
    ["villas.human", undefined, encode("\0\x07abc\n"), /it is not text$/],
    ["tsv", undefined, encode("1\0\0\n"), /it is not text$/],
    ["json", undefined, encode("\0\x07abc\n"), /it is not text$/],
    ["json", undefined, encode("{}\n"), /: no data, expected a list of values/],
    ["json", undefined, encode('{"data": [1e400]}\n'), /a number that no float holds/],
    ["json", undefined, encode('{"data": [-1.5e309]}\n'), /a number that no float holds/],
    [
      "json.reserve",
      "f",
      encode('{"measurements": [{"name": "signal0", "value": 1e400}]}\n'),
      /a number that no float holds/,
    ],
    ["json.edgeflex", "f", encode('{"signal0": 1e400, "created": 5}\n'), /a number that no float/],
    [
      "csv",
      undefined,
      encode("secs,nsecs,offset,sequence,u\n"),
      /csv,skip_first_line=true leaves out a header/,
    ],
    [
      "csv",
      undefined,
      encode("1;5;nan;7;1.5\n"),
      /expected seconds, got "1;5;nan;7;1.5"; the setting "separator=;" is for semicolons/,
    ],
    [
      "villas.human",
      "f",
      encode("1.5(1)\t1\t2\n"),
      /in line 1 .*at most 1 value, as many as there are signals, got 2/,
    ],
    [
      "json",
      "f",
      encode('{"data": [1.5, 2.5]}\n'),
      /at most 1 value, as many as there are signals, got 2/,
    ],
    [
      "villas.binary",
      "f",
      new Uint8Array([0x20, 0, 0, 2, ...new Array(20).fill(0)]),
      /at byte 0: .*got 2/,
    ],
  ];

function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length + 2);
  [0xfeff, ...text].forEach((character, i) => {
    const code = typeof character === "string" ? character.charCodeAt(0) : character;
    new DataView(bytes.buffer).setUint16(2 * i, code, true);
  });
  return bytes;
}

for (const [notation, signals, bytes, wanted] of ODD) {
  Deno.test(`${notation} of ${bytes.length} odd bytes is read, or it is said why not: ${wanted}`, () => {
    const format = villasFormat(notation, signals === undefined ? {} : { signals });
    const [found] = read(format.stream.decoder(), bytes);
    if (wanted instanceof RegExp) assertMatch(String(found), wanted);
    else assertEquals((found as Sample).values, wanted);
    for (const size of [1, 3]) assertEquals(read(format.stream.decoder(), bytes, size)[0], found);
  });
}
