/**
 * Tells what a datagram looks like that is not in the expected format, to find the wrong setting.
 *
 * @module
 */

/** The formats that do not tell what their values are. */
const UNTYPED: readonly RecognisedFormat[] = ["villas.binary", "villas.web", "opal.asyncip", "raw"];
/** The formats of lines, of which a mistake can make any text. */
const LINES = ["villas.human", "csv", "tsv", "value", "iotagent_ul"];
/** Bytes that are looked at where a format shows itself at the beginning, or at the end. */
const LOOK = 512;
const decoder = new TextDecoder();

/** The formats of VILLASnode that show themselves; `text` and `JSON` are none of them. */
export type RecognisedFormat =
  | "protobuf"
  | "villas.human"
  | "villas.binary"
  | "villas.web"
  | "json"
  | "json.kafka"
  | "json.reserve"
  | "json.edgeflex"
  | "csv"
  | "tsv"
  | "opal.asyncip"
  | "iotagent_ul"
  | "value"
  | "raw"
  | "JSON"
  | "text";

/** The text formats, each by its beginning; of JSON, also the end is looked at. The first that fits is it. */
const TEXTS: readonly [RecognisedFormat, RegExp][] = [
  ["json.kafka", /^[[{][^]*"schema": ?\{/],
  ["json.reserve", /^[[{][^]*"(?:measurements|setpoints)": ?\[/],
  ["json", /^\[?\s*\{\s*"(?:ts|flags|sequence|data)":/],
  ["json.edgeflex", /^\[?\s*\{\s*"[^]*"created": ?\d+\}/],
  ["JSON", /^(?:\[|\{\s*["}])/],
  ["csv", /^(?:# ?secs,|(?:\d+|nan),(?:\d+|nan),|\d+([;:| ])\d{9}\1\d+\1)/],
  ["tsv", /^(?:# ?secs\t|(?:\d+|nan)\t(?:\d+|nan)\t)/],
  ["value", /^[+-]?(?:\d+(?:\.\d+)?|nan|inf)(?:[+-][\d.]+i)?\n?$/],
  ["villas.human", /^(?:# ?seconds|\d+\.\d+(?:[+-][\d.e+-]+)?(?:\(\d+\))?F?(?:\t|\r?\n|$))/],
  ["iotagent_ul", /^[^|]+\|-?(?:\d+\.\d{6}|nan|inf)(?:\||$)/],
  ["text", /^/],
];

/**
 * Tells which of VILLASnode's formats a datagram is in. The time that it takes is bounded, whatever the bytes are.
 *
 * @param bytes A datagram, not empty.
 * @returns The format's name, `"JSON"` or `"text"` for text in none of VILLASnode's formats, or undefined.
 *
 * @example A sample in VILLASnode's format for people
 * ```ts
 * import { recogniseFormat } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("1795198430.457807691(2)\t0.25\n");
 * assertEquals(recogniseFormat(bytes), "villas.human");
 * ```
 */
export function recogniseFormat(bytes: Uint8Array): RecognisedFormat | undefined {
  if (bytes.length === 0) return undefined;
  const text = textOf(bytes)?.trimStart();
  if (text !== undefined) return TEXTS.find(([, pattern]) => pattern.test(text))![0];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isProtobuf(bytes)) return "protobuf";
  if (isPacked(view, false)) return "villas.binary";
  if (isPacked(view, true)) return "villas.web";
  if (isOpal(view)) return "opal.asyncip";
  return rawOf(view) ? "raw" : undefined;
}

/** How the format is asked for that a datagram is recognised as. */
function notationOf(format: RecognisedFormat, bytes: Uint8Array): string {
  if (format === "csv") {
    const separator = /^\s*\d+([;:| ])/.exec(textOf(bytes)!)?.[1];
    return separator === undefined ? format : `"csv,separator=${separator}"`;
  }
  if (format !== "raw") return format;
  return rawOf(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))!;
}

/**
 * Says what a datagram looks like that does not decode, and what to set where.
 *
 * @param bytes The datagram.
 * @param wanted The format that it should have.
 * @returns The end of a message, from `it looks like` on; undefined where it looks like nothing that is known.
 */
export function describeLikeness(bytes: Uint8Array, wanted = "protobuf"): string | undefined {
  const format = recogniseFormat(bytes);
  if (format === undefined || format === wanted) return undefined;
  if (format === "raw" && wanted === "gtnet" || format === "text" && LINES.includes(wanted)) {
    return undefined; // it may be what it should be, but for a mistake
  }
  const here = `use --format ${notationOf(format, bytes)} here`;
  const remedy = `set format = "${wanted}" in that node of VILLASnode's configuration, or ${here}` +
    (UNTYPED.includes(format) ? " with --signals, as in --signals 3f2i" : "");
  if (format === "villas.binary") {
    return `it looks like villas.binary, which a socket node of VILLASnode speaks without a format: ${remedy}`;
  }
  if (format === "JSON" || format === "text") {
    return `it looks like ${format}, not as VILLASnode sends it: see which program sends it`;
  }
  return `it looks like VILLASnode's format ${format}: ${remedy}`;
}

/**
 * The text that a datagram is; of a long one, the beginning and the end.
 *
 * @param bytes The datagram.
 * @returns The text, or undefined where it is not printable ASCII.
 */
export function textOf(bytes: Uint8Array): string | undefined {
  const head = bytes.subarray(0, LOOK);
  const tail = bytes.subarray(Math.max(LOOK, bytes.length - LOOK));
  return isPrintable(head) && isPrintable(tail)
    ? decoder.decode(head) + decoder.decode(tail)
    : undefined;
}

function isPrintable(bytes: Uint8Array): boolean {
  for (const byte of bytes) {
    if (byte > 0x7e || byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false;
  }
  return true;
}

/** Whether there is one villas.binary sample after another, up to the end: a header of 16 bytes, then 4 for each value. */
function isPacked(view: DataView, littleEndian: boolean): boolean {
  let at = 0;
  while (at + 16 <= view.byteLength) {
    // Version 2, a type, and two bits that are 0.
    if ((view.getUint8(at) & 0xf3) !== 0x20) return false;
    at += 16 + 4 * view.getUint16(at + 2, littleEndian);
  }
  return at === view.byteLength;
}

/** Whether there is one sample of opal.asyncip after another: a header of 8 bytes with the length of the doubles in it. */
function isOpal(view: DataView): boolean {
  let at = 0;
  while (at + 8 < view.byteLength) {
    const length = view.getUint16(at + 6, true);
    if (length === 0 || length % 8 !== 0) return false;
    at += 8 + length;
  }
  return at > 0 && at === view.byteLength;
}

/** The settings with which the beginning is nothing but numbers as a laboratory has them; undefined if there are none. */
function rawOf(view: DataView): string | undefined {
  const end = Math.min(view.byteLength, LOOK);
  for (const fake of [false, true]) {
    for (const size of [8, 4]) {
      if (view.byteLength < 8 || view.byteLength % size !== 0) continue;
      for (const little of [true, false]) {
        if (fake && !isStamped(view, size, little)) continue;
        let at = fake ? 3 * size : 0;
        while (at < end && isUsual(view, at, size, little)) at += size;
        if (at >= end) return RAWS[`${size}${little}`] + (fake ? ",fake=true" : "");
      }
    }
  }
  return undefined;
}

/** How raw values of some size and order are asked for. */
const RAWS: Readonly<Record<string, string>> = {
  "8true": "raw,bits=64",
  "8false": "raw,bits=64,endianess=big",
  "4true": "raw",
  "4false": "gtnet",
};

/** Whether there is one sample of a protobuf message after another, each with its type first. */
function isProtobuf(bytes: Uint8Array): boolean {
  let at = 0;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0x0a) return false;
    let length = 0;
    let byte = 128;
    for (let shift = 0; byte >= 128 && shift < 28; shift += 7) {
      byte = bytes[++at] ?? 0;
      length |= (byte & 127) << shift;
    }
    at++;
    if (bytes[at] !== 0x08 || length < 2) return false;
    at += length;
  }
  return at > 0 && at === bytes.length;
}

/** Whether there stand a sequence number, seconds of this century and nanoseconds at the beginning, as `fake` has them. */
function isStamped(view: DataView, size: number, little: boolean): boolean {
  if (view.byteLength < 3 * size) return false;
  const number = (word: number) => {
    const at = word * size;
    const [high, low] = little ? [at + size - 4, at] : [at, at + size - 4];
    return size === 4 || view.getUint32(high) === 0 ? view.getUint32(low, little) : NaN;
  };
  return number(0) >= 0 && number(1) > 1e9 && number(2) < 1e9;
}

/** Whether some bytes are a float of ordinary size, or a small integer. */
function isUsual(view: DataView, at: number, size: number, littleEndian: boolean): boolean {
  const float = Math.abs(
    size === 8 ? view.getFloat64(at, littleEndian) : view.getFloat32(at, littleEndian),
  );
  if (float === 0 || float > 1e-12 && float < 1e12) return true;
  const [high, low] = littleEndian ? [at + size - 4, at] : [at, at + size - 4];
  const integer = view.getInt32(low, littleEndian);
  return Math.abs(integer) < 65536 &&
    (size === 4 || view.getInt32(high, littleEndian) === integer >> 31);
}
