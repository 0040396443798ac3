/**
 * What the server sends to the page, in bytes: a frame is a header and blocks, all numbers little-endian, all of 8 bytes at multiples of 8.
 * `lib/scope/page/protocol.js` reads it.
 *
 * | header | |
 * |---|---|
 * | u32 | {@linkcode MAGIC} |
 * | u32 | the view that it belongs to |
 * | u32 | how many blocks follow |
 * | u32 | 1 if the view has been triggered |
 * | f64 | the time of the newest sample, in s |
 * | f64 | the time of the trigger's event; NaN without one |
 *
 * | block | points | columns | spectrum | X–Y |
 * |---|---|---|---|---|
 * | u32 kind | 0 | 1 | 2 | 3 |
 * | u32 lane, u32 count, u32 channels | | | | |
 * | u32 replace, u32 0 | 1 if what was there is to be dropped | the same | 1 | 1 |
 * | f64 a, b, c | number of the first, 0, 0 | origin, width, number of the first | Hz in a step, 0, 0 | 0, 0, 0 |
 * | u32 ids of the channels | | | | X, Y |
 * | u8 flags, one each | gap | gap, empty | | |
 * | f64 | times, values of each channel | least, greatest of each channel | amplitudes | x, y |
 *
 * @module
 */

/** The first four bytes: "LWS1". */
export const MAGIC = 0x3153574c;
const HEADER = 32;
const BLOCK = 48;

/** One block of a frame. */
export interface Block {
  /** What it is. */
  readonly kind: "points" | "columns" | "spectrum" | "xy";
  /** The lane that it is of. */
  readonly lane: number;
  /** How many points or columns. */
  readonly count: number;
  /** Whether what was there is to be dropped. */
  readonly replace: boolean;
  /** The three numbers of the table. */
  readonly numbers: readonly [number, number, number];
  /** The channels. */
  readonly ids: readonly number[];
  /** The flags, if there are any. */
  readonly flags?: Uint8Array;
  /** All arrays of numbers, in their order. */
  readonly data: readonly Float64Array[];
}

/** A frame. */
export interface Frame {
  /** The view that it belongs to. */
  readonly view: number;
  /** The time of the newest sample, in s. */
  readonly end: number;
  /** The time of the trigger's event. */
  readonly trigger?: number;
  /** What it carries. */
  readonly blocks: readonly Block[];
}

const KINDS = { points: 0, columns: 1, spectrum: 2, xy: 3 } as const;

/** Writes a frame. */
export function encodeFrame({ view, end, trigger, blocks }: Frame): Uint8Array {
  let size = HEADER;
  for (const block of blocks) size += sizeOf(block);
  const bytes = new Uint8Array(size);
  const data = new DataView(bytes.buffer);
  [MAGIC, view, blocks.length, trigger === undefined ? 0 : 1].forEach((number, i) =>
    data.setUint32(4 * i, number, true)
  );
  data.setFloat64(16, end, true);
  data.setFloat64(24, trigger ?? NaN, true);
  let at = HEADER;
  for (const block of blocks) {
    const { kind, lane, count, ids, replace, numbers, flags } = block;
    [KINDS[kind], lane, count, ids.length, replace ? 1 : 0, 0].forEach((number, i) =>
      data.setUint32(at + 4 * i, number, true)
    );
    numbers.forEach((number, i) => data.setFloat64(at + 24 + 8 * i, number, true));
    at += BLOCK;
    ids.forEach((id, i) => data.setUint32(at + 4 * i, id, true));
    at += padded(4 * ids.length);
    if (flags) bytes.set(flags, at);
    at += padded(flags?.length ?? 0);
    for (const array of block.data) {
      bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
      at += array.byteLength;
    }
  }
  return bytes;
}

function sizeOf({ ids, flags, data }: Block): number {
  return BLOCK + padded(4 * ids.length) + padded(flags?.length ?? 0) +
    data.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function padded(size: number): number {
  return size + 7 & ~7;
}
