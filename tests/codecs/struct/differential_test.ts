import { compileStruct, type Struct, type StructValue } from "../../../lib/codecs/struct/struct.ts";
import { CodecError } from "../../../lib/errors.ts";
import { assert, assertEquals, assertGreater } from "@std/assert";
import { pythonLines } from "../../interop/python.ts";
import { bitsOf, doubleOf, random32 } from "./random_values.ts";

const PEER = new URL("../../interop/struct_peer.py", import.meta.url).pathname;
const CASES = 20_000;

type Random = () => number;
type Given = number | bigint | boolean | string | null | Uint8Array | unknown[];
interface Case {
  format: string;
  values: Given[];
  bytes: Uint8Array;
}

const below = (random: Random, n: number) => random() % n;
const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)]!;
const randomBytes = (random: Random, length: number) =>
  Uint8Array.from({ length }, () => below(random, 4) === 0 ? 0 : below(random, 256));

/** An integer at or near the border of some size, or anywhere. */
function anInteger(random: Random): bigint {
  const power = 1n << BigInt(pick(random, [0, 7, 8, 15, 16, 31, 32, 53, 63, 64, 65]));
  const near = power + BigInt(below(random, 5) - 2);
  return below(random, 2) === 0 ? near : -near;
}

function aDouble(random: Random): number {
  const edges = [0, -0, 1, 0.1, 65504, 65519.99, 65520, -65520, 2 ** -24, 2 ** -25, 3.4e38, 1e39];
  const largest = (2 - 2 ** -23) * 2 ** 127;
  const more = [NaN, Infinity, -Infinity, 5e-324, largest, largest + 2 ** 102, largest + 2 ** 103];
  switch (below(random, 4)) {
    case 0:
      return doubleOf(random(), random());
    case 1:
      return (below(random, 4096) + below(random, 4) / 4) * 2 ** (below(random, 40) - 30);
    default:
      return pick(random, [...edges, ...more]);
  }
}

/** A value for a code, which may or may not fit. */
function aValue(random: Random, letter: string): Given {
  // Text is refused for numbers, as in Python; that it is taken for bytes is the one thing added.
  const wrong = [null, 1.5, NaN, [], true, "csp".includes(letter) ? null : "text"];
  if (below(random, 60) === 0) return pick<Given>(random, wrong);
  if ("csp".includes(letter)) {
    return randomBytes(random, letter === "c" && below(random, 8) ? 1 : below(random, 14));
  }
  if ("efd".includes(letter)) {
    return below(random, 8) === 0 ? anInteger(random) : aDouble(random);
  }
  if (letter === "?") return pick<Given>(random, [true, false, 0, 2, "", "x", [], [0], null, -0.0]);
  // Mostly a value that fits, else most structs would be refused.
  return below(random, 10) === 0 ? anInteger(random) : BigInt(below(random, 128));
}

function aCase(random: Random): Case {
  const mode = pick(random, ["", "", "@", "=", "<", ">", "!"]);
  let format = mode;
  const values: Given[] = [];
  const letters = "xcbB?hHiIlLqQefdsp" +
    (below(random, 12) && "=<>!".includes(mode || "@") ? "" : "nNP");
  for (let items = below(random, 9); items > 0; items--) {
    const letter = pick(random, [...letters]);
    if (below(random, 6) === 0) format += pick(random, [" ", "\t", "\n", "  ", "\v\f", "\r"]);
    const count = below(random, 3) > 0 ? 1 : below(random, "sp".includes(letter) ? 12 : 5);
    const digits = count === 1 && below(random, 4) ? "" : pick(random, ["", "0"]) + String(count);
    format += digits + letter;
    if (letter === "x") continue;
    const fields = "sp".includes(letter) || digits === "" ? 1 : count;
    for (let i = 0; i < fields; i++) values.push(aValue(random, letter));
  }
  if (below(random, 8) === 0) format = damage(random, format);
  // Unpacking "0p" raises SystemError in some versions of Python.
  format = format.replace(/(?<![0-9])0+p/g, "p");
  if (below(random, 12) === 0) values.push(1n);
  if (below(random, 12) === 0) values.pop();
  return { format, values, bytes: new Uint8Array(0) };
}

