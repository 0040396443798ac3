import {
  compileStruct,
  type StructInput,
  type StructPlatform,
} from "../../../lib/codecs/struct/struct.ts";
import { parseStructFormat } from "../../../lib/codecs/struct/format.ts";
import { CodecError } from "../../../lib/errors.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

/** Fails to compile if the types differ. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
const same = <A, B>(_same: Same<A, B>) => {};

function messageOf(action: () => unknown): string {
  return assertThrows(action, CodecError).message;
}

Deno.test("compileStruct() gives a literal format a tuple type", () => {
  const line = compileStruct("!I30sd");
  same<ReturnType<typeof line.unpack>, [number, Uint8Array, number]>(true);
  const native = compileStruct("@ b?q 2x5p");
  same<ReturnType<typeof native.unpack>, [number, boolean, bigint, Uint8Array]>(true);
  const long = compileStruct("lN");
  same<ReturnType<typeof long.unpack>, [number | bigint, bigint]>(true);
  const safe = compileStruct("<lQD", { safeNumbers: true });
  same<ReturnType<typeof safe.unpack>[1], number | bigint>(true);
  const counted = compileStruct("!3h");
  same<ReturnType<typeof counted.pack>, Uint8Array<ArrayBuffer>>(true);
  same<Parameters<typeof counted.pack>[0], readonly StructInput[]>(true);
  const general = compileStruct("!I" as string);
  same<Parameters<typeof general.pack>[0], readonly StructInput[]>(true);
  // @ts-expect-error: three values are wanted
  assertThrows(() => line.pack([1, "two"]), CodecError);
  // @ts-expect-error: text is no number
  assertThrows(() => line.pack([1, "two", "three"]), CodecError);
});

Deno.test("compileStruct() gives the examples of Python's manual", () => {
  assertEquals(compileStruct(">bhl").pack([1, 2, 3]).toHex(), "01000200000003");
  assertEquals(compileStruct(">bhl").unpack(Uint8Array.fromHex("01000200000003")), [1, 2, 3]);
  assertEquals(compileStruct(">bhl").size, 7);
  assertEquals(
    messageOf(() => compileStruct(">h").pack([99999])),
    `Cannot pack item 0 ("h" in ">h"): 99999 is out of range -32768 to 32767`,
  );
  const text = new TextEncoder().encode("hi");
  assertEquals(compileStruct("@3s").pack([text]).toHex(), "686900");
  assertEquals(
    compileStruct("<10sHHb").unpack(new TextEncoder().encode("raymond   \x32\x12\x08\x01\x08")),
    [
      new TextEncoder().encode("raymond   "),
      4658,
      264,
      8,
    ],
  );
  // The order of the fields has an effect on the size, and a zero count aligns the end.
  const linux = { platform: "linux" } as const;
  assertEquals(compileStruct("@ci", linux).pack(["#", 0x12131415]).toHex(), "2300000015141312");
  assertEquals(compileStruct("@ic", linux).pack([0x12131415, "#"]).toHex(), "1514131223");
  assertEquals([compileStruct("@ci", linux).size, compileStruct("@ic", linux).size], [8, 5]);
  assertEquals(
    compileStruct("@llh0l", linux).pack([1, 2, 3]).toHex(),
    "0100000000000000020000000000000003" + "00".repeat(7),
  );
  assertEquals(compileStruct("@5B", linux).unpack(Uint8Array.of(1, 2, 3, 4, 5)), [1, 2, 3, 4, 5]);
});

// By rule: 64-bit Windows (LLP64) has a long of 4 bytes, 64-bit Linux and macOS (LP64) of 8; all else is the same.
Deno.test("compileStruct() takes the size of long from the platform", () => {
  const sizes = (format: string) =>
    (["linux", "darwin", "windows"] as StructPlatform[]).map((platform) =>
      compileStruct(format, { platform }).size
    );
  for (const code of "xcbB?hHiIqQnNefdspPFD") {
    const [linux, ...others] = sizes(`@b${code}`);
    assertEquals(others, [linux, linux], code);
  }
  assertEquals(sizes("bl"), [16, 16, 8]);
  assertEquals(sizes("@L0l"), [8, 8, 4]);
  assertEquals(sizes("=bl"), [5, 5, 5]);
  assertEquals(compileStruct("l", { platform: "linux" }).unpack(new Uint8Array(8)), [0n]);
  assertEquals(compileStruct("l", { platform: "windows" }).unpack(new Uint8Array(4)), [0]);
  assertThrows(() => compileStruct("l", { platform: "windows" }).pack([2 ** 31]), CodecError);
});

Deno.test("compileStruct() packs complex numbers as two floats", () => {
  for (const mode of ["<", ">", "=", "!", "@", ""]) {
    for (const [code, part] of [["F", "f"], ["D", "d"]]) {
      const struct = compileStruct(mode + code);
      const bytes = struct.pack([{ re: 1.5, im: -2 }]);
      assertEquals(bytes, compileStruct(mode + part + part).pack([1.5, -2]));
      assertEquals(struct.unpack(bytes), [{ re: 1.5, im: -2 }]);
      assertEquals(struct.pack([3]), compileStruct(mode + part + part).pack([3, 0]));
    }
  }
  assertEquals(parseStructFormat("bFbD").items.map(({ offset }) => offset), [0, 4, 12, 16]);
  assertEquals(
    messageOf(() => compileStruct("<F").pack([{ re: 0, im: 1e39 }])),
    `Cannot pack item 0 ("F" in "<F"): {"re":"0","im":"1e+39"} is out of range ` +
      "-3.4028234663852886e+38 to 3.4028234663852886e+38",
  );
  assertEquals(
    messageOf(() => compileStruct("<F").pack(["1+2j" as never])),
    `Cannot pack item 0 ("F" in "<F"): "1+2j" is neither a number nor { re, im }`,
  );
});

Deno.test("compileStruct() says where a format is wrong", () => {
  const cases: [string, number, string][] = [
    ["!I30y", 4, 'unknown code "y", expected one of'],
    ["!I30", 2, 'the count "30" has no code after it'],
    ["3 i", 1, "a blank must not follow a count"],
    [" <i", 1, '"<" must be the first character'],
    ["!in", 2, '"n" exists in native mode ("@") only'],
    ["i𝕏", 1, 'unknown code "𝕏"'],
    ["b99999999999999999999i", 1, "the struct is too long"],
  ];
  for (const [format, offset, reason] of cases) {
    const error = assertThrows(() => compileStruct(format), CodecError, reason);
    assertEquals(error.offset, offset, format);
    assert(
      error.message.startsWith(
        `Cannot parse struct format ${JSON.stringify(format)} at character ${offset + 1}: `,
      ),
      error.message,
    );
  }
});

Deno.test("pack() names format, item, value and range", () => {
  const line = compileStruct("!I30sd");
  assertEquals(
    messageOf(() => line.pack([4294967296, "", 0])),
    'Cannot pack item 0 ("I" in "!I30sd"): 4294967296 is out of range 0 to 4294967295',
  );
  assertEquals(
    messageOf(() => line.pack([1, "x".repeat(31), 0])),
    `Cannot pack item 1 ("30s" in "!I30sd"): "${
      "x".repeat(31)
    }" is 31 bytes long, expected at most 30`,
  );
  assertEquals(
    messageOf(() => compileStruct("<2s2hH").pack(["", 1, 70000, 3])),
    'Cannot pack item 2 ("h" in "<2s2hH"): 70000 is out of range -32768 to 32767',
  );
  assertEquals(
    messageOf(() => line.pack([1, "two"] as never)),
    'Cannot pack "!I30sd": expected 3 values, got 2',
  );
  assertEquals(
    messageOf(() => compileStruct("<f").pack([1e39])),
    'Cannot pack item 0 ("f" in "<f"): 1e+39 is out of range -3.4028234663852886e+38 to 3.4028234663852886e+38',
  );
  assertEquals(
    messageOf(() => compileStruct("c").pack(["µ"])),
    'Cannot pack item 0 ("c" in "c"): "µ" is 2 bytes long, expected exactly 1',
  );
  assertEquals(
    messageOf(() => compileStruct("4p").pack([new Uint8Array(4)])),
    'Cannot pack item 0 ("4p" in "4p"): 0x00000000 is 4 bytes long, expected at most 3',
  );
  assertThrows(() => compileStruct("300p").pack([new Uint8Array(256)]), CodecError, "at most 255");
});

Deno.test("pack() cuts byte strings only when told to, and text between characters", () => {
  const struct = compileStruct("<4s4p", { truncate: true });
  assertEquals(struct.pack(["abcde", "abcde"]).toHex(), "61626364" + "03616263");
  assertEquals(struct.pack(["abc€", "ab€"]).toHex(), "61626300" + "02616200");
  assertEquals(struct.pack(["a€", "€"]).toHex(), "61e282ac" + "03e282ac");
  assertEquals(struct.pack(["", new Uint8Array(0)]).toHex(), "0000000000000000");
});

Deno.test("packInto() writes zero over pad bytes and nothing else", () => {
  const bytes = new Uint8Array(18).fill(0xff);
  const view = new DataView(bytes.buffer, 1);
  compileStruct("@bxi2x3s0i", { platform: "linux" }).packInto([1, 2, "a"], view);
  assertEquals(bytes.toHex(), "ff" + "01000000" + "02000000" + "0000" + "610000" + "000000" + "ff");
});

Deno.test("unpack() gives bytes that share nothing with its input", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const [short] = compileStruct("4s").unpack(bytes);
  const long = compileStruct("1000s").unpack(new Uint8Array(1000).fill(7))[0];
  bytes.fill(9);
  assertEquals(short, Uint8Array.of(1, 2, 3, 4));
  assertEquals(long, new Uint8Array(1000).fill(7));
});

Deno.test("unpack() gives byte strings that share no byte with one another", () => {
  const struct = compileStruct("100s100s");
  const records = Array.from({ length: 200 }, (_, i) => struct.unpack(new Uint8Array(200).fill(i)));
  for (const [a, b] of records) (a.fill(255), b.fill(254));
  for (const [a, b] of records) {
    assert(a.every((byte) => byte === 255) && b.every((byte) => byte === 254));
  }
});

Deno.test("unpack() rejects a short and a long buffer", () => {
  assertEquals(
    messageOf(() => compileStruct("!I30sd").unpack(new Uint8Array(41))),
    'Cannot unpack "!I30sd": expected 42 bytes, got 41',
  );
  assertThrows(() => compileStruct("!I30sd").unpack(new Uint8Array(43)), CodecError, "got 43");
  assertEquals(
    messageOf(() => compileStruct("<I").unpackFrom(new Uint8Array(5), 2)),
    'Cannot unpack "<I" at offset 2: expected 4 bytes there, of 5 in all',
  );
});

Deno.test("unpack() gives numbers where they are safe, if asked to", () => {
  const struct = compileStruct("<qQ", { safeNumbers: true });
  const big = 2n ** 53n;
  assertEquals(struct.unpack(struct.pack([-big + 1n, big - 1n])), [1 - 2 ** 53, 2 ** 53 - 1]);
  assertEquals(struct.unpack(struct.pack([-big, big])), [-big, big]);
  assertEquals(compileStruct("P", { safeNumbers: true }).unpack(new Uint8Array(8)), [0]);
  assertEquals(compileStruct("<qQ").unpack(struct.pack([1, 2])), [1n, 2n]);
});

Deno.test("pack() takes integers as number, bigint or boolean", () => {
  const struct = compileStruct("<bqd");
  assertEquals(struct.pack([7n, 2 ** 60, 5n]), struct.pack([7, 2n ** 60n, 5]));
  assertEquals(compileStruct("<2B").pack([true, false]), Uint8Array.of(1, 0));
  assertEquals(compileStruct("<b").pack([-0]), Uint8Array.of(0));
});

Deno.test("parseStructFormat() tells the layout", () => {
  const { items, size, fieldCount, aligned, littleEndian } = parseStructFormat(
    " c 2x3h\t0s0q",
    "linux",
  );
  assertEquals({ size, fieldCount, aligned, littleEndian }, {
    size: 16,
    fieldCount: 5,
    aligned: true,
    littleEndian: true,
  });
  assertEquals(
    items.map(({ text, offset, padding, count, width }) => [text, offset, padding, count, width]),
    [
      ["c", 0, 0, 1, 1],
      ["2x", 1, 0, 0, 2],
      ["3h", 4, 1, 3, 2],
      ["0s", 10, 0, 1, 0],
      ["0q", 16, 6, 0, 8],
    ],
  );
});

Deno.test("pack() tells what cannot be: half a character, and more bytes than there are", () => {
  for (const code of ["c", "5s", "5p"]) {
    assertThrows(
      () => compileStruct(code).pack(["\ud800"] as never),
      CodecError,
      "half a character",
    );
  }
  const why = 'Cannot pack "999999999999s": no memory for 999999999999 bytes';
  assertThrows(() => compileStruct("999999999999s").pack(["x"] as never), CodecError, why);
});
