/**
 * The cases of CPython's own test of its struct module, as tables.
 *
 * @module
 */

/** Bytes of a text, each character one. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

const INTEGERS = [..."bBhHiIlLqQnN"];
const SIGNED = "bhilqn";

/** All integer formats: each code in each mode that has it. */
export function integerFormats(): [format: string, code: string][] {
  const modes = ["", "@", "=", "<", ">", "!"];
  return INTEGERS.flatMap((code) =>
    modes.filter((mode) => !"nN".includes(code) || mode === "" || mode === "@")
      .map((mode): [string, string] => [mode + code, code])
  );
}

/** Least and greatest value of an integer code. */
export function integerRange(code: string, size: number): [bigint, bigint] {
  const bits = BigInt(size * 8);
  return SIGNED.includes(code)
    ? [-(1n << bits - 1n), (1n << bits - 1n) - 1n]
    : [0n, (1n << bits) - 1n];
}

/** Format, value, big-endian and little-endian bytes, and whether another value comes back. */
export const FEATURES: [string, unknown, string, string, boolean][] = [
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

/** Format, value, bytes, and what comes back. */
export const PASCAL: [string, string, string, string][] = [
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

/** Little-endian bytes of a half float, and its value. */
export const HALVES: [number[], number][] = [
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

/** Big-endian bytes of the half float that a value is rounded to. */
export const HALF_ROUNDING: [string, number][] = [
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

/** Values that no half float can hold. */
export const HALF_OVERFLOWS = [65520, 65536, 1e300, -65520, -65536, -1e300];