function damage(random: Random, format: string): string {
  const at = below(random, format.length + 1);
  const junk = pick(random, [
    "z",
    "3 ",
    "@",
    "<",
    "7",
    "0",
    "n",
    "-",
    "é",
    "\0",
    "\x1c",
    "𝕏",
    "99999999999999999999b",
  ]);
  return format.slice(0, at) + junk + format.slice(at);
}

function forPython(value: Given): unknown {
  if (typeof value === "bigint") return { int: String(value) };
  if (typeof value === "number") return { float: bitsOf(value) };
  return value instanceof Uint8Array ? { bytes: value.toHex() } : value;
}

function fromUs(value: StructValue): unknown {
  if (typeof value === "bigint") return { int: String(value) };
  if (typeof value === "boolean") return value;
  if (value instanceof Uint8Array) return { bytes: value.toHex() };
  return Number.isNaN(value) ? "nan" : value;
}

/** Python tells integers from floats; here the code does. */
function fromPython(value: unknown, ours: unknown): unknown {
  if (typeof ours !== "number" || typeof value !== "object" || value === null) return value;
  if ("int" in value) return Number(value.int);
  return "float" in value ? doubleOf(...halves(String(value.float))) : value;
}

function halves(hex: string): [number, number] {
  return [parseInt(hex.slice(0, 8), 16), parseInt(hex.slice(8), 16)];
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    if (error instanceof CodecError) return null;
    throw error;
  }
}

function compile(format: string): Struct | null {
  return attempt(() => compileStruct(format, { truncate: true, platform: "linux" }));
}

function cases(seed: number): Case[] {
  const random = random32(seed);
  return Array.from({ length: CASES }, () => {
    const one = aCase(random);
    const size = compile(one.format)?.size ?? below(random, 8);
    const length = below(random, 12) === 0 ? Math.max(0, size + below(random, 3) - 1) : size;
    return { ...one, bytes: randomBytes(random, length) };
  });
}

/** What a value that was packed into a field of numbers becomes here: floats that are whole are integers. */
function isWholeFloat(value: Given): boolean {
  return typeof value === "number" && Number.isInteger(value);
}

Deno.test("compileStruct() agrees with CPython on random formats, values and bytes", async () => {
  const all = cases(20240131);
  const lines = await pythonLines(
    [PEER],
    all.map(({ format, values, bytes }) =>
      JSON.stringify({ format, values: values.map(forPython), bytes: bytes.toHex() })
    ),
  );
  assertEquals(lines.length, all.length + 1);
  const seen = { refusedFormats: 0, packed: 0, refusedValues: 0, unpacked: 0, refusedBytes: 0 };
  for (const [i, { format, values, bytes }] of all.entries()) {
    const theirs = JSON.parse(lines[i + 1]!);
    const struct = compile(format);
    const about = JSON.stringify({ format, values: values.map(forPython), bytes: bytes.toHex() });
    assertEquals(struct?.size ?? null, theirs.size, about);
    if (!struct) {
      seen.refusedFormats++;
      continue;
    }
    const packed = attempt(() => struct.pack(values as never)?.toHex());
    // The number 1.0 is an integer here, so Python may refuse what fits here.
    if (packed !== null && theirs.packed === null) assert(values.some(isWholeFloat), about);
    else assertEquals(packed, theirs.packed, about);
    packed === null ? seen.refusedValues++ : seen.packed++;
    const unpacked = attempt(() => struct.unpack(bytes))?.map(fromUs) ?? null;
    unpacked === null ? seen.refusedBytes++ : seen.unpacked++;
    const expected = theirs.unpacked?.map((value: unknown, k: number) =>
      fromPython(value, unpacked?.[k])
    ) ?? null;
    assertEquals(unpacked, expected, about);
  }
  // The comparison is worth something only if each outcome was frequent.
  for (const count of Object.values(seen)) assertGreater(count, CASES / 40, JSON.stringify(seen));
});
