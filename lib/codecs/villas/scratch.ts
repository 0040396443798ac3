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
