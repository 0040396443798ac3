import { assertEquals, assertMatch } from "@std/assert";
import { formatVillasHuman } from "../../../lib/codecs/villas/human.ts";
import type { Sample, Timestamp, Value } from "../../../lib/codecs/villas/sample.ts";
import { fixtureLines, hexLines } from "../../fixtures/read.ts";
import { LAB19 } from "../../fixtures/lab19.ts";

function plusSeconds({ sec, nsec }: Timestamp, seconds: number): Timestamp {
  const total = nsec + Math.round(seconds * 1e9);
  return { sec: sec + Math.floor(total / 1e9), nsec: (total % 1e9 + 1e9) % 1e9 };
}

function parseValue(text: string): Value {
  const complex = /^(.+\d)([+-].+)i$/.exec(text);
  if (complex) return { real: Number(complex[1]), imag: Number(complex[2]) };
  return text.includes(".") ? Number(text) : BigInt(text);
}

/** Reads a line that VILLASnode wrote. */
function parseLine(line: string): Sample {
  const [head, ...values] = line.split("\t");
  const [, sec, nsec, offset, sequence, frame] = /^(\d+)\.(\d{9})([+-].+)?\((\d+)\)(F?)$/.exec(
    head!,
  )!;
  const origin = { sec: Number(sec), nsec: Number(nsec) };
  return {
    type: "data",
    sequence: BigInt(sequence!),
    origin,
    ...(offset ? { received: plusSeconds(origin, Number(offset)) } : {}),
    ...(frame ? { newFrame: true } : {}),
    values: values.map(parseValue),
  };
}

const PRINTED = [
  "lab19",
  "newframe",
  "noseq",
  "types-cast",
  "vectorize3",
  "wire-human",
  "wire-json",
];

for (const name of PRINTED) {
  Deno.test(`formatVillasHuman() writes ${name} as VILLASnode printed it`, async () => {
    const lines = await fixtureLines(`${name}.print.txt`);
    assertEquals(lines.length > 0, true);
    for (const line of lines) assertEquals(formatVillasHuman(parseLine(line)), line);
  });
}

Deno.test("formatVillasHuman() writes a sample that was not received as VILLASnode sent it", async () => {
  const datagrams = await hexLines("wire-human.hex");
  assertEquals(datagrams.length, 10);
  for (const bytes of datagrams) {
    const line = new TextDecoder().decode(bytes);
    assertMatch(line, /^\d+\.\d{9}\(\d+\)\t.*\n$/);
    assertEquals(formatVillasHuman(parseLine(line.trimEnd())) + "\n", line);
  }
});

Deno.test("formatVillasHuman() writes what the Python client saw as VILLASnode printed it", async () => {
  const printed = await fixtureLines("lab19.print.txt");
  const offsets = printed.map((line) => Number(/[+-][\d.]+e[+-]\d+/.exec(line)![0]));
  const received = LAB19.map((sample, i) => ({
    ...sample,
    received: plusSeconds(sample.origin, offsets[i]!),
  }));
  assertEquals(received.map(formatVillasHuman), printed);
});

Deno.test("formatVillasHuman() writes an offset into the past", () => {
  const line = formatVillasHuman({
    type: "data",
    origin: { sec: 5, nsec: 100 },
    received: { sec: 4, nsec: 999_999_999 },
    values: [],
  });
  assertEquals(line, "5.000000100-1.010000e-07");
});

Deno.test("formatVillasHuman() takes the time of receipt for an unknown origin", () => {
  const received = { sec: 5, nsec: 1 };
  assertEquals(
    formatVillasHuman({ type: "data", received, values: [1n] }),
    "5.000000001+0.000000e+00\t1",
  );
});

Deno.test("formatVillasHuman() writes a sample of unknown time and sequence", () => {
  assertEquals(formatVillasHuman({ type: "data", values: [false] }), "0.0\t0");
});

Deno.test("formatVillasHuman() writes every kind of value", () => {
  const values = [-0, NaN, -Infinity, -(2n ** 63n), true, { real: -1.5, imag: -0 }, null];
  const line = formatVillasHuman({
    type: "data",
    sequence: 2n ** 64n - 1n,
    newFrame: false,
    values,
  });
  assertEquals(line.split("\t"), [
    "0.0(18446744073709551615)",
    "-0.00000000000000000",
    "nan",
    "-inf",
    "-9223372036854775808",
    "1",
    "-1.50000000000000000-0.00000000000000000i",
    "nan",
  ]);
});
