import { CodecError } from "../errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });
/** The same, but with U+FFFD in place of what does not fit, which takes a fraction of the time. */
const lenient = new TextDecoder("utf-8");

/**
 * Decodes UTF-8 strictly. A byte order mark at the start is left out.
 *
 * @param bytes The whole text.
 * @returns The text.
 * @throws {CodecError} If the bytes are no UTF-8, with the offset of the first that does not fit.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  const text = lenient.decode(bytes);
  // A character U+FFFD may also have come as such.
  if (!text.includes("\ufffd")) return text;
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const { offset, why } = findUtf8Fault(bytes);
    throw new CodecError(`Cannot decode UTF-8 at byte ${offset}: ${why}`, { offset, cause });
  }
}

/** The lead bytes of characters of several bytes: from, to, number of bytes, and the range of the second byte. */
const LEADS: readonly (readonly [number, number, number, number, number])[] = [
  [0xc2, 0xdf, 2, 0x80, 0xbf],
  [0xe0, 0xe0, 3, 0xa0, 0xbf],
  [0xe1, 0xec, 3, 0x80, 0xbf],
  [0xed, 0xed, 3, 0x80, 0x9f],
  [0xee, 0xef, 3, 0x80, 0xbf],
  [0xf0, 0xf0, 4, 0x90, 0xbf],
  [0xf1, 0xf3, 4, 0x80, 0xbf],
  [0xf4, 0xf4, 4, 0x80, 0x8f],
];

/** Finds the first byte that does not fit, by the table of RFC 3629, section 4. */
function findUtf8Fault(bytes: Uint8Array): { offset: number; why: string } {
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at]!;
    if (first < 0x80) {
      at++;
      continue;
    }
    const lead = LEADS.find(([from, to]) => from <= first && first <= to);
    if (!lead) return { offset: at, why: `no character starts with ${hex(first)}` };
    const [, , length, low, high] = lead;
    for (let i = 1; i < length; i++) {
      const byte = bytes[at + i];
      if (byte === undefined) return { offset: at + i, why: "the text ends inside a character" };
      if (byte < (i === 1 ? low : 0x80) || byte > (i === 1 ? high : 0xbf)) {
        return { offset: at + i, why: `${hex(byte)} does not continue the character` };
      }
    }
    at += length;
  }
  return { offset: at, why: "the text is incomplete" };
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
