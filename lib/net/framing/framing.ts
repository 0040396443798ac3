/** Cuts a byte stream into messages; one splitter per connection. */
export interface Framing {
  /**
   * Makes a message ready to be sent.
   *
   * @param message One message.
   * @returns The bytes that stand for it on the stream.
   * @throws {CodecError} If the message has bytes that this framing cannot carry.
   */
  wrap(message: Uint8Array): Uint8Array;
  /**
   * Begins to read a stream.
   *
   * @returns The state that one connection's incoming bytes run through.
   */
  splitter(): Splitter;
}

/**
 * Puts the messages of one stream together again, however the transport has split or joined them: give it a chunk with
 * {@linkcode Splitter.push}, then take messages with {@linkcode Splitter.next} until there is none.
 */
export interface Splitter {
  /**
   * Takes the bytes that arrived next. Their memory may be used again once {@linkcode Splitter.next} has returned null.
   *
   * @param chunk The bytes, in any portion. All messages of the chunk before it have been taken.
   */
  push(chunk: Uint8Array): void;
  /**
   * Gives the next message that is complete.
   *
   * @returns A message, valid until the next call of any method, or null when more bytes are needed.
   * @throws {CodecError} If the stream has no message here, e.g. one is too long. The next call goes on behind it.
   */
  next(): Uint8Array | null;
  /** Whether a message has begun and its end has not come, once {@linkcode Splitter.next} has returned null. */
  readonly partial: boolean;
  /**
   * Says that the stream has ended.
   *
   * @returns The last message, where the framing lets the end of the stream complete one.
   * @throws {CodecError} If the stream ended inside a message.
   */
  end(): Uint8Array | null;
}
