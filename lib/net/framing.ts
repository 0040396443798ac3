/** Cuts a byte stream into messages; one splitter per connection. */
export interface Framing {
  /**
   * @param message One message.
   * @returns The bytes that stand for it on the stream.
   */
  wrap(message: Uint8Array): Uint8Array;
  /** @returns The state that one connection's incoming bytes run through. */
  splitter(): Splitter;
}

/** Puts the messages of one stream together again, however the transport has split or joined them. */
export interface Splitter {
  /**
   * @param chunk The bytes that arrived next, in any portion.
   * @returns The messages that are complete now, in order. They may share the chunk's memory.
   * @throws {CodecError} If the stream can no longer be cut into messages, e.g. one is too long.
   */
  push(chunk: Uint8Array): Uint8Array[];
  /**
   * Says that the stream has ended.
   *
   * @returns The last message, where the framing lets the end of the stream complete one.
   * @throws {CodecError} If the stream ended inside a message.
   */
  end(): Uint8Array | null;
}
