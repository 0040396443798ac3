/**
 * The cases of CPython's own test of its struct module, as tables. Left out is what only means something in Python: the
 * object protocols (`__index__`, `__bool__`), re-initialisation, reference counts, `sys.getsizeof`, `repr` and subclassing.
 */

import { compileStruct, type Struct, type StructValue } from "../../lib/codecs/struct.ts";
import { CodecError } from "../../lib/errors.ts";
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { random32 } from "./random_values.ts";

const INTEGERS = [..."bBhHiIlLqQnN"];
const SIGNED = "bhilqn";

/** All integer formats: each code in each mode that has it. */
function integerFormats(): [format: string, code: string][] {
  const modes = ["", "@", "=", "<", ">", "!"];
  return INTEGERS.flatMap((code) =>
    modes.filter((mode) => !"nN".includes(code) || mode === "" || mode === "@")
      .map((mode): [string, string] => [mode + code, code])
  );
}

/** Like Python: byte strings are cut, and native sizes are those of Linux. */
function python(format: string): Struct {
  return compileStruct(format, { truncate: true, platform: "linux" });
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function refuses(action: () => unknown): void {
  assertThrows(action, CodecError);
}

Deno.test("compileStruct() agrees with test_struct: consistence", () => {
  refuses(() => python("Z"));
  assertEquals(python("i").size * 3, python("iii").size);
  assertEquals(python("cbxxxxxxhhhhiillffd?").size * 3, python("3c3b18x12h6i6l6f3d3?").size);
  refuses(() => python("iii").pack([3]));
  refuses(() => python("i").pack([3, 3, 3]));
  refuses(() => python("i").pack(["foo"]));
  refuses(() => python("P").pack(["foo"]));
  refuses(() => python("d").unpack(bytes("flap")));
  const packed = python("ii").pack([1, 2]);
  refuses(() => python("iii").unpack(packed));
  refuses(() => python("i").unpack(packed));
});

Deno.test("compileStruct() agrees with test_struct: transitiveness", () => {
  const values = [bytes("a"), 1, 255, 65535, 65536, 3.1415, 3.1415, true];
  for (const mode of ["", "@", "<", ">", "=", "!"]) {
    for (const codes of ["xcbhilfd?", "xcBHILfd?"]) {
      const struct = python(mode + codes);
      const back = struct.unpack(struct.pack(values));
      assertEquals(back.map((value) => typeof value === "bigint" ? Number(value) : value), [
        ...values.slice(0, 5),
        Math.fround(3.1415),
        ...values.slice(6),
      ]);
    }
  }
});

/** Format, value, big-endian and little-endian bytes, and whether another value comes back. */
const FEATURES: [string, unknown, string, string, boolean][] = [
  ["c", bytes("a"), "a", "a", false],
  ["xc", bytes("a"), "\0a", "\0a", false],
  ["cx", bytes("a"), "a\0", "a\0", false],
  ["s", bytes("a"), "a", "a", false],
  ["0s", bytes("helloworld"), "", "", true],
  ["1s", bytes("helloworld"), "h", "h", true],
  ["9s", bytes("helloworld"), "helloworl", "helloworl", true],
  ["10s", bytes("helloworld"), "helloworld", "helloworld", false],
  ["11s", bytes("helloworld"), "helloworld\0", "helloworld\0", true],
  [
    "20s",
    bytes("helloworld"),
    "helloworld" + "\0".repeat(10),
    "helloworld" + "\0".repeat(10),
    true,
  ],
  ["0p", bytes("helloworld"), "", "", true],
  ["1p", bytes("helloworld"), "\0", "\0", true],
  ["2p", bytes("helloworld"), "\x01h", "\x01h", true],
  ["10p", bytes("helloworld"), "\x09helloworl", "\x09helloworl", true],
  ["11p", bytes("helloworld"), "\x0ahelloworld", "\x0ahelloworld", false],
  ["12p", bytes("helloworld"), "\x0ahelloworld\0", "\x0ahelloworld\0", false],
  [
    "20p",
    bytes("helloworld"),
    "\x0ahelloworld" + "\0".repeat(9),
    "\x0ahelloworld" + "\0".repeat(9),
    false,
  ],
  ["b", 7, "\x07", "\x07", false],
  ["b", -7, "\xf9", "\xf9", false],
  ["B", 7, "\x07", "\x07", false],
  ["B", 249, "\xf9", "\xf9", false],
  ["h", 700, "\x02\xbc", "\xbc\x02", false],
  ["h", -700, "\xfdD", "D\xfd", false],
  ["H", 700, "\x02\xbc", "\xbc\x02", false],
  ["H", 0x10000 - 700, "\xfdD", "D\xfd", false],
  ["i", 70000000, "\x04,\x1d\x80", "\x80\x1d,\x04", false],
  ["i", -70000000, "\xfb\xd3\xe2\x80", "\x80\xe2\xd3\xfb", false],
  ["I", 70000000, "\x04,\x1d\x80", "\x80\x1d,\x04", false],
  ["I", 0x100000000 - 70000000, "\xfb\xd3\xe2\x80", "\x80\xe2\xd3\xfb", false],
  ["l", 70000000, "\x04,\x1d\x80", "\x80\x1d,\x04", false],
  ["l", -70000000, "\xfb\xd3\xe2\x80", "\x80\xe2\xd3\xfb", false],
  ["L", 70000000, "\x04,\x1d\x80", "\x80\x1d,\x04", false],
  ["L", 0x100000000 - 70000000, "\xfb\xd3\xe2\x80", "\x80\xe2\xd3\xfb", false],
  ["f", 2, "@\0\0\0", "\0\0\0@", false],
  ["d", 2, "@\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0@", false],
  ["f", -2, "\xc0\0\0\0", "\0\0\0\xc0", false],
  ["d", -2, "\xc0\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\xc0", false],
  ["?", 0, "\0", "\0", true],
  ["?", 3, "\x01", "\x01", true],
  ["?", true, "\x01", "\x01", false],
  ["?", [], "\0", "\0", true],
  ["?", [1], "\x01", "\x01", true],
];

Deno.test("compileStruct() agrees with test_struct: new features", () => {
  for (const [format, value, big, little, differs] of FEATURES) {
    for (const [mode, expected] of [[">", big], ["!", big], ["<", little], ["=", little]]) {
      const struct = python(mode + format);
      const packed = struct.pack([value as StructValue]);
      assertEquals(packed, bytes(expected!), mode + format);
      assertEquals(struct.size, packed.length);
      const [back] = struct.unpack(packed);
      if (!differs) assertEquals<unknown>(back, value, mode + format);
    }
  }
});

Deno.test("compileStruct() agrees with test_struct: calcsize", () => {
  const sizes: Record<string, number> = { b: 1, h: 2, i: 4, l: 4, q: 8 };
  for (const [format, code] of integerFormats()) {
    if (format.length > 1 && format[0] !== "@") {
      assertEquals(python(format).size, sizes[code.toLowerCase()], format);
    }
  }
  for (const pair of ["bB", "hH", "iI", "lL", "nN", "qQ"]) {
    for (const mode of ["", "@"]) {
      assertEquals(python(mode + pair[0]).size, python(mode + pair[1]).size);
    }
  }
  const native = [..."bhilqnP"].map((code) => python(code).size);
  assertEquals(native, [1, 2, 4, 8, 8, 8, 8]);
});

Deno.test("compileStruct() agrees with test_struct: integers", () => {
  const random = random32(1);
  for (const [format, code] of integerFormats()) {
    const struct = python(format);
    const bits = BigInt(struct.size * 8);
    const signed = SIGNED.includes(code);
    const [min, max] = signed
      ? [-(1n << bits - 1n), (1n << bits - 1n) - 1n]
      : [0n, (1n << bits) - 1n];
    const values = [300n, 700000n, (1n << 65n) - 4n];
    for (let power = 0n; power < bits + 3n; power++) values.push(1n << power);
    for (let i = 0n; i < bits; i++) {
      values.push(BigInt.asUintN(Number(bits), BigInt(random()) << 32n | BigInt(random())));
    }
    const little = !/^[>!]/.test(format);
    for (const value of values.flatMap((v) => [v - 1n, v, v + 1n, -v - 1n, -v, 1n - v])) {
      if (value < min || value > max) {
        refuses(() => struct.pack([value]));
        continue;
      }
      const hex = BigInt.asUintN(Number(bits), value).toString(16).padStart(struct.size * 2, "0");
      const expected = Uint8Array.fromHex(hex);
      if (little) expected.reverse();
      const packed = struct.pack([value]);
      assertEquals(packed, expected, `${format} ${value}`);
      assertEquals(BigInt(struct.unpack(packed)[0] as bigint), value, format);
      refuses(() => struct.unpack(Uint8Array.of(1, ...packed)));
    }
    for (const wrong of ["a string", random, { re: 3, im: 42 }, 1.5, null, undefined, [1], NaN]) {
      refuses(() => struct.pack([wrong as never]));
    }
  }
});

Deno.test("compileStruct() agrees with test_struct: n and N in native mode only", () => {
  for (const format of ["=n", "<n", ">n", "!n", "=N", "<N", ">N", "!N"]) {
    refuses(() => python(format));
  }
});

Deno.test("compileStruct() agrees with test_struct: Pascal strings", () => {
  const cases: [string, string, string, string][] = [
    ["0p", "abc", "", ""],
    ["p", "abc", "\0", ""],
    ["1p", "abc", "\0", ""],
    ["2p", "abc", "\x01a", "a"],
    ["3p", "abc", "\x02ab", "ab"],
    ["4p", "abc", "\x03abc", "abc"],
    ["5p", "abc", "\x03abc\0", "abc"],
    ["6p", "abc", "\x03abc\0\0", "abc"],
    ["1000p", "x".repeat(1000), "\xff" + "x".repeat(999), "x".repeat(255)],
  ];
  for (const [format, value, packed, back] of cases) {
    const struct = python(format);
    assertEquals(struct.pack([bytes(value)]), bytes(packed), format);
    assertEquals(struct.unpack(bytes(packed)), [bytes(back)], format);
  }
});

Deno.test("compileStruct() agrees with test_struct: rounding to 32-bit floats", () => {
  for (let base = 1; base <= 32; base++) {
    let delta = 0.5;
    while (base - delta / 2 !== base) delta /= 2;
    const packed = python("<f").pack([base - delta]);
    assertEquals(python("<f").unpack(packed), [base]);
    assertEquals(python(">f").pack([base - delta]), packed.toReversed());
  }
  const largest = (2 ** 24 - 1) * 2 ** (127 - 23);
  assertEquals(python(">f").unpack(python(">f").pack([largest])), [largest]);
  refuses(() => python(">f").pack([(2 ** 25 - 1) * 2 ** (127 - 24)]));
});

Deno.test("compileStruct() agrees with test_struct: unpack_from and pack_into", () => {
  const data = bytes("abcd01234");
  const four = python("4s");
  assertEquals(four.unpackFrom(data), [bytes("abcd")]);
  for (let i = 0; i < 6; i++) assertEquals(four.unpackFrom(data, i), [data.slice(i, i + 4)]);
  for (let i = 6; i <= 9; i++) refuses(() => four.unpackFrom(data, i));

  const text = bytes("Reykjavik rocks, eow!");
  const struct = python("21s");
  const buffer = new Uint8Array(100).fill(32);
  struct.packInto([text], buffer, 0);
  assertEquals(buffer.slice(0, 21), text);
  struct.packInto([text], buffer, 10);
  assertEquals(buffer.slice(0, 31), Uint8Array.of(...text.slice(0, 10), ...text));
  for (const offset of [0, 2]) refuses(() => struct.packInto([text], new Uint8Array(10), offset));
});

Deno.test("compileStruct() agrees with test_struct: offsets out of bounds", () => {
  refuses(() => python("b").packInto([1], new Uint8Array(1), 5));
  refuses(() => python("b").unpackFrom(new Uint8Array(1), 5));
  const ten = new Uint8Array(10);
  for (const offset of [-2, -11, Number.MAX_SAFE_INTEGER, Infinity, NaN]) {
    refuses(() => python("<I").packInto([123], ten, offset));
    refuses(() => python("<I").unpackFrom(ten, offset));
  }
  python("<B").packInto([7], ten, -2);
  assertEquals([...ten], [0, 0, 0, 0, 0, 0, 0, 0, 7, 0]);
  assertEquals(python("<B").unpackFrom(ten, -2), [7]);
});

Deno.test("compileStruct() agrees with test_struct: booleans", () => {
  for (const mode of ["<", ">", "!", "=", ""]) {
    const no = python(mode + "?".repeat(5));
    for (const value of no.unpack(no.pack([[], [], [], "", 0] as never))) assertFalse(value);
    const yes = python(mode + "?".repeat(6));
    const truths = [[1], "test", 5, -1, 0xffffffff + 1, 0xffffffff / 2];
    for (const value of yes.unpack(yes.pack(truths as never))) assert(value);
    assertEquals(python(mode + "?").size, 1);
  }
  for (const byte of [1, 0x7f, 0xff, 0x0f, 0xf0]) {
    assertEquals(python(">?").unpack(Uint8Array.of(byte)), [true]);
  }
});

Deno.test("compileStruct() agrees with test_struct: counts", () => {
  refuses(() => python(`${2n ** 63n}b`));
  refuses(() => python(`${2n ** 62n}b${2n ** 62n}H`));
  for (const format of ["12345", "c12345", "14s42"]) refuses(() => python(format));
  for (const format of ["\0", "2\0i"]) refuses(() => python(format));
});

Deno.test("compileStruct() agrees with test_struct: messages of ranges", () => {
  for (const [format, code] of integerFormats()) {
    const bits = BigInt(python(format).size * 8);
    const [min, max] = SIGNED.includes(code)
      ? [-(1n << bits - 1n), (1n << bits - 1n) - 1n]
      : [0n, (1n << bits) - 1n];
    for (const value of [-(10n ** 50n), min - 1n, max + 1n, 10n ** 50n]) {
      const wanted = `${value} is out of range ${min} to ${max}`;
      assertThrows(() => python(format).pack([value]), CodecError, wanted);
    }
    assertThrows(() => python(format).pack([""]), CodecError, `"" is not an integer`);
  }
});

Deno.test("iterUnpack() agrees with test_struct", () => {
  assertEquals([...python(">ibcp").iterUnpack(bytes(""))], []);
  assertEquals([...python(">ibcp").iterUnpack(bytes("1234567"))].length, 1);
  for (const data of ["123456", "12345678"]) refuses(() => python(">ibcp").iterUnpack(bytes(data)));
  for (const data of ["", "12"]) refuses(() => python(">").iterUnpack(bytes(data)));
  const iterator = python(">IB").iterUnpack(Uint8Array.from({ length: 15 }, (_, i) => i + 1));
  assertEquals(iterator.next().value, [0x01020304, 5]);
  assertEquals(iterator.next().value, [0x06070809, 10]);
  assertEquals(iterator.next().value, [0x0b0c0d0e, 15]);
  assert(iterator.next().done);
  assert(iterator.next().done);
});

Deno.test("compileStruct() agrees with test_struct: half floats", () => {
  const clean: [number[], number][] = [
    [[0x00, 0x3c], 1],
    [[0x00, 0xc0], -2],
    [[0xff, 0x7b], 65504],
    [[0x00, 0x04], 2 ** -14],
    [[0x01, 0x00], 2 ** -24],
    [[0x00, 0x00], 0],
    [[0x00, 0x80], -0],
    [[0x00, 0x7c], Infinity],
    [[0x00, 0xfc], -Infinity],
    [[0x55, 0x35], 0.333251953125],
  ];
  for (const [little, value] of clean) {
    for (
      const [format, bits] of [["<e", little], [">e", little.toReversed()], ["e", little]] as const
    ) {
      const [back] = python(format).unpack(Uint8Array.from(bits));
      assert(Object.is(back, value), `${format} ${value}`);
      assertEquals([...python(format).pack([value])], [...bits], `${format} ${value}`);
    }
  }
  for (const bits of ["01fc", "00fe", "ffff", "017c", "007e", "ff7f"]) {
    assertEquals(python("<e").unpack(Uint8Array.fromHex(bits)), [NaN]);
    assertEquals(python(">e").unpack(Uint8Array.fromHex(bits).reverse()), [NaN]);
  }
  assertEquals(python("<e").pack([NaN])[1]! & 0x7e, 0x7e);
});

Deno.test("compileStruct() agrees with test_struct: rounding to half floats", () => {
  const rounding: [string, number][] = [
    ["0001", 2 ** -25 + 2 ** -35],
    ["0000", 2 ** -25],
    ["0000", 2 ** -26],
    ["03ff", 2 ** -14 - 2 ** -24],
    ["03ff", 2 ** -14 - 2 ** -25 - 2 ** -65],
    ["0400", 2 ** -14 - 2 ** -25],
    ["0400", 2 ** -14],
    ["3c01", 1 + 2 ** -11 + 2 ** -16],
    ["3c00", 1 + 2 ** -11],
    ["3c00", 1 + 2 ** -12],
    ["7bff", 65504],
    ["7bff", 65519],
    ["8001", -(2 ** -25) - 2 ** -35],
    ["8000", -(2 ** -25)],
    ["8000", -(2 ** -26)],
    ["bc01", -1 - 2 ** -11 - 2 ** -16],
    ["bc00", -1 - 2 ** -11],
    ["bc00", -1 - 2 ** -12],
    ["fbff", -65519],
    ["67ff", 0x1ffdffffff * 2 ** -26], // 2047; rounded by way of 32 bits it would be 2048
  ];
  for (const [hex, value] of rounding) assertEquals(python(">e").pack([value]).toHex(), hex);
  for (const value of [65520, 65536, 1e300, -65520, -65536, -1e300]) {
    for (const format of [">e", "<e"]) refuses(() => python(format).pack([value]));
  }
});
