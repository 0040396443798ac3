/** Bytes of a page of WebAssembly's memory. */
const PAGE = 65_536;

/**
 * Memory that stays where it is. Datagrams are received in it again and again, and whoever handles one is given a part: if he could
 * transfer it, with `postMessage(bytes, [bytes.buffer])`, the system would write the next datagrams into memory that is somebody else's
 * by then. WebAssembly's memory cannot be transferred: an attempt throws a `TypeError`, and nothing happens.
 *
 * @param length How many bytes; all of them are 0.
 */
export function fixedMemory(length: number): Uint8Array<ArrayBuffer> {
  const pages = Math.ceil(length / PAGE);
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
  return new Uint8Array(buffer as ArrayBuffer, 0, length);
}
