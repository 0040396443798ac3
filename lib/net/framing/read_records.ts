import { CodecError } from "../../errors.ts";
import { lateError, type MessageWatch } from "./read_messages.ts";

/** Like a `ByteSource`, but fills a buffer of the caller. */
export interface BufferSource extends MessageWatch {
  /**
   * Reads what arrives next into a buffer.
   *
   * @returns How many bytes were written to its start, or null at the end.
   */
  readInto(buffer: Uint8Array): Promise<number | null>;
}

/** How {@linkcode readRecords} reads. */
export interface ReadRecordsOptions {
  /** Maximum size of a block in bytes; a block has at least one record. Default: 262,144. */
  blockBytes?: number;
}

/**
 * Reads a stream of records of one size, with nothing between them, in blocks of whole records. It costs one promise per block and
 * copies only records that two blocks share, which is how millions of them per second can be read.
 *
 * @param source The connection.
 * @param size Bytes per record, 1 or more.
 * @param options Size of the blocks.
 * @returns Blocks of one or more whole records, each valid until the next one is requested.
 * @throws {CodecError} If the stream ends inside a record (unless this side stopped reading), or a record is not complete in time.
 * @throws {RangeError} If the size is not a whole number of at least 1.
 */
export async function* readRecords(
  source: BufferSource,
  size: number,
  options: ReadRecordsOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  checkRecordSize(size);
  const { blockBytes = 1 << 18 } = options;
  const buffer = new Uint8Array(Math.max(1, Math.floor(blockBytes / size)) * size);
  let length = 0;
  for (;;) {
    const added = await source.readInto(buffer.subarray(length));
    if (added === null) break;
    length += added;
    const rest = length % size;
    if (length > rest) {
      source.endMessage?.();
      yield buffer.subarray(0, length - rest);
      buffer.copyWithin(0, length - rest, length);
      length = rest;
    }
    if (length > 0) source.beginMessage?.();
  }
  if (source.readEnd === "late") throw lateError(source);
  if (length > 0 && source.readEnd !== "stopped") throw cutRecord(length, size);
}

function checkRecordSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(`Cannot cut a stream into records of ${size} bytes: expected at least 1`);
  }
}

/** The error for a stream that ends inside a record. */
function cutRecord(bytes: number, size: number): CodecError {
  return new CodecError(
    `Cannot read record: stream ended ${bytes} ${
      bytes === 1 ? "byte" : "bytes"
    } into a ${size}-byte record`,
    { offset: bytes },
  );
}
