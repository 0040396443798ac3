/** How messages lie in a byte stream: encodes each for the stream, and cuts what arrives into messages again. */
export interface Framing {
  /**
   * Encodes one message for the stream.
   *
   * @param message The message.
   * @returns The bytes that stand for it on the stream.
   * @throws {CodecError} If the message has bytes that this framing cannot carry.
   */
  encode(message: Uint8Array): Uint8Array;
  /**
   * Makes a decoder for the incoming bytes of one connection.
   *
   * @returns The decoder, which has seen nothing yet.
   */
  decoder(): FrameDecoder;
}

/**
 * Reassembles the messages of one stream, however the transport has split or joined them: pass each chunk to
 * {@linkcode FrameDecoder.push}, then call {@linkcode FrameDecoder.next} until it returns null.
 */
export interface FrameDecoder {
  /**
   * Takes the bytes that arrived next. Their memory may be reused once {@linkcode FrameDecoder.next} has returned null.
   *
   * @param chunk Any number of bytes. All messages of the chunk before it must have been taken.
   */
  push(chunk: Uint8Array): void;
  /**
   * Returns the next complete message.
   *
   * @returns A message, valid until the next call of any method, or null if more bytes are needed.
   * @throws {CodecError} If the bytes are not a message, e.g. if it is too long. The next call continues after it.
   */
  next(): Uint8Array | null;
  /** Whether a message has begun whose end has not arrived, once {@linkcode FrameDecoder.next} has returned null. */
  readonly partial: boolean;
  /** Whether that message was thrown as invalid already, so that {@linkcode FrameDecoder.next} returns nothing of it. */
  readonly skipping?: boolean;
  /**
   * Ends the stream.
   *
   * @returns The last message, if the framing lets the end of the stream complete one.
   * @throws {CodecError} If the stream ended inside a message.
   */
  end(): Uint8Array | null;
}
