/** A complex number, for the codes `F` and `D`. */
export interface StructComplex {
  /** Real part. */
  readonly re: number;
  /** Imaginary part. */
  readonly im: number;
}

/** What unpacking gives: the type follows from the code. */
export type StructValue = number | bigint | boolean | Uint8Array | StructComplex;

/** What packing takes: bytes may be given as text, which becomes UTF-8, and integers of any size as either type. */
export type StructInput = StructValue | string;

type Blank = " " | "\t" | "\n" | "\v" | "\f" | "\r";
type Digit = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
type Bytes = "s" | "p";

/** Codes whose type is the same in all modes. */
interface CommonOutputs {
  c: Uint8Array;
  b: number;
  B: number;
  "?": boolean;
  h: number;
  H: number;
  i: number;
  I: number;
  e: number;
  f: number;
  d: number;
  s: Uint8Array;
  p: Uint8Array;
  F: StructComplex;
  D: StructComplex;
}
/**
 * The standard modes.
 *
 * @internal
 */
interface StandardOutputs<Long> extends CommonOutputs {
  l: number;
  L: number;
  q: Long;
  Q: Long;
}
/**
 * Native mode: the size of `long` is the platform's.
 *
 * @internal
 */
interface NativeOutputs<Long> extends CommonOutputs {
  l: number | bigint;
  L: number | bigint;
  q: Long;
  Q: Long;
  n: Long;
  N: Long;
  P: Long;
}
/** What packing takes, code by code. */
interface Inputs {
  x: never;
  c: Uint8Array | string;
  s: Uint8Array | string;
  p: Uint8Array | string;
  "?": boolean | number | bigint;
  F: StructComplex | number;
  D: StructComplex | number;
}

type InputOf<C> = C extends keyof Inputs ? Inputs[C] : number | bigint;
/**
 * What packing takes in place of what unpacking gives.
 *
 * @internal
 */
type InputTable<T> = { [C in keyof T]: InputOf<C> };

/**
 * Walks over a format; counts are understood on `s`, `p` and `x` only, others give the `General` type.
 *
 * @internal
 */
type Walk<F extends string, Table, General, Values extends unknown[] = []> = F extends "" ? Values
  : F extends `${Blank}${infer Rest}` ? Walk<Rest, Table, General, Values>
  : F extends `x${infer Rest}` ? Walk<Rest, Table, General, Values>
  : F extends `${Digit}${infer Rest}` ? AfterDigit<Rest, Table, General, Values>
  : F extends `${infer Code}${infer Rest}`
    ? Code extends keyof Table ? Walk<Rest, Table, General, [...Values, Table[Code]]> : General
  : General;

type AfterDigit<F extends string, Table, General, Values extends unknown[]> = F extends
  `${Digit}${infer Rest}` ? AfterDigit<Rest, Table, General, Values>
  : F extends `x${infer Rest}` ? Walk<Rest, Table, General, Values>
  : F extends `${infer Code extends Bytes}${infer Rest}`
    ? Walk<Rest, Table, General, [...Values, Table[Code & keyof Table]]>
  : General;

/**
 * What a 64-bit integer is.
 *
 * @internal
 */
type Long<Safe> = Safe extends true ? number | bigint : bigint;

/**
 * The values that a format stands for: a tuple for a literal format without counts on other than `s`, `p` and `x`, an
 * array of any values otherwise.
 *
 * @typeParam F The format.
 * @typeParam Safe Whether 64-bit integers are numbers where those are exact.
 */
export type StructValues<F extends string, Safe extends boolean = false> = string extends F
  ? StructValue[]
  : F extends `${"=" | "<" | ">" | "!"}${infer Rest}`
    ? Walk<Rest, StandardOutputs<Long<Safe>>, StructValue[]>
  : F extends `@${infer Rest}` ? Walk<Rest, NativeOutputs<Long<Safe>>, StructValue[]>
  : Walk<F, NativeOutputs<Long<Safe>>, StructValue[]>;

/**
 * What a format can be packed from, as {@linkcode StructValues} is what it is unpacked to.
 *
 * @typeParam F The format.
 */
export type StructInputs<F extends string> = string extends F ? readonly StructInput[]
  : F extends `${"=" | "<" | ">" | "!"}${infer Rest}`
    ? Readonly<Walk<Rest, InputTable<StandardOutputs<bigint>>, StructInput[]>>
  : F extends `@${infer Rest}`
    ? Readonly<Walk<Rest, InputTable<NativeOutputs<bigint>>, StructInput[]>>
  : Readonly<Walk<F, InputTable<NativeOutputs<bigint>>, StructInput[]>>;
