import type { StructForm } from "./codes.ts";
import type { StructComplex, StructValue } from "./types.ts";

/** Reads the value at an offset of a view; `width` is for byte strings, `littleEndian` for numbers. */
export type StructRead = (
  view: DataView,
  at: number,
  littleEndian: boolean,
  width: number,
) => StructValue;

/** Reads each kind of value. */
const readers: Readonly<Record<Exclude<StructForm, "pad">, StructRead>> = {
  char: (view, at) => copyBytes(view, at, 1),
  bool: (view, at) => view.getUint8(at) !== 0,
  bytes: (view, at, _, width) => copyBytes(view, at, width),
  pascal: readPascal,
  pointer: (view, at, little) => view.getBigUint64(at, little),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  i8: (view, at, little) => view.getBigInt64(at, little),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  u8: (view, at, little) => view.getBigUint64(at, little),
  f2: (view, at, little) => view.getFloat16(at, little),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
  z4: (view, at, little): StructComplex => ({
    re: view.getFloat32(at, little),
    im: view.getFloat32(at + 4, little),
  }),
  z8: (view, at, little): StructComplex => ({
    re: view.getFloat64(at, little),
    im: view.getFloat64(at + 8, little),
  }),
};

/** Readers of 64-bit integers that return a number if it is exact. */
const safeReaders: Readonly<Partial<Record<StructForm, StructRead>>> = {
  i8: (view, at, little) => narrow(view.getBigInt64(at, little)),
  u8: (view, at, little) => narrow(view.getBigUint64(at, little)),
  pointer: (view, at, little) => narrow(view.getBigUint64(at, little)),
};

/**
 * Returns the reader of a kind of value.
 *
 * @param form The kind.
 * @param safeNumbers Whether 64-bit integers become numbers where those are exact.
 * @returns The reader.
 */
export function structReader(
  form: Exclude<StructForm, "pad">,
  safeNumbers: boolean,
): StructRead {
  return safeNumbers ? safeReaders[form] ?? readers[form] : readers[form];
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function readPascal(view: DataView, at: number, _: boolean, width: number): Uint8Array {
  if (width === 0) return new Uint8Array(0);
  return copyBytes(view, at + 1, Math.min(view.getUint8(at), width - 1));
}

/** Bytes of a block that short byte strings are cut from: an ArrayBuffer of its own costs far more than they do. */
const BLOCK = 4096;
let block = new Uint8Array(BLOCK);
let used = 0;

/** Copies bytes out of a view; short ones share an ArrayBuffer with others, but no byte of it. */
function copyBytes(view: DataView, at: number, length: number): Uint8Array {
  if (length > BLOCK / 16) {
    const start = view.byteOffset + at;
    return new Uint8Array(view.buffer.slice(start, start + length));
  }
  if (used + length > BLOCK) {
    block = new Uint8Array(BLOCK);
    used = 0;
  }
  const start = used;
  used += length;
  for (let i = 0; i < length; i++) block[start + i] = view.getUint8(at + i);
  return new Uint8Array(block.buffer, start, length);
}
