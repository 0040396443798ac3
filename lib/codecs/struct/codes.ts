/** The system whose C compiler decides the sizes of native types. */
export type StructPlatform = "linux" | "darwin" | "windows";

/** The platform that this program runs on; a system that is none of them has the sizes of Linux. */
export function runningPlatform(): StructPlatform {
  const { os } = Deno.build;
  return os === "windows" || os === "darwin" ? os : "linux";
}

/**
 * What the bytes of a value mean: `i` a signed integer, `u` an unsigned one, `f` a float and `z` a complex number, each
 * with its size in bytes, and the kinds that are no numbers.
 */
export type StructForm =
  | "pad"
  | "char"
  | "bool"
  | "bytes"
  | "pascal"
  | "pointer"
  | "i1"
  | "i2"
  | "i4"
  | "i8"
  | "u1"
  | "u2"
  | "u4"
  | "u8"
  | "f2"
  | "f4"
  | "f8"
  | "z4"
  | "z8";

/**
 * One code of the format language, in one mode and on one platform.
 *
 * @internal
 */
export interface StructCode {
  /** What the bytes mean. */
  readonly form: StructForm;
  /** The type in C. */
  readonly cType: string;
  /** Bytes of one value; of one byte of text for `s` and `p`. */
  readonly size: number;
  /** What the offset of a value is a multiple of; 1 in the standard modes. */
  readonly alignment: number;
}

/** `[form, C type, bytes, alignment where it is not the size]` */
type Row = readonly [StructForm, string, number, number?];

/** The modes `=`, `<`, `>` and `!`: the same sizes everywhere. */
const standard: Readonly<Record<string, Row>> = {
  "x": ["pad", "pad byte", 1],
  "c": ["char", "char", 1],
  "b": ["i1", "signed char", 1],
  "B": ["u1", "unsigned char", 1],
  "?": ["bool", "_Bool", 1],
  "h": ["i2", "short", 2],
  "H": ["u2", "unsigned short", 2],
  "i": ["i4", "int", 4],
  "I": ["u4", "unsigned int", 4],
  "l": ["i4", "long", 4],
  "L": ["u4", "unsigned long", 4],
  "q": ["i8", "long long", 8],
  "Q": ["u8", "unsigned long long", 8],
  "e": ["f2", "_Float16", 2],
  "f": ["f4", "float", 4],
  "d": ["f8", "double", 8],
  "s": ["bytes", "char[]", 1],
  "p": ["pascal", "char[]", 1],
  "F": ["z4", "float complex", 8, 4],
  "D": ["z8", "double complex", 16, 8],
};

/** The mode `@` on 64-bit Linux and macOS. */
const native: Readonly<Record<string, Row>> = {
  ...standard,
  "l": ["i8", "long", 8],
  "L": ["u8", "unsigned long", 8],
  "n": ["i8", "ssize_t", 8],
  "N": ["u8", "size_t", 8],
  "P": ["pointer", "void *", 8],
};

/** The mode `@` on 64-bit Windows, where a `long` has 32 bits. */
const nativeWindows: Readonly<Record<string, Row>> = {
  ...native,
  "l": standard["l"]!,
  "L": standard["L"]!,
};

/** The codes that exist in native mode only. */
export const nativeOnly = "nNP";

/** All letters of the format language. */
export const structLetters: string = Object.keys(native).join("");

/**
 * Looks up a code.
 *
 * @param letter The code's letter.
 * @param aligned Whether the mode is `@`, with native sizes and alignment.
 * @param platform Whose native sizes.
 * @returns The code, or `undefined` if the mode has no such letter.
 */
export function structCode(
  letter: string,
  aligned: boolean,
  platform: StructPlatform,
): StructCode | undefined {
  const table = !aligned ? standard : platform === "windows" ? nativeWindows : native;
  if (!Object.hasOwn(table, letter)) return undefined;
  const [form, cType, size, alignment = size] = table[letter]!;
  return { form, cType, size, alignment: aligned ? alignment : 1 };
}
