/** Byte sources without a socket. */

import type { ByteSource } from "../../../lib/net/framing/read_messages.ts";
import type { BufferSource } from "../../../lib/net/framing/read_records.ts";

/** Cuts bytes into chunks of one size. */
export function* chunksOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A source of the given chunks that reuses one buffer, as a connection does. */
export function textSource(chunks: Iterable<string | Uint8Array>): ByteSource & BufferSource {
  const all = [...chunks].map((chunk) =>
    typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk
  );
  const own = new Uint8Array(Math.max(1, ...all.map((chunk) => chunk.length)));
  let left = new Uint8Array();
  const readInto = (buffer: Uint8Array) => {
    if (left.length === 0) {
      const next = all.shift();
      if (!next) return Promise.resolve(null);
      left = next as Uint8Array<ArrayBuffer>;
    }
    const taken = Math.min(left.length, buffer.length);
    buffer.set(left.subarray(0, taken));
    left = left.subarray(taken);
    return Promise.resolve(taken);
  };
  return {
    readInto,
    async read() {
      own.fill(0xee);
      const length = await readInto(own);
      return length === null ? null : own.subarray(0, length);
    },
  };
}
