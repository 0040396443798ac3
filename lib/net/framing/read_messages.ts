import { CodecError } from "../../errors.ts";
import type { FrameDecoder, Framing } from "./framing.ts";
import type { ReadEnd } from "../stream/read_side.ts";

/** How a source of bytes follows the messages in them, e.g. to limit the time that each takes. */
export interface MessageWatch {
  /** Why there is nothing more to read, once a read has returned null. Default: `"ended"`. */
  readonly readEnd?: ReadEnd;
  /** The error, if `readEnd` is `"late"`. */
  readonly error?: Error;
  /** Called when a message has begun and its rest has not arrived; may be called again for the same message. */
  beginMessage?(): void;
  /** Called when the message that had begun is complete, and where none has begun. */
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

/** What {@linkcode readMessages} does with invalid messages. */
export interface ReadMessagesOptions {
  /** Called with the error of each invalid message, in order; reading continues after it. Without it, the iterator throws. */
  onBad?: (error: CodecError) => void | Promise<void>;
}

/**
 * Reads a stream message by message.
 *
 * The next bytes are read when the next message is requested, so a slow consumer slows down the peer. If this side stops reading
 * inside a message, that message is dropped.
 *
 * @param source The connection.
 * @param framing How messages are separated.
 * @param options What to do with invalid messages.
 * @returns The messages in order. Each is valid until the next one is requested: `slice()` what you keep.
 * @throws {CodecError} If a message is invalid and there is no `onBad`, or the stream ends inside a message.
 *
 * @example Lines
 * ```ts
 * import { connectStream, lineFraming, listenStream, readMessages } from "@labwire/labwire/net";
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
  const decoder = framing.decoder();
  const { onBad } = options;
  for (;;) {
    const chunk = await source.read();
    if (chunk === null) break;
    const { skipping } = decoder;
    decoder.push(chunk);
    for (;;) {
      const message = take(decoder);
      if (message === null) break;
      source.endMessage?.();
      if (!(message instanceof CodecError)) yield message;
      else if (onBad) await onBad(message);
      else throw message;
    }
    // The end of a message that was skipped shows in nothing else.
    if (!decoder.partial || skipping && !decoder.skipping) source.endMessage?.();
    if (decoder.partial) source.beginMessage?.();
  }
  if (source.readEnd === "stopped") return;
  if (source.readEnd === "late") {
    const late = lateError(source);
    if (!onBad) throw late;
    return await onBad(late);
  }
  const last = take({ next: () => decoder.end() });
  if (last instanceof CodecError) {
    if (!onBad) throw last;
    await onBad(last);
  } else if (last !== null && source.readEnd !== "lost") yield last;
}

/**
 * Cuts bytes that are all there into messages.
 *
 * @param bytes All bytes of a stream.
 * @param framing How messages are separated.
 * @returns The messages in order, each valid until the next one is requested.
 * @throws {CodecError} If a message is invalid.
 */
export function* messagesOf(bytes: Uint8Array, framing: Framing): Generator<Uint8Array> {
  const decoder = framing.decoder();
  decoder.push(bytes);
  for (let message; (message = decoder.next()) !== null;) yield message;
  const last = decoder.end();
  if (last !== null) yield last;
}

/** The next message, or the error that takes its place. */
function take(decoder: Pick<FrameDecoder, "next">): Uint8Array | CodecError | null {
  try {
    return decoder.next();
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
}

/** The error for a message that was not complete in time. */
export function lateError({ error }: MessageWatch): CodecError {
  return error instanceof CodecError
    ? error
    : new CodecError("Cannot read message: it was not complete in time", { cause: error });
}
