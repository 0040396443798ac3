/**
 * The cases of CPython's own test of its struct module, as tables. Left out is what only means something in Python: the
 * object protocols (`__index__`, `__bool__`), re-initialisation, reference counts, `sys.getsizeof`, `repr` and subclassing.
 */

import { compileStruct, type Struct, type StructValue } from "../../../lib/codecs/struct/struct.ts";
import { CodecError } from "../../../lib/errors.ts";
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { random32 } from "./random_values.ts";
import {
  bytes,
  FEATURES,
  HALF_OVERFLOWS,
  HALF_ROUNDING,
  HALVES,
  integerFormats,
  integerRange,
  PASCAL,
} from "./cases.ts";

/** Like Python: byte strings are cut, and native sizes are those of Linux. */
function python(format: string): Struct {
  return compileStruct(format, { truncate: true, platform: "linux" });
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
    const [min, max] = integerRange(code, struct.size);
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
  for (const [format, value, packed, back] of PASCAL) {
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
    const [min, max] = integerRange(code, python(format).size);
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
  for (const [little, value] of HALVES) {
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
  for (const [hex, value] of HALF_ROUNDING) assertEquals(python(">e").pack([value]).toHex(), hex);
  for (const value of HALF_OVERFLOWS) {
    for (const format of [">e", "<e"]) refuses(() => python(format).pack([value]));
  }
});
