/**
 * Where messages are put together, so that each costs no more than one piece of memory of its own.
 *
 * @module
 */

/** Bytes of the longest datagram, and more. */
const SIZE = 1 << 16;
const bytes = new Uint8Array(SIZE);
const view = new DataView(bytes.buffer);

/**
 * Writes a message of a known length.
 *
 * @param length Its length in bytes.
 * @param write Writes every byte of it. It must not write another message meanwhile.
 */
export function written(length: number, write: (view: DataView) => void): Uint8Array {
  if (length <= SIZE) {
    write(view);
    return bytes.slice(0, length);
  }
  const own = new Uint8Array(length);
  write(new DataView(own.buffer));
  return own;
}

const encoder = new TextEncoder();
/** Characters of which each may have three bytes. */
const SHORT = SIZE / 3;
/** Characters of a text for which the way around another piece of memory is longer than what it saves. */
const TINY = 256;

/** The bytes of a text in UTF-8. */
export function writtenText(text: string): Uint8Array {
  if (text.length < TINY || text.length > SHORT) return encoder.encode(text);
  return bytes.slice(0, encoder.encodeInto(text, bytes).written);
}

/** The same, behind bytes that stand before it; undefined where it is too long. */
export function writtenBehind(head: Uint8Array, text: string): Uint8Array | undefined {
  if (text.length > SHORT - head.length) return undefined;
  bytes.set(head);
  const { written } = encoder.encodeInto(text, bytes.subarray(head.length));
  return bytes.slice(0, head.length + written);
}
