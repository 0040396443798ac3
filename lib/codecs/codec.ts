/**
 * Turns one message into bytes and back. Pure: no socket, no file, no clock.
 *
 * @typeParam T What a message means to a program.
 */
export interface Codec<T> {
  /** The format's name, as a user would write it in an option. */
  readonly name: string;
  /**
   * Turns a message into bytes.
   *
   * @param message The message to encode.
   * @returns Its bytes.
   * @throws {CodecError} If the message has a value that the format cannot carry.
   */
  encode(message: T): Uint8Array;
  /**
   * Turns bytes into the message that they are.
   *
   * @param bytes Exactly one message.
   * @returns What it means. Nothing in it refers to `bytes`, whose buffer may be used again.
   * @throws {CodecError} Naming the byte offset and what was expected there.
   */
  decode(bytes: Uint8Array): T;
}
