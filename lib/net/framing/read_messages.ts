import { CodecError } from "../../errors.ts";
import { checkRecordSize, cutRecord } from "./fixed.ts";
import type { Framing, Splitter } from "./framing.ts";
import type { ReadEnd } from "../stream/read_side.ts";

/** What a source of bytes may want to know of the messages that are made of them. */
export interface MessageWatch {
  /** Why there is nothing more to read, once a read has returned null; `"ended"` where absent. */
  readonly readEnd?: ReadEnd;
  /** What is wrong where `readEnd` is `"late"`. */
  readonly error?: Error;
  /** Told that a message has begun and its rest is to be read, unless that was told already. */
  beginMessage?(): void;
  /** Told that the message that had begun is complete. */
  endMessage?(): void;
}

/** Where bytes come from: a `StreamConnection`, or anything like it. */
export interface ByteSource extends MessageWatch {
  /**
   * Reads what arrives next.
   *
   * @returns Bytes, valid until the next call, or null at the end.
   */
  read(): Promise<Uint8Array | null>;
}

/** A {@linkcode ByteSource} that fills a buffer of the caller's. */
export interface BufferSource extends MessageWatch {
  /**
   * Reads what arrives next into a buffer.
   *
   * @returns How many bytes were put at its start, or null at the end.
   */
  readInto(buffer: Uint8Array): Promise<number | null>;
}

/** What {@linkcode readMessages} does on bad messages. */
export interface ReadMessagesOptions {
  /** Told of each bad message, in its turn; then reading goes on behind it. Without this the iterator throws. */
  onBad?: (error: CodecError) => void | Promise<void>;
}

/**
 * Reads a stream message by message.
 *
 * The next bytes are read when the next message is asked for, so a slow consumer slows down the peer. When this side stops
 * reading, the message in the midst of which that happens is dropped.
 *
 * @param source The connection.
 * @param framing How messages are told apart.
 * @param options What to do on bad messages.
 * @returns The messages in order. Each is valid until the next one is asked for: `slice()` what is to be kept.
 * @throws {CodecError} If the stream has no message at some place and there is no `onBad`, or it ends inside a message.
 *
 * @example Lines
 * ```ts
 * import { connectStream, lineFraming, listenStream, readMessages } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = listenStream({
 *   port: 0,
 *   onConnection: async (connection) =>
 *     void await connection.write(new TextEncoder().encode("1.5 V\r\n2.0 V\n")),
 * });
 * await using connection = await connectStream({ port: listener.addr.port });
 * const lines: string[] = [];
 * for await (const line of readMessages(connection, lineFraming())) {
 *   lines.push(new TextDecoder().decode(line));
 * }
 * assertEquals(lines, ["1.5 V", "2.0 V"]);
 * ```
 */
export async function* readMessages(
  source: ByteSource,
  framing: Framing,
  options: ReadMessagesOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const splitter = framing.splitter();
  const { onBad } = options;
  for (;;) {
    const chunk = await source.read();
    if (chunk === null) break;
    splitter.push(chunk);
    for (;;) {
      const message = take(splitter);
      if (message === null) break;
      source.endMessage?.();
      if (!(message instanceof CodecError)) yield message;
      else if (onBad) await onBad(message);
      else throw message;
    }
    if (splitter.partial) source.beginMessage?.();
  }
  if (source.readEnd === "stopped") return;
  if (source.readEnd === "late") {
    const late = lateError(source);
    if (!onBad) throw late;
    return await onBad(late);
  }
  const last = take({ next: () => splitter.end() });
  if (last instanceof CodecError) {
    if (!onBad) throw last;
    await onBad(last);
  } else if (last !== null && source.readEnd !== "lost") yield last;
}

/** The next message, or the error there is in its place. */
function take(splitter: Pick<Splitter, "next">): Uint8Array | CodecError | null {
  try {
    return splitter.next();
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
}

/** The error of a message that was not complete in time. */
function lateError({ error }: MessageWatch): CodecError {
  return error instanceof CodecError
    ? error
    : new CodecError("Cannot read message: its end did not come in time", { cause: error });
}

/** How {@linkcode readRecords} reads. */
export interface ReadRecordsOptions {
  /** Most bytes in a block; at least one record in any case. Default: 262,144. */
  blockBytes?: number;
}

/**
 * Reads a stream of records of one size in blocks of whole records, which costs one promise per block and copies nothing but
 * the records that two blocks share: the way to read millions of them a second.
 *
 * @param source The connection.
 * @param size Bytes per record, 1 or more.
 * @param options Size of the blocks.
 * @returns Blocks of one or more whole records, each valid until the next one is asked for.
 * @throws {CodecError} If the stream ends inside a record, unless this side stopped reading, or a record is not complete in time.
 * @throws {RangeError} If the size is no whole number of at least 1.
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
